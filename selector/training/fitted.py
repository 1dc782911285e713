"""What fitting an architecture of any base gives back, and the plain score helpers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from selector.contract import Array, Params, Profile, TrialSpec, Variable
from selector.training.clock import Clock
from selector.training.preprocess import Preprocessor, static_length


@dataclass(frozen=True, eq=False)
class TrialData:
    """The development data, in the memory of a worker.

    Parameters
    ----------
    x : Variable
        The samples.
    y : ndarray of float64, shape (n,)
        Class indices, or values.
    """

    x: Variable
    y: Array


@dataclass(frozen=True, eq=False)
class Job:
    """What a fit function gets.

    Parameters
    ----------
    spec, profile, data, clock
        As for :func:`selector.training.fit.run_trial`.
    train, validation : ndarray of int
        Row numbers; `validation` may be empty.
    length : int or None
        Steps to which ragged series are padded.
    """

    spec: TrialSpec
    profile: Profile
    data: TrialData
    train: Array
    validation: Array
    clock: Clock

    @property
    def params(self) -> Params:
        """The configuration."""
        return self.spec.params

    @property
    def classification(self) -> bool:
        """Whether classes are predicted."""
        return self.profile.task == "classification"

    @property
    def length(self) -> int | None:
        """Steps to which ragged series are padded; None where all have one shape."""
        return static_length(self.data.x)


@dataclass(eq=False)
class Fitted:
    """A fitted model.

    Parameters
    ----------
    predictions : ndarray or None
        For the validation rows: probabilities ``(n, k)`` or values ``(n,)``.
    record : dict
        Fields of the trial's result that the fit knows.
    finish : callable
        Returns the model to save: a Keras model or a scikit-learn estimator.
    predict_one : callable
        Predicts one sample and waits for the result; for the latency.
    preprocessor : Preprocessor or None
        What the model's input goes through.
    modules : list of str
        Those that its layers come from.
    rows : int
        Training rows that it was fitted on, where that was not all of them.
    """

    predictions: npt.NDArray[np.float32] | None
    record: dict[str, Any]
    finish: Callable[[], Any]
    predict_one: Callable[[], Any]
    preprocessor: Preprocessor | None = None
    modules: list[str] = field(default_factory=list)
    rows: int = 0


def split_rows(split: Sequence[int] | Array) -> tuple[Array, Array]:
    """Return the rows for training (0) and for validation (1) of a split."""
    codes = np.asarray(split)
    return np.flatnonzero(codes == 0), np.flatnonzero(codes == 1)


def probabilities(logits: Array) -> npt.NDArray[np.float64]:
    """Return the softmax of logits ``(n, k)`` in float64."""
    z = np.asarray(logits, dtype=np.float64)
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(z / z.sum(axis=1, keepdims=True))


def decides_evenly(profile: Profile) -> bool:
    """Whether a class is chosen as if all were equally frequent: the metric counts them so."""
    return profile.metric == "balanced_accuracy" and bool(profile.counts)


def even(probabilities: Array, counts: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return class probabilities as if the classes were equally frequent.

    The most probable class is then the one that the mean of the classes' recalls is
    highest for in expectation.

    Parameters
    ----------
    probabilities : ndarray, shape (n, k)
        As learnt from data with these classes.
    counts : sequence of int, length k
        Rows of each class in that data.
    """
    weighed = np.asarray(probabilities, dtype=np.float64) / np.maximum(counts, 1)
    return np.asarray(weighed / weighed.sum(axis=1, keepdims=True), dtype=np.float32)


def cross_entropy(logits: Array, y: Array) -> float:
    """Return the mean cross-entropy of logits ``(n, k)`` for class indices ``(n,)``."""
    z = np.asarray(logits, dtype=np.float64)
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return float(-np.mean(log_p[np.arange(len(y)), np.asarray(y).astype(int)]))
