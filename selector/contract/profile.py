"""What is known of a data set before any model is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from selector.contract.data import Column

SMALLEST_SHIFTED = 16
"""Pixels of a side below which images are not shifted unless the search asks for it."""


@dataclass(frozen=True)
class Decision:
    """One choice of the profile: its value, how sure, why, and how to override it."""

    value: Any
    confidence: float
    reason: str
    option: str


@dataclass(frozen=True)
class Profile:
    """What is known about a data set before any model is tried.

    Plugins see this and nothing else of the data. All fields are plain JSON
    values, so that a profile travels to workers and into the run folder.

    Parameters
    ----------
    name : str
        The data set's name.
    axes, kind, task, target : see `decisions`
        Axes of one sample, kind of data, ``"classification"`` or
        ``"regression"``, and the target's name.
    n : int
        Number of samples that may be used for training and choice (the test
        part is not counted).
    shape : tuple of int or None
        Shape of one sample; None for the time axis where lengths vary.
    lengths : tuple of int
        Minimum, median and maximum number of steps; empty without a time axis.
    n_outputs : int
        Number of classes, or 1 for regression.
    classes : tuple of str
        The class labels as written, in the order of the model's outputs.
    counts : tuple of int
        Number of samples of each class.
    columns : tuple of Column
        The columns or channels.
    missing : float
        Share of the values that are missing.
    signals : mapping of str to float
        Measured signals, such as the neighbour correlation along each axis
        and its permuted null.
    decisions : mapping of str to Decision
        For ``axes``, ``kind``, ``task``, ``target``.
    warnings : tuple of str
        What the user should know about the data.
    metric : str
        By which trials are scored; empty for the task's usual one.
    """

    name: str
    axes: tuple[str, ...]
    kind: str
    task: str
    target: str
    n: int
    shape: tuple[int | None, ...]
    lengths: tuple[int, ...] = ()
    n_outputs: int = 1
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    columns: tuple[Column, ...] = ()
    missing: float = 0.0
    signals: Mapping[str, float] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    metric: str = ""

    @property
    def variable_length(self) -> bool:
        """Whether samples differ in their number of steps."""
        return bool(self.shape) and self.shape[0] is None

    @property
    def steps(self) -> int:
        """Number of steps of the longest sample; 1 without a time axis."""
        return self.lengths[2] if self.lengths else 1

    @property
    def length(self) -> int:
        """Steps of the longest series, rows of an image or frames of a clip; 1 for a table.

        What a recurrence goes through one after the other.
        """
        return int(self.shape[0] or 1) if self.kind == "grid" else self.steps

    @property
    def channels(self) -> int:
        """Size of the last axis (features, or channels)."""
        return int(self.shape[-1] or 1)

    @property
    def size(self) -> int:
        """Number of values in one sample (of the longest, where lengths vary)."""
        total = 1
        for extent in self.shape:
            total *= self.steps if extent is None else extent
        return total

    @property
    def shift(self) -> float:
        """Share of an image's sides by which to shift training samples at first.

        A tenth; 0 for what is no image, or is so small that a pixel is more.
        """
        sides = [int(s or 1) for s in self.shape[:2]] if self.kind == "grid" else []
        return 0.1 if sides and min(sides) >= SMALLEST_SHIFTED else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dictionary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Profile:
        """Rebuild a profile from :meth:`to_dict` (also after a trip through JSON)."""
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in known
        }
        values["columns"] = tuple(column_from_dict(c) for c in data.get("columns", ()))
        values["decisions"] = {k: Decision(**v) for k, v in data.get("decisions", {}).items()}
        return cls(**values)


def column_from_dict(data: Mapping[str, Any]) -> Column:
    """Rebuild a :class:`Column` from ``dataclasses.asdict`` or JSON."""
    return Column(**{**data, "levels": tuple(data.get("levels", ()))})
