"""Data sets made by hand, as the readers give them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from selector.contract import Column, Dataset, Variable


def text_column(name: str, cells: Sequence[Any]) -> tuple[Column, np.ndarray]:
    levels = tuple(sorted({str(c) for c in cells if c is not None}))
    codes = [np.nan if c is None else float(levels.index(str(c))) for c in cells]
    return Column(name, "categorical", levels, "string"), np.array(codes)


def number_column(name: str, cells: Sequence[Any]) -> tuple[Column, np.ndarray]:
    values = np.array([np.nan if c is None else float(c) for c in cells])
    distinct = np.unique(values[~np.isnan(values)])
    whole = bool((distinct == np.round(distinct)).all())
    levels = tuple(str(int(v)) if whole else repr(float(v)) for v in distinct)
    levels = levels if len(levels) <= 1000 else ()
    return Column(name, "numeric", levels, "integer" if whole else "float"), values


def column(name: str, cells: Sequence[Any]) -> tuple[Column, np.ndarray]:
    text = any(isinstance(c, str) for c in cells)
    return text_column(name, cells) if text else number_column(name, cells)


def table(**cells: Sequence[Any]) -> Dataset:
    """Make a table of named columns; the target is still one of them."""
    made = [column(name, values) for name, values in cells.items()]
    x = Variable(("feature",), np.column_stack([v for _, v in made]), tuple(c for c, _ in made))
    return Dataset("table", {"x": x}, source={"reader": "table"})


def wide(values: np.ndarray, y: Sequence[Any] | None = None, prefix: str = "t") -> Dataset:
    """Make a table of numbers with a row each, and the target as its last column."""
    names = [f"{prefix}{i}" for i in range(values.shape[1])]
    cells = {name: values[:, i] for i, name in enumerate(names)}
    if y is None:
        y = np.arange(len(values)) % 2
    return table(**cells, target=y)


def array(
    values: np.ndarray,
    y: Sequence[Any],
    axes: tuple[str, ...] = ("time", "channel"),
    lengths: np.ndarray | None = None,
    guessed: bool = False,
) -> Dataset:
    """Make series or images with a target of their own."""
    columns = tuple(Column(f"dim_{i}") for i in range(values.shape[-1]))
    x = Variable(axes, values.astype(np.float32), columns if "height" not in axes else (), lengths)
    described, codes = column("target", list(y))
    source = {"reader": "arrays", "target": "target"}
    if guessed:
        source["axes_rule"] = f"shape {values.shape}"
    return Dataset("array", {"x": x}, Variable((), codes, (described,)), source=source)


@pytest.fixture
def make() -> SimpleNamespace:
    """Return the builders: ``make.table``, ``make.wide``, ``make.array``."""
    return SimpleNamespace(table=table, wide=wide, array=array)


@pytest.fixture
def make_walks() -> Callable[..., np.ndarray]:
    """Return a maker of random walks ``(n, steps)``."""
    return lambda n=60, steps=40, seed=0: np.cumsum(
        np.random.default_rng(seed).normal(size=(n, steps)), axis=1
    )
