"""The time budget: one clock for the whole run."""

from __future__ import annotations

import re
import time

from selector.errors import OptionError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_time(text: str | float) -> float:
    """Return the seconds that ``60``, ``"90s"``, ``"5m"`` or ``"1h"`` stand for.

    Raises
    ------
    OptionError
        Where it is not a time, or shorter than five seconds.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([a-z]*)\s*", str(text).lower())
    if match is None or match[2] not in _UNITS:
        raise OptionError(
            f"--time is a number with an optional unit s, m or h; received '{text}'."
            " Try --time 90s or --time 5m."
        )
    seconds = float(match[1]) * _UNITS[match[2]]
    if not 5 <= seconds <= 7 * 86400:
        raise OptionError(
            f"--time is between 5 seconds and 7 days; received '{text}' ({seconds:g} s)."
            " Try --time 60."
        )
    return seconds


STARTUP_SECONDS = 5.0
"""Longest start of the interpreter that is believed; beyond it a shell was there before."""


def process_start() -> float:
    """Return when this command was started, on the monotonic clock.

    A shell may replace itself by the last command of its line
    (``sh -c "prepare && selector ..."``). The process is then as old as the
    shell, and what the shell waited for is not the command's.
    """
    import psutil

    age = time.time() - float(psutil.Process().create_time())
    return time.monotonic() - (age if 0.0 <= age <= STARTUP_SECONDS else 0.5)


class Budget:
    """Counts from `start` to the promised end.

    Parameters
    ----------
    seconds : float
        The promise. The run aims to end a little before.
    start : float, optional
        Monotonic time at which the budget began to run; now by default.
    """

    def __init__(self, seconds: float, start: float | None = None) -> None:
        self.seconds = float(seconds)
        self.start = time.monotonic() if start is None else start

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.start

    def left(self) -> float:
        """Seconds until the promised end; negative once it is over."""
        return self.seconds - self.elapsed()
