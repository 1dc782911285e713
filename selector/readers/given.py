"""A target that comes apart from its source, which may hold it as well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from selector.contract import FEATURE_AXES, Array, Dataset, Variable
from selector.errors import DataError
from selector.readers.columns import some
from selector.readers.convert import as_categories, as_numbers

_FEW = 64
"""So many rows show of most columns that they are not the target."""


def without_copy(dataset: Dataset) -> Dataset:
    """Take the target out of the table that it is a column of, and tell of other copies.

    Parameters
    ----------
    dataset : Dataset
        With a target that was given apart from the source.

    Returns
    -------
    Dataset
        Without the column that has the target's name and its values, with a
        note. A column of its name or its values alone stays, with a note.

    Raises
    ------
    DataError
        Where no column is left.
    """
    x, target = dataset.x, dataset.target
    if x.axes != FEATURE_AXES or target is None:
        return dataset
    own = target.columns[0].name
    names = [c.name for c in x.columns]
    copies = _copies(x, target)
    notes = list(dataset.notes)
    others = [name for name in copies if name != own]
    if others:
        notes.append(
            f"y is the same as {some(others)} in every row: leave that out of X unless it is known"
            " before the target is"
        )
    if own in names and own not in copies:
        notes.append(f"column '{own}' has the name of the target and other values: it stays in X")
    if own not in copies:
        return replace(dataset, notes=tuple(notes))
    if len(names) == 1:
        raise DataError(f"X has one column, '{own}', and y is the same. Give others to predict by.")
    keep = [j for j, name in enumerate(names) if name != own]
    rest = replace(x, values=x.values[:, keep], columns=tuple(x.columns[j] for j in keep))
    notes.append(f"'{own}' is the target, and was left out of X")
    inputs = {next(iter(dataset.inputs)): rest}
    return replace(dataset, inputs=inputs, notes=tuple(notes))


def _copies(x: Variable, target: Variable) -> list[str]:
    """Return the columns that equal the target wherever it is known, if it varies at all."""
    known = np.flatnonzero(~np.isnan(target.values))
    if len(np.unique(target.values[known])) < 2:
        return []
    found = list(range(len(x.columns)))
    for rows in (known[:_FEW], known):
        found = [j for j in found if _equal(x, j, target, rows)]
    return [x.columns[j].name for j in found]


def _equal(x: Variable, at: int, target: Variable, rows: Array) -> bool:
    """Whether a column equals the target in `rows`, each as the column writes it."""
    column, own, values = x.columns[at], target.columns[0], target.values[rows]
    if column.type == "categorical":
        wanted, _ = as_categories(own, values, column.levels)
    else:
        wanted, _ = as_numbers(own, values)
    return bool((wanted == x.values[rows, at]).all())
