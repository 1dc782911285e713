"""Cells of one column as another: numbers to categories, categories to numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from selector.contract import Array, Column
from selector.readers.columns import BOOLEANS, not_numbers, number_text, plural, some, to_number


def as_numbers(column: Column, cells: Array) -> tuple[Array, list[str]]:
    """Return the cells of any column as numbers; text that is none is missing, and counted."""
    if column.type == "numeric":
        return np.asarray(cells, dtype=np.float64), []
    table = np.array([*(_number_of(x) for x in column.levels), math.nan])
    table[np.isinf(table)] = math.nan
    present = ~np.isnan(cells)
    out = table[np.where(present, cells, -1).astype(np.int64)]
    lost = present & np.isnan(out)
    if not lost.any():
        return out, []
    texts = [column.levels[int(i)] for i in np.unique(cells[lost])]
    return out, [not_numbers(column.name, int(lost.sum()), texts)]


def as_categories(column: Column, cells: Array, levels: Sequence[str]) -> tuple[Array, list[str]]:
    """Return the cells of any column as indices into `levels`; others are missing, and counted."""
    index = _level_index(levels)
    present = ~np.isnan(cells)
    distinct, inverse = np.unique(cells[present], return_inverse=True)
    texts = _texts(column, distinct)
    codes = np.array([_lookup(t, index) for t in texts], dtype=np.float64)
    out = np.full(len(cells), np.nan)
    out[present] = codes[inverse] if len(codes) else np.nan
    unknown = int((present & np.isnan(out)).sum())
    if not unknown:
        return out, []
    new = [t for t, c in zip(texts, codes, strict=True) if math.isnan(c)]
    return out, [
        f"column '{column.name}': {plural(unknown, 'cell')} with a category not seen in "
        f"training ({some(new, 3)}), taken as missing"
    ]


def _texts(column: Column, distinct: Array) -> list[str]:
    """Return the distinct values of a column as written."""
    if column.type == "categorical":
        return [column.levels[int(v)] for v in distinct]
    written = {float(x): x for x in column.levels}
    return [written.get(float(v), number_text(float(v))) for v in distinct]


def _level_index(levels: Sequence[str]) -> dict[str, float]:
    """Map each level, and its plainer spellings, to its position; exact spelling goes first."""
    index: dict[str, float] = {}
    for spelling in (str, _plain_number, _plain_boolean):
        for i, level in enumerate(levels):
            index.setdefault(spelling(level), float(i))
    if all(level.lower() in BOOLEANS for level in levels):
        for i, level in enumerate(levels):
            index.setdefault(number_text(_number_of(level)), float(i))
    return index


def _number_of(text: str) -> float:
    """Return the number that a cell's text is; yes and no are 1 and 0."""
    plain = text.lower()
    return float(plain == "true") if plain in BOOLEANS else to_number(text)


def _lookup(text: str, index: Mapping[str, float]) -> float:
    for spelling in (text, _plain_number(text), _plain_boolean(text)):
        if spelling in index:
            return index[spelling]
    return math.nan


def _plain_boolean(text: str) -> str:
    return text.lower() if text.lower() in BOOLEANS else text


def _plain_number(text: str) -> str:
    value = to_number(text)
    return text if not math.isfinite(value) else number_text(value)
