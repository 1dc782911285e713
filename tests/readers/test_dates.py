"""Dates and times written as text come in the order of time, or in none."""

from __future__ import annotations

import numpy as np
import pytest

from selector.contract import Column
from selector.errors import OptionError
from selector.readers.dates import asked_order, in_order, ranks


@pytest.mark.parametrize(
    "levels",
    [
        ("2024-01-15", "2024-02-01", "2024-10-01"),
        ("2024/01/15", "2024/02/01"),
        ("2024-01", "2024-10"),
        ("2024-Q1", "2024-Q3"),
        ("20240115T0900", "20240115T1000"),
        ("2024-01-15T09:00:00.25Z", "2024-01-15T09:00:00.30Z"),
        ("09:00", "13:00"),
        ("59:30", "75:10"),
        ("2024-1-15", "2024-2-1", "2024-10-1"),
        ("2024-01-15 09:00:00", "2024-01-15 09:00:00.5", "2024-01-15 10:00:00"),
        ("2024-01-15T12:00:00+02:00", "2024-01-15T11:00:00+00:00"),
        ("2024-01-15T12:00:00Z", "2024-01-15T12:00:00.5Z"),
        ("1/15/2024", "2/1/2024", "11/15/2024"),
        ("15.1.2024", "1.2.2024", "3.11.2024"),
        ("12/31/99", "1/15/00"),
        ("15-Jan-2024", "1-Feb-2024", "2-March-2024"),
        ("January 15, 2024", "February 1, 2024"),
        ("1/15/2024 9:05 AM", "1/15/2024 10:00 AM", "1/15/2024 1:00 PM"),
        ("12:30 AM", "09:00 AM", "11:00 AM", "01:00 PM"),
        ("9:05", "10:00"),
        ("9:05:59.5", "10:00:00"),
        # which is the day does not matter here
        ("1/2/2024", "1/3/2024", "2/3/2024"),
    ],
)
def test_time_orders_them(levels):
    rng = np.random.default_rng(0)
    for shuffle in (np.arange(len(levels)), rng.permutation(len(levels)), np.argsort(levels)):
        assert ranks([levels[i] for i in shuffle]).tolist() == shuffle.tolist()


@pytest.mark.parametrize(
    "levels",
    [
        (),
        ("p1", "p2", "p10"),
        ("2024-01-15", "later"),
        ("2024-01-15 beta", "2024-02-01 alpha"),
        ("2024-01-15", "02/01/2024"),
        # the second of January or the first of February?
        ("1/2/2024", "1/3/2024", "2/1/2024"),
        ("1.1.2", "1.2.1"),
        ("2024-01-15 12:00:00", "2024-01-15T12:00:00+02:00"),
        ("Mon", "Tue"),
    ],
)
def test_others_have_no_order(levels):
    assert ranks(levels) is None


def test_one_moment_has_one_rank():
    assert ranks(["1/15/2024", "01/15/2024", "1/16/2024"]).tolist() == [0, 0, 1]


def test_columns_in_order():
    numbers = np.array([3.0, np.nan, 1.0])
    assert in_order(Column("n"), numbers) is numbers
    dates = Column("day", "categorical", ("1/15/2024", "11/15/2024", "2/1/2024"))
    codes = np.array([1.0, np.nan, 2.0, 0.0])
    np.testing.assert_array_equal(in_order(dates, codes), [2, np.nan, 1, 0])
    text = Column("who", "categorical", ("ann", "bob"))
    assert in_order(text, np.zeros(2)) is None
    with pytest.raises(OptionError, match=r"--step 'who' holds text .*'ann'.* 2026-11-24"):
        asked_order("--step", text, np.zeros(2))
