"""The ``.ts`` format of the UCR, UEA and TSER archives.

References
----------
Bagnall et al., "The UEA multivariate time series classification archive",
2018, arXiv:1811.00075. The format is described at
https://www.aeon-toolkit.org/en/latest/api_reference/file_specifications/ts.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from selector.contract import SERIES_AXES, Array, Column, Dataset, Reader, ReadOptions, Variable
from selector.errors import DataError
from selector.readers.columns import MISSING, MISSING_TEXT, is_number, target_variable, to_number
from selector.readers.text import decode


class TsReader(Reader):
    """Reads uni- and multivariate series, of one length or of several."""

    name: ClassVar[str] = "ts"
    extensions: ClassVar[tuple[str, ...]] = (".ts",)

    def matches(self, source: Any) -> bool:
        """Whether `source` is a ``.ts`` file."""
        return isinstance(source, Path) and source.is_file() and source.suffix.lower() == ".ts"

    def read(self, source: Any, options: ReadOptions) -> Dataset:
        """Read the file; see :meth:`selector.contract.Reader.read`."""
        path = Path(source)
        text, encoding, notes = decode(path.read_bytes(), path.name)
        header, lines = _split_header(text, path.name)
        labelled = _labelled(header, path.name)
        cases, labels = [], []
        for number, line in lines:
            series, label = _case(line, number, path.name, labelled)
            cases.append(series)
            labels.append(label)
        if not cases:
            raise DataError(f"'{path.name}' holds no series: nothing follows @data.")
        _same_channels(cases, [n for n, _ in lines], path.name)
        target = _target(labels, header) if labelled else None
        name = header.get("problemname", path.stem)
        source_info = {
            "reader": self.name,
            "path": str(path),
            "encoding": encoding,
            "target": "target" if labelled else (options.expect or {}).get("target"),
        }
        return Dataset(name, {"x": _variable(cases)}, target, (), tuple(notes), source_info)


def _split_header(text: str, name: str) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Return the header (names in lower case) and the numbered lines of data."""
    header: dict[str, str] = {}
    lines: list[tuple[int, str]] = []
    in_data = False
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith(("#", "%")):
            continue
        if in_data:
            lines.append((number, line))
        elif line.startswith("@"):
            key, _, value = line[1:].partition(" ")
            in_data = key.lower() == "data"
            header[key.lower()] = value.strip()
        else:
            raise DataError(
                f"'{name}' line {number}: a header line beginning with '@', or @data, is expected; "
                f"found '{line[:40]}'. Is it a .ts file?"
            )
    if "data" not in header:
        raise DataError(f"'{name}' has no @data line. A .ts file holds a header, @data and series.")
    return header, lines


def _labelled(header: Mapping[str, str], name: str) -> bool:
    """Whether each line ends with a class label or a target value."""
    if header.get("timestamps", "false").lower() == "true":
        raise DataError(
            f"'{name}' has time stamps (@timeStamps true), which are not supported. "
            "Write the series without them, or as a long CSV with a time column and --id, --step."
        )
    keys = ("classlabel", "targetlabel")
    return any(header.get(key, "false").split(" ")[0].lower() == "true" for key in keys)


def _case(line: str, number: int, name: str, labelled: bool) -> tuple[Array, str]:
    """Return one series ``(T, C)`` and its label."""
    parts = line.split(":")
    label = parts.pop().strip() if labelled else ""
    if not parts:
        raise DataError(
            f"'{name}' line {number}: channels and a label separated by ':' are expected, and "
            "there is no ':'."
        )
    try:
        channels = [_numbers(part) for part in parts]
    except ValueError as error:
        raise DataError(f"'{name}' line {number}: {error}.") from error
    lengths = {len(c) for c in channels}
    if len(lengths) > 1:
        raise DataError(
            f"'{name}' line {number}: its channels have different lengths "
            f"({', '.join(str(n) for n in sorted(lengths))} steps); one length is needed."
        )
    return np.stack(channels, axis=1), label


def _numbers(part: str) -> Array:
    cells = part.split(",")
    try:
        return np.array(cells, dtype=np.float32)
    except ValueError:
        values = []
        for cell in (c.strip() for c in cells):
            if cell not in MISSING and not is_number(cell):
                hint = " (time stamps are not supported)" if "(" in cell else ""
                raise ValueError(f"'{cell[:40]}' is not a number{hint}") from None
            values.append(to_number(cell))
        return np.array(values, dtype=np.float32)


def _same_channels(cases: list[Array], numbers: list[int], name: str) -> None:
    expected = cases[0].shape[1]
    for case, number in zip(cases, numbers, strict=True):
        if case.shape[1] != expected:
            raise DataError(
                f"'{name}' line {number}: {case.shape[1]} channels, where the first series has "
                f"{expected}. Every series needs the same channels (and ':' before its label)."
            )


def _variable(cases: list[Array]) -> Variable:
    columns = tuple(Column(f"dim_{i}") for i in range(cases[0].shape[1]))
    lengths = np.array([len(c) for c in cases], dtype=np.int64)
    if len(set(lengths.tolist())) == 1:
        return Variable(SERIES_AXES, np.stack(cases), columns)
    return Variable(SERIES_AXES, np.concatenate(cases), columns, lengths)


def _target(labels: list[str], header: Mapping[str, str]) -> Variable | None:
    """Return classes in the order of their numbers or texts, or real values."""
    real = header.get("targetlabel", "false").split(" ")[0].lower() == "true"
    filled = [x for x in labels if x not in (MISSING if real else MISSING_TEXT)]
    if not filled:
        return None
    if real:
        return target_variable(np.array([to_number(x) for x in labels]))
    whole = all(re.fullmatch(r"[+-]?\d+", x) for x in filled)
    levels = sorted(set(filled), key=lambda x: (int(x), x) if whole else x)
    index = {x: float(i) for i, x in enumerate(levels)}
    values = np.array([index.get(x, np.nan) for x in labels])
    dtype = target_variable(filled).columns[0].dtype
    if dtype == "string" and whole:
        dtype = "integer"
    return Variable((), values, (Column("target", "categorical", tuple(levels), dtype),))
