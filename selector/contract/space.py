"""Search spaces, declared rather than hidden in code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selector.contract.profile import Profile


@dataclass(frozen=True)
class Int:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int
    log: bool = False
    step: int = 1

    def problem(self) -> str:
        """Return what is wrong with the range; empty where nothing is."""
        if not all(type(v) is int for v in (self.low, self.high, self.step)):
            return "low, high and step of an Int must be whole numbers"
        if self.low > self.high or self.step < 1:
            return "low must not be above high, nor step below 1"
        if self.log and (self.low < 1 or self.step != 1):
            return "on a logarithmic scale low must be at least 1 and step 1"
        return ""


@dataclass(frozen=True)
class Float:
    """A real number from `low` to `high`."""

    low: float
    high: float
    log: bool = False

    def problem(self) -> str:
        """Return what is wrong with the range; empty where nothing is."""
        ends = (self.low, self.high)
        if not all(type(v) in (int, float) and math.isfinite(v) for v in ends):
            return "low and high of a Float must be finite numbers"
        if self.low > self.high:
            return "low must not be above high"
        return "on a logarithmic scale low must be above 0" if self.log and self.low <= 0 else ""


@dataclass(frozen=True)
class Categorical:
    """One of a few values (None, bool, int, float or str)."""

    choices: tuple[bool | int | float | str | None, ...]

    def problem(self) -> str:
        """Return what is wrong with the choices; empty where nothing is."""
        if not isinstance(self.choices, tuple | list) or not self.choices:
            return "choices must be a tuple with at least one value"
        if not all(c is None or type(c) in (bool, int, float, str) for c in self.choices):
            return "each choice must be None or a bool, int, float or str"
        return ""


CORE_PARAMS = (
    "learning_rate", "weight_decay", "label_smoothing", "normalize", "batch_size", "shift",
)  # fmt: skip
"""Parameters that the core reads and that do not change a compiled program."""

Range = Int | Float | Categorical
Space = Mapping[str, Range]
Params = Mapping[str, Any]


def smooths_labels(profile: Profile) -> bool:
    """Whether the core smooths labels in training.

    Not where the probabilities themselves count: smoothed, they cost a certain loss, and that
    of a rare class is no longer in proportion to how rare it is.
    """
    unsmoothed = ("neg_log_loss", "balanced_accuracy")
    return profile.task == "classification" and profile.metric not in unsmoothed


def core_space(
    profile: Profile, learning_rate: tuple[float, float] = (5e-4, 1e-2)
) -> dict[str, Range]:
    """Return ranges of what the core reads, as they suit the data, to be merged into a space.

    ``learning_rate`` and ``weight_decay``; for series ``normalize``, for images ``shift``.

    Parameters
    ----------
    profile : Profile
        Of the data.
    learning_rate : tuple of float
        The lowest and the highest peak.
    """
    ranges: dict[str, Range] = {}
    if profile.kind == "sequential":
        ranges["normalize"] = Categorical(("dataset", "sample"))
    if profile.kind == "grid":
        ranges["shift"] = Categorical((0.0, 0.1))
    ranges["learning_rate"] = Float(*learning_rate, log=True)
    ranges["weight_decay"] = Float(1e-5, 1e-2, log=True)
    return ranges


def core_params(
    profile: Profile, learning_rate: float, weight_decay: float = 1e-4
) -> dict[str, Any]:
    """Return a value to try first for each name of :func:`core_space`."""
    values: dict[str, Any] = {}
    if profile.kind == "sequential":
        values["normalize"] = "dataset"
    if profile.kind == "grid":
        values["shift"] = profile.shift
    return {**values, "learning_rate": learning_rate, "weight_decay": weight_decay}
