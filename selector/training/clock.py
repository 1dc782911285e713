"""The time a trial has, and a sign of life to the driver."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

Heartbeat = Callable[..., None]


STOP = threading.Event()
"""Set while the driver wants the running trial to end with what it has."""


class Clock:
    """Soft deadline on the monotonic clock, with the trial's heartbeat.

    Parameters
    ----------
    deadline : float or None
        ``time.monotonic()`` at which the trial should end; None for no limit.
    heartbeat : callable or None
        Called with keyword arguments (``epoch``, ``epochs``, ``loss`` …) as often
        as progress is made; it thins out by itself.
    """

    def __init__(self, deadline: float | None, heartbeat: Heartbeat | None = None) -> None:
        self.started = time.monotonic()
        self.deadline = deadline
        self._heartbeat = heartbeat

    @property
    def left(self) -> float:
        """Seconds until the deadline; infinite without one."""
        if STOP.is_set():
            return 0.0
        return float("inf") if self.deadline is None else self.deadline - time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the clock was made."""
        return time.monotonic() - self.started

    def beat(self, **progress: Any) -> None:
        """Report progress."""
        if self._heartbeat is not None:
            self._heartbeat(**progress)


class DeadlineError(RuntimeError):
    """The deadline passed before there was anything to score."""


class NonFiniteError(ArithmeticError):
    """The loss or a prediction is infinite or not a number."""


def median_seconds(
    call: Callable[[], Any], left: Callable[[], float] = lambda: float("inf"), repeats: int = 5
) -> float:
    """Return the median seconds of `repeats` calls, after one that warms up.

    Of fewer where no time is left for as many, and 0 where there is for none.

    Parameters
    ----------
    call : callable
        What to time.
    left : callable
        Seconds that there are.
    repeats : int
        Calls that are timed.
    """
    call()
    times: list[float] = []
    while len(times) < repeats and left() > 2.0 * max(times, default=0.0):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return sorted(times)[len(times) // 2] if times else 0.0
