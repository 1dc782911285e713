"""Prediction with a run's saved model, in a worker of its own."""

from __future__ import annotations

import contextlib
import csv
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
from selector.contract import Array, Column, ReadOptions
from selector.errors import RunError

PREDICT_SECONDS = 3600.0


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
                    opened = Path(path).open("w", newline="", encoding="utf-8")  # noqa: SIM115
                    handle = stack.enter_context(opened)
                writer = csv.writer(handle, lineterminator="\n")
                writer.writerow(header)
                for i, label in enumerate(self.labels):
                    row: list[Any] = ([self.ids[i]] if self.ids else []) + [label]
                    if with_probabilities and self.probabilities is not None:
                        row += [f"{p:.6g}" for p in self.probabilities[i]]
                    writer.writerow(row)
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
        ``"model"``, or ``"model_all"`` after ``--refit-all``.

    Raises
    ------
    RunError
        Where the run has no such model.
    """

    def __init__(self, run: RunFolder, model: str = "model") -> None:
        from selector.profile import Schema

        self.run = run
        self.folder = run.path / model
        if not (self.folder / "pipeline.json").is_file():
            raise RunError(
                f"the run in {run.path} has no {model}: it ended before one was saved."
                " Go on with 'selector resume'."
            )
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
        out = self._room / "out.npy"
        command = {
            "op": "predict",
            "data": str(self._room / "data"),
            "model": str(self.folder),
            "out": str(out),
        }
        answer = self._runner.call(command, PREDICT_SECONDS)
        if answer["state"] != "complete" and answer["reason"].startswith("worker "):
            # it may have ended long before, with the thread that started it
            self.close()
            self._start()
            write_data(self._room / "data", applied.x)
            command |= {"data": str(self._room / "data"), "out": str(self._room / "out.npy")}
            out = self._room / "out.npy"
            answer = self._runner.call(command, PREDICT_SECONDS)
        if answer["state"] != "complete":
            raise RunError(f"the model in {self.folder} cannot predict: {answer['reason']}.")
        raw = np.load(out, allow_pickle=False)
        classes = self.schema.classes
        labels = decode(raw, self.schema.target, classes)
        return Predictions(
            labels=labels,
            probabilities=raw if raw.ndim == 2 else None,
            classes=classes,
            ids=applied.ids,
            id_name=str(self.schema.source.get("id") or "path"),
            notes=tuple(applied.notes),
        )


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
