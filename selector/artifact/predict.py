"""Prediction with a run's saved model, in a worker of its own."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selector.artifact.data import write_data
from selector.artifact.run import RunFolder
from selector.contract import Array, Column, ReadOptions, Variable
from selector.errors import OptionError, RunError, did_you_mean

PREDICT_SECONDS = 3600.0

MODELS = {"model": "", "model_all": "--refit-all", "ensemble": "--ensemble"}
"""What a run may have saved, and the option that asks for it."""

WEIGHTS = "ensemble/weights.json"
"""Of the run folder: how much each saved model beside it weighs."""


@dataclass(frozen=True)
class Predictions:
    """What a model says of a source.

    Parameters
    ----------
    labels : list
        One prediction for each sample, in the target's original form.
    probabilities : ndarray, shape (n, k), or None
        Class probabilities; None for regression.
    classes : tuple of str
        The classes, in the order of the columns of `probabilities`.
    ids : tuple of str
        Names of the samples (series ids, image paths), where there are any.
    id_name : str
        What the names are: ``"path"`` for images, else the id column.
    notes : tuple of str
        Repairs, such as categories that training never saw, with counts.
    """

    labels: list[Any]
    probabilities: Array | None
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    id_name: str
    notes: tuple[str, ...]

    def write_csv(self, path: Path | str | None, proba: bool = False) -> None:
        """Write a CSV with a column ``prediction``, names first, ``proba_<class>`` last.

        Without a path it goes to standard output.

        Raises
        ------
        RunError
            Where the file cannot be written.
        """
        header = ([self.id_name] if self.ids else []) + ["prediction"]
        with_probabilities = proba and self.probabilities is not None
        if with_probabilities:
            header += [f"proba_{c}" for c in self.classes]
        try:
            with contextlib.ExitStack() as stack:
                handle = sys.stdout
                if path is not None:
                    opened = Path(path).expanduser().open("w", newline="", encoding="utf-8")
                    handle = stack.enter_context(opened)
                writer = csv.writer(handle, lineterminator="\n")
                writer.writerow(header)
                for i, label in enumerate(self.labels):
                    row: list[Any] = ([self.ids[i]] if self.ids else []) + [label]
                    if with_probabilities and self.probabilities is not None:
                        row += [f"{p:.6g}" for p in self.probabilities[i]]
                    writer.writerow(row)
        except BrokenPipeError:  # the reader has had enough
            raise
        except OSError as error:
            raise RunError(
                f"the predictions cannot be written to {path} ({error.strerror or error})."
                " Choose another file with -o."
            ) from error


class Predictor:
    """The saved model of a run, loaded in a worker on first use and kept there.

    Parameters
    ----------
    run : RunFolder
        A run with a model.
    model : str
        ``"model"``, ``"model_all"`` after ``--refit-all``, or ``"ensemble"``
        after ``--ensemble``.

    Raises
    ------
    OptionError
        Where `model` is none of these.
    RunError
        Where the run has no such model.
    """

    def __init__(self, run: RunFolder, model: str = "model") -> None:
        from selector.profile import Schema

        if model not in MODELS:
            raise OptionError(
                f"--model is one of {', '.join(MODELS)}; received '{model}'."
                f"{did_you_mean(model, MODELS)}"
            )
        self.run = run
        self.folder = run.path / model
        self._weights = _ensemble(run.path) if model == "ensemble" else {self.folder: 1.0}
        if not all((folder / "pipeline.json").is_file() for folder in self._weights or [run.path]):
            option = MODELS[model]
            hint = (
                f"'selector recommend' saves one with {option}, and 'selector show' says why"
                " where it could not"
                if option
                else "it ended before one was saved. Go on with 'selector resume'"
            )
            raise RunError(f"the run in {run.path} has no {model}: {hint}.")
        self.schema = Schema.from_dict(run.read("schema.json"))
        self._room: Path | None = None
        self._runner: Any = None

    def _start(self) -> None:
        import threading

        from selector.search.budget import Budget
        from selector.search.runner import Runner
        from selector.search.workers import WorkerPool

        self._room = Path(tempfile.mkdtemp(prefix="selector-"))
        (self._room / "logs").mkdir()
        pool = WorkerPool(self._room, 1, warm=())
        self._runner = Runner(
            RunFolder(self._room), pool, Budget(PREDICT_SECONDS), threading.Event()
        )

    def check_probabilities(self) -> None:
        """Raise an :class:`OptionError` where the model gives no probabilities."""
        if not self.schema.classes:
            raise OptionError(
                "probabilities (--proba, predict_proba) need a classification, and the model in"
                f" {self.folder} predicts a number. Predict without."
            )

    def close(self) -> None:
        """End the worker and remove its temporary files."""
        if self._runner is not None:
            self._runner.pool.close()
            self._runner = None
        if self._room is not None:
            shutil.rmtree(self._room, ignore_errors=True)
            self._room = None

    def __enter__(self) -> Predictor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def predict(self, source: Any) -> Predictions:
        """Predict every sample of a source (see :func:`selector.readers.read`).

        Raises
        ------
        DataError
            Where the source has another form than the training data.
        RunError
            Where the worker fails.
        """
        from selector import readers
        from selector.artifact.intake import plugin_readers

        options = ReadOptions(expect=self.schema.source)
        read = readers.read(source, options, extra_readers=plugin_readers)
        applied = self.schema.apply(read)
        if self._runner is None:
            self._start()
        assert self._room is not None
        write_data(self._room / "data", applied.x)
        parts = [self._ask(folder, applied.x) for folder in self._weights]
        raw = parts[0]
        if len(parts) > 1:
            raw = weighted_mean(parts, list(self._weights.values()))
        classes = self.schema.classes
        notes = [*applied.notes, *self._other_model()]
        labels = decode(raw, self.schema.target, classes)
        return Predictions(
            labels=labels,
            probabilities=raw if raw.ndim == 2 else None,
            classes=classes,
            ids=applied.ids,
            id_name=str(self.schema.source.get("id") or "path"),
            notes=tuple(notes),
        )

    def _other_model(self) -> list[str]:
        """Say where the run ended before the model that it names was fitted."""
        report = self.run.path / "recommendation.json"
        if self.folder.name != "model" or not report.exists():
            return []
        named = (self.run.read("recommendation.json").get("recommended") or {}).get("architecture")
        saved = self.run.read("model/pipeline.json").get("architecture")
        if named == saved:
            return []
        return [
            f"the saved model is {saved}: the run ended before {named}, which its report names,"
            " was fitted. Go on with 'selector resume'"
        ]

    def _ask(self, folder: Path, x: Variable) -> Array:
        """Return what one saved model predicts."""
        for attempt in range(2):
            assert self._room is not None
            out = self._room / "out.npy"
            command = {
                "op": "predict",
                "data": str(self._room / "data"),
                "model": str(folder),
                "out": str(out),
            }
            answer = self._runner.call(command, PREDICT_SECONDS)
            if answer["state"] == "complete":
                return np.asarray(np.load(out, allow_pickle=False))
            if attempt or not answer["reason"].startswith("worker "):
                break
            # it may have ended long before, with the thread that started it
            self.close()
            self._start()
            write_data(self._room / "data", x)
        raise RunError(f"the model in {folder} cannot predict: {answer['reason']}.")


def _ensemble(run: Path) -> dict[Path, float]:
    """Return the models of a run's ensemble with their weights; empty where there is none."""
    path = run / WEIGHTS
    if not path.is_file():
        return {}
    weights = json.loads(path.read_text())["weights"]
    return {path.parent / name: float(weight) for name, weight in weights.items()}


def weighted_mean(parts: Sequence[Array], weights: Sequence[float]) -> Array:
    """Return the weighted mean of predictions, float32."""
    total = sum(w * np.asarray(p, np.float64) for w, p in zip(weights, parts, strict=True))
    return np.asarray(total / sum(weights), dtype=np.float32)


def decode(raw: Array, target: Column, classes: Sequence[str]) -> list[Any]:
    """Return predictions in the target's original form.

    Parameters
    ----------
    raw : ndarray, shape (n, k) or (n,)
        Class probabilities, or values.
    target : Column
        The target's column; its ``dtype`` says what form a label has.
    classes : sequence of str
        The class labels as written.
    """
    if raw.ndim == 1:
        return [float(v) for v in raw]
    return [classes[int(i)] for i in raw.argmax(axis=1)]


def typed(labels: Sequence[Any], target: Column) -> Array:
    """Return labels as an array of the type that the target had in Python."""
    if target.type == "numeric" and labels and isinstance(labels[0], float):
        return np.asarray(labels, dtype=float)
    if target.dtype == "integer":
        return np.asarray([int(float(v)) for v in labels])
    if target.dtype == "float":
        return np.asarray([float(v) for v in labels])
    if target.dtype == "boolean":
        return np.asarray([str(v).lower() in ("true", "1", "yes", "t", "y") for v in labels])
    return np.asarray(labels, dtype=object)
