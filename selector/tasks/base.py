"""What every task offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import ClassVar

import numpy as np

from selector.contract import Array
from selector.errors import OptionError, did_you_mean
from selector.tasks.metrics import METRICS


class Task(ABC):
    """How the predictions of one target are scored, split and bounded.

    Attributes
    ----------
    name : str
        The task's name, as in ``Profile.task``.
    metric : str
        The name of its score.
    """

    name: ClassVar[str]
    metric: str

    def scored_by(self, metric: str) -> Task:
        """Return the task with another metric.

        Raises
        ------
        selector.errors.OptionError
            Where it has no metric of this name.
        """
        allowed = METRICS[self.name]
        if metric not in allowed:
            raise OptionError(
                f"metric '{metric}' is not one of {self.name}. Allowed: {', '.join(allowed)}."
                f"{did_you_mean(metric, allowed)}"
            )
        other = copy(self)
        other.metric = metric
        return other

    @abstractmethod
    def row_scores(self, y: Array, predictions: Array) -> Array:
        """Return what each row adds to the score.

        Parameters
        ----------
        y : ndarray, shape (n,)
            Class codes, or values.
        predictions : ndarray, shape (n, k) or (n,)
            Class probabilities, or values.

        Returns
        -------
        ndarray of float64, shape (n,)
            Their mean is the usual score.
        """

    def score(self, y: Array, predictions: Array) -> float:
        """Return the metric, higher is better; arguments as :meth:`row_scores`."""
        return float(np.mean(self.row_scores(y, predictions)))

    @abstractmethod
    def loss(self, y: Array, predictions: Array) -> float:
        """Return the loss, lower is better; arguments as :meth:`row_scores`."""

    @abstractmethod
    def interval(self, y: Array, predictions: Array, level: float = 0.95) -> tuple[float, float]:
        """Return an interval that holds the true score with confidence `level`."""

    @abstractmethod
    def baseline(self, y_train: Array, n: int, classes: int | None = None) -> Array:
        """Predict `n` rows without looking at them.

        Parameters
        ----------
        y_train : ndarray, shape (m,)
            The training target.
        n : int
            Number of rows to predict.
        classes : int, optional
            Number of classes, where the highest may be absent from `y_train`.
        """

    @abstractmethod
    def splitter(self, y: Array, folds: int, repeats: int, seed: int) -> list[Array]:
        """Split for repeated cross-validation.

        Returns
        -------
        list of ndarray of int8, shape (n,)
            ``folds * repeats`` splits: 0 for training, 1 for validation.
        """

    @abstractmethod
    def holdout(self, y: Array, share: float, seed: int) -> Array:
        """Split one part off.

        Parameters
        ----------
        y : ndarray, shape (n,)
            The target.
        share : float
            Share of the rows in that part, between 0 and 1.
        seed : int
            Seeds the choice.

        Returns
        -------
        ndarray of int8, shape (n,)
            0 for training, 1 for the part; neither is empty.

        Raises
        ------
        selector.errors.DataError
            Where there are not rows enough.
        """


def marks(n: int, validation: Array) -> Array:
    """Return the split with 1 at the positions `validation`."""
    split = np.zeros(n, dtype=np.int8)
    split[validation] = 1
    return split
