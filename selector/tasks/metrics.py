"""Scores by scikit-learn's names, higher always better."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from selector.contract import Array

RESAMPLES = 300


def accuracy(y: Array, p: Array) -> float:
    """Return the share of rows whose most probable class is right."""
    return float(np.mean(p.argmax(axis=1) == y))


def balanced_accuracy(y: Array, p: Array) -> float:
    """Return the mean over the classes that occur of the share that is right."""
    from sklearn.metrics import balanced_accuracy_score

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "y_pred contains classes", UserWarning)
        return float(balanced_accuracy_score(y, p.argmax(axis=1)))


def f1_macro(y: Array, p: Array) -> float:
    """Return the mean over classes of the harmonic mean of precision and recall."""
    from sklearn.metrics import f1_score

    return float(f1_score(y, p.argmax(axis=1), average="macro", zero_division=0))


def roc_auc(y: Array, p: Array) -> float:
    """Return the area under the ROC curve, the mean of one class against the rest.

    Over the classes of which `y` holds some rows, and not all.
    """
    from sklearn.metrics import roc_auc_score

    counts = np.bincount(y, minlength=p.shape[1])
    present = [c for c in range(p.shape[1]) if 0 < counts[c] < len(y)]
    if not present:
        return 0.5
    if p.shape[1] == 2:
        return float(roc_auc_score(y, p[:, 1]))
    return float(np.mean([roc_auc_score(y == c, p[:, c]) for c in present]))


def neg_log_loss(y: Array, p: Array) -> float:
    """Return minus the mean cross-entropy in nats; rows are normalised, and cut at 1e-7."""
    p = np.asarray(p, dtype=np.float64)
    own = p[np.arange(len(p)), y] / np.maximum(p.sum(axis=1), 1e-7)
    return float(np.log(np.clip(own, 1e-7, 1.0)).mean())


CLASSIFICATION: dict[str, Callable[[Array, Array], float]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "f1_macro": f1_macro,
    "roc_auc": roc_auc,
    "neg_log_loss": neg_log_loss,
}
"""From class codes ``(n,)`` and probabilities ``(n, k)`` to a score."""

METRICS = {"classification": tuple(CLASSIFICATION), "regression": ("r2",)}
"""The metrics of each task, the usual one first."""

COUNTED = ("accuracy", "balanced_accuracy")
"""Shares of rows, whose noise follows from how many rows there are."""


def counted_rows(metric: str, rows: float, counts: tuple[int, ...]) -> int:
    """Return how many equal rows would make a score as noisy as these `rows` make it.

    Parameters
    ----------
    metric : str
        Balanced accuracy is a mean of classes, and as noisy as few rows where
        one class is rare.
    rows : float
        Rows that are scored.
    counts : tuple of int
        Rows of each class, in any part of the data.
    """
    known = [c for c in counts if c]
    if metric != "balanced_accuracy" or not known:
        return round(rows)
    inverse = sum(sum(known) / c for c in known)
    return max(1, round(rows * len(known) ** 2 / inverse))


def bootstrap(
    score: Callable[[Array, Array], float], y: Array, p: Array, level: float
) -> tuple[float, float]:
    """Return the percentile interval of a score over resampled rows, of each class as many."""
    rng = np.random.default_rng(0)
    groups = [np.flatnonzero(y == c) for c in np.unique(y)]
    scores = []
    for _ in range(RESAMPLES):
        rows = np.concatenate([rng.choice(g, len(g)) for g in groups])
        scores.append(score(y[rows], p[rows]))
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(scores, [tail, 1.0 - tail])
    own = score(y, p)
    return float(min(low, own)), float(max(high, own))
