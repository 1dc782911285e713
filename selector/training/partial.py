"""Predictions for as many rows as the time allows."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from selector.contract import Array, Variable

ROWS = 1000
"""Rows predicted at once: more are predicted part by part."""


def in_time(predict: Callable[[Variable], Array], x: Variable, left: Callable[[], float]) -> Array:
    """Return predictions; NaN for rows for which there was no time.

    Rows are taken in random order, so that those with a prediction are a sample of all.

    Parameters
    ----------
    predict : callable
        Maps n rows to an array of n predictions.
    x : Variable
        The rows.
    left : callable
        Returns the seconds that are left. The first :data:`ROWS` are predicted in any case.

    Returns
    -------
    ndarray, shape (n, ...)
    """
    if len(x) <= ROWS:
        return predict(x)
    order = np.random.default_rng(0).permutation(len(x))
    made, took = None, 0.0
    for start in range(0, len(x), ROWS):
        if made is not None and took > left():
            break
        began = time.perf_counter()
        rows = np.sort(order[start : start + ROWS])
        part = np.asarray(predict(x.take(rows)))
        if made is None:
            made = np.full((len(x), *part.shape[1:]), np.nan, dtype=part.dtype)
        made[rows] = part
        took = time.perf_counter() - began
    assert made is not None
    return made
