"""Signals of a data set: how far its order, its gaps and its classes go."""

from __future__ import annotations

import numpy as np

from selector.contract import CLIP_AXES, FEATURE_AXES, IMAGE_AXES, Array, Dataset, Variable
from selector.profile.measure import (
    MAX_COLUMNS,
    MAX_STEPS,
    Order,
    dense_part,
    measure_axis,
    sample_rows,
)

MIN_FEATURES = 8


def measure_signals(dataset: Dataset) -> dict[str, float]:
    """Measure the signals of an assigned data set.

    Parameters
    ----------
    dataset : Dataset
        With its final axes.

    Returns
    -------
    dict of str to float
        ``AXIS.neighbour_correlation``, ``AXIS.neighbour_correlation_null95``,
        ``AXIS.smoothness``, ``AXIS.smoothness_null95`` for each ordered axis
        (and for the columns of a table of numbers, as evidence that their
        order means nothing); ``missing``, the share of missing values;
        ``class_balance``, the entropy of the classes over its maximum (1 where
        all have the same size).
    """
    signals: dict[str, float] = {}
    for name, (values, limit) in _axes(dataset.x).items():
        order = measure_axis(values, limit)
        if order is not None:
            signals.update(_order(name, order))
    signals["missing"] = missing_share(dataset.x)
    target = dataset.target
    if target is not None and target.columns[0].type == "categorical":
        signals["class_balance"] = balance(
            np.bincount(target.values.astype(np.int64), minlength=len(target.columns[0].levels))
        )
    return {name: round(float(value), 6) for name, value in signals.items()}


def _axes(variable: Variable) -> dict[str, tuple[Array, int]]:
    """Return, for each axis to measure, the values as ``(n, steps, rest)`` and the most steps."""
    if variable.axes == FEATURE_AXES:
        numbers = all(c.type == "numeric" for c in variable.columns)
        if not numbers or variable.values.shape[1] < MIN_FEATURES:
            return {}
        return {"feature": (variable.values[:, :, None], MAX_COLUMNS)}
    values = dense_part(variable)
    if variable.axes in (IMAGE_AXES, CLIP_AXES):
        values = values[np.sort(sample_rows(values))]  # a copy in small, whatever n is
    ordered = [axis for axis in variable.axes if axis != "channel"]
    out: dict[str, tuple[Array, int]] = {}
    for axis in ordered:
        moved = np.moveaxis(values, 1 + variable.axes.index(axis), 1)
        out[axis] = (moved.reshape(*moved.shape[:2], -1), MAX_STEPS)
    return out


def _order(axis: str, order: Order) -> dict[str, float]:
    return {
        f"{axis}.neighbour_correlation": order.correlation,
        f"{axis}.neighbour_correlation_null95": order.null95,
        f"{axis}.smoothness": order.smoothness,
        f"{axis}.smoothness_null95": order.smoothness_null95,
    }


def missing_share(variable: Variable) -> float:
    """Return the share of values that are missing."""
    values = variable.values
    return float(np.isnan(values).mean()) if values.size else 0.0


def balance(counts: Array) -> float:
    """Return the entropy of class sizes over its maximum, from 0 to 1."""
    shares = counts[counts > 0] / max(int(counts.sum()), 1)
    if len(counts) < 2:
        return 1.0
    entropy = float(-(shares * np.log(shares)).sum())
    return entropy / float(np.log(len(counts)))
