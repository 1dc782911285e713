"""Series in long form: a row for each step, with columns for series id and step.

:mod:`selector.readers.layout` recognises the form; this module builds the series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from selector.contract import SERIES_AXES, Array, Column, Dataset, ReadOptions, Variable
from selector.errors import DataError
from selector.readers.columns import number_text, without_infinities
from selector.readers.convert import as_categories, as_numbers
from selector.readers.dates import asked_order
from selector.readers.layout import Layout, increases, neighbours

if TYPE_CHECKING:
    from selector.readers.tables import Table


def build(
    name: str,
    values: Array,
    columns: Sequence[Column],
    layout: Layout,
    table: Table,
    options: ReadOptions,
) -> Dataset:
    """Make series of a long table.

    Series come in the order in which their ids first appear, their rows in
    the order of the step. Categorical channels become one channel a level.

    Raises
    ------
    DataError
        Where two rows have the same id and step, a step is missing, or the
        target changes within a series.
    OptionError
        Where the steps are text that is no date or time.
    """
    notes = [*table.notes, *layout.notes]
    ids, groups = _first_appearance(values[:, layout.id])
    order = _row_order(groups, values, columns, layout, notes)
    groups, values = groups[order], values[order]
    lengths = np.bincount(groups, minlength=len(ids)).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    levels = _channel_levels(columns, layout, options)
    matrix, channels = _channel_matrix(values, columns, layout, levels, notes)
    matrix, more = without_infinities(matrix, channels)
    target, named = None, None
    if layout.target is not None:
        named = columns[layout.target].name
        target = _of_series("target", values, columns, layout.target, groups, starts)
    aside = None
    if layout.aside is not None:
        aside = _of_series("column", values, columns, layout.aside, groups, starts)
    expect = options.expect or {}
    source = {
        **table.source,
        "reader": "long",
        "id": columns[layout.id].name,
        "step": None if layout.step is None else columns[layout.step].name,
        "channels": [columns[j].name for j in layout.channels],
        "target": named or expect.get("target"),
        "guessed": named if layout.guessed else None,
        "channel_levels": {k: list(v) for k, v in levels.items()},
    }
    equal = len(set(lengths.tolist())) == 1
    shaped = matrix.reshape(len(ids), int(lengths[0]), -1) if equal else matrix
    x = Variable(SERIES_AXES, shaped, tuple(channels), None if equal else lengths)
    texts = tuple(_id_text(columns[layout.id], v) for v in ids)
    return Dataset(name, {"x": x}, target, texts, (*notes, *more), source, aside=aside)


def _first_appearance(series: Array) -> tuple[Array, Array]:
    """Return the distinct ids in order of first appearance, and each row's number among them."""
    if np.isnan(series).any():
        raise DataError("the column of series ids has missing cells; every row needs one.")
    distinct, first, inverse = np.unique(series, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return distinct[np.argsort(first)], rank[inverse]


def _row_order(
    groups: Array, values: Array, columns: Sequence[Column], layout: Layout, notes: list[str]
) -> Array:
    """Return the rows sorted by series and step."""
    if layout.step is None:
        return np.argsort(groups, kind="stable")
    column, cells = columns[layout.step], values[:, layout.step]
    if np.isnan(cells).any():
        raise DataError(f"the step column '{column.name}' has missing cells; every row needs one.")
    steps = asked_order("--step", column, cells)
    order = np.lexsort((steps, groups))
    same = np.diff(groups[order]) == 0
    twice = np.flatnonzero(same & (np.diff(steps[order]) == 0))
    if len(twice):
        row = order[twice[0]]
        where = _id_text(columns[layout.id], values[row, layout.id])
        raise DataError(
            f"{len(twice)} rows repeat a step of their series: the first is "
            f"{columns[layout.id].name} {where}, {column.name} "
            f"{_id_text(column, cells[row])}. A series may have each step once; "
            "remove the repeats, or name another column with --id or --step."
        )
    if not increases(neighbours(groups), steps):
        notes.append(f"rows were sorted by '{column.name}' within each series")
    return order


def _channel_levels(
    columns: Sequence[Column], layout: Layout, options: ReadOptions
) -> dict[str, tuple[str, ...]]:
    """Levels of the categorical channels: those of the training data where given."""
    known = (options.expect or {}).get("channel_levels")
    if known is not None:
        return {name: tuple(levels) for name, levels in known.items()}
    chosen = [columns[j] for j in layout.channels]
    return {c.name: c.levels for c in chosen if c.type == "categorical"}


def _channel_matrix(
    values: Array,
    columns: Sequence[Column],
    layout: Layout,
    levels: Mapping[str, tuple[str, ...]],
    notes: list[str],
) -> tuple[Array, list[Column]]:
    """Return the channels ``(rows, C)`` float32, categories one-hot."""
    parts, channels = [], []
    for j in layout.channels:
        column, cells = columns[j], values[:, j]
        if column.name not in levels:
            numbers, more = as_numbers(column, cells)
            parts.append(numbers[:, None])
            channels.append(Column(column.name, dtype=column.dtype))
        else:
            codes, more = as_categories(column, cells, levels[column.name])
            hot = (codes[:, None] == np.arange(len(levels[column.name]))).astype(np.float64)
            hot[np.isnan(codes)] = np.nan
            parts.append(hot)
            channels += [Column(f"{column.name}={x}") for x in levels[column.name]]
        notes.extend(more)
    return np.concatenate(parts, axis=1).astype(np.float32), channels


def _of_series(
    what: str, rows: Array, columns: Sequence[Column], at: int, groups: Array, starts: Array
) -> Variable:
    """Return the one value that a column has in each series; the rows are sorted by series."""
    cells = rows[:, at]
    values = cells[starts]
    own = values[groups]
    if not ((cells == own) | (np.isnan(cells) & np.isnan(own))).all():
        raise DataError(
            f"the {what} '{columns[at].name}' changes within a series; each series needs one"
            f" {'target' if what == 'target' else 'value'}."
        )
    return Variable((), values, (columns[at],))


def _id_text(column: Column, value: float) -> str:
    if column.type == "categorical":
        return column.levels[int(value)]
    if column.levels:
        return column.levels[int(np.searchsorted([float(x) for x in column.levels], value))]
    return number_text(value)
