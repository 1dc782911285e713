"""What a user may ask of a run, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from selector.errors import OptionError, RunError, did_you_mean
from selector.search.budget import parse_time
from selector.search.limits import Limits, parse_size

SECONDS, COUNTED_SECONDS = 60.0, 3600.0
"""The budget where none was given: by the clock, and where trials are counted."""

NOT_ASKED_FOR = "not among the families asked for"
NOT_TRAINED = "not trained, as was asked for"
"""Why an option refuses an architecture, whatever the data is."""


@dataclass(frozen=True)
class Options:
    """What the user asked for; see ``selector recommend --help``."""

    time: float = None  # type: ignore[assignment]  # becomes the usual budget
    trials: int | None = None
    seed: int = 0
    workers: int | None = None
    families: tuple[str, ...] = ()
    trained_only: bool = False
    target: str | None = None
    kind: str | None = None
    task: str | None = None
    axes: str | None = None
    metric: str | None = None
    group: str | None = None
    order: str | None = None
    id: str | None = None
    step: str | None = None
    prefer: str = "balanced"
    refit_all: bool = False
    ensemble: bool = False
    max_latency: float | None = None
    max_size: int | None = None
    max_params: int | None = None
    command: tuple[str, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        from selector.judge.verdict import ROPES

        for name in ("trials", "seed", "workers", "max_params"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _whole(name, getattr(self, name)))
        for name in ("trained_only", "refit_all", "ensemble"):
            object.__setattr__(self, name, bool(getattr(self, name)))
        usual = COUNTED_SECONDS if self.trials else SECONDS
        object.__setattr__(self, "time", parse_time(usual if self.time is None else self.time))
        if self.trials is not None and self.trials < 1:
            raise OptionError(f"--trials is at least 1; received {self.trials}.")
        if not 0 <= self.seed < 2**31:
            raise OptionError(f"--seed is from 0 to {2**31 - 1}; received {self.seed}.")
        if self.workers is not None and not 1 <= self.workers <= 256:
            raise OptionError(f"--workers is from 1 to 256; received {self.workers}.")
        if self.trials and self.max_latency is not None:
            raise OptionError(
                "--max-latency is measured anew each time, and --trials promises the same result:"
                " leave one out, or limit --max-size or --max-params."
            )
        if self.group and self.order:
            raise OptionError("--group and --order exclude each other: give one of them.")
        if self.max_size is not None:
            object.__setattr__(self, "max_size", parse_size(self.max_size))
        for name in ("max_latency", "max_params"):
            most = getattr(self, name)
            if most is not None and not most > 0:
                option = f"--{name.replace('_', '-')}"
                raise OptionError(f"{option} is more than 0; received {most}.")
        if self.prefer not in ROPES:
            raise OptionError(
                f"--prefer is one of {', '.join(ROPES)}; received '{self.prefer}'."
                f"{did_you_mean(self.prefer, ROPES)}"
            )

    @property
    def limits(self) -> Limits:
        """What a model may cost."""
        return Limits(self.max_latency, self.max_size, self.max_params)

    @classmethod
    def stored(cls, about: Mapping[str, Any], time: str | float | None = None) -> Options:
        """Return the options of an earlier run from its ``run.json``, with another time if given.

        Raises
        ------
        RunError
            Where they are damaged.
        """
        try:
            kept = dict(about["options"])
            kept["families"], kept["command"] = tuple(kept["families"]), tuple(kept["command"])
            return cls(**{**kept, **({"time": time} if time else {})})
        except (KeyError, TypeError) as error:
            raise RunError(
                f"run.json has no usable options ({error}). Start again with 'selector recommend'."
            ) from error


def _whole(name: str, value: Any) -> int:
    """Return a number as Python's own whole number, whichever library's it is.

    Raises
    ------
    OptionError
        Where it is none.
    """
    try:
        if float(value) == int(value):
            return int(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise OptionError(f"--{name.replace('_', '-')} is a whole number; received {value!r}.")
