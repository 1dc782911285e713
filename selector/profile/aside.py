"""Columns that say how samples hang together, and are no input."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from selector.contract import FEATURE_AXES, Array, Column, Dataset, Variable
from selector.errors import OptionError, did_you_mean
from selector.readers.columns import is_missing
from selector.readers.dates import asked_order


def set_aside(dataset: Dataset, group: str | None = None, order: str | None = None) -> Dataset:
    """Take the column of groups, or of the order, out of a table, or of series in long form.

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
        Where there is no such column, values are missing, or an order is text that is
        no date or time.
    """
    if group and order:
        raise OptionError("--group and --order exclude each other: give one of them.")
    name, option = group or order, "--group" if group else "--order"
    if name is None:
        return dataset
    inputs, column, values = _taken(dataset, name, option)
    _refuse_missing(f"{option} '{name}'", np.isnan(values))
    if order:
        values = asked_order(option, column, values)
    codes = np.unique(values, return_inverse=True)[1] if group else None
    return replace(
        dataset, inputs=inputs, groups=codes, order=values if order else None, aside=None
    )


def _taken(
    dataset: Dataset, name: str, option: str
) -> tuple[Mapping[str, Variable], Column, Array]:
    """Return the inputs without a column, the column, and its value in each sample."""
    if dataset.aside is not None:
        return dataset.inputs, dataset.aside.columns[0], dataset.aside.values
    x = dataset.x
    names = [c.name for c in x.columns]
    if x.axes != FEATURE_AXES or name not in names:
        where = ", ".join(names[:20]) or f"no columns (its samples have the axes {x.axes})"
        raise OptionError(
            f"{option} '{name}' is no column of '{dataset.name}'; it has {where}."
            f"{did_you_mean(name, names)}"
        )
    i = names.index(name)
    rest = replace(
        x, values=np.delete(x.values, i, axis=1), columns=(*x.columns[:i], *x.columns[i + 1 :])
    )
    return {next(iter(dataset.inputs)): rest}, x.columns[i], x.values[:, i]


def attach(dataset: Dataset, groups: Any = None, order: Any = None) -> Dataset:
    """Return a data set with groups, or an order, that were given as arrays.

    Parameters
    ----------
    dataset : Dataset
        As read.
    groups : array-like, shape (n,), optional
        Samples of one value stay together in every split.
    order : array-like of number or date, shape (n,), optional
        Splits go forward in it.

    Raises
    ------
    OptionError
        Where both are given, lengths differ, values are missing, or an order
        is neither numbers nor dates.
    """
    if groups is None and order is None:
        return dataset
    known = dataset.groups is not None or dataset.order is not None
    if known or (groups is not None and order is not None):
        raise OptionError("group and order exclude each other: give one of them.")
    name = "group" if groups is not None else "order"
    values = np.asarray(groups if groups is not None else order)
    if values.shape != (len(dataset),):
        raise OptionError(
            f"{name} needs one value for each of the {len(dataset)} samples; its shape is"
            f" {values.shape}."
        )
    _refuse_missing(name, np.array([is_missing(v) or bool(v != v) for v in values]))
    if groups is not None:
        return replace(dataset, groups=np.unique(values.astype(str), return_inverse=True)[1])
    if values.dtype.kind in "OU":
        with contextlib.suppress(ValueError, TypeError):
            values = values.astype("datetime64[us]")
    if values.dtype.kind not in "iufM":
        raise OptionError(f"order takes numbers or dates; received {values.dtype}.")
    return replace(dataset, order=np.unique(values, return_inverse=True)[1].astype(np.float64))


def _refuse_missing(what: str, missing: Array) -> None:
    if missing.any():
        raise OptionError(
            f"{what} has no value in {int(missing.sum())} of {len(missing)} samples; every sample"
            " needs one."
        )
