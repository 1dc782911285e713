"""What the user should know about the data before models are tried."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from selector.contract import FEATURE_AXES, Array, Dataset, Variable
from selector.profile.signals import missing_share

FEW = 100
MANY_MISSING = 0.2
IMBALANCE = 10.0
NEAR_UNIQUE = 0.5
MAX_CELLS = 20_000_000
"""Values above which duplicates are looked for in a window of samples only."""


def find_warnings(dataset: Dataset) -> tuple[str, ...]:
    """Check an assigned data set.

    Returns
    -------
    tuple of str
        One sentence each, on: few samples, unequal classes, missing values,
        constant features or channels, duplicated samples, columns that
        differ in nearly every row.
    """
    found: list[str] = []
    n = len(dataset)
    if n < FEW:
        found.append(f"only {n} samples: scores will be uncertain")
    found += _classes(dataset)
    found += _missing(dataset.x)
    found += _constant(dataset.x)
    found += _duplicates(dataset.x)
    found += _near_unique(dataset.x)
    return tuple(found)


def _classes(dataset: Dataset) -> list[str]:
    target = dataset.target
    if target is None or target.columns[0].type != "categorical":
        return []
    levels = target.columns[0].levels
    counts = np.bincount(target.values.astype(np.int64), minlength=len(levels))
    small, large = int(counts.argmin()), int(counts.argmax())
    out = []
    if counts[large] >= IMBALANCE * max(int(counts[small]), 1):
        out.append(
            f"classes are unequal: '{levels[large]}' has {counts[large]} samples and "
            f"'{levels[small]}' {counts[small]}; accuracy may hide what happens to small classes"
        )
    rare = int((counts < 5).sum())
    if rare:
        out.append(f"{rare} of {len(levels)} classes have fewer than 5 samples")
    return out


def _missing(variable: Variable) -> list[str]:
    share = missing_share(variable)
    out = []
    if share >= MANY_MISSING:
        out.append(f"{share:.0%} of all values are missing")
    if variable.axes == FEATURE_AXES:
        absent = np.isnan(variable.values).mean(axis=0)
        most = [
            f"{c.name} ({a:.0%})" for c, a in zip(variable.columns, absent, strict=True) if a >= 0.5
        ]
        if most:
            out.append(f"columns with half or more of their values missing: {_listed(most)}")
    return out


def _constant(variable: Variable) -> list[str]:
    if not variable.columns:
        return []
    flat = variable.values.reshape(-1, variable.values.shape[-1])
    low, high = np.fmin.reduce(flat, axis=0), np.fmax.reduce(flat, axis=0)
    names = [c.name for c, a, b in zip(variable.columns, low, high, strict=True) if not b > a]
    if not names:
        return []
    what = "column(s)" if variable.axes == FEATURE_AXES else "channel(s)"
    return [f"{len(names)} {what} without any variation: {_listed(names)}"]


def _duplicates(variable: Variable) -> list[str]:
    values = variable.values
    limit = max(1, MAX_CELLS // max(1, int(np.prod(values.shape[1:]))))
    if variable.lengths is not None:
        bounds = np.concatenate([[0], np.cumsum(variable.lengths)])
        rows: Iterable[Array] = (values[a:b] for a, b in pairwise(bounds))
        count = len(variable.lengths)
    else:
        rows, count = values[:limit], min(limit, len(values))
    repeated = count - len({hash((row + 0.0).tobytes()) for row in rows})
    if not repeated:
        return []
    return [
        f"{repeated} of {count} samples repeat an earlier one exactly; where copies fall "
        "into both training and test parts, scores are too good"
    ]


def _near_unique(variable: Variable) -> list[str]:
    if variable.axes != FEATURE_AXES:
        return []
    names = []
    for i, column in enumerate(variable.columns):
        present = variable.values[~np.isnan(variable.values[:, i]), i]
        if column.type != "categorical" or len(present) < 20:
            continue
        if len(np.unique(present)) > NEAR_UNIQUE * len(present):
            names.append(column.name)
    if not names:
        return []
    return [f"column(s) of text that differ in most rows and will hardly help: {_listed(names)}"]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
