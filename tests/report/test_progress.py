"""Progress keeps to its stream: whoever prints meanwhile prints where it meant to."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Any

import pytest

from selector import api
from selector.report.progress import PLAIN_SECONDS, Progress

STATE: dict[str, Any] = {
    "stage": "search",
    "elapsed": 3.0,
    "budget": 60.0,
    "best_by_family": {"rnn": ("rnn.gru", 0.9)},
    "trials": 4,
    "running": 2,
}
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def cursor_is_shown(text: str) -> bool:
    return text.rfind(SHOW) > text.rfind(HIDE) >= 0


def test_what_is_printed_beside_live_lines_goes_where_it_was_meant_to(terminal, capsys):
    out, err = sys.stdout, sys.stderr
    with Progress(stream=terminal) as progress:
        progress.update(**STATE)
        assert (sys.stdout, sys.stderr) == (out, err)
        print('{"a": 1}')
    assert capsys.readouterr().out == '{"a": 1}\n'
    assert "search · 3 of 60 s" in terminal.getvalue()
    assert "{" not in terminal.getvalue()
    assert cursor_is_shown(terminal.getvalue())


def test_lines_come_back_after_a_pause_but_not_after_the_end(terminal):
    progress = Progress(stream=terminal)
    progress.update(**STATE)
    progress.pause()
    assert cursor_is_shown(terminal.getvalue())
    progress.update(**STATE)
    assert not cursor_is_shown(terminal.getvalue())
    progress.close()
    ended = terminal.getvalue()
    assert cursor_is_shown(ended)
    progress.update(**STATE)
    progress.close()
    assert terminal.getvalue() == ended


def test_a_terminal_that_has_gone_ends_the_display_alone(terminal, monkeypatch):
    progress = Progress(stream=terminal)
    progress.update(**STATE)

    def gone(_: str) -> int:
        raise OSError("the terminal has gone")

    monkeypatch.setattr(terminal, "write", gone)
    progress.close()


def test_elsewhere_a_line_is_written_at_each_stage_and_now_and_then():
    now = 0.0
    stream = io.StringIO()
    progress = Progress(stream=stream, clock=lambda: now)
    later = 2 + PLAIN_SECONDS
    for seconds, stage in ((0, "floor"), (1, "floor"), (2, "search"), (later, "search")):
        now = seconds
        progress.update(**STATE | {"stage": stage})
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == [
        "floor", "search", "search",
    ]  # fmt: skip


@pytest.mark.parametrize("fails", [False, True])
def test_from_python_the_cursor_is_given_back(terminal, monkeypatch, tmp_path, fails):
    class Session:
        def __init__(self, options: Any, on_progress: Any) -> None:
            self.on_progress = on_progress

        def recommend(self, *_: Any) -> None:
            self.on_progress(STATE)
            if fails:
                raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(api, "Session", Session)
    monkeypatch.setattr(api, "load", lambda path: path)
    with pytest.raises(KeyboardInterrupt) if fails else contextlib.nullcontext():
        api.recommend([[1.0]], [1.0], out=tmp_path / "run", verbose=True)
    assert cursor_is_shown(terminal.getvalue())
