"""Forms: how the arrays that a reader gives become samples with named axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from selector.contract import FEATURE_AXES, SERIES_AXES, Array, Column, Variable
from selector.errors import DataError
from selector.profile.options import AXES_OF_SETS


@dataclass(frozen=True)
class Form:
    """One way to see the samples of a source.

    Parameters
    ----------
    names : tuple of str
        The axis names of the array, in the order in which it is stored (after
        `reshape`); a missing channel axis is added at the end.
    reshape : tuple of int
        Shape given to each sample first; empty to leave it as it is.
    trim : bool
        Whether missing values at the end of a row mean that the series is
        shorter (the form in which archives store series of varying length).
    """

    names: tuple[str, ...]
    reshape: tuple[int, ...] = ()
    trim: bool = False

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of a sample in their final order."""
        return AXES_OF_SETS[frozenset(self.names)]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dictionary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Form:
        """Rebuild from :meth:`to_dict`."""
        return cls(tuple(data["names"]), tuple(data["reshape"]), bool(data["trim"]))

    def apply(self, variable: Variable) -> Variable:
        """Return `variable` seen in this form.

        Raises
        ------
        selector.errors.DataError
            Where the samples do not have the number of values that it needs.
        """
        if variable.axes == self.axes == self.names and not self.reshape and not self.trim:
            return variable
        if variable.lengths is not None:
            return replace(variable, axes=self.axes)
        values = variable.values
        if self.reshape:
            size = int(np.prod(values.shape[1:]))
            if size != int(np.prod(self.reshape)):
                wanted = " x ".join(str(extent) for extent in self.reshape)
                raise DataError(f"samples of {wanted} values are needed, and these have {size}.")
            values = values.reshape(len(values), *self.reshape)
        order = [self.names.index(axis) for axis in self.axes if axis in self.names]
        values = values.transpose(0, *(1 + i for i in order))
        if len(order) < len(self.axes):
            values = values[..., None]
        dtype = np.float64 if self.axes == FEATURE_AXES else np.float32
        values = np.ascontiguousarray(values, dtype=dtype)
        made = Variable(self.axes, values, self._columns(variable, values.shape[-1]))
        return _trimmed(made) if self.trim else made

    def _columns(self, variable: Variable, channels: int) -> tuple[Column, ...]:
        """Name the channels (or features) of the new form."""
        old = variable.columns
        if self.axes == FEATURE_AXES and len(old) and channels % len(old) == 0:
            steps = channels // len(old)
            if steps == 1:
                return old
            return tuple(Column(f"{c.name}_{t}") for t in range(steps) for c in old)
        if variable.axes != FEATURE_AXES and len(old) == channels:
            return old
        if self.axes == SERIES_AXES and channels == 1:
            return (Column("value"),)
        if self.axes in (FEATURE_AXES, SERIES_AXES):
            return tuple(Column(f"{self.axes[-1]}_{i}") for i in range(channels))
        return ()


def _trimmed(variable: Variable) -> Variable:
    """Turn trailing missing steps into lengths that vary."""
    absent = np.asarray(np.isnan(variable.values).all(axis=2))
    lengths = _present_steps(absent)
    steps = variable.values.shape[1]
    keep = np.arange(steps)[None, :] < lengths[:, None]
    return replace(variable, values=variable.values[keep], lengths=lengths)


def _present_steps(absent: Array) -> Array:
    """Return, for each row, the number of steps up to the last that is there (at least 1)."""
    steps = absent.shape[1]
    trailing = np.argmin(absent[:, ::-1], axis=1)
    trailing = np.where(absent.all(axis=1), steps - 1, trailing)
    return np.asarray(steps - trailing, dtype=np.int64)


def ends_missing(values: Array) -> bool:
    """Say whether values are missing, and only at the ends of the rows of a table."""
    absent = np.isnan(values)
    if not absent.any():
        return False
    lengths = _present_steps(absent)
    inside = np.arange(values.shape[1])[None, :] < lengths[:, None]
    return bool(not (absent & inside).any() and lengths.min() >= 1 and not absent[:, 0].any())
