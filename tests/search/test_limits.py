"""Limits on cost: what exceeds one is tried, shown, and never recommended."""

from __future__ import annotations

import pytest
from invented import SCORES, play

from selector.artifact.recommendation import finalists, leaderboard
from selector.contract import TrialResult
from selector.errors import OptionError
from selector.options import Options
from selector.report.text import verdict_headline
from selector.search.limits import Limits, parse_size


def test_what_exceeds_a_limit_says_by_how_much():
    result = TrialResult("complete", latency_ms=2.5, bytes=2000, params_count=500)
    assert Limits().exceeded(result) == ""
    assert Limits(2.5, 2000, 500).exceeded(result) == ""
    said = Limits(1.0, 1999, 500).exceeded(result)
    assert said == (
        "over --max-latency: 2.5 ms, 1 allowed; over --max-size: 2,000 bytes, 1,999 allowed"
    )
    assert "500 parameters, 499 allowed" in Limits(params_count=499).exceeded(result)


@pytest.mark.parametrize(
    ("text", "size"), [("500000", 500_000), ("500kB", 500_000), ("1.5 MiB", 1_572_864), (7, 7)]
)
def test_sizes_are_read(text, size):
    assert parse_size(text) == size
    assert Options(max_size=text).limits.bytes == size


@pytest.mark.parametrize("text", ["", "big", "0", "-3", "2 TBs"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(OptionError, match="--max-size"):
        parse_size(text)


@pytest.mark.parametrize("option", ["max_latency", "max_params"])
def test_limits_are_positive(option):
    with pytest.raises(OptionError, match=f"--{option.replace('_', '-')} is more than 0"):
        Options(**{option: 0})


def test_what_is_over_a_limit_is_no_finalist(make):
    planner = make(limits=Limits(bytes=99))  # every invented model has 100 bytes
    play(planner)
    entered, baseline = finalists(planner, "accuracy")
    assert entered == []
    assert baseline is not None
    rows = leaderboard(planner, "accuracy")
    over = {r["architecture"] for r in rows if r["state"] == "over a limit"}
    assert over >= set(SCORES) - {"tabular.baseline", "rnn.other"}
    assert all("100 bytes, 99 allowed" in r["reason"] for r in rows if r["architecture"] in over)
    assert planner.uncompared_families() == []


def test_within_the_limits_nothing_changes(make):
    free, bound = make(), make(limits=Limits(bytes=100, params_count=10**9))
    assert [r.spec.id for r in play(free)] == [r.spec.id for r in play(bound)]


def test_latency_is_no_limit_where_trials_are_counted():
    with pytest.raises(OptionError, match="--max-latency is measured anew"):
        Options(trials=5, max_latency=2.0)


def test_where_all_are_over_a_limit_that_is_what_is_said(make):
    planner = make(limits=Limits(bytes=99))
    play(planner)
    rec = {"verdict": "baseline", "leaderboard": leaderboard(planner, "accuracy"),
           "recommended": {"architecture": "tabular.baseline", "family": "tabular"}}  # fmt: skip
    assert "no model that was tried is within the limits" in verdict_headline(rec)
