"""The recommendation on a terminal."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from selector.report.text import (
    Recommendation,
    all_notes,
    baseline_sentence,
    capital,
    count,
    decimal,
    ensemble_sentence,
    human_bytes,
    human_milliseconds,
    human_seconds,
    score_text,
    sentence,
    subject,
    verdict_headline,
    verdict_note,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MOST_FAILURES = 5


def print_recommendation(rec: Recommendation, console: Console) -> None:
    """Print a recommendation: verdict, score, reasons, leaderboard, failures, how to use it.

    Parameters
    ----------
    rec : mapping
        The recommendation, complete or of an earlier stage.
    console : rich.console.Console
        Where to; it decides about width and colour.
    """
    _line(console, "")
    _line(console, subject(rec), "dim")
    _line(console, sentence(verdict_headline(rec)), "bold")
    note = verdict_note(rec)
    if note:
        _line(console, capital(note))
    scored = score_text(rec.get("score"))
    baseline = baseline_sentence(rec)
    _line(console, sentence(capital(f"{scored}; {baseline}" if baseline else scored)))
    if rec.get("complete") is False and rec.get("stage"):
        _line(console, f"Incomplete: the run ended in stage '{rec['stage']}'.", "yellow")
    if ensemble_sentence(rec):
        _line(console, ensemble_sentence(rec))
    _bullets(console, "Why", [sentence(w) for w in rec.get("why", [])])
    _bullets(console, *_five_questions(rec))
    rows = rec.get("leaderboard") or []
    if rows:
        _line(console, "")
        console.print(_table(rec, narrow=console.width < 100))
        untried = [str(r.get("architecture")) for r in rows if r.get("state") == "not tried"]
        if untried:
            _line(console, f"Not tried for lack of time: {', '.join(untried)}.", "dim")
    _bullets(console, "Failed", _failures(rec), "yellow")
    _bullets(console, "Notes", [sentence(n) for n in all_notes(rec)])
    _usage(rec, console)


def _line(console: Console, text: str, style: str = "") -> None:
    """Print plain text: nothing in it is taken for markup."""
    console.print(text, style=style or None, markup=False, highlight=False)


def _bullets(console: Console, title: str, items: list[str], style: str = "") -> None:
    """Print a titled list, or nothing where it is empty."""
    from rich.padding import Padding
    from rich.text import Text

    if not items:
        return
    _line(console, "")
    _line(console, title, style or "bold")
    for item in items:
        console.print(Padding(Text("• " + item), (0, 0, 0, 2)))


def _five_questions(rec: Recommendation) -> tuple[str, list[str]]:
    """Return a title and what was measured of the recommended family."""
    family = (rec.get("recommended") or {}).get("family", "")
    mine = (rec.get("answers") or {}).get(family) or {}
    return f"What was measured of {family}", [
        sentence(f"{question.replace('_', ' ')}: {answer}") for question, answer in mine.items()
    ]


def _table(rec: Recommendation, narrow: bool) -> Table:
    """Return the leaderboard; a narrow terminal gets its first columns only."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    chosen = (rec.get("recommended") or {}).get("architecture")
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("architecture", no_wrap=True)
    if not narrow:
        table.add_column("family")
    table.add_column("type")
    table.add_column("score", justify="right", no_wrap=True)
    for title in ("fit",) if narrow else ("splits", "fit", "latency", "size"):
        table.add_column(title, justify="right", no_wrap=True)
    board = rec.get("leaderboard") or []
    for row in [r for r in board if r.get("state") != "not tried"]:
        mine = row.get("architecture") == chosen
        values = [f"{'→ ' if mine else '  '}{row.get('architecture', '')}"]
        values += [] if narrow else [str(row.get("family", ""))]
        values += [str(row.get("type", "")), _score(row)]
        values += [] if narrow else [str(row.get("splits") or "–")]
        values += [human_seconds(row.get("fit_seconds"))]
        if not narrow:
            values += [human_milliseconds(row.get("latency_ms")), human_bytes(row.get("bytes"))]
        table.add_row(*(Text(v) for v in values), style="bold" if mine else "")
    return table


def _score(row: dict[str, Any]) -> str:
    """Return score and half the interval's width, or the row's state where it has none."""
    if row.get("score") is None:
        return str(row.get("state") or "–")
    text = decimal(row["score"])
    interval = row.get("interval")
    if not interval:
        return f"{text} ({row['state']})" if row.get("state") == "searched" else text
    return f"{text} [{decimal(interval[0])}, {decimal(interval[1])}]"


def _failures(rec: Recommendation) -> list[str]:
    """Return the failures, the first few in full."""
    failures = rec.get("failures") or []
    shown = [
        sentence(
            f"{f.get('architecture')} ({f.get('stage')}"
            + (f", {f['count']} times" if f.get("count", 1) > 1 else "")
            + f"): {f.get('reason')}"
        )
        for f in failures[:MOST_FAILURES]
    ]
    more = len(failures) - MOST_FAILURES
    return shown if more <= 0 else [*shown, f"and {count(more, 'other')}: see recommendation.json."]


def _usage(rec: Recommendation, console: Console) -> None:
    """Say where everything is and how the model is used."""
    _line(console, "")
    spent = [count(rec["trials"], "trial")] if rec.get("trials") is not None else []
    if rec.get("wall_seconds") is not None:
        spent.append(human_seconds(rec["wall_seconds"]))
    run = rec.get("run")
    text = " in ".join(spent)
    if run:
        text = f"{text}; all of it is in {run}" if text else f"all of it is in {run}"
    if text:
        _line(console, sentence(text))
    if run and rec.get("complete") is not False:
        console.print(
            f"Use the model: selector predict {shlex.quote(str(run))} FILE",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
