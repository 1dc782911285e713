"""Verdicts in words and numbers for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from selector.report import text

Make = Callable[..., dict[str, Any]]


def test_every_verdict_has_its_words(recommendation: Make) -> None:
    assert text.verdict_headline(recommendation()) == (
        "cnn fits this data best: take cnn.minirocket"
    )
    assert text.verdict_headline(recommendation(verdict="tie")) == (
        "no clear winner: take the cheaper, cnn.minirocket"
    )
    assert text.verdict_headline(recommendation(verdict="baseline")) == (
        "no model beats the trivial baseline"
    )
    assert text.verdict_headline(recommendation(verdict="undecided")).startswith("undecided: ")
    assert "only family compared" in text.verdict_headline(recommendation(probabilities={}))


@pytest.mark.parametrize("verdict", ["winner", "tie"])
def test_tabular_says_that_no_network_is_needed(recommendation: Make, verdict: str) -> None:
    linear = {"architecture": "tabular.linear", "family": "tabular", "title": "", "params": {}}
    said = text.verdict_headline(recommendation(verdict=verdict, recommended=linear))
    assert "you need no neural network" in said


def test_the_note_names_the_best_score_or_what_time_buys(recommendation: Make) -> None:
    assert ".993, of cnn.inception" in text.verdict_note(recommendation())
    assert "1 point" in text.verdict_note(recommendation())
    undecided = recommendation(verdict="undecided", more_time="two more splits would do")
    assert text.verdict_note(undecided) == "two more splits would do."
    assert text.verdict_note(recommendation(verdict="baseline")) == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0, "0 B"), (812, "812 B"), (9_400, "9.4 kB"), (51_200, "51 kB"),
     (999_700, "1.0 MB"), (4_200_000, "4.2 MB"), (3.2e9, "3.2 GB"), (5e13, "50000 GB")],
)  # fmt: skip
def test_bytes(value: float | None, shown: str) -> None:
    assert text.human_bytes(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.0, "0.00 s"), (0.042, "0.04 s"), (3.21, "3.2 s"), (9.97, "10 s"),
     (58.4, "58 s"), (245, "4 min 5 s"), (300, "5 min"), (7500, "2 h 5 min")],
)  # fmt: skip
def test_seconds(value: float | None, shown: str) -> None:
    assert text.human_seconds(value) == shown


def test_small_numbers() -> None:
    assert text.percent(0.123) == "12%"
    assert text.percent(0.004) == "0.4%"
    assert text.percent(None) == "–"
    assert text.human_milliseconds(0.24) == "0.24 ms"
    assert text.human_milliseconds(0) == "–"
    assert text.count(1, "trial") == "1 trial"
    assert text.count(12_000, "class", "classes") == "12 000 classes"
    assert text.command_line(["selector", "a b.csv"]) == "selector 'a b.csv'"
    assert text.command_line(None) == ""


def test_scores_in_words() -> None:
    assert text.score_text(None) == "not scored on the test part yet"
    score = {"metric": "r2", "value": 0.41, "interval": [0.3, 0.52], "on": "test file b.csv"}
    assert text.score_text(score) == "R² .410 (.300 to .520) on test file b.csv"
    assert text.baseline_sentence({"baseline": {"metric": "r2", "value": -0.01}}) == (
        "trivial baseline -.010"
    )


def test_the_ensemble_is_told_with_its_cost(recommendation: Make) -> None:
    assert text.ensemble_sentence(recommendation()) == ""
    assert "no time to score it" in text.ensemble_sentence(
        recommendation(ensemble={"reason": "there was no time to score it"})
    )
    made = {
        "members": [
            {"architecture": "cnn.inception", "family": "cnn", "weight": 0.75, "models": 2},
            {"architecture": "tabular.mlp", "family": "tabular", "weight": 0.25, "models": 1},
        ],
        "score": {"metric": "accuracy", "value": 0.991, "interval": [0.95, 1.0], "on": "100 rows"},
        "bytes": 3_200_000,
        "macs": 0,
    }
    told = text.ensemble_sentence(recommendation(ensemble=made))
    assert "cnn.inception (75%) and tabular.mlp (25%)" in told
    assert ".991" in told
    assert "3 models, 3.2 MB" in told
    assert "times" not in told
