"""Columns of a table that identify rows instead of describing them."""

from __future__ import annotations

import re
from collections.abc import Mapping
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


def drop_identifiers(
    dataset: Dataset, known: Mapping[str, str] | None = None
) -> tuple[Dataset, dict[str, str]]:
    """Take row numbers, ids and free text out of a table, each with a note.

    Parameters
    ----------
    dataset : Dataset
        The target already taken out.
    known : mapping of str to str, optional
        Columns that are taken out whatever they hold here, with the reasons:
        a counter has gaps where some of its rows are missing.

    Returns
    -------
    dataset : Dataset
        Without these columns.
    left_out : dict of str to str
        Their names, with the reasons.

    Raises
    ------
    selector.errors.DataError
        Where no column is left.
    """
    x = dataset.x
    if x.axes != FEATURE_AXES:
        return dataset, {}
    before = known or {}
    reasons = [before.get(c.name) or _reason(c, x.values[:, i]) for i, c in enumerate(x.columns)]
    left_out = {c.name: r for c, r in zip(x.columns, reasons, strict=True) if r is not None}
    if not left_out:
        return dataset, {}
    if None not in reasons:
        name, reason = next(iter(left_out.items()))
        raise DataError(
            f"no column of '{dataset.name}' can predict anything; '{name}' was left out: {reason}. "
            "Give at least one column of numbers or categories beside the target."
        )
    keep = [i for i, reason in enumerate(reasons) if reason is None]
    rest = replace(x, values=x.values[:, keep], columns=tuple(x.columns[i] for i in keep))
    notes = tuple(f"column '{name}' was left out: {reason}" for name, reason in left_out.items())
    inputs = {next(iter(dataset.inputs)): rest}
    return replace(dataset, inputs=inputs, notes=(*dataset.notes, *notes)), left_out


FREE_TEXT = "its text differs in every row"


def unused_text(left_out: Mapping[str, str]) -> tuple[str, ...]:
    """Say what the user loses by the columns of text among those left out."""
    return tuple(
        f"column '{name}' holds text that is not used; turn what it says into columns"
        for name, reason in left_out.items()
        if reason == FREE_TEXT
    )


def _reason(column: Column, values: Array) -> str | None:
    """Return why a column only identifies rows, or None."""
    present = values[~np.isnan(values)]
    if len(present) < max(MIN_ROWS, len(values) // 2) or len(np.unique(present)) < len(present):
        return None
    if column.type == "categorical":
        return "an id, different in every row" if is_id_name(column.name) else FREE_TEXT
    if not (present == np.round(present)).all():
        return None
    in_order = values[0] in (0, 1) and bool((np.diff(values) == 1).all())
    if in_order:  # in another order it may be a rank, and from another start a year
        return "it only counts the rows"
    return "an id, different in every row" if is_id_name(column.name) else None
