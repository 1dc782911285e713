"""Text tables: CSV, TSV and their kin, also gzip-compressed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from selector.contract import (
    FEATURE_AXES,
    Array,
    Column,
    Dataset,
    Reader,
    ReadOptions,
    Variable,
)
from selector.errors import DataError, did_you_mean
from selector.readers import long
from selector.readers.columns import (
    AS_DECIMAL_POINT,
    some,
    text_column,
    unique_names,
    without_infinities,
)
from selector.readers.layout import find_layout
from selector.readers.text import SEPARATOR_NAMES, Grid, decode, parse


@dataclass(frozen=True)
class Table:
    """A table whose columns have been decided, before it becomes a data set.

    Parameters
    ----------
    name : str
        Short name.
    columns : tuple of Column
        One for each column.
    values : ndarray of float64, shape (n, p)
        As in :class:`selector.contract.Variable` with axes ``("feature",)``.
    source : mapping
        How it was read.
    notes : tuple of str
        Repairs.
    """

    name: str
    columns: tuple[Column, ...]
    values: Array
    source: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [c.name for c in self.columns]


class TableReader(Reader):
    """Reads text tables; separator, encoding, quoting and header are found out.

    A table in which one column names series and another counts their steps
    becomes a set of series (see :mod:`selector.readers.long`).
    """

    name: ClassVar[str] = "table"
    extensions: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".tab", ".txt", ".data", ".dat")

    def matches(self, source: Any) -> bool:
        """Whether `source` is a file with one of the extensions, or these and ``.gz``."""
        if not isinstance(source, Path) or not source.is_file():
            return False
        suffixes = [s.lower() for s in source.suffixes]
        if suffixes[-1:] == [".gz"]:
            suffixes.pop()
        return bool(suffixes) and suffixes[-1] in self.extensions

    def read(self, source: Any, options: ReadOptions) -> Dataset:
        """Read the table; see :meth:`selector.contract.Reader.read`."""
        path = Path(source)
        expect = options.expect or {}
        known = tuple(expect.get("columns", ()))
        text, encoding, notes = decode(path.read_bytes(), path.name)
        headed = bool(expect.get("header", True))
        grid, more = parse(text, path.name, known if headed else (), headed)
        name = path.name.removesuffix(".gz").rsplit(".", 1)[0]
        about = {"path": str(path), "encoding": encoding}
        table = _table(grid, name, about, [*notes, *more], options)
        return table_dataset(table, options)


def _table(
    grid: Grid, name: str, about: dict[str, Any], notes: list[str], options: ReadOptions
) -> Table:
    """Decide every column of `grid`."""
    expect = options.expect or {}
    names = list(grid.header) if grid.header else names_by_position(len(grid.columns), expect)
    names, repeated = unique_names(names)
    if repeated:
        notes.append(f"repeated column names were numbered: {some(repeated)}")
    columns, values = [], []
    known = _numeric(names, options)
    decimal = [*expect.get("decimal_comma", ())]
    for column_name, cells, numeric in zip(names, grid.columns, known, strict=True):
        separator = "" if column_name in decimal else grid.separator
        column, numbers, more = text_column(column_name, cells, separator, numeric)
        if any(AS_DECIMAL_POINT in note for note in more):
            decimal.append(column_name)
        columns.append(column)
        values.append(numbers)
        notes.extend(more)
    unnamed = grid.header is not None and grid.header[0].strip() in ("", "Unnamed: 0")
    source = {
        **about,
        "reader": "table",
        "separator": SEPARATOR_NAMES[grid.separator],
        "header": grid.header is not None,
        "decimal_comma": list(dict.fromkeys(decimal)),
    }
    table = Table(name, tuple(columns), np.column_stack(values), source, tuple(notes))
    return _without_row_index(table, expect) if unnamed else table


def _numeric(names: Sequence[str], options: ReadOptions) -> list[bool | None]:
    """Say of each column whether text in it is missing; None where its cells show it.

    In training it is none in the columns that the user named; afterwards it
    is as it was then.
    """
    expect = options.expect or {}
    known = {*expect.get("columns", ()), *expect.get("channels", ())}
    text = {options.id, options.step, options.aside, expect.get("id"), expect.get("step")}
    text |= set(expect.get("text", known))
    numbers = known - text - {expect.get("target")}
    return [True if name in numbers else False if name in text else None for name in names]


def names_by_position(count: int, expect: Mapping[str, Any]) -> list[str]:
    """Name the columns of a table without a header: as in training, where the count agrees."""
    known = list(expect.get("columns", ()))
    if len(known) == count:
        return known
    without_target = [n for n in known if n != expect.get("target")]
    if len(without_target) == count:
        return without_target
    return [f"c{i}" for i in range(count)]


def _without_row_index(table: Table, expect: Mapping[str, Any]) -> Table:
    """Leave out a first column without a name that only counts the rows, in any order."""
    first = table.values[:, 0]
    counts = table.columns[0].type == "numeric" and bool((first == np.round(first)).all())
    differ = len(np.unique(first)) == len(first)
    known = table.names[0] in expect.get("columns", ())
    if known or len(table.columns) < 2 or not (counts and differ):
        return table
    note = "the first column has no name and only counts the rows: left out"
    return replace(
        table,
        columns=table.columns[1:],
        values=table.values[:, 1:],
        notes=(*table.notes, note),
    )


def table_dataset(table: Table, options: ReadOptions) -> Dataset:
    """Make a data set of a table: series where it holds them, else rows.

    Parameters
    ----------
    table : Table
        From a file or a data frame.
    options : ReadOptions
        ``target``, ``id`` and ``step`` must be columns of the table.

    Raises
    ------
    DataError
        Where a named column does not exist, and for a single column.
    """
    expect = options.expect or {}
    if len(table.columns) < 2 and not expect:
        raise DataError(
            f"'{table.name}' has a single column, '{table.names[0]}'. A table needs at least one "
            "feature and the target, separated by commas, semicolons, tabs, pipes or white space."
        )
    if options.target is not None and not expect:
        require_column(options.target, table.names, "target", table.name)
    text = [c.name for c in table.columns if c.type == "categorical"]
    table = replace(table, source={**table.source, "text": text})
    layout = find_layout(table.columns, table.values, table.name, options)
    if layout is not None:
        return long.build(table.name, table.values, table.columns, layout, table, options)
    values, notes = without_infinities(table.values, table.columns)
    source = {
        **table.source,
        "columns": table.names,
        "target": options.target or expect.get("target"),
    }
    x = Variable(FEATURE_AXES, values, table.columns)
    return Dataset(table.name, {"x": x}, None, (), (*table.notes, *notes), source)


def require_column(wanted: str, names: Sequence[str], role: str, where: str) -> None:
    """Raise a :class:`DataError` where there is no column `wanted`."""
    if wanted not in names:
        guess = did_you_mean(wanted, names)
        raise DataError(
            f"'{where}' has no column '{wanted}' (--{role}).{guess} Its columns: {some(names, 8)}."
        )
