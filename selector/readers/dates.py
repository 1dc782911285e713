"""The order of dates and times that are written as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from selector.contract import Array, Column
from selector.errors import OptionError
from selector.readers.columns import some

if TYPE_CHECKING:
    import polars as pl

_ISO = re.compile(
    r"0000(?P<mark>[-/.]?)00(?P=mark)00([T ]00:?00(:?00([.,]0+)?)?Z?)?"
    r"|0000-00|0000-?[QW]0+|00:00(:00([.,]0+)?)?"
)
"""Shapes (all digits 0) whose alphabetical order is their order."""
_DATES = (
    *("%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y", "%y-%m-%d", "%d-%m-%y", "%m-%d-%y"),
    *("%d-%B-%Y", "%B-%d-%Y", "%d-%B-%y"),
)
_TIMES = ("%H:%M", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p")
_FORMATS = (
    *_TIMES,
    *_DATES,
    *(f"{date} {time}{zone}" for date, time, zone in product(_DATES, _TIMES, ("", "%z"))),
)
_FIRST_YEAR = 1000
"""A year of two digits is not one of the first century."""


def ranks(levels: Sequence[str]) -> Array | None:
    """Return the rank in time of each text, or None where they have no order in time.

    Texts of one ISO 8601 shape are in the order of the alphabet. All others
    are parsed, each in one format. Every format that reads all of them must
    give the same order: so ``1/2/2024`` is used only where it does not matter
    whether the month or the day comes first.

    Parameters
    ----------
    levels : sequence of str
        Dates, times, or both.

    Returns
    -------
    ndarray of float64, shape (len(levels),), or None
        Texts of one moment have one rank.
    """
    import polars as pl

    if not len(levels) or not re.search("[0-9]", levels[0]):
        return None
    cells = pl.Series(levels, dtype=pl.String)
    shapes = cells.str.replace_all("[0-9]", "0").unique()
    if len(shapes) == 1 and _ISO.fullmatch(shapes[0]):
        return _rank(cells.to_numpy())
    orders = [_rank(moments) for moments in _parsed(cells)]
    if not orders or any((order != orders[0]).any() for order in orders):
        return None
    return orders[0]


def _parsed(cells: pl.Series) -> Iterator[Array]:
    """Yield what each format that reads all of the cells makes of them."""
    import polars as pl

    one_mark = cells.str.replace(r"^(\w+)[-/. ]+(\w+)[-/., ]+([0-9]+)[T ]*", "${1}-${2}-${3} ")
    one_zone = one_mark.str.strip_chars().str.replace("Z$", "+0000")
    for form in _FORMATS:
        kind = pl.Time() if form in _TIMES else pl.Datetime("us", "UTC" if "%z" in form else None)
        # most formats do not read the first cell: the others need not be tried
        for part in (one_zone[:1], one_zone):
            found = part.str.strptime(kind, form, strict=False)
            if found.null_count():
                break
            if form not in _TIMES and bool((found.dt.year() < _FIRST_YEAR).any()):
                break
        else:
            yield found.to_physical().to_numpy()


def _rank(values: Array) -> Array:
    return np.unique(values, return_inverse=True)[1].astype(np.float64)


def in_order(column: Column, cells: Array) -> Array | None:
    """Return the cells of a column as numbers in their order, or None for text without one.

    Parameters
    ----------
    column : Column
        Numeric, or dates and times as categories.
    cells : ndarray, shape (n,)
        Its values; NaN stays NaN.
    """
    if column.type == "numeric":
        return cells
    rank = ranks(column.levels)
    if rank is None:
        return None
    codes = np.where(np.isnan(cells), len(rank), cells).astype(np.int64)
    return np.append(rank, np.nan)[codes]


def asked_order(option: str, column: Column, cells: Array) -> Array:
    """Return :func:`in_order` of a column that the user named by `option`.

    Raises
    ------
    OptionError
        Where the column holds text that has no order in time.
    """
    found = in_order(column, cells)
    if found is None:
        raise OptionError(
            f"{option} '{column.name}' holds text that is not in one order of time "
            f"({some(column.levels, 3)}). Allowed are numbers, and dates or times in one format, "
            "of which it is clear whether the day or the month comes first. Write them as "
            "2026-11-24 or 2026-11-24 09:30, or name another column."
        )
    return found
