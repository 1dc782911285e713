"""The recommendation in a notebook cell."""

from __future__ import annotations

from selector.report.html import page
from selector.report.text import Recommendation

MOST_ROWS = 8


def render_notebook(rec: Recommendation) -> str:
    """Return an HTML fragment: verdict, score, reasons and the top of the leaderboard.

    Parameters
    ----------
    rec : mapping
        The recommendation.

    Returns
    -------
    str
        With its styles in ``style`` attributes, so that nothing of the
        notebook changes its looks, and no script.
    """
    rows = list(rec.get("leaderboard") or [])
    return page("notebook.html.j2", rec, rows=rows[:MOST_ROWS], more=len(rows) - MOST_ROWS)
