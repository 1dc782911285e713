"""Columns that say how samples hang together, and are no input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from selector.contract import FEATURE_AXES, Dataset
from selector.errors import OptionError, did_you_mean


def set_aside(dataset: Dataset, group: str | None = None, order: str | None = None) -> Dataset:
    """Take the column of groups, or of the order, out of a table.

    Parameters
    ----------
    dataset : Dataset
        As read.
    group, order : str, optional
        Names of columns; at most one of them.

    Returns
    -------
    Dataset
        With ``groups`` or ``order``, and without the column.

    Raises
    ------
    OptionError
        Where there is no such column, values are missing, or an order is text.
    """
    name, option = group or order, "--group" if group else "--order"
    if name is None:
        return dataset
    x = dataset.x
    names = [c.name for c in x.columns]
    if x.axes != FEATURE_AXES or name not in names:
        where = ", ".join(names[:20]) or f"no columns (its samples have the axes {x.axes})"
        raise OptionError(
            f"{option} '{name}' is no column of '{dataset.name}'; it has {where}."
            f"{did_you_mean(name, names)}"
        )
    i = names.index(name)
    values = x.values[:, i]
    if np.isnan(values).any():
        raise OptionError(
            f"{option} '{name}' has no value in {int(np.isnan(values).sum())} of {len(values)}"
            " samples; every sample needs one."
        )
    if order and x.columns[i].type == "categorical":
        values = _ranks(name, x.columns[i].levels, values)
    rest = replace(
        x, values=np.delete(x.values, i, axis=1), columns=(*x.columns[:i], *x.columns[i + 1 :])
    )
    inputs = {next(iter(dataset.inputs)): rest}
    codes = np.unique(values, return_inverse=True)[1] if group else None
    return replace(dataset, inputs=inputs, groups=codes, order=values if order else None)


def _ranks(name: str, levels: tuple[str, ...], values: np.ndarray) -> np.ndarray:
    """Return the ranks of dates written as text: ISO 8601 sorts as it is read."""
    if not all(level[:4].isdigit() and level[4:5] in "-/" for level in levels):
        raise OptionError(
            f"--order '{name}' holds text ('{levels[0]}'); numbers or dates as 2026-11-24 can be"
            " put in order."
        )
    rank = np.empty(len(levels))
    rank[np.argsort(np.array(levels))] = np.arange(len(levels))
    return rank[values.astype(np.int64)]
