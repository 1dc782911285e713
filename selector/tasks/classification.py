"""Classification: one of k classes."""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np

from selector.contract import Array
from selector.errors import DataError
from selector.tasks import metrics
from selector.tasks.base import Task, marks


class Classification(Task):
    """Predicts class probabilities; the score is usually accuracy, the loss cross-entropy."""

    name: ClassVar[str] = "classification"
    metric = "accuracy"

    def row_scores(self, y: Array, predictions: Array) -> Array:
        """Return 1 where the most probable class is right, else 0."""
        scores: Array = (predictions.argmax(axis=1) == y.astype(np.int64)).astype(np.float64)
        return scores

    def score(self, y: Array, predictions: Array) -> float:
        """Return the metric, higher is better; arguments as :meth:`row_scores`."""
        return metrics.CLASSIFICATION[self.metric](y.astype(np.int64), predictions)

    def loss(self, y: Array, predictions: Array) -> float:
        """Return the mean cross-entropy in nats; rows are normalised and clipped at 1e-7."""
        return -metrics.neg_log_loss(y.astype(np.int64), predictions)

    def interval(self, y: Array, predictions: Array, level: float = 0.95) -> tuple[float, float]:
        """Return the exact binomial interval of Clopper and Pearson (1934).

        Of balanced accuracy one from the classes' posteriors, of other metrics the
        percentile bootstrap over rows, class by class.
        """
        codes = y.astype(np.int64)
        if self.metric == "accuracy":
            right = int(self.row_scores(y, predictions).sum())
            return metrics.exact_interval(right, len(y), level)
        if self.metric == "balanced_accuracy":
            return metrics.balanced_interval(codes, predictions, level)
        score = metrics.CLASSIFICATION[self.metric]
        share = metrics.BOUNDS.get(self.metric) == (0.0, 1.0)
        return metrics.bootstrap(score, codes, predictions, level, share)

    def baseline(self, y_train: Array, n: int, classes: int | None = None) -> Array:
        """Predict the shares of the classes in training, shape (n, k)."""
        counts = np.bincount(y_train.astype(np.int64), minlength=classes or 0)
        return np.tile(counts / counts.sum(), (n, 1))

    def splitter(self, y: Array, folds: int, repeats: int, seed: int) -> list[Array]:
        """Split by repeated stratified k-fold.

        There are at most as many folds as the smallest class that has two
        rows has rows, so that each such class is in every validation part and
        every training part. A class of one row may be absent from training.
        """
        from sklearn.model_selection import RepeatedStratifiedKFold

        codes = y.astype(np.int64)
        counts = np.bincount(codes)
        counts = counts[counts >= 2]
        if not len(counts):
            raise DataError("no class has two rows: cross-validation needs two of a class at least")
        folds = max(2, min(folds, int(counts.min())))
        cv = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=seed)
        with warnings.catch_warnings():  # a class of one row is said in the docstring
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            return [marks(len(y), part) for _, part in cv.split(np.zeros((len(y), 1)), codes)]

    def holdout(self, y: Array, share: float, seed: int) -> Array:
        """Split a stratified part off; every class keeps a training row.

        Each class gives its share, rounded so that the part has its size
        (largest remainders first), and at most all rows but one.
        """
        codes = y.astype(np.int64)
        rng = np.random.default_rng(seed)
        _, codes, counts = np.unique(codes, return_inverse=True, return_counts=True)
        room = counts - 1
        if room.sum() < 1:
            raise DataError("no class has two rows: there is no row to hold out")
        taken = _largest_remainders(counts * share, room, max(1, round(share * len(y))), rng)
        parts = [
            rng.permutation(np.flatnonzero(codes == c))[: taken[c]] for c in range(len(counts))
        ]
        return marks(len(y), np.concatenate(parts))


def _largest_remainders(wanted: Array, room: Array, total: int, rng: np.random.Generator) -> Array:
    """Round `wanted` to whole numbers of at most `room` that add up to `total` where possible."""
    taken = np.minimum(np.floor(wanted).astype(np.int64), room)
    order = np.argsort(-(wanted - np.floor(wanted)) + 1e-9 * rng.random(len(wanted)))
    while taken.sum() < min(total, int(room.sum())):
        for c in order:
            if taken.sum() < total and taken[c] < room[c]:
                taken[c] += 1
    return taken
