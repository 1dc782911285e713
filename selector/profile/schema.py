"""How to bring another file into the form of the training data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from selector.contract import (
    FEATURE_AXES,
    IMAGE_AXES,
    Column,
    Dataset,
    Variable,
    column_from_dict,
)
from selector.errors import DataError
from selector.profile.form import Form
from selector.profile.target import match, number


@dataclass(frozen=True, eq=False)
class Applied:
    """Another file in the form of the training data.

    Parameters
    ----------
    x : Variable
        The input.
    y : Variable or None
        The target in the trained codes, NaN where it is missing or its label
        is unknown; None where the file has no target.
    ids : tuple of str
        The name of each sample where the source has one.
    notes : tuple of str
        What was ignored, converted or not understood, with counts.
    """

    x: Variable
    y: Variable | None
    ids: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Schema:
    """All that is needed to read another file like the first.

    Parameters
    ----------
    task : {"classification", "regression"}
        The task.
    target : Column
        The target; the classes are its levels.
    raw_axes, raw_shape, raw_columns : tuple
        Axes and shape of one sample and the columns, as the reader gives them
        and without the target and the columns left out.
    form : Form
        From there to the final form.
    axes, shape, columns : tuple
        The final form; None in `shape` for a length that varies.
    dropped : tuple of str
        Columns left out.
    source : mapping
        ``Dataset.source``, for ``ReadOptions.expect``.
    """

    task: str
    target: Column
    raw_axes: tuple[str, ...]
    raw_shape: tuple[int | None, ...]
    raw_columns: tuple[Column, ...]
    form: Form
    axes: tuple[str, ...]
    shape: tuple[int | None, ...]
    columns: tuple[Column, ...] = ()
    dropped: tuple[str, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class labels as written, in the order of the codes; empty for regression."""
        return self.target.levels

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dictionary."""
        return {**asdict(self), "form": self.form.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schema:
        """Rebuild from :meth:`to_dict`, also after a trip through JSON."""
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        for key in ("raw_columns", "columns"):
            values[key] = tuple(column_from_dict(c) for c in data[key])
        values["target"] = column_from_dict(data["target"])
        values["form"] = Form.from_dict(data["form"])
        values["source"] = dict(data["source"])
        return cls(**values)

    def apply(self, dataset: Dataset) -> Applied:
        """Bring `dataset` into the form of the training data.

        Parameters
        ----------
        dataset : Dataset
            As read, with or without a target.

        Returns
        -------
        Applied
            Its samples in their order, none left out.

        Raises
        ------
        selector.errors.DataError
            Where columns, channels or the shape do not fit.
        """
        from selector.readers.align import align

        dataset, given = self._without_target(dataset)
        self._check_size(dataset)
        expect = {"axes": self.raw_axes, "shape": self.raw_shape, "columns": self.raw_columns}
        raw, notes = align(dataset, expect)
        x = self.form.apply(raw)
        if len(self.columns) == x.values.shape[-1]:
            x = replace(x, columns=self.columns)
        y, more = (None, []) if given is None else self._labels(given)
        return Applied(x, y, dataset.ids, (*dataset.notes, *notes, *more))

    def _without_target(self, dataset: Dataset) -> tuple[Dataset, Variable | None]:
        """Take the target, and the columns left out in training, from the data."""
        x, given = dataset.x, dataset.target
        if x.axes != FEATURE_AXES:
            return dataset, given
        names = [c.name for c in x.columns]
        used = {c.name for c in self.raw_columns}
        if given is None and self.target.name in names and self.target.name not in used:
            position = names.index(self.target.name)
            given = Variable((), x.values[:, position], (x.columns[position],))
        out = {self.target.name, *self.dropped} - used
        keep = [i for i, name in enumerate(names) if name not in out]
        rest = replace(x, values=x.values[:, keep], columns=tuple(x.columns[i] for i in keep))
        return replace(dataset, inputs={next(iter(dataset.inputs)): rest}), given

    def _check_size(self, dataset: Dataset) -> None:
        """Refuse arrays of another size where they would be taken for images and resized."""
        x = dataset.x
        images = self.raw_axes == IMAGE_AXES and self.axes != IMAGE_AXES
        if images and x.axes == IMAGE_AXES and x.sample_shape != self.raw_shape:
            raise DataError(
                f"samples of shape {self.raw_shape} are needed, and '{dataset.name}' has "
                f"{x.sample_shape}. Give data of the same shape as in training."
            )

    def _labels(self, given: Variable) -> tuple[Variable, list[str]]:
        """Return the target in the trained codes."""
        column, values = given.columns[0], given.values.astype(np.float64)
        missing = np.isnan(values)
        if self.task == "regression":
            numbers = self._numbers(column, values)
            codes, unknown = np.where(np.isfinite(numbers), numbers, np.nan), 0
        else:
            codes = match(column, values, self.classes)
            codes[missing] = np.nan
            unknown = int((np.isnan(codes) & ~missing).sum())
        notes = []
        if missing.any():
            notes.append(f"{int(missing.sum())} of {len(values)} samples have no target")
        if unknown:
            notes.append(
                f"{unknown} of {len(values)} samples have a label that was not seen in training"
            )
        return Variable((), codes, (self.target,)), notes

    def _numbers(self, column: Column, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if column.type == "numeric":
            return values
        found = [number(level) for level in column.levels]
        bad = [t for t, value in zip(column.levels, found, strict=True) if value is None]
        if bad:
            raise DataError(
                f"the target '{self.target.name}' must hold numbers, as in training; received "
                f"'{bad[0]}'."
            )
        known = np.array([*found, np.nan], dtype=np.float64)
        return known[np.where(np.isnan(values), len(found), values).astype(np.int64)]
