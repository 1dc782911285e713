"""Search spaces, declared rather than hidden in code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Int:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int
    log: bool = False
    step: int = 1


@dataclass(frozen=True)
class Float:
    """A real number from `low` to `high`."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Categorical:
    """One of a few values (None, bool, int, float or str)."""

    choices: tuple[bool | int | float | str | None, ...]


CORE_PARAMS = (
    "learning_rate", "weight_decay", "label_smoothing", "normalize", "batch_size", "shift",
)  # fmt: skip
"""Parameters that the core reads and that do not change a compiled program."""

Space = Mapping[str, Int | Float | Categorical]
Params = Mapping[str, Any]
