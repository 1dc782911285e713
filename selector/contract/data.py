"""Data: columns, variables, data sets, and who reads them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

FEATURE_AXES = ("feature",)
SERIES_AXES = ("time", "channel")
IMAGE_AXES = ("height", "width", "channel")
CLIP_AXES = ("time", "height", "width", "channel")

Kind = Literal["sequential", "grid", "tabular", "sequential-grid"]

KIND_OF_AXES: dict[tuple[str, ...], Kind] = {
    FEATURE_AXES: "tabular",
    SERIES_AXES: "sequential",
    IMAGE_AXES: "grid",
    CLIP_AXES: "sequential-grid",
}

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Column:
    """One column of a table, one channel of a series, or the target.

    Parameters
    ----------
    name : str
        The column's name as written in the source.
    type : {"numeric", "categorical"}
        What its cells hold.
    levels : tuple of str
        The distinct values as written. Always given for a categorical
        column, whose cells are indices into it; given for a numeric column
        only where it has few distinct values, so that it can serve as a class
        label in its original form ("01" stays "01").
    dtype : {"string", "integer", "float", "boolean"}
        The type that a prediction of this column is given back in.
    """

    name: str
    type: Literal["numeric", "categorical"] = "numeric"
    levels: tuple[str, ...] = ()
    dtype: Literal["string", "integer", "float", "boolean"] = "float"


@dataclass(frozen=True, eq=False)
class Variable:
    """Values with named axes: the one input of a data set, or its target.

    Parameters
    ----------
    axes : tuple of str
        The axes of one sample, without the sample axis; ``()`` for a target.
    values : ndarray
        By axes:

        * ``("feature",)``: ``(n, p)`` float64; a categorical cell holds the
          index of its level; a missing cell is NaN.
        * ``("time", "channel")``: ``(n, T, C)`` float32 where all series have
          the same length and ``lengths`` is None, else ``(sum(lengths), C)``,
          the series one after the other.
        * ``("height", "width", "channel")``: ``(n, H, W, C)`` float32.
        * ``("time", "height", "width", "channel")``: ``(n, T, H, W, C)``
          float32.
        * ``()``: ``(n,)`` float64, NaN where missing; a categorical target
          holds the index of its level.
    columns : tuple of Column
        One for each feature or channel; exactly one for a target. May be
        empty for images.
    lengths : ndarray of int64, shape (n,), optional
        The number of steps of each series where they differ.
    """

    axes: tuple[str, ...]
    values: Array
    columns: tuple[Column, ...] = ()
    lengths: Array | None = None

    def __len__(self) -> int:
        return len(self.values) if self.lengths is None else len(self.lengths)

    @property
    def sample_shape(self) -> tuple[int | None, ...]:
        """Shape of one sample; None for a length that varies."""
        if self.lengths is None:
            return tuple(self.values.shape[1:])
        return (None, *self.values.shape[1:])

    def take(self, rows: Array) -> Variable:
        """Return the variable with the samples `rows` (integer positions) only."""
        rows = np.asarray(rows, dtype=np.int64)
        if self.lengths is None:
            return replace(self, values=self.values[rows])
        starts = np.concatenate([[0], np.cumsum(self.lengths)])
        parts = [self.values[starts[r] : starts[r + 1]] for r in rows]
        values = np.concatenate(parts) if parts else self.values[:0]
        return replace(self, values=values, lengths=self.lengths[rows])

    def padded(self, length: int | None = None) -> tuple[Array, Array | None]:
        """Return ``(values, mask)`` with every series padded to one length.

        Parameters
        ----------
        length : int, optional
            The common length in steps; by default that of the longest.
            Longer series are cut at the end.

        Returns
        -------
        values : ndarray, shape (n, *sample)
            Padded with zeros at the end; `values` itself where nothing varies.
        mask : ndarray of bool, shape (n, length), or None
            True on real steps; None where all samples have one shape.
        """
        if self.lengths is None:
            return self.values, None
        steps = int(length or max(int(self.lengths.max(initial=1)), 1))
        n = len(self.lengths)
        out = np.zeros((n, steps, *self.values.shape[1:]), dtype=self.values.dtype)
        kept = np.minimum(self.lengths, steps)
        mask = np.arange(steps)[None, :] < kept[:, None]
        start = 0
        for i, (full, keep) in enumerate(zip(self.lengths, kept, strict=True)):
            out[i, :keep] = self.values[start : start + keep]
            start += int(full)
        return out, mask


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a reader makes of a source.

    Parameters
    ----------
    name : str
        Short name, for titles and folder names.
    inputs : mapping of str to Variable
        The inputs by name. Every reader of this version gives one input,
        called ``"x"``.
    target : Variable or None
        What is to be predicted. None where the source has none, and also
        where it is still a column of a table: the profile takes it out.
    ids : tuple of str
        The name of each sample where the source has one (a series id, an
        image's path), in order of first appearance; else empty.
    notes : tuple of str
        Repairs that the reader made, one sentence each; shown to the user.
    source : mapping
        How it was read: ``reader`` (name), ``path``, and where they apply
        ``target``, ``guessed`` (the target that nobody named), ``id``,
        ``step``, ``channels``, ``text`` (all that hold text): column names;
        ``separator``, ``encoding``. Enough to read another file the same way.
    groups : ndarray of int, shape (n,), optional
        Samples of one group are never split apart.
    order : ndarray of float, shape (n,), optional
        Splits go forward in it: what is trained on comes before what is
        validated on.
    aside : Variable or None
        The column that ``ReadOptions.aside`` names, a value for each sample,
        where the source has it beside the input and not in it (series in long
        form).
    """

    name: str
    inputs: Mapping[str, Variable]
    target: Variable | None = None
    ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)
    groups: Array | None = None
    order: Array | None = None
    aside: Variable | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def x(self) -> Variable:
        """The one input."""
        return next(iter(self.inputs.values()))

    def take(self, rows: Array) -> Dataset:
        """Return the data set with the samples `rows` only."""
        rows = np.asarray(rows, dtype=np.int64)
        return replace(
            self,
            inputs={k: v.take(rows) for k, v in self.inputs.items()},
            target=None if self.target is None else self.target.take(rows),
            ids=tuple(self.ids[int(r)] for r in rows) if self.ids else (),
            groups=None if self.groups is None else self.groups[rows],
            order=None if self.order is None else self.order[rows],
            aside=None if self.aside is None else self.aside.take(rows),
        )


@dataclass(frozen=True)
class ReadOptions:
    """What the user said about a source; None where nothing was said."""

    target: str | None = None
    id: str | None = None
    step: str | None = None
    expect: Mapping[str, Any] | None = None
    """The ``source`` of the data set a model was trained on, when a file is
    read for prediction: the file may then lack its target."""
    aside: str | None = None
    """A column that is no input: groups, or an order."""
    given: str | None = None
    """The name of the target where it comes apart from the source (``y``): of
    the source's columns none is looked for."""


class Reader(ABC):
    """Turns one form of source into a :class:`Dataset`."""

    name: ClassVar[str]
    extensions: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def matches(self, source: Any) -> bool:
        """Say, from the name, the type or the first bytes, whether this reader applies."""

    @abstractmethod
    def read(self, source: Any, options: ReadOptions) -> Dataset:
        """Read the whole source.

        Raises
        ------
        selector.errors.DataError
            Where the source cannot be read; the message says what to try.
        """
