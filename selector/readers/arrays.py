"""NumPy arrays: from Python, from ``.npz`` and from ``.npy`` files.

Pickled objects are never loaded.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from selector.contract import (
    CLIP_AXES,
    FEATURE_AXES,
    IMAGE_AXES,
    SERIES_AXES,
    Array,
    Column,
    Dataset,
    Reader,
    ReadOptions,
    Variable,
)
from selector.errors import DataError, did_you_mean
from selector.readers.columns import (
    Dtype,
    number_values,
    object_array,
    plural,
    python_value,
    some,
    target_variable,
    text_column,
)
from selector.readers.tables import Table, names_by_position, table_dataset

_INPUT_KEYS = ("X", "x", "data", "inputs")
_TARGET_KEYS = ("y", "Y", "labels", "label", "target", "targets")
_FORMS = (
    "(n, features), (n, time, channels), (n, height, width), (n, height, width, channels), "
    "(n, time, height, width) or (n, time, height, width, channels)"
)
_SMALLEST_SIDE = 6
_CHANNELS = (1, 3, 4)
_PICKLED = (
    "holds pickled objects, which are not loaded (they can run code). Save plain arrays: "
    "np.savez('data.npz', X=X, y=y) with numeric X; ragged series as one array "
    "X of all steps, shape (sum(lengths), channels), and an array lengths."
)


class ArrayReader(Reader):
    """Reads arrays in memory and in ``.npz`` and ``.npy`` files.

    Which axes an array of three or four dimensions has cannot be known. The
    rule, recorded in ``source["axes_rule"]``: sides of at least six, the longer
    at most twice the shorter, are an image; all else is a series. Of four
    dimensions, a last one of 1, 3 or 4 are the channels of an image, and so is
    a second one of that size before the sides of an image (it is then moved to
    the end, recorded in ``source["channels_moved"]``); otherwise, where the last
    two can be the sides of an image, it is a clip without a channel axis.
    """

    name: ClassVar[str] = "arrays"
    extensions: ClassVar[tuple[str, ...]] = (".npz", ".npy")

    def matches(self, source: Any) -> bool:
        """Whether `source` is an array, a list or tuple, or a file of arrays."""
        if isinstance(source, Path):
            return source.is_file() and source.suffix.lower() in self.extensions
        return isinstance(source, np.ndarray | list | tuple)

    def read(self, source: Any, options: ReadOptions) -> Dataset:
        """Read the array or file; see :meth:`selector.contract.Reader.read`."""
        if not isinstance(source, Path):
            x = _from_list(source) if isinstance(source, list | tuple) else source
            return _dataset("data", x, None, None, {}, options)
        loaded = _load(source)
        if isinstance(loaded, np.ndarray):
            return _dataset(source.stem, loaded, None, None, {"path": str(source)}, options)
        with loaded:
            return _read_archive(source, loaded, options)


def _load(path: Path) -> Any:
    """Load a ``.npy`` array, or open a ``.npz`` archive, without pickles."""
    with path.open("rb") as stream:
        array = stream.read(6) == b"\x93NUMPY"
    if not array and not zipfile.is_zipfile(path):
        raise DataError(f"'{path.name}' is not a file written by NumPy. Save with np.savez.")
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise _unreadable(path.name, error) from error


def _unreadable(name: str, error: Exception) -> DataError:
    if "pickle" in str(error).lower():
        return DataError(f"'{name}' {_PICKLED}")
    return DataError(f"'{name}' cannot be read: {error}. Save it again with np.savez.")


def _read_archive(path: Path, archive: Any, options: ReadOptions) -> Dataset:
    keys = list(archive.files)
    x_key = next((k for k in _INPUT_KEYS if k in keys), None)
    y_key = next((k for k in _TARGET_KEYS if k in keys), None)
    if options.target is not None and options.target in keys:
        y_key = options.target
    elif options.target is not None and y_key is not None and not options.expect:
        raise DataError(
            f"'{path.name}' has no array '{options.target}' (--target)."
            f"{did_you_mean(options.target, keys)} It holds {some(keys, 8)}."
        )
    if x_key is None:
        raise DataError(
            f"'{path.name}' has no array 'X'. It holds {some(keys, 8) or 'nothing'}; allowed "
            "are X (or x, data), y (or labels, target) and lengths. Training and test data "
            "go into two files."
        )
    x = _entry(archive, x_key, path.name)
    y = None if y_key is None else _entry(archive, y_key, path.name)
    lengths = _entry(archive, "lengths", path.name) if "lengths" in keys else None
    about = {"path": str(path), "target": y_key or (options.expect or {}).get("target")}
    if y is not None:
        options = replace(options, target=None)
    dataset = _dataset(path.stem, x, lengths, None, about, options)
    return dataset if y is None else with_target(dataset, y, str(y_key))


def _entry(archive: Any, key: str, name: str) -> Array:
    """Return one array of an archive."""
    try:
        loaded = archive[key]
    except (ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise _unreadable(name, error) from error
    if not isinstance(loaded, np.ndarray):
        raise DataError(f"'{key}' in '{name}' is not an array. Save arrays with np.savez.")
    return loaded


def with_target(dataset: Dataset, y: Any, name: str) -> Dataset:
    """Return `dataset` with the target `y`.

    Raises
    ------
    DataError
        Where `y` has another length than the data.
    """
    target = target_variable(y, name)
    if len(target) != len(dataset):
        wanted = "Each sample needs one value."
        if dataset.source.get("reader") == "long":
            wanted = (
                f"Each series of '{dataset.source['id']}' needs one value, in the order in which "
                "the series first appear; of one value a row, take that of each first row."
            )
        raise DataError(
            f"X and y have different lengths: X has {plural(len(dataset), 'sample')}, y has "
            f"{plural(len(target), 'value')}. {wanted}"
        )
    return replace(dataset, target=target, source={**dataset.source, "target": name})


def _dataset(
    name: str,
    x: Any,
    lengths: Array | None,
    target: str | None,
    about: dict[str, Any],
    options: ReadOptions,
) -> Dataset:
    """Make a data set of an array `x`, or of a list of series."""
    source: dict[str, Any] = {"reader": "arrays", "target": target, **about}
    if isinstance(x, list):
        return Dataset(name, {"x": _ragged(x)}, None, (), (), source)
    if x.dtype.kind == "c":
        raise DataError("X holds complex numbers. Give their parts or their size as channels.")
    if x.dtype.kind not in "fiub":
        return _text_table(name, x, source, options)
    if x.ndim and len(x) == 0:
        raise DataError(f"'{name}' holds no samples: X has the shape {x.shape}.")
    if 0 in x.shape:
        raise DataError(f"'{name}' holds no values: X has the shape {x.shape}.")
    if lengths is not None:
        variable = _with_lengths(x, np.asarray(lengths))
        return Dataset(name, {"x": variable}, None, (), (), source)
    if x.ndim == 2:
        return _number_table(name, x, source, options)
    variable, rule, notes = _with_axes(x)
    source["axes_rule"] = rule
    if notes:
        source["channels_moved"] = True
    return Dataset(name, {"x": variable}, None, (), tuple(notes), source)


def _number_table(name: str, x: Array, source: dict[str, Any], options: ReadOptions) -> Dataset:
    values = x.astype(np.float64)
    dtype: Dtype = "integer" if x.dtype.kind in "iu" else "float"
    names = _names(x.shape[1], options)
    columns = tuple(number_values(name, values[:, i], dtype)[0] for i, name in enumerate(names))
    if options.target is not None and source.get("target") is None:
        return table_dataset(Table(name, columns, values, source), options)
    source["columns"] = [c.name for c in columns]
    return Dataset(name, {"x": Variable(FEATURE_AXES, values, columns)}, None, (), (), source)


def _text_table(name: str, x: Array, source: dict[str, Any], options: ReadOptions) -> Dataset:
    """Read an array of text or mixed objects: numbers if it can be, else a table."""
    try:
        numbers = x.astype(np.float64)
    except (ValueError, TypeError):
        if x.ndim != 2:
            raise DataError(
                f"X must hold numbers; its type is {x.dtype}, its shape {x.shape}. Series of "
                "different lengths go into a list of arrays, mixed columns into a data frame."
            ) from None
    else:
        return _dataset(name, numbers, None, None, source, options)
    names = _names(x.shape[1], options)
    read = [_column(name, x[:, i].tolist()) for i, name in enumerate(names)]
    columns = tuple(column for column, _, _ in read)
    values = np.column_stack([cells for _, cells, _ in read])
    notes = tuple(note for _, _, more in read for note in more)
    source["columns"] = [c.name for c in columns]
    return Dataset(name, {"x": Variable(FEATURE_AXES, values, columns)}, None, (), notes, source)


def _names(count: int, options: ReadOptions) -> list[str]:
    """Name columns by position; where training had no names either, the target may be missing."""
    known = list((options.expect or {}).get("columns", ()))
    unnamed = known == [f"c{i}" for i in range(len(known))]
    return names_by_position(count, options.expect or {} if unnamed else {})


def _column(name: str, cells: list[Any]) -> tuple[Column, Array, list[str]]:
    """Decide one column: text as in a file, other objects by their type."""
    import polars as pl

    values = [python_value(cell) for cell in cells]
    texts = ["" if value is None else value for value in values]
    if all(isinstance(text, str) for text in texts):
        return text_column(name, pl.Series(name, texts, dtype=pl.String))
    target = target_variable(object_array(values), name)
    return target.columns[0], target.values, []


def _with_lengths(x: Array, lengths: Array) -> Variable:
    """Cut padded series, or mark the bounds of joined ones."""
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or (lengths < 1).any():
        raise DataError(
            "'lengths' must hold one whole number of at least 1 for each series; it has the type "
            f"{lengths.dtype} and the shape {lengths.shape}."
        )
    lengths = lengths.astype(np.int64)
    if x.ndim == 2 and len(x) == int(lengths.sum()):
        values = x.astype(np.float32)
    elif x.ndim in (2, 3) and len(x) == len(lengths) and int(lengths.max()) <= x.shape[1]:
        padded = x.reshape(*x.shape[:2], -1)
        kept = np.arange(x.shape[1])[None, :] < lengths[:, None]
        values = padded[kept].astype(np.float32)
    else:
        raise DataError(
            f"'lengths' ({len(lengths)} values, {int(lengths.sum())} steps in all) does not fit X "
            f"of shape {x.shape}. X is (n, time, channels), padded, or (sum(lengths), channels)."
        )
    columns = _channel_columns(values.shape[1])
    return Variable(SERIES_AXES, values, columns, lengths)


def _with_axes(x: Array) -> tuple[Variable, str, list[str]]:
    """Give an array of three to five dimensions its axes, and name the rule used."""
    shape = x.shape
    values = x.astype(np.float32)
    if x.ndim == 3:
        if _sides(*shape[1:]):
            rule = f"shape {shape}: sides of at least 6 within a factor of 2 are an image"
            return Variable(IMAGE_AXES, values[..., None]), rule, []
        rule = f"shape {shape}: (n, time, channels), since the sides are not those of an image"
        return Variable(SERIES_AXES, values, _channel_columns(shape[2])), rule, []
    if x.ndim == 4:
        rule = f"shape {shape}: (n, height, width, channels)"
        if shape[3] in _CHANNELS:
            return Variable(IMAGE_AXES, values), f"{rule}, since the last axis is 1, 3 or 4", []
        if shape[1] in _CHANNELS and max(shape[2:]) <= 2 * min(shape[2:]):
            note = f"X of shape {shape} has its channels first: moved to the end"
            moved = np.ascontiguousarray(np.moveaxis(values, 1, -1))
            return Variable(IMAGE_AXES, moved), f"{rule}, channels moved to the end", [note]
        if _sides(*shape[2:]):
            rule = (
                f"shape {shape}: (n, time, height, width), since the last axis is not 1, 3 or 4 "
                "channels and the last two can be the sides of an image"
            )
            return Variable(CLIP_AXES, values[..., None]), rule, []
        return Variable(IMAGE_AXES, values), rule, []
    if x.ndim == 5:
        return Variable(CLIP_AXES, values), f"shape {shape}: (n, time, height, width, channels)", []
    raise DataError(f"X has the shape {shape}; allowed are {_FORMS}. Reshape it.")


def _sides(one: int, other: int) -> bool:
    """Whether two axes can be the sides of an image."""
    return min(one, other) >= _SMALLEST_SIDE and max(one, other) <= 2 * min(one, other)


def _channel_columns(count: int) -> tuple[Column, ...]:
    return tuple(Column(f"dim_{i}") for i in range(count))


def _from_list(items: Sequence[Any]) -> Any:
    """Return a list of series ``(T, C)``, or an array where the items are rows of numbers."""
    if not len(items):
        raise DataError("X is empty: it must hold samples.")
    if not all(isinstance(item, np.ndarray) for item in items):
        try:
            array = np.asarray(items)
        except ValueError:
            pass
        else:
            # beside a text, NumPy makes texts of numbers too
            return np.asarray(items, dtype=object) if array.dtype.kind in "US" else array
    try:
        series = [np.asarray(item) for item in items]
    except ValueError as error:
        raise DataError(f"X must be a list of series (steps,) or (steps, channels): {error}") from (
            error
        )
    if len({s.shape for s in series}) == 1 and series[0].ndim > 2:
        return np.stack(series)
    return series


def _ragged(items: Sequence[Array]) -> Variable:
    """Join series of one or several lengths."""
    cases = [s[:, None] if s.ndim == 1 else s for s in items]
    for i, case in enumerate(cases):
        if case.ndim in (3, 4) and cases[0].ndim == case.ndim:
            raise DataError(
                f"images and clips must all have one shape; X[0] has {cases[0].shape}, and others "
                "differ. Cut or resize them, and give one array."
            )
        if case.ndim != 2 or case.dtype.kind not in "fiub" or 0 in case.shape:
            raise DataError(
                f"X[{i}] must be an array of numbers of shape (steps,) or (steps, channels); it "
                f"has the type {items[i].dtype} and the shape {items[i].shape}."
            )
        if case.shape[1] != cases[0].shape[1]:
            raise DataError(
                f"X[{i}] has {plural(case.shape[1], 'channel')}, X[0] has {cases[0].shape[1]}. "
                "Every series needs the same channels, as (steps, channels)."
            )
    columns = _channel_columns(cases[0].shape[1])
    lengths = np.array([len(c) for c in cases], dtype=np.int64)
    if len(set(lengths.tolist())) == 1:
        return Variable(SERIES_AXES, np.stack(cases).astype(np.float32), columns)
    return Variable(SERIES_AXES, np.concatenate(cases).astype(np.float32), columns, lengths)
