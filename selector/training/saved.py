"""The saved model: ``pipeline.json`` beside ``model.keras`` or ``model.skops``.

Loading runs no code from the files: Keras layers are standard or come from
modules of installed plugins, and so do the types of scikit-learn objects that
are not in a list.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from selector.contract import Array, Column, Variable, column_from_dict
from selector.errors import DataError, RunError, SourceNotFoundError
from selector.hookspecs import GROUP
from selector.training.fitted import even
from selector.training.preprocess import Prepared, Preprocessor, matrix

FORMAT = 1
PIPELINE = "pipeline.json"
KERAS_FILE, SKOPS_FILE = "model.keras", "model.skops"
BATCH = 64
"""Every prediction is computed in batches of this size, filled up with the batch's first
row, so that a sample alone gives bit for bit what it gives among others."""
LENGTH_STEP = 32
"""Series longer than any in training are padded to a multiple of this."""

TRUSTED = (
    "numpy.dtype",
    "numpy.random._mt19937.MT19937",
    "numpy.random._pickle.__randomstate_ctor",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn._loss._loss.CyHalfMultinomialLoss",
    "sklearn._loss._loss.CyHalfSquaredError",
    "sklearn._loss.link.HalfLogitLink",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.tree._tree.Tree",
)
"""Types in scikit-learn models, beyond those that skops trusts itself, that may be loaded."""


def save(folder: Path, model: Any, pipeline: Mapping[str, Any]) -> None:
    """Write a model and, last and atomically, its ``pipeline.json``.

    Parameters
    ----------
    folder : Path
        Made if need be.
    model : keras.Model or scikit-learn estimator
        By ``pipeline["type"]``.
    pipeline : mapping
        JSON-serialisable.

    Raises
    ------
    RunError
        Where the model needs a type that :func:`load` would refuse.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PIPELINE).unlink(missing_ok=True)
    name = SKOPS_FILE if pipeline["type"] == "estimator" else KERAS_FILE
    part = folder / f"part-{name}"
    if name == SKOPS_FILE:
        import skops.io

        skops.io.dump(model, part)
        _allowed_types(skops.io.get_untrusted_types(file=part), plugin_packages())
    else:
        model.save(part)
    os.replace(part, folder / name)
    text = json.dumps(pipeline, indent=1, allow_nan=False)
    (folder / f"part-{PIPELINE}").write_text(text)
    os.replace(folder / f"part-{PIPELINE}", folder / PIPELINE)


@dataclass(eq=False)
class SavedModel:
    """A loaded model with its preprocessing.

    Parameters
    ----------
    pipeline : mapping
        Contents of ``pipeline.json``.
    unseen : int
        How many categorical cells of the last :meth:`predict` held a level
        that training did not know.
    """

    pipeline: Mapping[str, Any]
    _predict: Callable[[Variable], Array]
    unseen: int = 0

    @property
    def classes(self) -> tuple[str, ...]:
        """Class labels as written, in the order of the probabilities; empty for regression."""
        return tuple(self.pipeline["classes"])

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns or channels of the training data."""
        return tuple(column_from_dict(c) for c in self.pipeline["columns"])

    def predict(self, x: Variable) -> Array:
        """Return class probabilities ``(n, k)`` or values ``(n,)``, float32.

        Where the metric is balanced accuracy, probabilities as if the classes were
        equally frequent.

        Parameters
        ----------
        x : Variable
            With the axes and columns of the training data. Categorical cells
            are matched by their level's name; levels that training did not know
            count as missing.

        Raises
        ------
        DataError
            Where axes or shape differ from those of the training data.
        """
        self._check(x)
        aligned, self.unseen = align(x, self.columns)
        if not len(aligned):
            shape = (0, len(self.classes)) if self.pipeline["task"] == "classification" else (0,)
            return np.zeros(shape, np.float32)
        values = np.asarray(self._predict(aligned), dtype=np.float32)
        if self.pipeline["task"] != "classification":
            return values.reshape(-1)
        counts = self.pipeline.get("even")
        return even(values, counts) if counts else values

    def _check(self, x: Variable) -> None:
        expected, axes = tuple(self.pipeline["sample_shape"]), tuple(self.pipeline["axes"])
        given = x.sample_shape
        if x.axes != axes:
            raise DataError(f"the model takes samples with axes {axes}, not {x.axes}")
        fits = len(given) == len(expected) and all(
            want is None or want == have for want, have in zip(expected, given, strict=True)
        )
        if not fits:
            raise DataError(
                f"the model takes samples of shape {_shape(expected)}, not {_shape(given)};"
                " give data with the columns and lengths of the training data"
            )


def _shape(shape: Sequence[int | None]) -> str:
    return "(" + ", ".join("any" if extent is None else str(extent) for extent in shape) + ")"


def align(x: Variable, columns: Sequence[Column]) -> tuple[Variable, int]:
    """Return `x` with categorical cells coded by the levels in `columns`.

    Returns
    -------
    aligned : Variable
        `x` itself where all levels agree.
    unseen : int
        Number of cells whose level is not among those of `columns`; they are missing.
    """
    if x.axes != ("feature",) or len(x.columns) != len(columns):
        return x, 0
    by_name = {column.name: i for i, column in enumerate(x.columns)}
    order = [by_name.get(column.name, -1) for column in columns]
    if sorted(order) != list(range(len(columns))):
        order = list(range(len(columns)))
    values = np.array(x.values, dtype=np.float64)[:, order]
    unseen = 0
    for i, column in enumerate(columns):
        given = x.columns[order[i]]
        if column.type != "categorical" or given.type != "categorical":
            continue
        if given.levels == column.levels:
            continue
        index = {level: float(code) for code, level in enumerate(column.levels)}
        codes = np.array([index.get(level, np.nan) for level in given.levels] + [np.nan])
        known = np.isfinite(values[:, i])
        cells = np.where(known, values[:, i], len(given.levels)).astype(int)
        values[:, i] = codes[cells]
        unseen += int((known & np.isnan(values[:, i])).sum())
    return replace(x, values=values, columns=tuple(columns)), unseen


def load(folder: str | os.PathLike[str], allowed: Sequence[str] | None = None) -> SavedModel:
    """Load a saved model.

    Parameters
    ----------
    folder : path
        With ``pipeline.json``.
    allowed : sequence of str, optional
        Top-level packages that layers and estimators may come from; by default
        ``selector`` and those of the installed plugins.

    Raises
    ------
    SourceNotFoundError
        Where there is no model in `folder`.
    RunError
        Where it is of another format or asks for code that is not allowed.
    """
    path = Path(folder)
    try:
        pipeline = json.loads((path / PIPELINE).read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise SourceNotFoundError(
            f"there is no saved model in '{path}'; it must hold {PIPELINE}"
        ) from None
    except ValueError as error:
        raise RunError(f"'{path / PIPELINE}' is damaged ({error}); save the model again") from None
    if pipeline.get("format") != FORMAT:
        raise RunError(
            f"the model in '{path}' has format {pipeline.get('format')!r}, and this version of"
            f" selector reads {FORMAT}; train it again"
        )
    if pipeline["type"] == "estimator":
        return SavedModel(pipeline, _load_estimator(path / SKOPS_FILE, pipeline, allowed))
    return SavedModel(pipeline, _load_keras(path / KERAS_FILE, pipeline, allowed))


def plugin_packages() -> set[str]:
    """Return the top-level packages of the installed plugins, and ``selector``."""
    points = importlib.metadata.entry_points(group=GROUP)
    return {"selector"} | {point.module.partition(".")[0] for point in points}


def _load_estimator(
    path: Path, pipeline: Mapping[str, Any], allowed: Sequence[str] | None
) -> Callable[[Variable], Array]:
    import skops.io

    from selector.training.estimators import predict

    packages = plugin_packages() if allowed is None else set(allowed)
    types = _allowed_types(skops.io.get_untrusted_types(file=path), packages)
    estimator = skops.io.load(path, trusted=types)
    classes = pipeline["n_outputs"] if pipeline["task"] == "classification" else 0
    length = pipeline["length"]
    return lambda x: predict(estimator, matrix(_ragged(x, length), length), classes)


def check_savable(estimator: Any) -> None:
    """Raise what :func:`save` would raise for a fitted scikit-learn estimator.

    Raises
    ------
    RunError
        Where it needs a type that :func:`load` would refuse.
    """
    import skops.io

    needed = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
    _allowed_types(needed, plugin_packages())


def _allowed_types(needed: Sequence[str], packages: set[str]) -> list[str]:
    """Return types beyond skops's own; all must be in :data:`TRUSTED` or a plugin's classes."""
    own = packages - {"selector"}
    refused = [n for n in sorted(set(needed) - set(TRUSTED)) if not _is_class_of(own, n)]
    if refused:
        raise RunError(
            f"the model holds {', '.join(refused)}, and only scikit-learn's own estimators and"
            " classes of installed plugins may be loaded; use a recipe made of those"
        )
    return list(needed)


def _is_class_of(packages: set[str], name: str) -> bool:
    """Return whether a name is that of a class defined in one of `packages`.

    Functions, and what a package merely imports, could do anything when called.
    """
    module, _, last = name.rpartition(".")
    if module.partition(".")[0] not in packages:
        return False
    try:
        found = getattr(importlib.import_module(module), last, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__.partition(".")[0] in packages


def _load_keras(
    path: Path, pipeline: Mapping[str, Any], allowed: Sequence[str] | None
) -> Callable[[Variable], Array]:
    from selector.training import backend

    backend.prepare()
    packages = plugin_packages() if allowed is None else {"selector", *allowed}
    import keras

    from selector.training.forward import forward_of
    from selector.training.layers.initializers import drawn_by_numpy

    importlib.import_module("selector.training.layers")
    for name in pipeline["modules"]:
        if name.partition(".")[0] not in packages:
            raise RunError(
                f"the model needs layers from '{name}', which is no installed plugin;"
                f" there are {', '.join(sorted(packages))}: install the plugin it was made with"
            )
        importlib.import_module(name)
    with drawn_by_numpy():  # weights that the file's then replace
        model = keras.saving.load_model(path, custom_objects=None, compile=False, safe_mode=True)
    preprocessor = Preprocessor.from_dict(pipeline["preprocessor"])
    features = pipeline["type"] == "feature" and keras.backend.backend() == "jax"
    forward = _by_head(model, pipeline["task"]) if features else forward_of(model, BATCH)
    return lambda x: _predict_keras(forward, preprocessor, pipeline["length"], x)


def _by_head(model: Any, task: str) -> Callable[[Prepared], Array]:
    """Return the function of a model with fixed features: their program, then the head.

    The program is the one that computed the features in the trials, so that it
    need not be compiled again.
    """
    import keras

    from selector.training.fitted import probabilities
    from selector.training.forward import forward_of
    from selector.training.models import HEAD

    layer = model.get_layer(HEAD)
    kernel, bias = layer.get_weights()
    forward = forward_of(keras.Model(model.inputs, layer.input), BATCH)

    def outputs(data: Prepared) -> Array:
        values = forward(data, lambda part: part @ kernel + bias)
        return probabilities(values) if task == "classification" else values

    return outputs


def _predict_keras(
    forward: Callable[[Prepared], Array],
    preprocessor: Preprocessor,
    length: int | None,
    x: Variable,
) -> Array:
    """Predict in batches of one size; a series' own length decides how far it is padded."""
    x = _ragged(x, length)
    if x.lengths is None:
        return forward(preprocessor.transform(x))
    assert length is not None
    padded = np.where(
        x.lengths <= length, length, -(-x.lengths // LENGTH_STEP) * LENGTH_STEP
    ).astype(int)
    out: Array | None = None
    for steps in np.unique(padded):
        rows = np.flatnonzero(padded == steps)
        values = forward(preprocessor.transform(x.take(rows), int(steps)))
        if out is None:
            out = np.zeros((len(x), *values.shape[1:]), values.dtype)
        out[rows] = values
    assert out is not None
    return out


def _ragged(x: Variable, length: int | None) -> Variable:
    """Return series of one length in the ragged form where the model was trained on that."""
    if x.lengths is not None or length is None:
        return x
    lengths = np.full(len(x.values), x.values.shape[1], dtype=np.int64)
    return replace(x, values=x.values.reshape(-1, *x.values.shape[2:]), lengths=lengths)
