"""The headline: the saved model's score on data that no choice has seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from selector.contract import Array
from selector.judge.words import decimal, points
from selector.tasks.base import Task
from selector.tasks.metrics import BOUNDS, exact_interval

GROUP_WORK = 3_000_000
"""Rows times classes that are scored for an interval by groups, over all resamples."""


def headline(
    task: Task, y: Array, predictions: Array, on: str, groups: Array | None = None
) -> dict[str, Any]:
    """Score predictions on the test part.

    Parameters
    ----------
    task : Task
        With the metric to score by.
    y : ndarray, shape (n,)
        The true targets (class indices, or real numbers).
    predictions : ndarray, shape (n, k) or (n,)
        Class probabilities, or values.
    on : str
        What the rows are, for the reader: ``"test part of 30 rows (held out)"``.
    groups : ndarray, shape (n,), optional
        Rows of one group are not independent: the interval is then that of other
        groups, from whole groups drawn again, and no narrower than that of the rows.

    Returns
    -------
    dict
        ``metric``, ``value``, ``interval`` (a list of the two ends), ``on``
        and ``n``, as the recommendation holds it.

    Raises
    ------
    selector.errors.SelectorError
        As the task's own `score` raises.
    """
    low, high = task.interval(y, predictions)
    if groups is not None:
        widest = _by_groups(task, y, predictions, groups)
        low, high = min(low, widest[0]), max(high, widest[1])
    return {
        "metric": task.metric,
        "value": float(task.score(y, predictions)),
        "interval": [float(low), float(high)],
        "on": on,
        "n": len(y),
    }


def _by_groups(
    task: Task, y: Array, predictions: Array, groups: Array, level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the score over whole groups.

    Where all groups score the same, as where all is right, that of as good a share
    of the groups.
    """
    _, counts = np.unique(groups, return_counts=True)
    rows_of = np.split(np.argsort(groups, kind="stable"), np.cumsum(counts)[:-1])
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(int(np.clip(GROUP_WORK // predictions.size, 50, 1000))):
        rows = np.concatenate([rows_of[g] for g in rng.integers(0, len(counts), len(counts))])
        if task.name == "regression" and np.ptp(y[rows]) == 0:
            continue  # of one value there is no R²
        scores.append(task.score(y[rows], predictions[rows]))
    own = task.score(y, predictions)
    low, high = map(float, np.quantile(scores or [own], [(1 - level) / 2, (1 + level) / 2]))
    if high - low < 1e-12 and BOUNDS.get(task.metric) == (0.0, 1.0):
        return exact_interval(own * len(counts), len(counts), level)
    return low, high


def gap_sentence(search_score: float | None, score: dict[str, Any]) -> str:
    """Say how far the search's best score lies from the one on the test part.

    Parameters
    ----------
    search_score : float or None
        Mean of the recommended configuration on the common splits, by which it was chosen.
    score : dict
        From :func:`headline`.

    Returns
    -------
    str
        Empty without a search score.
    """
    if search_score is None:
        return ""
    gap = search_score - float(score["value"])
    low, high = score["interval"]
    start = (
        f"the search saw {decimal(search_score)} on the rows it chose by, the test part gives "
        f"{decimal(score['value'])}"
    )
    if low <= search_score <= high:
        return f"{start}: a gap within the interval of the test score"
    reason = "choosing by a score flatters it, and other rows may be harder"
    side = f"higher: {reason}" if gap > 0 else "lower"
    return f"{start}: the search's score was {points(abs(gap), score['metric'])} {side}"
