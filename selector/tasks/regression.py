"""Regression: one real number."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import numpy as np

from selector.contract import Array
from selector.errors import DataError
from selector.tasks.base import Task, marks

RESAMPLES = 2000
MANY_ROWS = 20_000
TINY = 1e-12


def _variance(y: Array) -> float:
    """Return the variance of `y`, never 0, so that constant rows give finite scores."""
    values = np.asarray(y, dtype=np.float64)
    return float(max(values.var(), TINY * max(1.0, float(np.mean(values**2)))))


def _values(predictions: Array, y: Array) -> Array:
    """Return predictions as ``(n,)``, whether they come as a column or flat."""
    return np.asarray(predictions, dtype=np.float64).reshape(len(y))


def _of_ratio(errors: Array, truth: Array, own: float, level: float) -> tuple[float, float]:
    """Return the normal interval of 1 minus a mean of errors over a variance."""
    from scipy.special import ndtri

    spread = (truth - truth.mean()) ** 2
    residual = errors - (1.0 - own) * spread
    error = float(residual.std() / np.sqrt(len(truth)) / _variance(truth))
    reach = float(ndtri((1.0 + level) / 2.0)) * error
    return own - reach, min(own + reach, 1.0)


class Regression(Task):
    """Predicts values; the score is R², the loss the squared error over the variance."""

    name: ClassVar[str] = "regression"
    metric = "r2"

    def row_scores(self, y: Array, predictions: Array) -> Array:
        """Return ``1 - (y - p)² / var(y)``, whose mean over the rows is R²."""
        truth = np.asarray(y, dtype=np.float64)
        scores: Array = 1.0 - (truth - _values(predictions, y)) ** 2 / _variance(truth)
        return scores

    def loss(self, y: Array, predictions: Array) -> float:
        """Return the mean squared error over the variance of `y` (1 - R²)."""
        return 1.0 - self.score(y, predictions)

    def interval(self, y: Array, predictions: Array, level: float = 0.95) -> tuple[float, float]:
        """Return the percentile bootstrap interval of R² (2000 resamples of rows, fixed seed).

        Above 20,000 rows, where it would take seconds and tell the same, the normal
        one of a ratio of means, linearised. The bounds always hold the score itself,
        and are at most 1.
        """
        truth, values = np.asarray(y, dtype=np.float64), _values(predictions, y)
        errors = (truth - values) ** 2
        own = self.score(y, predictions)
        if len(truth) > MANY_ROWS:
            return _of_ratio(errors, truth, own, level)
        rng = np.random.default_rng(0)
        n = len(truth)
        scores = np.empty(RESAMPLES)
        step = max(1, 4_000_000 // max(n, 1))
        for start in range(0, RESAMPLES, step):
            rows = rng.integers(0, n, size=(min(step, RESAMPLES - start), n))
            spread = truth[rows].var(axis=1)
            spread = np.where(spread > TINY, spread, _variance(truth))
            scores[start : start + len(rows)] = 1.0 - errors[rows].mean(axis=1) / spread
        tail = (1.0 - level) / 2.0
        low, high = np.quantile(scores, [tail, 1.0 - tail])
        return float(min(low, own)), float(min(max(high, own), 1.0))

    def baseline(self, y_train: Array, n: int, classes: int | None = None) -> Array:
        """Predict the training mean, shape (n,)."""
        return np.full(n, float(np.mean(y_train)))

    def splitter(self, y: Array, folds: int, repeats: int, seed: int) -> list[Array]:
        """Split by repeated k-fold, with at most as many folds as rows."""
        from sklearn.model_selection import RepeatedKFold

        if len(y) < 2:
            raise DataError(f"cross-validation needs two rows at least, received {len(y)}")
        cv = RepeatedKFold(
            n_splits=max(2, min(folds, len(y))), n_repeats=repeats, random_state=seed
        )
        return [marks(len(y), part) for _, part in cv.split(np.zeros((len(y), 1)))]

    def holdout(self, y: Array, share: float, seed: int) -> Array:
        """Split a random part off, spread over the range of the target.

        Rows are ordered by the target and cut into as many groups of
        neighbours as rows are wanted; one of each group is drawn, so that both
        parts have nearly the same distribution.
        """
        n = len(y)
        if n < 2:
            raise DataError(f"a part can be held out of two rows at least, received {n}")
        wanted = int(np.clip(round(share * n), 1, n - 1))
        rng = np.random.default_rng(seed)
        ranked = np.lexsort((rng.random(n), np.asarray(y, dtype=np.float64)))
        bounds = np.linspace(0, n, wanted + 1).round().astype(np.int64)
        rows = [ranked[rng.integers(a, b)] for a, b in pairwise(bounds)]
        return marks(n, np.array(rows))
