"""What a terminal shows, and how progress behaves on one and off it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from selector.report.html import render_html
from selector.report.notebook import render_notebook
from selector.report.progress import Progress
from selector.report.terminal import print_recommendation

Make = Callable[..., dict[str, Any]]

STATE: dict[str, Any] = {
    "stage": "search",
    "elapsed": 12.3,
    "budget": 60.0,
    "best_by_family": {"rnn": ("rnn.gru", 0.931), "cnn": ("cnn.fcn", 0.9931)},
    "trials": 17,
    "running": 2,
}


def printed(rec: dict[str, Any], width: int = 120) -> str:
    stream = io.StringIO()
    print_recommendation(rec, Console(file=stream, width=width, color_system=None))
    return stream.getvalue()


def test_the_recommendation_fits_in_words_and_a_table(recommendation: Make) -> None:
    text = printed(recommendation())
    assert "cnn fits this data best: take cnn.minirocket." in text
    assert "Accuracy .975 (.868 to .999) on test part of 40 rows (held out); trivial" in text
    assert "→ cnn.minirocket" in text
    assert "fixed features" in text
    assert ".989 [.959, 1.000]" in text
    assert "cnn.fcn (search, 2 times): needed over 2.0 GB of memory." in text
    assert "37 trials in 61 s; all of it is in runs/2026-11-22-gunpoint." in text
    assert "selector predict runs/2026-11-22-gunpoint FILE" in text


def test_what_was_predicted_and_what_the_profile_doubts_is_told(recommendation: Make) -> None:
    doubt = "target 'x' is not certain (60%); --target overrides it"
    rec = recommendation(name="sales", kind="tabular", task="classification", target="x")
    rec |= {"profile": {**rec["profile"], "warnings": [doubt]}, "notes": ["a note", doubt]}
    text = printed(rec)
    assert "sales · tabular data · classification of x" in text
    assert text.count("is not certain (60%)") == 1
    notebook = render_notebook(rec)
    assert "is not certain (60%)" in notebook
    assert "classification of x" in notebook


def test_the_baseline_beside_a_score_is_that_of_its_rows(recommendation: Make) -> None:
    rec = recommendation()
    rec["score"] = {**rec["score"], "baseline": 0.125}
    assert "trivial baseline .125" in printed(rec)
    assert "baseline .125" in render_notebook(rec)
    assert "<b>.125</b><span>trivial baseline" in render_html(rec)


def test_a_narrow_terminal_keeps_the_names_and_scores(recommendation: Make) -> None:
    text = printed(recommendation(), width=76)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 76
    assert "→ cnn.minirocket" in text
    assert ".989 [.959, 1.000]" in text


def test_markup_in_data_stays_text(recommendation: Make) -> None:
    rec = recommendation(why=["class [bold]x[/bold] and [/nothing] differ"], run="my runs/[red]")
    rec["leaderboard"][0]["architecture"] = "cnn.[blink]"
    text = printed(rec)
    assert "[bold]x[/bold] and [/nothing]" in text
    assert "cnn.[blink]" in text
    assert "selector predict 'my runs/[red]' FILE" in text


def test_early_and_empty_recommendations_print(recommendation: Make) -> None:
    text = printed(recommendation(score=None, complete=False, stage="search"))
    assert "Not scored on the test part yet" in text
    assert "the run ended in stage 'search'" in text
    assert "selector predict" not in text
    assert "nothing to recommend yet." in printed({})


def test_many_failures_are_cut(recommendation: Make) -> None:
    failures = [
        {"architecture": f"cnn.{i}", "stage": "search", "reason": "x", "count": 1} for i in range(9)
    ]
    text = printed(recommendation(failures=failures))
    assert "cnn.4" in text
    assert "cnn.5 " not in text
    assert "and 4 others" in text


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_plain_progress_writes_at_stage_changes_and_every_five_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream=stream, clock=clock)
    for now, stage in ((0, "floor"), (1, "floor"), (2, "search"), (4, "search"), (7.1, "search")):
        clock.now = now
        progress.update(**{**STATE, "stage": stage})
    progress.close()
    lines = stream.getvalue().splitlines()
    assert [line.split(" ")[0] for line in lines] == ["floor", "search", "search"]
    assert lines[0] == ("floor · 12 of 60 s · 17 trials, 2 running · cnn.fcn .993  rnn.gru .931")


def test_quiet_progress_prints_nothing() -> None:
    stream = io.StringIO()
    with Progress(quiet=True, stream=stream) as progress:
        progress.update(**STATE)
    assert stream.getvalue() == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_live_display_that_is_taken_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    with Progress(stream=stream) as progress:
        progress.update(**STATE)
        progress.update(**{**STATE, "trials": 18, "budget": None})
    text = stream.getvalue()
    assert "18 trials" in text
    assert "cnn.fcn .993" in text
    assert "\x1b[" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1


def test_a_closed_stream_does_not_end_the_run() -> None:
    stream = io.StringIO()
    progress = Progress(stream=stream)
    stream.close()
    progress.update(**STATE)
    progress.update(**{**STATE, "stage": "confirm"})
    progress.close()
    assert stream.closed
