"""The headline where data is too small for a test part: bias-corrected cross-validation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from selector.contract import Array
from selector.tasks.base import Task
from selector.tasks.metrics import COUNTED, exact_interval

DRAWS = 200
"""Bootstrap samples of the rows."""


def cross_validated(
    task: Task,
    y: Array,
    rows: Array,
    predictions: Sequence[Array],
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Any] | None:
    """Score the choice of the best of several models, by their held-out predictions.

    The best score of several is too good, since it was chosen by the same
    rows. So the rows are drawn again with replacement: the model that is best
    on those drawn is scored on those that were not, many times over.

    Parameters
    ----------
    task : Task
        With the metric to score by.
    y : ndarray, shape (m,)
        The true targets of the predictions.
    rows : ndarray of int, shape (m,)
        Which sample each prediction is of; one may be predicted several times.
    predictions : sequence of ndarray, shape (m, k) or (m,)
        Of each model, by fits that had not seen the sample.
    level : float
        Of the interval, from the scores' quantiles.
    seed : int
        Seeds the draws.

    Returns
    -------
    dict or None
        As :func:`selector.judge.headline.headline`, and `cross_validated`; None without any model.

    References
    ----------
    Tsamardinos, Greasidou & Borboudakis, "Bootstrapping the out-of-sample
    predictions for efficient and accurate cross-validation", Machine Learning
    107, 2018.
    """
    if not predictions:
        return None
    rng = np.random.default_rng(seed)
    samples = np.unique(rows)
    places = [np.flatnonzero(rows == sample) for sample in samples]
    by_row = [task.row_scores(y, p) for p in predictions]
    models = range(len(predictions))
    means = all(
        math.isclose(by_row[m].mean(), task.score(y, p), abs_tol=1e-9)
        for m, p in enumerate(predictions)
    )

    def score(model: int, part: Array) -> float:
        if means:  # over all rows' variance: that of a few rows may be next to none
            return float(by_row[model][part].mean())
        return task.score(y[part], predictions[model][part])

    scores = []
    for _ in range(DRAWS):
        drawn = rng.integers(0, len(samples), len(samples))
        rest = np.setdiff1d(np.arange(len(samples)), drawn)
        if not len(rest):
            continue
        inside, outside = (np.concatenate([places[i] for i in part]) for part in (drawn, rest))
        known = [score(model, inside) for model in models]
        best = int(np.argmax(np.nan_to_num(known, nan=-np.inf)))
        scores.append(score(best, outside))
    finite = np.asarray(scores)[np.isfinite(scores)]
    if not len(finite):
        return None
    value = float(finite.mean())
    low, high = map(float, np.quantile(finite, [(1 - level) / 2, (1 + level) / 2]))
    if high - low < 1e-12 and task.metric in COUNTED:  # all right: not for certain the next
        low, high = exact_interval(value * len(samples), len(samples), level)
    return {
        "metric": task.metric,
        "value": value,
        "interval": [low, high],
        "on": f"cross-validation of {len(samples)} rows",
        "n": len(samples),
        "cross_validated": True,
    }
