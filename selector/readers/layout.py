"""Which columns of a long table name series, steps, target and channels.

The form is recognised by its structure. A column names series; another
increases within each of them and starts again with the next; a third, the
target, is constant within each series. Familiar column names lower the
evidence that is asked for, but never replace the structure.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from selector.contract import Array, Column, ReadOptions
from selector.errors import DataError, did_you_mean
from selector.readers.columns import some
from selector.readers.dates import in_order

# fmt: off
ID_NAMES = frozenset({
    "id", "series", "seriesid", "sample", "sampleid", "case", "caseid", "instance", "uid", "unit",
    "unitid", "subject", "subjectid", "sequence", "sequenceid", "sequenceno", "seqid", "trial",
    "trialid", "recording", "recordingid", "group", "groupid",
})
STEP_NAMES = frozenset({
    "time", "step", "t", "index", "timestep", "timeindex", "timestamp", "frame", "date",
    "datetime", "tick", "cycle", "position", "stepno",
})
TARGET_NAMES = frozenset({"target", "label", "class", "y", "outcome", "classlabel", "activity"})
# fmt: on
_MIN_STEPS = 4.0
"""Mean number of steps that structure alone must show."""
_MIN_SERIES = 10
"""Fewer series are a table, unless the target says something of whole series."""
_MAX_LEVELS = 50
"""A categorical channel may have so many levels."""
_HEAD = 1000
"""So many rows show of most columns that they name no series."""
_FEW = 64
"""So many rows, or up to twice as many, show of most columns that they are no steps."""


@dataclass(frozen=True)
class Layout:
    """Which columns mean what.

    Parameters
    ----------
    id, step : int
        Positions of the columns that name the series and order its steps.
    target : int or None
        Position of the target, where there is one.
    channels : tuple of int
        Positions of the channels.
    notes : tuple of str
        What was found unasked, and columns left out.
    aside : int or None
        Position of the column that was asked to be no channel.
    guessed : bool
        Whether nobody named the target.
    """

    id: int
    step: int | None
    target: int | None
    channels: tuple[int, ...]
    notes: tuple[str, ...] = ()
    aside: int | None = None
    guessed: bool = False


def find_layout(
    columns: Sequence[Column], values: Array, where: str, options: ReadOptions
) -> Layout | None:
    """Return the layout of a long table, or None for an ordinary one.

    Parameters
    ----------
    columns : sequence of Column
        The table's columns.
    values : ndarray, shape (n, p)
        Its cells.
    where : str
        The table's name, for messages.
    options : ReadOptions
        ``id`` (with or without ``step``) asks for the long form; ``expect``
        repeats that of the training data.

    Raises
    ------
    DataError
        Where the form is asked for and the columns do not allow it.
    """
    expect = options.expect or {}
    if expect.get("reader") == "long":
        return _expected_layout(columns, where, expect)
    names = [c.name for c in columns]
    aside = names.index(options.aside) if options.aside in names else None
    if options.id is not None or options.step is not None:
        return _asked_layout(columns, values, where, options, aside)
    of_rows = expect.get("reader") == "arrays" and "columns" in expect
    if expect.get("reader") in ("table", "frame") or of_rows:
        return None
    id_step = _detect(columns, values, aside)
    if id_step is None:
        return None
    count = len(np.unique(values[:, id_step[0]]))
    constant = [j for j in _constant_columns(values, *id_step) if j != aside]
    if count < _MIN_SERIES and not expect and not _of_series(columns, constant, options):
        return None
    if options.target is not None and options.target in names:
        target: int | None = names.index(options.target)
        if target not in constant:
            return None
    else:
        target = _pick_target(columns, values, id_step[0], constant)
        if target is None and not expect:
            return None
    layout = _with_channels(columns, values, *id_step, target, constant, aside)
    if not layout.channels:
        return None
    if expect:
        return layout
    named = options.target is not None
    note = _found(columns, *id_step, count, named)
    return replace(layout, notes=(note, *layout.notes), guessed=not named)


def _of_series(columns: Sequence[Column], constant: Sequence[int], options: ReadOptions) -> bool:
    """Whether the target says something of whole series: as a table it would follow from the id.

    It is the one that was named, else one of a telling name, else the last column.
    """
    if options.target is not None:
        return options.target in {columns[j].name for j in constant}
    telling = any(_plain(columns[j].name) in TARGET_NAMES for j in constant)
    return telling or len(columns) - 1 in constant


def _found(columns: Sequence[Column], series: int, step: int, count: int, named: bool) -> str:
    """Say which series were found, and how to read a table where no target was named."""
    said = (
        f"rows were read as {count} series: '{columns[series].name}' names them, "
        f"'{columns[step].name}' orders them"
    )
    return said if named else f"{said}; to read a table, name a --target that changes within them"


def _position(name: str, columns: Sequence[Column], role: str, where: str) -> int:
    names = [c.name for c in columns]
    if name not in names:
        raise DataError(
            f"'{where}' has no column '{name}' (--{role}).{did_you_mean(name, names)} "
            f"Its columns: {some(names, 8)}."
        )
    return names.index(name)


def _expected_layout(columns: Sequence[Column], where: str, expect: Mapping[str, Any]) -> Layout:
    """Find the columns of the training data again; the target may be missing."""
    names = [c.name for c in columns]
    step = expect.get("step")
    target = expect.get("target")
    return Layout(
        _position(expect["id"], columns, "id", where),
        None if step is None else _position(step, columns, "step", where),
        names.index(target) if target in names else None,
        tuple(_position(c, columns, "channel", where) for c in expect["channels"]),
    )


def _asked_layout(
    columns: Sequence[Column],
    values: Array,
    where: str,
    options: ReadOptions,
    aside: int | None,
) -> Layout:
    """Take the columns that the user named, and find the others."""
    if options.id is None:
        raise DataError(
            f"--step '{options.step}' needs --id: the column that says which series a row "
            "belongs to."
        )
    series = _position(options.id, columns, "id", where)
    if np.isnan(values[:, series]).any():
        raise DataError(f"column '{options.id}' (--id) has missing cells; every row needs one.")
    step = None if options.step is None else _position(options.step, columns, "step", where)
    if step is None:
        rest = [j for j in range(len(columns)) if j != series]
        named = [j for j in rest if _plain(columns[j].name) in STEP_NAMES]
        orders = {j: in_order(columns[j], values[:, j]) for j in named}
        pairs = neighbours(values[:, series])
        step = next((j for j, x in orders.items() if x is not None and increases(pairs, x)), None)
    constant = [j for j in _constant_columns(values, series, step) if j != aside]
    target = _asked_target(columns, values, where, options, series, constant)
    layout = _with_channels(columns, values, series, step, target, constant, aside)
    if not layout.channels:
        raise DataError(f"'{where}' has no channels beside id, step and target.")
    return replace(layout, guessed=options.target is None and options.given is None)


def _asked_target(
    columns: Sequence[Column],
    values: Array,
    where: str,
    options: ReadOptions,
    series: int,
    constant: Sequence[int],
) -> int | None:
    """Return the target among the constant columns: of a given one no more than its copy."""
    if options.given is not None:
        return next((j for j in constant if columns[j].name == options.given), None)
    if options.target is not None:
        target = _position(options.target, columns, "target", where)
        if target not in constant:
            raise DataError(
                f"column '{options.target}' (--target) changes within the series of "
                f"'{options.id}'. One target for each series is needed; per-step targets are not "
                "supported. Choose a column that is constant within each series."
            )
        return target
    picked = _pick_target(columns, values, series, constant)
    several = [j for j in constant if _distinct(values[:, j]) > 1]
    if picked is None and several:
        return several[-1]
    if picked is None and not options.expect:
        raise DataError(
            f"no column is constant within each series of '{options.id}', so there is no target. "
            "Name one with --target, or leave out --id to read the rows as a table."
        )
    return picked


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _detect(columns: Sequence[Column], values: Array, aside: int | None) -> tuple[int, int] | None:
    """Return the positions of series id and step: by their names, else by structure.

    By names: no step occurs twice in a series. By structure: the steps
    increase down the file, a series has four steps or more, and series share
    their steps (they start again with each series).
    """
    missing: Array = np.isnan(values)
    full = [j for j in range(len(columns)) if j != aside and not missing[:, j].any()]
    ids = [j for j in full if columns[j].type == "categorical" or columns[j].dtype == "integer"]
    steps, ordered = _steps(columns, values, full)
    for i in (j for j in ids if _plain(columns[j].name) in ID_NAMES):
        if 2 * len(np.unique(values[:, i])) > len(values):
            continue
        for j in (j for j in steps if _plain(columns[j].name) in STEP_NAMES):
            cells = np.column_stack([values[:, i], ordered[:, j]])
            if len(np.unique(cells, axis=0)) == len(cells):
                return i, j
    shared = functools.cache(lambda j: 2 * len(np.unique(ordered[:, j])) <= len(ordered))
    for i in ids:
        # each pair of columns in full would take an hour where there are 785 of 42,000 rows
        rising = _rising(ordered, steps, neighbours(values[:_HEAD, i]))
        if not rising:
            continue
        pairs = neighbours(values[:, i])
        count = len(values) - len(pairs[0])
        if count < 2 or len(values) < _MIN_STEPS * count:
            continue
        for j in _rising(ordered, rising, pairs):
            if shared(j) and increases(pairs, ordered[:, j]):
                return i, j
    return None


def _rising(ordered: Array, steps: Sequence[int], pairs: tuple[Array, Array]) -> list[int]:
    """Return the columns that increase within the series, by a look at a few rows of all."""
    few = slice(None, None, max(1, len(pairs[0]) // _FEW))
    before, after = (ordered[rows[few]][:, list(steps)] for rows in pairs)
    rises: Array = after > before
    return [steps[k] for k in np.flatnonzero(rises.all(axis=0)).tolist()]


def _steps(
    columns: Sequence[Column], values: Array, full: Sequence[int]
) -> tuple[list[int], Array]:
    """Return the columns that may be steps, and the table with their dates as ranks."""
    steps, dates = [], {}
    for j in full:
        column = columns[j]
        if column.type == "categorical":
            order = in_order(column, values[:, j])
            if order is None:
                continue
            dates[j] = order
        elif column.dtype != "integer" and _plain(column.name) not in STEP_NAMES:
            continue
        steps.append(j)
    if dates:
        values = values.copy()
    for j, order in dates.items():
        values[:, j] = order
    return steps, values


def neighbours(series: Array) -> tuple[Array, Array]:
    """Return the rows that another of their series follows, and those that follow them."""
    order = np.argsort(series, kind="stable")
    same = series[order[1:]] == series[order[:-1]]
    return order[:-1][same], order[1:][same]


def increases(pairs: tuple[Array, Array], step: Array) -> bool:
    """Whether `step` increases within each series, given their :func:`neighbours`."""
    before, after = pairs
    return bool((step[after] > step[before]).all())


def _constant_columns(values: Array, series: int, step: int | None) -> list[int]:
    """Positions of the columns that are constant within each series."""
    before, after = neighbours(values[:, series])
    out = []
    for j in range(values.shape[1]):
        if j in (series, step):
            continue
        one, other = values[before, j], values[after, j]
        if ((one == other) | (np.isnan(one) & np.isnan(other))).all():
            out.append(j)
    return out


def _pick_target(
    columns: Sequence[Column], values: Array, series: int, constant: Sequence[int]
) -> int | None:
    """Return the constant column that is the target: by name, else the last that repeats."""
    named = [j for j in constant if _plain(columns[j].name) in TARGET_NAMES]
    if named:
        return named[-1]
    count = len(np.unique(values[:, series]))
    repeating = [j for j in constant if 1 < _distinct(values[:, j]) < count]
    return repeating[-1] if repeating else None


def _distinct(cells: Array) -> int:
    return len(np.unique(cells[~np.isnan(cells)]))


def _with_channels(
    columns: Sequence[Column],
    values: Array,
    series: int,
    step: int | None,
    target: int | None,
    constant: Sequence[int],
    aside: int | None,
) -> Layout:
    """Sort the other columns into channels and those that cannot be one."""
    count = len(np.unique(values[:, series]))
    channels, notes = [], []
    for j, column in enumerate(columns):
        if j in (series, step, target, aside):
            continue
        second_id = j in constant and count > 2 and _distinct(values[:, j]) == count
        if second_id and (column.type == "categorical" or column.dtype == "integer"):
            notes.append(f"column '{column.name}' only names the series again: left out")
        elif column.type == "categorical" and len(column.levels) > _MAX_LEVELS:
            notes.append(
                f"column '{column.name}' holds {len(column.levels)} different texts: left out"
            )
        else:
            channels.append(j)
    return Layout(series, step, target, tuple(channels), tuple(notes), aside)
