"""Scaling, gap filling and encoding for networks and features, fitted on training rows.

Estimators get the raw matrix (:func:`matrix`), everything else what
:meth:`Preprocessor.transform` returns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from selector.contract import FEATURE_AXES, SERIES_AXES, Array, Variable
from selector.errors import DataError, OptionError, did_you_mean

FORMAT = 1
CLIP = 8.0
"""Scaled table columns are clipped smoothly to this many deviations."""
MOST_LEVELS = 250
"""Levels of a category that get a column of their own, as in the estimators."""
CHUNK = 1 << 18
"""Values that are scaled at a time, so that float64 is made of a small part only."""

NORMALIZE = ("dataset", "sample")


class Prepared(NamedTuple):
    """What a Keras model takes.

    Parameters
    ----------
    x : ndarray of float32, shape (n, *sample)
        Scaled samples; masked steps are zero.
    mask : ndarray of bool, shape (n, time), or None
        True on real steps.
    """

    x: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_] | None

    def take(self, rows: Array) -> Prepared:
        """Return the samples `rows` only."""
        return Prepared(self.x[rows], None if self.mask is None else self.mask[rows])


def static_length(variable: Variable) -> int | None:
    """Return the one length to which ragged series are padded: a multiple of 8.

    None where all samples have the same shape.
    """
    if variable.lengths is None:
        return None
    longest = max(int(variable.lengths.max(initial=1)), 1)
    return -(-longest // 8) * 8


def matrix(variable: Variable, length: int | None = None) -> npt.NDArray[np.float64]:
    """Return the plain float64 matrix ``(n, p)`` that an estimator is fitted on.

    Parameters
    ----------
    length : int, optional
        Steps to which ragged series are padded with NaN, or cut.

    Raises
    ------
    DataError
        Where samples differ in length and no length is given.
    """
    if variable.lengths is not None and length is None:
        raise DataError(
            "a plain matrix needs samples of one length, and these differ;"
            " use an architecture that takes variable length"
        )
    padded, mask = variable.padded(length)
    values = np.array(padded, dtype=np.float64)
    if mask is not None:
        values[~mask] = np.nan
    return values.reshape(len(values), -1)


@dataclass(frozen=True)
class Preprocessor:
    """A fitted preprocessor, made by :meth:`fit` and plain enough for JSON.

    Parameters
    ----------
    axes : tuple of str
        Axes of one sample.
    normalize : {"dataset", "sample"}
        Whose mean and deviation scale a channel: those of the training rows,
        or the sample's own. Tables are always scaled by training rows.
    mean, scale : tuple of float
        For each channel, or each numeric column of a table (in the original
        unit); a scale is never zero.
    divisor : float
        What image values are divided by first: the training maximum.
    median : tuple of float
        For each numeric column of a table; fills gaps.
    numeric : tuple of int
        Positions of the numeric columns.
    indicators : tuple of int
        Positions of the columns with gaps in training.
    categories : tuple of (position, number of levels, levels seen in training)
        One for each categorical column of up to :data:`MOST_LEVELS` levels;
        encoded as a column for each level.
    frequent : tuple of (position, levels, whether there are others)
        One for each categorical column of more: its most frequent levels in
        training, and whether training held others. Encoded as
        :data:`MOST_LEVELS` columns, and one for all other levels.
    """

    axes: tuple[str, ...]
    normalize: str = "dataset"
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    divisor: float = 1.0
    median: tuple[float, ...] = ()
    numeric: tuple[int, ...] = ()
    indicators: tuple[int, ...] = ()
    categories: tuple[tuple[int, int, tuple[int, ...]], ...] = ()
    frequent: tuple[tuple[int, tuple[int, ...], bool], ...] = ()

    @classmethod
    def fit(cls, train: Variable, normalize: str = "dataset") -> Preprocessor:
        """Fit on training rows.

        Parameters
        ----------
        train : Variable
            The training rows and no others.
        normalize : {"dataset", "sample"}
            See the class.

        Raises
        ------
        OptionError
            Where `normalize` is something else.
        """
        if normalize not in NORMALIZE:
            raise OptionError(
                f"normalize must be one of {', '.join(NORMALIZE)}, not {normalize!r}."
                + did_you_mean(str(normalize), NORMALIZE)
            )
        if train.axes == FEATURE_AXES:
            return cls._fit_table(train)
        values = np.asarray(train.values)
        divisor = 1.0 if train.axes == SERIES_AXES else _largest(values)
        mean, scale = _moments(
            values.reshape(-1, values.shape[-1]), lambda part: part.astype(np.float64) / divisor
        )
        return cls(train.axes, normalize, _floats(mean), _floats(scale), divisor)

    @classmethod
    def _fit_table(cls, train: Variable) -> Preprocessor:
        values = np.asarray(train.values, dtype=np.float64)
        kinds = [column.type for column in train.columns] or ["numeric"] * values.shape[1]
        numeric = tuple(i for i, kind in enumerate(kinds) if kind == "numeric")
        median = np.array([_median(values[:, i]) for i in numeric])
        mean, scale = _moments(values, lambda part: _filled(part[:, numeric], median))
        categories, frequent = [], []
        for i, kind in enumerate(kinds):
            if kind == "numeric":
                continue
            known = values[:, i][np.isfinite(values[:, i])]
            seen, counts = np.unique(known.astype(int), return_counts=True)
            size = max(len(train.columns[i].levels), int(seen.max(initial=-1)) + 1)
            if size <= MOST_LEVELS:
                categories.append((i, size, tuple(seen.tolist())))
            else:
                most = seen[np.argsort(-counts, kind="stable")[:MOST_LEVELS]]
                frequent.append((i, tuple(sorted(most.tolist())), len(seen) > MOST_LEVELS))
        return cls(
            train.axes,
            mean=_floats(mean),
            scale=_floats(scale),
            median=_floats(median),
            numeric=numeric,
            indicators=tuple(i for i in numeric if not np.isfinite(values[:, i]).all()),
            categories=tuple(categories),
            frequent=tuple(frequent),
        )

    def transform(self, variable: Variable, length: int | None = None) -> Prepared:
        """Return scaled samples and, for ragged series, their mask.

        Parameters
        ----------
        variable : Variable
            Samples with the axes of the training data.
        length : int, optional
            Steps to which ragged series are padded; by default the longest.
        """
        if variable.axes == FEATURE_AXES:
            return Prepared(self._transform_table(variable), None)
        n, shape, mask = len(variable), variable.values.shape[1:], None
        if variable.lengths is not None:
            length = int(length or max(int(variable.lengths.max(initial=1)), 1))
            shape, mask = (length, *shape), np.empty((n, length), dtype=bool)
        out = np.empty((n, *shape), dtype=np.float32)
        for rows in _chunks(n, math.prod(shape)):
            values, real = variable.take(np.arange(rows.start, rows.stop)).padded(length)
            out[rows] = self._scale(self._known(values, real), real)
            if mask is not None and real is not None:
                mask[rows] = real
                out[rows][~real] = 0.0
        return Prepared(out, mask)

    def _known(self, values: Array, mask: Array | None) -> Array:
        """Return series and images without gaps, images divided."""
        if self.axes == SERIES_AXES:
            return self._fill(np.asarray(values, dtype=np.float32), mask)
        return _filled(np.asarray(values, dtype=np.float64) / self.divisor, np.asarray(self.mean))

    def _scale(self, values: Array, mask: Array | None) -> npt.NDArray[np.float32]:
        """Standardise by training moments, or each sample by its own."""
        if self.normalize == "dataset":
            scaled = (values - np.asarray(self.mean)) / np.asarray(self.scale)
            return _to_float32(scaled)
        values = np.asarray(values, dtype=np.float64)
        axes = tuple(range(1, values.ndim - 1))
        weight = np.ones((1,) * values.ndim) if mask is None else mask[:, :, None].astype(float)
        count = np.maximum(np.broadcast_to(weight, values.shape).sum(axes, keepdims=True), 1)
        mean = (values * weight).sum(axes, keepdims=True) / count
        spread = np.sqrt((np.square(values - mean) * weight).sum(axes, keepdims=True) / count)
        floor = 1e-6 * np.maximum(np.abs(mean), 1e-30)
        spread = np.where(spread > floor, spread, np.inf)
        return _to_float32((values - mean) / spread)

    def _fill(self, values: Array, mask: Array | None) -> Array:
        """Interpolate the gaps inside each series; a channel of gaps gets the training mean."""
        gaps = ~np.isfinite(values)
        if mask is not None:
            gaps &= mask[:, :, None]
        if not gaps.any():
            return values
        values = values.copy()
        for row, channel in zip(*np.nonzero(gaps.any(axis=1)), strict=True):
            steps = values.shape[1] if mask is None else int(mask[row].sum())
            series, gap = values[row, :steps, channel], gaps[row, :steps, channel]
            known = np.nonzero(~gap)[0]
            if len(known):
                series[gap] = np.interp(np.nonzero(gap)[0], known, series[known])
            else:
                series[:] = self.mean[channel]
        return values

    def _transform_table(self, variable: Variable) -> npt.NDArray[np.float32]:
        values = np.asarray(variable.values, dtype=np.float64)
        one_hot = self._one_hot()
        width = len(self.numeric) + len(self.indicators) + sum(len(w) for _, w, _ in one_hot)
        out = np.empty((len(values), width), dtype=np.float32)
        for rows in _chunks(len(values), max(width, values.shape[1])):
            self._encode(values[rows], one_hot, out[rows])
        return out

    def _encode(
        self, values: Array, one_hot: list[tuple[int, Array, bool]], out: npt.NDArray[np.float32]
    ) -> None:
        """Write the encoded rows of a table into `out`."""
        start = len(self.numeric)
        block = _filled(values[:, self.numeric], np.asarray(self.median))
        block = (block - np.asarray(self.mean)) / np.asarray(self.scale)
        out[:, :start] = block / np.sqrt(1 + np.square(block / CLIP))
        end = start + len(self.indicators)
        out[:, start:end] = ~np.isfinite(values[:, self.indicators])
        for position, wanted, others in one_hot:
            start, end = end, end + len(wanted)
            cells = values[:, position]
            hit = cells[:, None] == wanted
            if others:
                hit[:, -1] = np.isfinite(cells) & ~hit.any(axis=1)
            out[:, start:end] = hit

    def _one_hot(self) -> list[tuple[int, Array, bool]]:
        """Return for each categorical column how it is encoded.

        Returns
        -------
        list of (position, wanted, others)
            The level that each column marks, NaN for none, and whether the last
            column marks all other levels.
        """
        encodings = []
        for position, size, seen in self.categories:
            wanted = np.full(size, np.nan)
            wanted[list(seen)] = seen
            encodings.append((position, wanted, False))
        for position, levels, others in self.frequent:
            wanted = np.full(MOST_LEVELS + 1, np.nan)
            wanted[: len(levels)] = levels
            encodings.append((position, wanted, others))
        return encodings

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dictionary."""
        return {
            "format": FORMAT,
            "axes": list(self.axes),
            "normalize": self.normalize,
            "mean": list(self.mean),
            "scale": list(self.scale),
            "divisor": self.divisor,
            "median": list(self.median),
            "numeric": list(self.numeric),
            "indicators": list(self.indicators),
            "categories": [[i, size, list(seen)] for i, size, seen in self.categories],
            "frequent": [[i, list(levels), others] for i, levels, others in self.frequent],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Preprocessor:
        """Rebuild a preprocessor from :meth:`to_dict`.

        Raises
        ------
        DataError
            Where it was written in a format that this version does not know.
        """
        if data.get("format") != FORMAT:
            raise DataError(
                f"preprocessor format must be {FORMAT}, not {data.get('format')!r};"
                " the model was saved by another version of selector: train it again"
            )
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        values.pop("format")
        values["categories"] = tuple(
            (int(i), int(size), tuple(seen)) for i, size, seen in data["categories"]
        )
        values["frequent"] = tuple(  # not in models that were saved before there was a limit
            (int(i), tuple(levels), bool(others)) for i, levels, others in data.get("frequent", [])
        )
        return cls(**values)


def _chunks(n: int, width: int) -> Iterator[slice]:
    """Yield slices of `n` rows of `width` values, at least one, each of some `CHUNK` values."""
    size = max(CHUNK // max(width, 1), 1)
    for start in range(0, max(n, 1), size):
        yield slice(start, min(start + size, n))


def _moments(values: Array, read: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Return mean and deviation of each column; a constant gets deviation 1.

    The mean first, since a mean of squares would lose a deviation that is small
    beside the mean.

    Parameters
    ----------
    values : ndarray, shape (n, p)
    read : callable
        Makes float64 of some rows; what is not finite is left out.
    """

    def total(of: Callable[[Array], Array]) -> Any:
        return sum(of(read(values[rows])) for rows in _chunks(*values.shape))

    count = np.maximum(total(lambda part: np.isfinite(part).sum(axis=0)), 1)
    mean = total(lambda part: _filled(part, 0.0).sum(axis=0)) / count
    squares = total(lambda part: np.square(_filled(part - mean, 0.0)).sum(axis=0))
    spread = np.sqrt(squares / count)
    return mean, np.where(spread > 1e-7 * np.maximum(np.abs(mean), 1e-30), spread, 1.0)


def _filled(values: Array, by: Array | float) -> Array:
    """Return `values` with what is not finite replaced."""
    return np.where(np.isfinite(values), values, by)


def _largest(values: Array) -> float:
    """Return the largest known magnitude, 1 where there is none."""
    size = math.prod(values.shape[1:])
    parts = (np.abs(values[rows]) for rows in _chunks(len(values), size))
    return max(float(part.max(initial=0.0, where=np.isfinite(part))) for part in parts) or 1.0


def _median(column: Array) -> float:
    known = column[np.isfinite(column)]
    return float(np.median(known)) if len(known) else 0.0


def _floats(values: Array) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _to_float32(values: Array) -> npt.NDArray[np.float32]:
    """Cast, keeping values that a poisoned sample drives out of range finite."""
    limit = np.finfo(np.float32).max / 4
    return np.clip(values, -limit, limit).astype(np.float32)
