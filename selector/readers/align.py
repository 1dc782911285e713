"""Bring freshly read data to the form a model was trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from selector.contract import (
    FEATURE_AXES,
    IMAGE_AXES,
    SERIES_AXES,
    Array,
    Column,
    Dataset,
    Variable,
    column_from_dict,
)
from selector.errors import DataError, did_you_mean
from selector.readers.columns import plural, some
from selector.readers.convert import as_categories, as_numbers


def align(dataset: Dataset, expect: Mapping[str, Any]) -> tuple[Variable, list[str]]:
    """Return the input of `dataset` in the form of the training data.

    Parameters
    ----------
    dataset : Dataset
        As read, with or without the target among its columns.
    expect : mapping
        The trained input: ``axes``; ``shape`` of one sample, None for a
        length that varies; ``columns`` (dicts or :class:`Column`).

    Returns
    -------
    x : Variable
        With the trained axes, columns, levels and (where fixed) shape.
    notes : list of str
        What was ignored, unknown or converted, with counts.

    Raises
    ------
    DataError
        Where the data cannot be brought to that form.
    """
    axes, shape = tuple(expect["axes"]), tuple(expect["shape"])
    columns = tuple(
        c if isinstance(c, Column) else column_from_dict(c) for c in expect.get("columns", ())
    )
    if axes == FEATURE_AXES:
        x = dataset.x
        if x.axes == FEATURE_AXES:
            return align_table(dataset, columns)
        return _flattened(x, columns), []
    x, notes = _unfolded(dataset, axes, shape)
    if axes == SERIES_AXES:
        x, more = align_series(x, tuple(c.name for c in columns), shape[0])
    elif axes == IMAGE_AXES:
        x, more = align_images(x, shape)
    else:
        x, more = _same_shape(x, axes, shape)
    if columns and len(columns) == x.values.shape[-1]:
        x = replace(x, columns=columns)
    return x, [*notes, *more]


# ------------------------------------------------------------------- tables


def align_table(dataset: Dataset, columns: tuple[Column, ...]) -> tuple[Variable, list[str]]:
    """Select and convert the columns of a table as in training.

    Parameters
    ----------
    dataset : Dataset
        A table; further columns are ignored.
    columns : tuple of Column
        The trained columns, in the order of the model's input.

    Returns
    -------
    x : Variable
        Axes ``("feature",)``, with the columns `columns`. Categories that
        are not among the trained levels are NaN.
    notes : list of str
        Columns ignored, cells that could not be used.

    Raises
    ------
    DataError
        Where a trained column is missing.
    """
    x = dataset.x
    if x.axes != FEATURE_AXES:
        raise DataError(
            f"a table with the columns {some(c.name for c in columns)} is needed, and "
            f"'{dataset.name}' holds samples with the axes {', '.join(x.axes)}."
        )
    names = [c.name for c in x.columns]
    notes: list[str] = []
    if not set(names) & {c.name for c in columns} and _unnamed(dataset, names, columns):
        positions = list(range(len(columns)))
        notes.append("the columns have no names in common with the training data: by position")
    else:
        positions = [_find(c.name, names, dataset.name) for c in columns]
    target = dataset.source.get("target")
    extra = [n for i, n in enumerate(names) if i not in positions and n != target]
    if extra:
        notes.append(f"columns that the model does not use were ignored: {some(extra)}")
    values = np.empty((len(x), len(columns)), dtype=np.float64)
    for k, (position, column) in enumerate(zip(positions, columns, strict=True)):
        given, cells = x.columns[position], x.values[:, position]
        if column.type == "categorical":
            values[:, k], more = as_categories(given, cells, column.levels)
        else:
            values[:, k], more = as_numbers(given, cells)
        notes.extend(more)
    return Variable(FEATURE_AXES, values, columns), notes


def _unnamed(dataset: Dataset, names: Sequence[str], columns: Sequence[Column]) -> bool:
    """Whether names are those of positions, on either side, and the count agrees."""
    generated = [f"c{i}" for i in range(len(names))]
    trained = [c.name for c in columns]
    return len(names) == len(columns) and generated in (list(names), trained)


def _find(name: str, names: Sequence[str], where: str) -> int:
    if name not in names:
        raise DataError(
            f"'{where}' lacks the column '{name}' that the model was trained on."
            f"{did_you_mean(name, names)} Its columns: {some(names, 8)}."
        )
    return list(names).index(name)


# ------------------------------------------------------- series and images


def align_series(
    variable: Variable, channels: tuple[str, ...], fixed_length: int | None
) -> tuple[Variable, list[str]]:
    """Check the channels and the length of series, and order channels as in training.

    Parameters
    ----------
    variable : Variable
        Axes ``("time", "channel")``.
    channels : tuple of str
        Names of the trained channels.
    fixed_length : int or None
        The one length in steps that the model takes; None where it takes any.

    Returns
    -------
    x : Variable
        Shape ``(n, fixed_length, C)``, or ragged.
    notes : list of str
        Channels matched by position, or left out.

    Raises
    ------
    DataError
        For missing channels and for other lengths.
    """
    x, notes = _ordered_channels(variable, channels)
    if fixed_length is None:
        if x.lengths is None:
            n, steps = x.values.shape[:2]
            flat = x.values.reshape(n * steps, *x.values.shape[2:])
            x = replace(x, values=flat, lengths=np.full(n, steps, dtype=np.int64))
        return x, notes
    lengths = np.full(len(x), x.values.shape[1]) if x.lengths is None else x.lengths
    wrong = np.flatnonzero(lengths != fixed_length)
    if len(wrong):
        raise DataError(
            f"the model takes series of {fixed_length} steps; {len(wrong)} of {len(lengths)} "
            f"have another length, the first {int(lengths[wrong[0]])} steps. Cut or resample "
            "them, or train on series of different lengths."
        )
    if x.lengths is not None:
        values = x.values.reshape(len(x), fixed_length, *x.values.shape[1:])
        x = replace(x, values=values, lengths=None)
    return x, notes


def _ordered_channels(x: Variable, channels: tuple[str, ...]) -> tuple[Variable, list[str]]:
    names = [c.name for c in x.columns]
    if not channels or names == list(channels):
        return x, []
    if set(channels) <= set(names):
        order = [names.index(c) for c in channels]
        extra = [n for n in names if n not in channels]
        notes = [f"channels that the model does not use were ignored: {some(extra)}"]
        picked = replace(x, values=x.values[..., order], columns=tuple(x.columns[i] for i in order))
        return picked, notes if extra else []
    if x.values.shape[-1] != len(channels):
        raise DataError(
            f"the model takes {plural(len(channels), 'channel')} ({some(channels, 8)}), and the "
            f"data has {x.values.shape[-1]}" + (f" ({some(names, 8)})." if names else ".")
        )
    common = set(names) & set(channels)
    if common:
        missing = [c for c in channels if c not in names]
        raise DataError(
            f"the channels {some(missing, 8)} that the model was trained on are missing. "
            f"The data has {some(names, 8)}."
        )
    if not names:
        return x, []
    return x, ["the channels have other names than in training: matched by position"]


def align_images(variable: Variable, shape: tuple[int | None, ...]) -> tuple[Variable, list[str]]:
    """Bring images to the trained size and number of channels.

    Parameters
    ----------
    variable : Variable
        Axes ``("height", "width", "channel")``.
    shape : tuple of int
        The trained ``(height, width, channels)``.

    Returns
    -------
    x : Variable
        ``(n, *shape)`` float32. Grey becomes colour by repetition, colour
        becomes grey by luma (ITU-R BT.601).
    notes : list of str
        What was changed.

    Raises
    ------
    DataError
        Where the numbers of channels cannot be matched.
    """
    values, notes = variable.values, []
    height, width, channels = (int(extent or 1) for extent in shape)
    have = values.shape[-1]
    if have != channels:
        values = _recoloured(values, channels)
        notes.append(f"images of {plural(have, 'channel')} were brought to {channels}")
    if values.shape[1:3] != (height, width):
        size = f"{values.shape[1]} × {values.shape[2]}"
        values = _resized(values, height, width)
        notes.append(f"images of {size} were resized to {height} × {width}")
    return replace(variable, values=values.astype(np.float32, copy=False), columns=()), notes


def _recoloured(values: Array, channels: int) -> Array:
    have = values.shape[-1]
    if have == 1:
        return np.repeat(values, channels, axis=-1)
    if have in (3, 4) and channels == 1:
        luma = values[..., :3] @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
        return luma[..., None]
    if have == 4 and channels == 3:
        return values[..., :3]
    raise DataError(f"the model takes images of {channels} channels, and these have {have}.")


def _resized(values: Array, height: int, width: int) -> Array:
    from PIL import Image

    out = np.empty((len(values), height, width, values.shape[-1]), dtype=np.float32)
    for i, picture in enumerate(values):
        for c in range(values.shape[-1]):
            plane = Image.fromarray(np.ascontiguousarray(picture[..., c], dtype=np.float32))
            resized = plane.resize((width, height), Image.Resampling.BILINEAR)
            out[i, :, :, c] = np.asarray(resized)
    return out


def _unfolded(
    dataset: Dataset, axes: tuple[str, ...], shape: tuple[int | None, ...]
) -> tuple[Variable, list[str]]:
    """Give a table, or an array whose axes were guessed, the trained axes."""
    x = dataset.x
    if x.axes == axes:
        return x, []
    if x.axes == FEATURE_AXES:
        return _unfolded_table(dataset, axes, shape)
    if (
        None not in shape
        and x.lengths is None
        and math.prod(x.values.shape[1:]) == math.prod(int(extent or 1) for extent in shape)
    ):
        squeezed = [e for e in x.values.shape[1:] if e != 1]
        if squeezed == [e for e in shape if e != 1]:
            return Variable(axes, x.values.reshape(len(x), *shape)), []
    if axes == SERIES_AXES and x.axes == IMAGE_AXES and x.values.shape[-1] == 1:
        return Variable(axes, x.values[..., 0]), []
    if axes == IMAGE_AXES and x.axes == SERIES_AXES and x.lengths is None:
        return Variable(axes, x.values[..., None]), []
    raise DataError(
        f"the model takes samples with the axes {', '.join(axes)}, and '{dataset.name}' has "
        f"{', '.join(x.axes)} of shape {x.sample_shape}."
    )


def _unfolded_table(
    dataset: Dataset, axes: tuple[str, ...], shape: tuple[int | None, ...]
) -> tuple[Variable, list[str]]:
    """Make series of one channel, or images, of the rows of a table."""
    x = dataset.x
    target = dataset.source.get("target")
    size = None if None in shape else math.prod(int(extent or 1) for extent in shape)
    chosen = [i for i, c in enumerate(x.columns) if c.type == "numeric" and c.name != target]
    if size is not None and len(chosen) != size:
        length = f"series of {size} steps" if axes == SERIES_AXES else f"samples of {size} values"
        raise DataError(
            f"the model takes {length}; '{dataset.name}' is a table with {len(chosen)} columns of "
            "numbers beside the target."
        )
    columns = [as_numbers(x.columns[i], x.values[:, i]) for i in chosen]
    notes = [note for _, more in columns for note in more]
    values = np.column_stack([cells for cells, _ in columns]).astype(np.float32)
    if size is not None:
        return Variable(axes, values.reshape(len(values), *shape)), notes
    return _rows_as_series(values), notes


def _rows_as_series(values: Array) -> Variable:
    """Make series of one channel of rows; missing values at a row's end are padding."""
    filled = ~np.isnan(values)
    steps = values.shape[1]
    lengths = np.where(filled.any(axis=1), steps - filled[:, ::-1].argmax(axis=1), 1)
    kept = np.arange(steps)[None, :] < lengths[:, None]
    return Variable(SERIES_AXES, values[kept][:, None], (), lengths.astype(np.int64))


def _flattened(x: Variable, columns: tuple[Column, ...]) -> Variable:
    """Make rows of a table of samples of one shape."""
    if x.lengths is not None or math.prod(x.values.shape[1:]) != len(columns):
        raise DataError(
            f"the model takes a table of {len(columns)} columns, and the data has the axes "
            f"{', '.join(x.axes)} with the shape {x.sample_shape}."
        )
    return Variable(FEATURE_AXES, x.values.reshape(len(x), -1).astype(np.float64), columns)


def _same_shape(
    x: Variable, axes: tuple[str, ...], shape: tuple[int | None, ...]
) -> tuple[Variable, list[str]]:
    """Check clips, which are taken as they are."""
    wrong = [(h, w) for h, w in zip(x.sample_shape, shape, strict=True) if w not in (None, h)]
    if x.axes != axes or wrong:
        raise DataError(
            f"the model takes samples of shape {shape} ({', '.join(axes)}), and these have "
            f"{x.sample_shape}."
        )
    return x, []
