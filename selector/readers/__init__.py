"""From a source to a :class:`~selector.contract.Dataset`.

Each reader lives in a module of its own and is listed in :data:`BUILT_IN`;
readers of plugins are asked where none of these recognises the source.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from selector.contract import Dataset, Reader, ReadOptions
from selector.errors import (
    DataError,
    PluginError,
    SelectorError,
    SourceNotFoundError,
    did_you_mean,
)
from selector.readers.arrays import ArrayReader, with_target
from selector.readers.columns import without_infinities
from selector.readers.frames import FrameReader
from selector.readers.given import without_copy
from selector.readers.images import ImageReader
from selector.readers.tables import TableReader
from selector.readers.ts import TsReader

BUILT_IN: tuple[Reader, ...] = (
    TableReader(),
    TsReader(),
    ArrayReader(),
    FrameReader(),
    ImageReader(),
)

FORMS = (
    "a table (.csv, .tsv, .txt, .data, also .gz), series (.ts, long .csv), arrays (.npz, .npy) or "
    "a folder with a sub-folder of images for each class"
)
_HINTS = {
    ".xlsx": "Save the sheet as CSV.",
    ".xls": "Save the sheet as CSV.",
    ".parquet": "Read it with polars or pandas and give the frame to selector.recommend.",
    ".feather": "Read it with polars or pandas and give the frame to selector.recommend.",
    ".arrow": "Read it with polars or pandas and give the frame to selector.recommend.",
    ".json": "Read it with polars or pandas and give the frame to selector.recommend.",
    ".arff": "Save it as .ts or CSV.",
    ".pkl": "Pickles are never loaded; save arrays with np.savez or a table as CSV.",
    ".pickle": "Pickles are never loaded; save arrays with np.savez or a table as CSV.",
    ".zip": "Unpack it first.",
}
_NO_OPTIONS = ReadOptions()

PluginReaders = tuple[Iterable[Reader], list[str]]
"""Readers that plugins offer, and what is wrong with plugins."""


def read(
    source: Any,
    options: ReadOptions = _NO_OPTIONS,
    y: Any = None,
    extra_readers: Callable[[], PluginReaders] | None = None,
) -> Dataset:
    """Read a source of any known form.

    Parameters
    ----------
    source : str, Path, ndarray, list, tuple or data frame
        A file or folder; an array ``(n, features)``, ``(n, time, channels)``,
        ``(n, height, width)``, ``(n, height, width, channels)`` or ``(n, time,
        height, width, channels)``; a list of series ``(steps,)`` or ``(steps,
        channels)``; a pandas, polars or pyarrow frame.
    options : ReadOptions
        What the user said about the source.
    y : array-like of length n, optional
        The target, where it is not part of the source: a value for each
        sample; of series in long form one for each series, in the order in
        which the series first appear. A column of a table that has its name
        and its values is left out.
    extra_readers : callable, optional
        Gives the readers of plugins, and which plugins do not work. Called only where
        no built-in reader recognises the source.

    Returns
    -------
    Dataset
        With at least one sample and no infinite value.

    Raises
    ------
    SourceNotFoundError
        Where there is no such file or folder.
    DataError
        Where the source cannot be read.
    OptionError
        Where ``options.step`` names text that has no order in time.
    PluginError
        Where the reader of a plugin fails.
    """
    if isinstance(source, str | Path):
        source = _existing(Path(source).expanduser())
    reader = next((r for r in BUILT_IN if r.matches(source)), None)
    if reader is not None:
        dataset = _read(reader, source, _without_named_target(options, y))
    else:
        dataset = _read_with_plugin(source, options, extra_readers)
    if len(dataset) == 0:
        raise DataError(f"'{dataset.name}' holds no samples.")
    if y is not None:
        dataset = _with_given_target(dataset, y, options)
    elif dataset.target is not None and options.target is not None and not options.expect:
        dataset = _noting_other_target(dataset, options.target)
    return _finite(dataset)


def _read(reader: Reader, source: Any, options: ReadOptions) -> Dataset:
    try:
        return reader.read(source, options)
    except OSError as error:
        if isinstance(error, SelectorError):
            raise
        raise DataError(f"'{source}' cannot be read: {error.strerror or error}.") from error


def _without_named_target(options: ReadOptions, y: Any) -> ReadOptions:
    """With `y` given, the source holds no target; rows stay rows, unless they name their series."""
    if y is None or options.expect is not None:
        return options
    if options.id is not None:
        return replace(options, target=None, given=_name_of(y))
    return replace(options, target=None, expect={"reader": "table"})


def _with_given_target(dataset: Dataset, y: Any, options: ReadOptions) -> Dataset:
    """Return `dataset` with the target `y`, and say what it holds of a target itself."""
    own = dataset.target
    dataset = with_target(dataset, y, _name_of(y))
    if options.expect is not None:
        return dataset
    if own is not None:
        note = f"y takes the place of the target that X has itself, '{own.columns[0].name}'"
        dataset = replace(dataset, notes=(*dataset.notes, note))
    return without_copy(dataset)


def _noting_other_target(dataset: Dataset, asked: str) -> Dataset:
    """Say that a source with one target of its own has no use for ``--target``."""
    own = dataset.target.columns[0].name if dataset.target is not None else asked
    if own == asked:
        return dataset
    note = f"--target '{asked}' was not needed: the source has one target, '{own}'"
    return replace(dataset, notes=(*dataset.notes, note))


def _existing(path: Path) -> Path:
    try:
        if path.exists():
            return path
        parent = path.parent
        siblings = [p.name for p in parent.iterdir()] if parent.is_dir() else []
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}.") from error
    if not parent.is_dir():
        raise SourceNotFoundError(f"no such file or folder: '{path}'; nor is there '{parent}'.")
    guess = did_you_mean(path.name, siblings)
    raise SourceNotFoundError(f"no such file or folder: '{path}'.{guess}")


def _read_with_plugin(
    source: Any, options: ReadOptions, extra_readers: Callable[[], PluginReaders] | None
) -> Dataset:
    offered, problems = extra_readers() if extra_readers is not None else ((), [])
    for reader in offered:
        try:
            if not reader.matches(source):
                continue
        except Exception as error:  # another reader may take it
            problems = [*problems, f"the reader '{reader.name}': {type(error).__name__}: {error}"]
            continue
        return _given_by_plugin(reader, source, options)
    told = f" Plugins that did not work: {'; '.join(problems)}." if problems else ""
    if not isinstance(source, Path):
        raise DataError(
            f"data of the type {type(source).__name__} is not known. Allowed are a path, a NumPy "
            f"array, a list of arrays, and a pandas, polars or pyarrow frame.{told}"
        )
    if source.is_dir():
        try:
            return _read(ImageReader(), source, options)  # says what is missing
        except DataError as error:
            raise DataError(f"{error}{told}") from error
    hint = _HINTS.get(source.suffix.lower(), "")
    raise DataError(
        f"'{source.name}' is of no known form. Allowed: {FORMS}."
        + (f" {hint}" if hint else "")
        + told
    )


def _given_by_plugin(reader: Reader, source: Any, options: ReadOptions) -> Dataset:
    """Return what the reader of a plugin makes of a source it knows."""
    who = f"the reader '{reader.name}' of a plugin"
    try:
        dataset = reader.read(source, options)
        if not isinstance(dataset, Dataset):
            raise PluginError(f"{who} gave a {type(dataset).__name__}, not a Dataset.")
        json.dumps(dict(dataset.source))
    except SelectorError:
        raise
    except Exception as error:  # a plugin may raise anything; say whose error it is
        raise PluginError(f"{who} failed: {type(error).__name__}: {error}") from error
    return dataset


def _name_of(y: Any) -> str:
    """Return the name of a pandas or polars series, or ``"target"``."""
    name = getattr(y, "name", None)
    return name if isinstance(name, str) and name else "target"


def _finite(dataset: Dataset) -> Dataset:
    """Replace infinite values of the inputs by NaN, and say so."""
    inputs, notes = {}, list(dataset.notes)
    for name, variable in dataset.inputs.items():
        values, more = without_infinities(variable.values, variable.columns)
        inputs[name] = replace(variable, values=values) if more else variable
        notes += more
    return replace(dataset, inputs=inputs, notes=tuple(notes))


__all__ = ["BUILT_IN", "read"]
