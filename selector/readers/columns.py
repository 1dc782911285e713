"""What a column holds: numbers, categories or yes and no, and its levels."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from selector.contract import Array, Column, Variable
from selector.errors import DataError

if TYPE_CHECKING:
    import polars as pl

MISSING_TEXT = frozenset({"", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "?"})
"""Cells that are missing in every column."""

MISSING = MISSING_TEXT | {"None", "none", "-"}
"""Cells that are missing in a column of numbers; in a column of text the last
three are categories."""

MAX_LEVELS = 1000
"""A column of numbers with at most so many distinct values keeps them as written."""

MOSTLY = 0.95
"""A column is one of numbers where so many of its filled cells are."""

FEWEST_CELLS = 20
"""Fewer filled cells do not show what a column mostly holds."""

FEWEST_NUMBERS = 21
"""With fewer distinct numbers, which may be labels, text beside them may be one more."""

LARGEST = 1e150
"""Magnitude beyond which a value counts as infinite: its square is."""

AS_DECIMAL_POINT = "the comma was taken for a decimal point"

BOOLEANS = frozenset({"true", "false"})
_INTEGER = r"^[+-]?\d+$"
_DECIMAL_COMMA = r"^[+-]?\d+(,\d+)?([eE][+-]?\d+)?$"
_DECIMAL_POINT = r"^[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE)

Dtype = Literal["string", "integer", "float", "boolean"]


def is_number(cell: str) -> bool:
    """Whether `cell` is a number as written in a data file (missing is not)."""
    return _NUMBER.fullmatch(cell.strip()) is not None


def to_number(text: str) -> float:
    """Return the number that `text` is, or NaN."""
    return float(text) if is_number(text) else math.nan


def number_text(value: float) -> str:
    """Return the shortest text of a number; whole numbers without a point."""
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def plural(count: int, word: str) -> str:
    """Return ``"1 cell"`` or ``"3 cells"``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def some(items: Iterable[str], limit: int = 5) -> str:
    """Return the first few items as a list in words."""
    listed = [f"'{i}'" for i in items]
    tail = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + tail


def unique_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return names that are all different, and those that occurred twice.

    Empty names become ``c0``, ``c1`` … by position; the second ``a`` becomes
    ``a_2``.
    """
    wanted = [n.strip() or f"c{i}" for i, n in enumerate(names)]
    used = set(wanted)
    out: list[str] = []
    repeated: list[str] = []
    for name in wanted:
        new, k = name, 2
        while new in out or (new != name and new in used):
            new, k = f"{name}_{k}", k + 1
        if new != name and name not in repeated:
            repeated.append(name)
        out.append(new)
    return out, repeated


def text_column(
    name: str, cells: pl.Series, separator: str = "", numeric: bool | None = False
) -> tuple[Column, Array, list[str]]:
    """Decide what a column of text holds.

    It is numeric where every cell that is not missing is a number, written
    with a decimal point, throughout with a decimal comma, or, where a comma
    separates the columns, with commas between thousands.

    Parameters
    ----------
    name : str
        The column's name.
    cells : polars.Series of str, length n
        The cells as written.
    separator : str
        What separates the columns of the file.
    numeric : bool or None
        Whether text in it is taken as missing; None: where it is a few cells
        among many numbers.

    Returns
    -------
    column : Column
        With its type, levels and dtype.
    values : ndarray of float64, shape (n,)
        Numbers, or indices of levels; NaN where missing.
    notes : list of str
        Repairs.
    """
    import polars as pl

    numbers = cells.cast(pl.Float64, strict=False)
    if numbers.null_count() == 0 and bool(numbers.is_finite().all()):
        values = numbers.to_numpy()
        return _number_column(name, values, cells, _number_type(cells)), values, []
    cells = cells.str.strip_chars()
    missing = cells.is_in(list(MISSING))
    if bool(missing.all()):
        return Column(name), np.full(len(cells), np.nan), []
    plain, notes = _without_commas(name, cells, separator)
    numbers = plain.cast(pl.Float64, strict=False)
    missing = missing | numbers.is_nan().fill_null(False)
    text = numbers.is_null() & ~missing
    if bool(text.any()):
        found = numbers.filter(~(missing | text)).to_numpy()
        codes = bool(cells.filter(text).str.contains(r"\d").any())  # A12, 5+, V57
        few = not codes and mostly_numbers(found, len(cells) - int(missing.sum()))
        if not (numeric or (numeric is None and few)):
            return (*category_column(name, cells), [])
        notes.append(not_numbers(name, int(text.sum()), cells.filter(text).unique().sort()))
        missing = missing | text
    values = np.where(missing.to_numpy(), np.nan, numbers.fill_null(np.nan).to_numpy())
    dtype = _number_type(plain.filter(~missing))
    return _number_column(name, values, plain, dtype), values, notes


def _without_commas(name: str, cells: pl.Series, separator: str) -> tuple[pl.Series, list[str]]:
    """Return the cells with decimal points only, and say what the commas were taken for."""
    commas = cells.filter(cells.str.contains(",", literal=True))
    decimal, thousands = commas.str.contains(_DECIMAL_COMMA), commas.str.contains(_THOUSANDS)
    if separator == "," and bool(thousands.any()) and not bool((decimal & ~thousands).any()):
        note = f"column '{name}': the comma was taken for a separator of thousands"
        return cells.str.replace_all(",", "", literal=True), [note]
    if bool(decimal.any()) and not bool(cells.str.contains(_DECIMAL_POINT).any()):
        note = f"column '{name}': {AS_DECIMAL_POINT}"
        return cells.str.replace(",", ".", literal=True), [note]
    return cells, []


def mostly_numbers(numbers: Array, filled: int) -> bool:
    """Whether the few texts in a column of `filled` cells can be taken as missing.

    Parameters
    ----------
    numbers : ndarray of float64
        Its cells that are numbers.
    filled : int
        How many cells hold anything.
    """
    if filled < FEWEST_CELLS or len(numbers) < MOSTLY * filled:
        return False
    return len(np.unique(numbers)) >= FEWEST_NUMBERS


def not_numbers(name: str, count: int, texts: Iterable[str]) -> str:
    """Say which cells of a column of numbers were taken as missing."""
    return (
        f"column '{name}': {plural(count, 'cell')} not a number ({some(texts, 3)}), "
        "taken as missing"
    )


def _number_type(written: pl.Series) -> Dtype:
    return "integer" if bool(written.str.contains(_INTEGER).all()) else "float"


def _number_column(name: str, values: Array, written: pl.Series, dtype: Dtype) -> Column:
    """Describe a numeric column; few distinct values stay as written, one text each."""
    finite = np.isfinite(values)
    distinct, rows = np.unique(values[finite], return_index=True)
    if len(distinct) == 0 or len(distinct) > MAX_LEVELS:
        return Column(name, "numeric", (), dtype)
    texts = written.gather(np.flatnonzero(finite)[rows]).to_list()
    return Column(name, "numeric", tuple(texts), dtype)


def category_column(name: str, cells: pl.Series) -> tuple[Column, Array]:
    """Return the column and the level indices of a column of text; null is missing."""
    import polars as pl

    cells = cells.set(cells.is_in(list(MISSING_TEXT)), None)
    levels = sorted(cells.drop_nulls().unique().to_list())
    values = np.full(len(cells), np.nan)
    present = cells.is_not_null().to_numpy()
    codes = cells.drop_nulls().replace_strict(
        levels, np.arange(len(levels), dtype=np.float64), return_dtype=pl.Float64
    )
    values[present] = codes.to_numpy()
    boolean = bool(levels) and {x.lower() for x in levels} <= BOOLEANS
    dtype: Dtype = "boolean" if boolean else "string"
    return Column(name, "categorical", tuple(levels), dtype), values


def target_variable(y: Any, name: str = "target") -> Variable:
    """Make a target of Python values.

    Parameters
    ----------
    y : array-like, shape (n,)
        NumPy array, list, or a pandas or polars series of numbers, text or
        booleans. None and NaN are missing.
    name : str
        The target's name.

    Returns
    -------
    Variable
        With axes ``()``. Numbers stay numbers, with their distinct values as
        levels where they are few; text and booleans become categories.

    Raises
    ------
    DataError
        Where `y` is not one-dimensional or mixes text and numbers.
    """
    values = _plain_array(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        hint = " Turn one-hot rows into labels with y.argmax(axis=1)." if values.ndim == 2 else ""
        raise DataError(
            f"y must have one dimension, one value for each sample; its shape is "
            f"{values.shape}.{hint}"
        )
    column, codes = _python_column(name, values)
    return Variable((), codes, (column,))


def _plain_array(y: Any) -> Array:
    if not isinstance(y, np.ndarray) and hasattr(y, "to_list"):
        y = y.to_list()
    try:
        return np.asarray(y)
    except ValueError as error:
        raise DataError(f"y must be one value for each sample: {error}") from error


def object_array(cells: Sequence[Any]) -> Array:
    """Return Python values as an array, shape (n,); a list or an array stays one value."""
    return np.fromiter(cells, dtype=object, count=len(cells))


def python_value(cell: Any) -> Any:
    """Return a value as it is taken: None where it is missing, bytes as text, plain numbers."""
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    if isinstance(cell, np.generic) and cell.dtype.kind in "biuf":
        cell = cell.item()
    elif isinstance(cell, Decimal):
        cell = float(cell)
    return None if is_missing(cell) else cell


def _python_column(name: str, values: Array) -> tuple[Column, Array]:
    import polars as pl

    if values.dtype.kind in "OUST":
        objects = [python_value(v) for v in values.tolist()]
        filled = [v for v in objects if v is not None]
        odd = [v for v in filled if isinstance(v, list | tuple | dict | set | np.ndarray)]
        if odd:
            raise DataError(
                f"'{name}' must hold one number, text or boolean for each sample; received a "
                f"{type(odd[0]).__name__}. Give each of its values a column of its own."
            )
        if filled and all(isinstance(v, bool) for v in filled):
            texts = [None if v is None else str(v) for v in objects]
            return category_column(name, pl.Series(name, texts, dtype=pl.String))
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in filled):
            whole = all(isinstance(v, int) for v in filled)
            numbers = np.array([np.nan if v is None else float(v) for v in objects])
            return number_values(name, numbers, "integer" if whole else "float")
        texts = [None if v is None else str(v) for v in objects]
        column, codes = category_column(name, pl.Series(name, texts, dtype=pl.String))
        return replace(column, dtype="string"), codes  # "True" as text is given back as text
    if values.dtype.kind == "b":
        return category_column(name, pl.Series(name, [str(v) for v in values.tolist()]))
    if values.dtype.kind in "iu":
        return number_values(name, values.astype(np.float64), "integer")
    if values.dtype.kind == "f":
        return number_values(name, values.astype(np.float64), "float")
    raise DataError(
        f"y must hold numbers, text or booleans; its type is {values.dtype}. Convert it first."
    )


def is_missing(value: Any) -> bool:
    """Whether a Python value is none: None, NaN, NA or NaT."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def number_values(name: str, values: Array, dtype: Dtype) -> tuple[Column, Array]:
    """Describe numbers that come from Python: their levels are their shortest text."""
    distinct = np.unique(values[np.isfinite(values)])
    levels: tuple[str, ...] = ()
    if 0 < len(distinct) <= MAX_LEVELS:
        write = number_text if dtype == "integer" else lambda v: repr(float(v))
        levels = tuple(write(v) for v in distinct)
    return Column(name, "numeric", levels, dtype), values


def without_infinities(values: Array, columns: Sequence[Column] = ()) -> tuple[Array, list[str]]:
    """Replace infinite values by NaN; say how many there were and in which columns.

    Values beyond :data:`LARGEST`, whose squares are infinite, count as such.
    """
    if values.dtype.kind != "f":
        return values, []
    most = min(LARGEST, float(np.finfo(values.dtype).max))
    infinite: Array = (values > most) | (values < -most)
    count = int(infinite.sum())
    if not count:
        return values, []
    where = ""
    if columns:
        hit = np.flatnonzero(infinite.reshape(-1, values.shape[-1]).any(axis=0))
        where = f" in {some(columns[int(j)].name for j in hit)}"
    note = f"{plural(count, 'infinite value')}{where} taken as missing"
    return np.where(infinite, np.asarray(np.nan, values.dtype), values), [note]
