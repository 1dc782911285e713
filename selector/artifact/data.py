"""The arrays of a run on disk, in a form that workers map into memory.

A folder holds ``x.npy``, ``lengths.npy`` where series differ in length,
``y.npy`` where there is a target, and ``data.json`` with axes and columns.
Nothing is pickled.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from selector.contract import Array, Column, Variable, column_from_dict
from selector.errors import RunError

_FORMAT = 1

TEST_GROUPS = "test_groups.npy"
"""Beside the data: the group of each row of the test part, where it was split off by group."""


def write_data(folder: Path, x: Variable, target: Variable | None = None) -> None:
    """Write an input and its target to `folder`, which is made where needed.

    Parameters
    ----------
    folder : Path
        Files of an earlier call are replaced.
    x : Variable
        The input.
    target : Variable, optional
        What is to be predicted, one value for each sample.

    Raises
    ------
    RunError
        Where the folder cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in ("lengths.npy", "y.npy", "data.json"):
            (folder / stale).unlink(missing_ok=True)
        np.save(folder / "x.npy", np.ascontiguousarray(x.values), allow_pickle=False)
        if x.lengths is not None:
            np.save(folder / "lengths.npy", x.lengths.astype(np.int64), allow_pickle=False)
        if target is not None:
            np.save(folder / "y.npy", target.values.astype(np.float64), allow_pickle=False)
        about: dict[str, Any] = {
            "format": _FORMAT,
            "axes": list(x.axes),
            "columns": [asdict(c) for c in x.columns],
            "target": None if target is None else [asdict(c) for c in target.columns],
        }
        (folder / "data.json").write_text(json.dumps(about), encoding="utf-8")
    except OSError as error:
        raise RunError(f"cannot write the data to '{folder}': {error.strerror}.") from error


def read_data(folder: Path, mmap: bool = True) -> tuple[Variable, Variable | None]:
    """Read what :func:`write_data` wrote.

    Parameters
    ----------
    folder : Path
        The data folder.
    mmap : bool
        Map ``x.npy`` into memory, read-only, in place of loading it.

    Returns
    -------
    x : Variable
        The input.
    y : Variable or None
        The target.

    Raises
    ------
    RunError
        Where the folder is no data folder or is damaged.
    """
    folder = Path(folder)
    try:
        about = json.loads((folder / "data.json").read_text(encoding="utf-8"))
        values: Array = np.load(
            folder / "x.npy", mmap_mode="r" if mmap else None, allow_pickle=False
        )
        lengths = _load_optional(folder / "lengths.npy")
        target = _load_optional(folder / "y.npy")
        axes, columns = tuple(about["axes"]), _columns(about["columns"])
        target_columns = _columns(about["target"] or [])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"'{folder}' holds no data of a run, or is damaged: {error}.") from error
    x = Variable(axes, values, columns, lengths)
    return x, None if target is None else Variable((), target, target_columns)


def _load_optional(path: Path) -> Array | None:
    if not path.exists():
        return None
    loaded: Array = np.load(path, allow_pickle=False)
    return loaded


def _columns(dicts: list[dict[str, Any]]) -> tuple[Column, ...]:
    return tuple(column_from_dict(c) for c in dicts)
