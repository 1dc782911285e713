"""The headline: the saved model's score on data that no choice has seen."""

from __future__ import annotations

from typing import Any

from selector.contract import Array
from selector.judge.words import decimal, points
from selector.tasks.base import Task


def headline(task: Task, y: Array, predictions: Array, on: str) -> dict[str, Any]:
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
    return {
        "metric": task.metric,
        "value": float(task.score(y, predictions)),
        "interval": [float(low), float(high)],
        "on": on,
        "n": len(y),
    }


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
    side = "higher: choosing by a score flatters it" if gap > 0 else "lower"
    return f"{start}: the search's score was {points(abs(gap), score['metric'])} {side}"
