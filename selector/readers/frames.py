"""Data frames of pandas, polars and pyarrow, by way of narwhals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from selector.contract import Array, Column, Dataset, Reader, ReadOptions
from selector.errors import DataError
from selector.readers.columns import (
    Dtype,
    category_column,
    number_values,
    object_array,
    python_value,
    some,
    target_variable,
    unique_names,
)
from selector.readers.tables import Table, table_dataset

_LIBRARIES = ("pandas", "polars", "pyarrow", "modin", "cudf")


class FrameReader(Reader):
    """Reads data frames in memory; their types are kept, nothing is parsed."""

    name: ClassVar[str] = "frame"

    def matches(self, source: Any) -> bool:
        """Whether `source` is a data frame (the libraries are not imported for this)."""
        kind = type(source)
        return kind.__module__.split(".")[0] in _LIBRARIES and kind.__name__ in (
            "DataFrame",
            "LazyFrame",
            "Table",
        )

    def read(self, source: Any, options: ReadOptions) -> Dataset:
        """Read the frame; see :meth:`selector.contract.Reader.read`."""
        import narwhals as nw

        if type(source).__name__ == "LazyFrame":
            source = source.collect()
        names, notes = [str(c) for c in source.columns], []
        if hasattr(source, "column_names"):
            names = [str(c) for c in source.column_names]
        new, repeated = unique_names(names)
        if repeated:
            notes.append(f"repeated column names were numbered: {some(repeated)}")
        if list(source.columns) != new and hasattr(source, "set_axis"):
            source = source.set_axis(new, axis=1)
        frame = nw.from_native(source, eager_only=True)
        if frame.shape[0] == 0 or frame.shape[1] == 0:
            raise DataError(f"the data frame is empty: its shape is {frame.shape}.")
        pairs = [_column(name, frame[name]) for name in frame.columns]
        columns = tuple(column for column, _ in pairs)
        values = np.column_stack([cells for _, cells in pairs])
        return table_dataset(
            Table("data", columns, values, {"reader": self.name}, tuple(notes)), options
        )


def _column(name: str, series: Any) -> tuple[Column, Array]:
    """Decide one column by its type."""
    import narwhals as nw

    if series.dtype.is_numeric():
        whole = series.dtype.is_integer()
        values = series.to_numpy()
        if values.dtype.kind == "O":
            values = np.array([np.nan if v is None else float(v) for v in series.to_list()])
        return number_values(name, values.astype(np.float64), "integer" if whole else "float")
    cells = series.to_list()
    if isinstance(series.dtype, nw.Categorical | nw.Enum):
        return _categories(name, [python_value(cell) for cell in cells])
    try:
        target = target_variable(object_array(cells), name)
    except DataError as error:
        raise DataError(
            f"column '{name}' holds {series.dtype}; a column must hold numbers, text, booleans or "
            "dates, one value a cell. Give each value of a list or an array a column of its own."
        ) from error
    return target.columns[0], target.values


def _categories(name: str, cells: Sequence[Any]) -> tuple[Column, Array]:
    """Take a column as the categories that its owner made it, be they text or numbers."""
    import polars as pl

    filled = {cell for cell in cells if cell is not None}
    kinds: tuple[tuple[type, Dtype], ...] = ((int, "integer"), (float, "float"))
    for kind, dtype in kinds:
        if filled and all(type(cell) is kind for cell in filled):
            places = {cell: float(i) for i, cell in enumerate(sorted(filled))}
            levels = tuple(str(cell) for cell in places)
            codes = np.array([places.get(cell, np.nan) for cell in cells])
            return Column(name, "categorical", levels, dtype), codes
    texts = [None if cell is None else str(cell) for cell in cells]
    column, codes = category_column(name, pl.Series(name, texts, dtype=pl.String))
    if any(isinstance(cell, str) for cell in filled):
        return replace(column, dtype="string"), codes
    return column, codes
