"""The Python API: the same roads as the command line, quiet by default."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings
import weakref
from collections.abc import Iterable, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, cast

from selector.artifact.predict import Predictions, Predictor, typed
from selector.artifact.run import RunFolder, write_atomically
from selector.contract import Array
from selector.errors import OptionError, RunError
from selector.options import Options
from selector.report.progress import Progress
from selector.session import Session


class Recommendation:
    """What a run found: a verdict with its reasons, and a model that can be used.

    Made by :func:`recommend` and :func:`load`.
    """

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._content = {**run.read("recommendation.json"), "run": str(run.path)}
        self._predictors: dict[str, Predictor] = {}

    @property
    def path(self) -> Path:
        """The run folder."""
        return self._run.path

    @property
    def verdict(self) -> str:
        """``"winner"``, ``"tie"``, ``"baseline"`` or ``"undecided"``."""
        return str(self._content["verdict"])

    @property
    def best(self) -> dict[str, Any]:
        """The recommended model: ``architecture``, ``family``, ``title``, ``params``, ``type``."""
        return dict(self._content["recommended"])

    @property
    def score(self) -> dict[str, Any] | None:
        """``metric``, ``value``, ``interval``, ``on``: measured on data that no choice has seen."""
        score: dict[str, Any] | None = self._content["score"]
        return score

    @property
    def ensemble(self) -> dict[str, Any] | None:
        """Members, score and cost of the ensemble, where one was asked for; else None."""
        told: dict[str, Any] | None = self._content.get("ensemble")
        return told

    @property
    def leaderboard(self) -> list[dict[str, Any]]:
        """A dictionary for each architecture that was admitted, best first."""
        return list(self._content["leaderboard"])

    @property
    def why(self) -> list[str]:
        """The reasons, in sentences that name their numbers."""
        return list(self._content["why"])

    def to_dict(self) -> dict[str, Any]:
        """Return everything, as ``selector recommend --json`` prints it."""
        return dict(self._content)

    def _ready(self, model: str) -> Predictor:
        if model not in self._predictors:
            self._predictors[model] = Predictor(self._run, model)
            weakref.finalize(self, self._predictors[model].close)
        return self._predictors[model]

    def predict(self, X: Any, model: str = "model") -> Array:
        """Predict with a saved model.

        Parameters
        ----------
        X : array-like, data frame or path
            Samples of the form that the model was trained on, with or without
            the target.
        model : {"model", "model_all", "ensemble"}
            The recommended one, the same fitted on all rows (`refit_all`), or
            the average of several (`ensemble`).

        Returns
        -------
        ndarray, shape (n,)
            Labels in their original form, or values.

        Raises
        ------
        DataError
            Where `X` has another form than the training data.

        Warns
        -----
        UserWarning
            Of what had to be repaired, such as categories that training never saw.
        """
        return typed(self._predicted(X, model).labels, self._ready(model).schema.target)

    def _predicted(self, X: Any, model: str) -> Predictions:
        """Predict, and warn of what had to be repaired."""
        found = self._ready(model).predict(X)
        for note in found.notes:
            warnings.warn(note, stacklevel=3)
        return found

    def predict_proba(self, X: Any, model: str = "model") -> Array:
        """Return class probabilities, shape (n, k), in the order of :attr:`classes`.

        Arguments as :meth:`predict`. Where the metric is balanced accuracy they are as
        if the classes were equally frequent, and the most probable one is predicted.

        Raises
        ------
        OptionError
            Where the task is no classification.
        """
        self._ready(model).check_probabilities()
        return cast("Array", self._predicted(X, model).probabilities)

    @property
    def classes(self) -> list[str]:
        """The class labels as written, in the order of the probabilities."""
        return list(self._content["profile"]["classes"])

    def save(self, path: str | Path) -> Path:
        """Copy the whole run to a new folder, which :func:`load` opens again.

        Raises
        ------
        OptionError
            Where the folder exists already or cannot be written.
        """
        target = Path(path).expanduser().absolute()
        try:
            shutil.copytree(self.path, target, ignore=shutil.ignore_patterns(".lock", ".*"))
        except FileExistsError:
            raise OptionError(f"rec.save needs a new folder, and {target} exists.") from None
        except OSError as error:
            raise OptionError(f"the run cannot be saved to {target} ({error}).") from error
        from selector.report.html import render_html

        moved = {**self._content, "run": str(target)}
        RunFolder.open(target).write("recommendation.json", moved)
        write_atomically(target / "report.html", render_html(moved))
        return target

    def __repr__(self) -> str:
        score = self.score
        text = f"{score['metric']} {score['value']:.3f}" if score else "unscored"
        return f"<Recommendation {self.verdict}: {self.best['architecture']}, {text}>"

    def _repr_html_(self) -> str:
        from selector.report.notebook import render_notebook

        return render_notebook(self._content)


def recommend(
    X: Any,
    y: Any = None,
    *,
    time: float | str | None = None,
    test: Any = None,
    trials: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    families: Iterable[str] = (),
    trained_only: bool = False,
    target: str | int | None = None,
    kind: str | None = None,
    task: str | None = None,
    axes: str | Sequence[str] | None = None,
    metric: str | None = None,
    group: str | Any = None,
    order: str | Any = None,
    id: str | int | None = None,
    step: str | int | None = None,
    prefer: str = "balanced",
    refit_all: bool = False,
    ensemble: bool = False,
    max_latency: float | None = None,
    max_size: int | str | None = None,
    max_params: int | None = None,
    out: str | Path | None = None,
    verbose: bool = False,
) -> Recommendation:
    """Recommend an architecture for a data set, and fit it.

    Parameters
    ----------
    X : path, ndarray, list of ndarray, pandas or polars data frame
        The data. A file or folder in any form that ``selector recommend``
        takes; an array of shape (n, p), (n, time, channel), (n, height, width)
        or (n, height, width, channel); a list of arrays (time, channel) for
        series of different lengths.
    y : array-like, shape (n,), optional
        The target; None where X holds it. With `id` it has a value for each
        series, in the order in which the series first appear.
    time : float or str, optional
        The budget: seconds, or ``"90s"``, ``"5m"``; by default a minute, and
        an hour with `trials`. The search and all that follows
        end in it, three seconds late at most; what reading the data takes counts, and is
        not cut short.
    test : path, or tuple (X, y), optional
        A test part of its own; by default a fifth is split off, untouched.
    trials, seed, workers, families, trained_only, target, kind, task, axes, metric, id, step,
    prefer
        As the options of ``selector recommend``; a column that has a number
        for a name may be given by it.
    group : str, int or array-like, shape (n,), optional
        Column of a table, or a value for each sample of any form: samples of
        one group stay together in every split.
    order : str, int or array-like of number or date, shape (n,), optional
        The same: splits go forward in it.
    refit_all, ensemble : bool
        As the options of ``selector recommend``.
    max_latency : float, optional
        Milliseconds that one prediction may take, as measured.
    max_size : int or str, optional
        Bytes of a model at most, or ``"500kB"``.
    max_params : int, optional
        Parameters of a model at most.
    out : path, optional
        Where to keep the run; by default a temporary folder that lives as
        long as this process (see :meth:`Recommendation.save`).
    verbose : bool
        Show progress on standard error.

    Returns
    -------
    Recommendation

    Raises
    ------
    DataError
        Where the data cannot be used.
    OptionError
        Where an argument is not allowed.
    RunError
        Where no trial ended within the time.
    """
    if isinstance(families, str):
        families = [name.strip() for name in families.split(",") if name.strip()]
    names = tuple(families)
    aside = {"group": group, "order": order}  # names of columns, or arrays
    columns = {name: str(a) for name, a in aside.items() if isinstance(a, str | Integral)}
    options = Options(
        time=time,  # type: ignore[arg-type]
        trials=trials,
        seed=seed,
        workers=workers,
        families=names,
        trained_only=trained_only,
        target=_name(target),
        kind=kind,
        task=task,
        axes=axes if axes is None or isinstance(axes, str) else ",".join(axes),
        metric=metric,
        group=columns.get("group"),
        order=columns.get("order"),
        id=_name(id),
        step=_name(step),
        prefer=prefer,
        refit_all=refit_all,
        ensemble=ensemble,
        max_latency=max_latency,
        max_size=max_size,  # type: ignore[arg-type]
        max_params=max_params,
        command=("selector.recommend",),
    )
    if out is None:
        room = Path(tempfile.mkdtemp(prefix="selector-run-"))
        atexit.register(shutil.rmtree, room, ignore_errors=True)
        out = room / "run"
    test_X, test_y = test if isinstance(test, tuple) else (test, None)
    groups, ordered = (None if name in columns else a for name, a in aside.items())
    with Progress(quiet=not verbose) as progress:
        session = Session(options, on_progress=lambda state: progress.update(**state))
        session.recommend(X, y, test_X, test_y, Path(out), groups, ordered)
    return load(Path(out))


def _name(column: Any) -> str | None:
    """Return a column's name as the readers write it: as text."""
    return None if column is None else str(column)


def load(path: str | Path) -> Recommendation:
    """Open a run folder.

    Raises
    ------
    SourceNotFoundError
        Where there is no run.
    RunError
        Where the run has no recommendation yet.
    """
    run = RunFolder.open(path)
    if not (run.path / "recommendation.json").exists():
        raise RunError(
            f"the run in {run.path} has no recommendation yet. Go on with 'selector resume {path}'."
        )
    return Recommendation(run)
