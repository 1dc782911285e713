"""Scores by scikit-learn's names, higher always better."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from selector.contract import Array

RESAMPLES, WORK = (50, 300), 3_000_000
"""Resamples at least and at most; between them as many as `WORK` rows times classes allow."""


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

BOUNDS = {
    **dict.fromkeys(("accuracy", "balanced_accuracy", "f1_macro", "roc_auc"), (0.0, 1.0)),
    "neg_log_loss": (-np.inf, 0.0),
    "r2": (-np.inf, 1.0),
}
"""Lowest and highest value of each score."""

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
    """Return the percentile interval of a score over resampled rows, of each class as many.

    How many resamples follows from the size alone, so that it is the same each
    time and ends within about a second.
    """
    rng = np.random.default_rng(0)
    groups = [np.flatnonzero(y == c) for c in np.unique(y)]
    fast = _FAST.get(score, score)
    scores = []
    for _ in range(int(np.clip(WORK // p.size, *RESAMPLES))):
        rows = np.concatenate([rng.choice(g, len(g)) for g in groups])
        scores.append(fast(y[rows], p[rows]))
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(scores, [tail, 1.0 - tail])
    own = score(y, p)
    return float(min(low, own)), float(max(high, own))


def _confusion(y: Array, p: Array) -> Array:
    k = p.shape[1]
    return np.bincount(y * k + p.argmax(axis=1), minlength=k * k).reshape(k, k)


def _balanced_accuracy(y: Array, p: Array) -> float:
    table = _confusion(y, p)
    rows = table.sum(axis=1)
    return float((table.diagonal()[rows > 0] / rows[rows > 0]).mean())


def _f1_macro(y: Array, p: Array) -> float:
    table = _confusion(y, p)
    both = table.sum(axis=0) + table.sum(axis=1)
    return float((2 * table.diagonal()[both > 0] / both[both > 0]).mean())


def _roc_auc(y: Array, p: Array) -> float:
    """Mann and Whitney's statistic, from ranks."""
    from scipy.stats import rankdata

    columns = [1] if p.shape[1] == 2 else range(p.shape[1])
    found = []
    for c in columns:
        inside = y == c
        a, b = int(inside.sum()), int((~inside).sum())
        if a and b:
            ranks = rankdata(p[:, c])
            found.append((ranks[inside].sum() - a * (a + 1) / 2) / (a * b))
    return float(np.mean(found)) if found else 0.5


_FAST: dict[Callable[[Array, Array], float], Callable[[Array, Array], float]] = {
    balanced_accuracy: _balanced_accuracy,
    f1_macro: _f1_macro,
    roc_auc: _roc_auc,
}
"""The same scores without checks, for hundreds of resamples; a test holds them equal."""
