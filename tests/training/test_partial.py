"""Predictions for as many rows as the time allows."""

from __future__ import annotations

import numpy as np

from selector.contract import Variable
from selector.training.partial import ROWS, in_time


def rows(n: int) -> Variable:
    return Variable(axes=("feature",), values=np.arange(n, dtype="float32")[:, None])


def doubled(x: Variable) -> np.ndarray:
    return 2 * x.values


def test_all_rows_are_predicted_where_the_time_allows():
    for n in (5, 3 * ROWS + 7):
        np.testing.assert_array_equal(in_time(doubled, rows(n), lambda: 9.0), doubled(rows(n)))


def test_without_time_the_first_part_is_drawn_from_all_rows_and_the_others_are_nan():
    n = 4 * ROWS
    made = in_time(doubled, rows(n), lambda: -1.0)
    known = np.flatnonzero(~np.isnan(made[:, 0]))
    assert len(known) == ROWS
    np.testing.assert_array_equal(made[known, 0], 2 * known)
    assert abs(known.mean() - n / 2) < n / 20  # not the first ones
