"""The one-page report: self-contained, no script, nothing loaded from anywhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.judge.questions import QUESTIONS
from selector.report import text
from selector.report.plot import against_cost, layout
from selector.report.text import Recommendation

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"

BUILT_IN_FAMILIES = ("rnn", "cnn", "hybrid", "tabular")


def render_html(rec: Recommendation) -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    rec : mapping
        The recommendation, complete or of an earlier stage; what is missing
        is left out.

    Returns
    -------
    str
        Every value is escaped; the page's own policy forbids scripts and
        anything from outside.
    """
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return page("report.html.j2", rec, style=style, plot=layout(rec), costs=against_cost(rec))


def page(template: str, rec: Recommendation, **more: Any) -> str:
    """Render one of the templates with a recommendation."""
    profile = rec.get("profile") or {}
    return _environment().get_template(template).render(rec=rec, profile=profile, **more)


@cache
def _environment() -> Environment:
    """Return the templates' surroundings: escaping on, our own filters."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        decimal=text.decimal,
        percent=text.percent,
        bytes=text.human_bytes,
        capital=text.capital,
        seconds=text.human_seconds,
        milliseconds=text.human_milliseconds,
        sentence=text.sentence,
        shown=_shown,
        hue=lambda family: family if family in BUILT_IN_FAMILIES else "other",
        verbatim=Markup,  # for our own style sheet, never for data
    )
    environment.globals.update(
        questions=QUESTIONS,
        headline=text.verdict_headline,
        note=text.verdict_note,
        score_text=text.score_text,
        ensemble_sentence=text.ensemble_sentence,
        subject=text.subject,
        all_notes=text.all_notes,
        baseline_value=text.baseline_value,
        baseline_sentence=text.baseline_sentence,
        metric_name=text.metric_name,
        probability=text.probability,
        count=text.count,
        command_line=text.command_line,
    )
    return environment


def _shown(value: Any) -> str:
    """Return a parameter or a signal for reading: short numbers, plain words."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " × ".join("any" if v is None else _shown(v) for v in value)
    return str(value)
