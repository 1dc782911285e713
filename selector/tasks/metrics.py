"""Scores by scikit-learn's names, higher always better.

In NumPy, since an interval takes hundreds of them; tests hold them equal to
scikit-learn's, whose checks take longer than the scores.
"""

from __future__ import annotations

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
    table = _confusion(y, p)
    rows = table.sum(axis=1)
    return float((table.diagonal()[rows > 0] / rows[rows > 0]).mean())


def f1_macro(y: Array, p: Array) -> float:
    """Return the mean over classes of the harmonic mean of precision and recall.

    Over the classes that occur or are predicted.
    """
    table = _confusion(y, p)
    both = table.sum(axis=0) + table.sum(axis=1)
    return float((2 * table.diagonal()[both > 0] / both[both > 0]).mean())


def _confusion(y: Array, p: Array) -> Array:
    k = p.shape[1]
    return np.bincount(y * k + p.argmax(axis=1), minlength=k * k).reshape(k, k)


def roc_auc(y: Array, p: Array) -> float:
    """Return the area under the ROC curve, the mean of one class against the rest.

    Over the classes of which `y` holds some rows, and not all; from ranks, as
    the statistic of Mann and Whitney (1947).
    """
    from scipy.stats import rankdata

    found = []
    for c in [1] if p.shape[1] == 2 else range(p.shape[1]):
        inside = y == c
        a, b = int(inside.sum()), int((~inside).sum())
        if a and b:
            ranks = rankdata(p[:, c])
            found.append((ranks[inside].sum() - a * (a + 1) / 2) / (a * b))
    return float(np.mean(found)) if found else 0.5


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


def exact_interval(right: float, n: int, level: float) -> tuple[float, float]:
    """Return the exact binomial interval of a share, `right` of `n` rows.

    References
    ----------
    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", Biometrika 26, 1934.
    """
    from scipy.special import betaincinv

    tail = (1.0 - level) / 2.0
    low = float(betaincinv(right, n - right + 1, tail)) if right > 0 else 0.0
    high = float(betaincinv(right + 1, n - right, 1.0 - tail)) if right < n else 1.0
    return low, high


def balanced_interval(y: Array, p: Array, level: float) -> tuple[float, float]:
    """Return an interval of the balanced accuracy, from the posteriors of the classes' recalls.

    Each recall has the beta posterior of Jeffreys' prior: a class whose few rows are
    all right is not known to be always right. From 2000 draws of their mean.
    """
    table = _confusion(y, p)
    right, rows = table.diagonal(), table.sum(axis=1)
    right, rows = right[rows > 0], rows[rows > 0]
    rng = np.random.default_rng(0)
    draws = rng.beta(right + 0.5, rows - right + 0.5, size=(2000, len(rows))).mean(axis=1)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    own = float((right / rows).mean())
    return float(min(low, own)), float(max(high, own))


def bootstrap(
    score: Callable[[Array, Array], float], y: Array, p: Array, level: float, share: bool = True
) -> tuple[float, float]:
    """Return the percentile interval of a score over resampled rows, of each class as many.

    How many resamples follows from the size alone, so that it is the same each
    time and ends within about a second. Where all of them score the same, as where
    all is right, the ends are those of as good a `share` of the rarest class, if the
    score is something like one.
    """
    rng = np.random.default_rng(0)
    groups = [np.flatnonzero(y == c) for c in np.unique(y)]
    scores = []
    for _ in range(int(np.clip(WORK // p.size, *RESAMPLES))):
        rows = np.concatenate([rng.choice(g, len(g)) for g in groups])
        scores.append(score(y[rows], p[rows]))
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(scores, [tail, 1.0 - tail])
    own = score(y, p)
    if share and high - low < 1e-12:
        rarest = min(map(len, groups))
        low, high = exact_interval(own * rarest, rarest, level)
    return float(min(low, own)), float(max(high, own))
