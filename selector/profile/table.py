"""Columns of a table that identify rows instead of describing them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from selector.contract import FEATURE_AXES, Array, Column, Dataset
from selector.errors import DataError

_CAMEL = re.compile(r"[a-z]I[dD]$")
_SNAKE = re.compile(r"(^|[_\s.\-])(id|uuid|guid|index|key|rowid)$|^unnamed.*|^$", re.IGNORECASE)
MIN_ROWS = 10


def is_id_name(name: str) -> bool:
    """Say whether a column's name is that of an identifier."""
    plain = name.strip()
    return bool(_SNAKE.search(plain) or _CAMEL.search(plain))


def drop_identifiers(dataset: Dataset) -> tuple[Dataset, tuple[str, ...], tuple[str, ...]]:
    """Take row numbers, ids and free text out of a table, each with a note.

    Parameters
    ----------
    dataset : Dataset
        The target already taken out.

    Returns
    -------
    dataset : Dataset
        Without these columns.
    dropped : tuple of str
        Their names.
    warnings : tuple of str
        What the user loses by it.

    Raises
    ------
    selector.errors.DataError
        Where no column is left.
    """
    x = dataset.x
    if x.axes != FEATURE_AXES or len(x) < MIN_ROWS:
        return dataset, (), ()
    reasons = [_reason(c, x.values[:, i]) for i, c in enumerate(x.columns)]
    dropped = [(c.name, r) for c, r in zip(x.columns, reasons, strict=True) if r is not None]
    if not dropped:
        return dataset, (), ()
    if len(dropped) == len(x.columns):
        raise DataError(
            f"no column of '{dataset.name}' can predict anything; '{dropped[0][0]}' was left out: "
            f"{dropped[0][1]}. "
            "Give at least one column of numbers or categories beside the target."
        )
    keep = [i for i, reason in enumerate(reasons) if reason is None]
    rest = replace(x, values=x.values[:, keep], columns=tuple(x.columns[i] for i in keep))
    notes = tuple(f"column '{name}' was left out: {reason}" for name, reason in dropped)
    warnings = tuple(
        f"column '{name}' holds text that is not used; turn what it says into columns"
        for name, reason in dropped
        if reason == FREE_TEXT
    )
    inputs = {next(iter(dataset.inputs)): rest}
    dataset = replace(dataset, inputs=inputs, notes=(*dataset.notes, *notes))
    return dataset, tuple(name for name, _ in dropped), warnings


FREE_TEXT = "its text differs in every row"


def _reason(column: Column, values: Array) -> str | None:
    """Return why a column only identifies rows, or None."""
    present = values[~np.isnan(values)]
    if len(present) < max(MIN_ROWS, len(values) // 2) or len(np.unique(present)) < len(present):
        return None
    if column.type == "categorical":
        return "an id, different in every row" if is_id_name(column.name) else FREE_TEXT
    if len(present) < len(values) or not (present == np.round(present)).all():
        return None
    if present.max() - present.min() + 1 == len(present):
        return "it only counts the rows"
    return "an id, different in every row" if is_id_name(column.name) else None
