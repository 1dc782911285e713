"""The page is well-formed, escapes everything and loads nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from selector.report.html import render_html
from selector.report.notebook import render_notebook
from selector.report.plot import against_cost, layout

Make = Callable[..., dict[str, Any]]

VOID = {"meta", "br", "hr", "img", "input", "link"}
HOSTILE = "<script>alert('x')</script>\"><img src=http://evil.example/a onerror=b>"


class Strict(HTMLParser):
    """Collects tags and text; fails where tags do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, k, v or "") for k, v in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, k, v or "") for k, v in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


def parse(page: str) -> Strict:
    parser = Strict()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def words(page: str) -> str:
    return re.sub(r"\s+", " ", " ".join(parse(page).text))


def test_the_whole_example_is_there(recommendation: Make) -> None:
    text = words(render_html(recommendation()))
    for piece in (
        "cnn fits this data best: take cnn.minirocket.",
        "The best score was .993, of cnn.inception",
        ".975",
        ".868 to .999",
        "test part of 40 rows (held out)",
        "cnn is better by more than 1 point with probability .97.",
        "neighbouring columns correlate at .993",
        "--kind",
        "neighbour correlation time",
        "needed over 2.0 GB of memory",
        "made for grid data, not sequential.",
        "worse with probability .97",
        "3 rows without a target were left out.",
        "selector recommend 'Gun Point.ts' --time 60s",
        "3.15.1",
        "150 × 1",
        "4.2 MB",
    ):
        assert piece in text


def test_nothing_is_loaded_and_no_script_runs(recommendation: Make) -> None:
    page = render_html(recommendation())
    parser = parse(page)
    assert not {"script", "img", "link", "iframe", "object", "base"} & set(parser.tags)
    assert not [a for a in parser.attributes if a[1] in ("src", "href", "action", "data")]
    assert not [a for a in parser.attributes if a[1].startswith("on")]
    assert not re.search(r"(https?:)?//[a-z]|@import|url\(", page)
    policy = [v for t, k, v in parser.attributes if t == "meta" and k == "content"]
    assert any("default-src 'none'" in v for v in policy)


def _poison(value: Any) -> Any:
    """Put hostile text into every string and every name of a family or setting."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, list):
        return [_poison(v) for v in value]
    if isinstance(value, dict):
        return {k: _poison(v) for k, v in value.items()}
    return value


@pytest.mark.parametrize("render", [render_html, render_notebook])
def test_hostile_text_is_escaped_everywhere(
    recommendation: Make, render: Callable[[dict[str, Any]], str]
) -> None:
    rec = _poison(recommendation())
    rec["families"] = {f + HOSTILE: v for f, v in rec["families"].items()}
    rec["profile"]["decisions"] = {f + HOSTILE: v for f, v in rec["profile"]["decisions"].items()}
    rec["versions"] = {f + HOSTILE: v for f, v in rec["versions"].items()}
    page = render(rec)
    parser = parse(page)
    assert not {"script", "img"} & set(parser.tags)
    assert "<script" not in page
    assert "alert(" in " ".join(parser.text)


def test_an_unfinished_or_empty_recommendation_renders(recommendation: Make) -> None:
    early = recommendation(score=None, complete=False, stage="search", probabilities={}, why=[])
    text = words(render_html(early))
    assert "not scored on the test part yet" in text
    assert "stage “search”" in text
    for rec in ({}, {"verdict": "undecided", "recommended": None, "leaderboard": []}):
        assert "nothing to recommend yet" in words(render_html(rec))
        assert "nothing to recommend yet" in words(render_notebook(rec))


def test_null_values_render(recommendation: Make) -> None:
    rec = recommendation(
        probabilities={"rnn": {"better": None, "within": None, "worse": None, "splits": 1}},
        rope=None,
        search_score=None,
        wall_seconds=None,
        seed=None,
        baseline={"metric": "r2", "value": None},
    )
    for row in rec["leaderboard"]:
        row.update(fit_seconds=None, latency_ms=None, bytes=None, params_count=None)
    text = words(render_html(rec))
    assert "too few common splits" in text
    assert "trivial baseline –" not in text


def test_the_plot_lies_within_its_width(recommendation: Make) -> None:
    plot = layout(recommendation())
    assert plot is not None
    assert len(plot.rows) == 7
    for row in plot.rows:
        assert 0 <= row["x"] <= 100
        if row["low"] is not None:
            assert 0 <= row["low"] <= row["x"] <= row["high"] <= 100
    xs = [row["x"] for row in plot.rows]
    assert xs == sorted(xs, reverse=True)
    assert [row["architecture"] for row in plot.rows if row["chosen"]] == ["cnn.minirocket"]
    assert 3 <= len(plot.ticks) <= 8
    assert plot.ticks[0][0] == 0
    assert plot.ticks[-1][0] == 100
    assert plot.baseline is not None


def test_the_plot_stands_equal_huge_and_missing_scores(recommendation: Make) -> None:
    rec = recommendation(baseline={})
    for row in rec["leaderboard"]:
        row.update(score=1.0, interval=None)
    same = layout(rec)
    assert same is not None
    assert all(0 <= row["x"] <= 100 for row in same.rows)
    rec["leaderboard"][0]["score"] = -4e9
    far = layout(rec)
    assert far is not None
    assert far.rows[0]["x"] == 0
    assert float(far.ticks[0][1].replace("-.", "-0.")) >= -2
    for row in rec["leaderboard"]:
        row["score"] = None
    assert layout(rec) is None


def test_the_notebook_shows_the_top_and_says_how_many_more(recommendation: Make) -> None:
    rec = recommendation()
    rec["leaderboard"] = rec["leaderboard"] * 2
    page = render_notebook(rec)
    assert page.count("<tr") == 9
    assert "and 8 more" in words(page)
    assert "<style" not in page


def test_scores_are_drawn_against_cost(recommendation: Make) -> None:
    rec = recommendation()
    for row in rec["leaderboard"]:
        row["pareto"] = row["architecture"] == "cnn.inception"
    costs = against_cost(rec)
    assert costs is not None
    assert all(0 <= row["x"] <= 100 and 0 <= row["y"] <= 100 for row in costs.rows)
    best = max(costs.rows, key=lambda row: row["score"])
    assert best["y"] == min(row["y"] for row in costs.rows)
    assert max(costs.rows, key=lambda row: row["macs"])["x"] == max(r["x"] for r in costs.rows)
    assert "cnn.inception .993" in words(render_html(rec))
    assert against_cost(recommendation(leaderboard=[])) is None
