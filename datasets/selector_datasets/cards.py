"""The data sets that lie in this package, and their cards."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np

from selector.contract import FEATURE_AXES, Array, Column, ReadOptions, Variable
from selector.readers import read as read_source

_DATA = Path(__file__).parent / "data"


@functools.cache
def shipped() -> tuple[str, ...]:
    """Return the names of the shipped data sets."""
    return tuple(sorted((p.parent.name for p in _DATA.glob("*/card.json")), key=str.lower))


def folder(name: str) -> Path:
    """Return the folder of a shipped data set."""
    return _DATA / name


def read(name: str) -> dict[str, Any]:
    """Return the card of a shipped data set."""
    about: dict[str, Any] = json.loads((folder(name) / "card.json").read_text(encoding="utf-8"))
    return about


def load(path: Path, about: dict[str, Any]) -> tuple[Any, Any]:
    """Read a file of a data set, and give its samples and its target as plain Python data."""
    dataset = read_source(path, ReadOptions(target=_column_target(path, about)))
    x, target = dataset.x, dataset.target
    if target is not None:
        return _plain(x), _labels(target.columns[0], target.values)
    position = [c.name for c in x.columns].index(about["target"])
    y = _labels(x.columns[position], x.values[:, position])
    others = [i for i in range(len(x.columns)) if i != position]
    if about["kind"] == "sequential":
        return x.values[:, others].astype(np.float32)[..., None], y
    return _frame(x, others), y


def _column_target(path: Path, about: dict[str, Any]) -> str | None:
    target: str | None = about["target"] if path.suffix == ".csv" else None
    return target


def _plain(x: Variable) -> Any:
    if x.axes == FEATURE_AXES:
        return x.values
    if x.lengths is None:
        return x.values
    return np.split(x.values, np.cumsum(x.lengths)[:-1])


def _labels(column: Column, values: Array) -> Array:
    """Return cells in the form of the source: numbers, text or booleans."""
    if column.type == "numeric":
        whole = column.dtype == "integer" and bool(np.isfinite(values).all())
        return values.astype(np.int64) if whole else values
    texts = np.array(column.levels)[values.astype(np.int64)]
    if column.dtype == "integer":
        return texts.astype(np.int64)
    return texts


def _frame(x: Variable, positions: list[int]) -> Any:
    import polars as pl

    series = []
    for i in positions:
        column, cells = x.columns[i], x.values[:, i]
        if column.type == "numeric":
            series.append(pl.Series(column.name, cells, nan_to_null=True))
        else:
            texts = [None if np.isnan(v) else column.levels[int(v)] for v in cells]
            series.append(pl.Series(column.name, texts))
    return pl.DataFrame(series)
