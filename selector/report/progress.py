"""Progress on standard error: a live line on a terminal, a few plain ones elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from selector.report.text import count, decimal, human_seconds

if TYPE_CHECKING:
    from rich.live import Live

PLAIN_SECONDS = 5.0
"""Seconds between two plain lines within a stage, at least."""


class Progress:
    """Shows how a run goes on.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    stream : text file, optional
        Where to; standard error by default.
    clock : callable, optional
        Returns seconds; for tests.

    Notes
    -----
    On a terminal two lines are kept up to date; elsewhere a line is written
    at each change of stage, and at most every five seconds between. A stream
    that was closed ends the display, never the run. Standard output and error
    stay as they are: what others print goes where they meant it to.
    """

    def __init__(
        self, quiet: bool = False, stream: TextIO | None = None, clock: Any = time.monotonic
    ) -> None:
        self._quiet = quiet
        self._stream = stream if stream is not None else sys.stderr
        self._clock = clock
        self._stage = ""
        self._written = -float("inf")
        self._live: Live | None = None
        self._tty = not quiet and bool(getattr(self._stream, "isatty", lambda: False)())

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def update(
        self,
        stage: str,
        elapsed: float,
        budget: float | None,
        best_by_family: Mapping[str, tuple[str, float]],
        trials: int,
        running: int,
    ) -> None:
        """Show the state of the run.

        Parameters
        ----------
        stage : str
            ``"floor"``, ``"portfolio"``, ``"search"``, ``"confirm"``, ``"final"``.
        elapsed, budget : float
            Seconds since the start, and allowed in all; None where the run is
            limited by trials.
        best_by_family : mapping
            Family to its best architecture and score so far.
        trials, running : int
            Trials finished, and running now.
        """
        if self._quiet:
            return
        first = _first_line(stage, elapsed, budget, trials, running)
        second = _second_line(best_by_family)
        try:
            if self._tty:
                self._show(first, second)
            elif stage != self._stage or self._clock() - self._written >= PLAIN_SECONDS:
                self._written = self._clock()
                print(f"{first} · {second}" if second else first, file=self._stream, flush=True)
        except (ValueError, OSError):  # the stream was closed or its reader has gone
            self._quiet = True
            self._live = None
        self._stage = stage

    def pause(self) -> None:
        """Take the live lines off the terminal until the next update."""
        live, self._live = self._live, None
        if live is not None:
            with suppress(ValueError, OSError):  # as in update
                live.stop()

    def close(self) -> None:
        """Take the live lines off the terminal for good."""
        self._quiet = True
        self.pause()

    def _show(self, first: str, second: str) -> None:
        """Bring the live lines up to date; cut, never wrapped."""
        from rich.text import Text

        text = Text(overflow="ellipsis", no_wrap=True)
        text.append(first)
        if second:
            text.append("\n" + second, style="dim")
        live = self._live
        if live is None:
            from rich.console import Console
            from rich.live import Live

            live = self._live = Live(
                console=Console(file=self._stream),
                transient=True,
                auto_refresh=False,
                redirect_stdout=False,  # or what is piped into a file would end up here
                redirect_stderr=False,
            )
            live.start()
        live.update(text, refresh=True)  # not self._live: Ctrl-C may have paused it meanwhile


def _first_line(stage: str, elapsed: float, budget: float | None, trials: int, running: int) -> str:
    """Return stage, time and counts."""
    clock = f"{elapsed:.0f} s" if budget is None else f"{elapsed:.0f} of {human_seconds(budget)}"
    return f"{stage} · {clock} · {count(trials, 'trial')}, {running} running"


def _second_line(best: Mapping[str, tuple[str, float]]) -> str:
    """Return the best of each family, best first."""
    order = sorted(best.values(), key=lambda entry: -entry[1])
    return "  ".join(f"{name} {decimal(score)}" for name, score in order)
