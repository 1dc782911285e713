"""Numbers in sentences, and the sentence about the gap."""

from __future__ import annotations

import math

import numpy as np
import pytest

from selector import tasks
from selector.judge.headline import gap_sentence, headline
from selector.judge.words import decimal, listed, points, probability


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9931, ".993"),
        (1.0, "1.000"),
        (-0.12, "-.120"),
        (-1.5, "-1.500"),
        (0.0, ".000"),
        (-0.0001, ".000"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_decimal(value: float | None, text: str) -> None:
    assert decimal(value) == text


def test_probabilities_are_never_rounded_to_certainty() -> None:
    assert probability(0.9999) == "more than .99"
    assert probability(1.0) == "more than .99"
    assert probability(0.001) == "less than .01"
    assert probability(0.97) == ".97"


def test_a_probability_beside_one_that_is_asked_is_told_from_it() -> None:
    assert probability(0.9776, 0.98) == ".978"
    assert probability(0.89996, 0.9) == ".89996"
    assert probability(0.85, 0.9) == ".85"
    assert probability(0.9, 0.9) == ".900000"


def test_points_and_lists() -> None:
    assert points(0.01) == "1 point"
    assert points(0.025) == "2.5 points"
    assert points(0.0001) == "less than 0.1 point"
    assert points(0.0) == "0 points"
    assert points(0.01, "r2") == ".010 of R²"
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_headline_asks_the_task() -> None:
    y = np.array([0.0, 1.0, 1.0, 0.0])
    predictions = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])
    score = headline(tasks.get("classification"), y, predictions, "test part of 4 rows (held out)")
    assert score["value"] == 0.75
    assert score["metric"] == "accuracy"
    assert score["n"] == 4
    assert score["on"] == "test part of 4 rows (held out)"
    low, high = score["interval"]
    assert 0.0 <= low < 0.75 < high <= 1.0


def test_the_gap_is_named_where_it_is_one() -> None:
    score = {"metric": "accuracy", "value": 0.9, "interval": [0.85, 0.94]}
    assert gap_sentence(None, score) == ""
    assert "within the interval" in gap_sentence(0.92, score)
    assert "8 points higher" in gap_sentence(0.98, score)
    assert "10 points lower" in gap_sentence(0.80, score)


def test_rows_of_one_group_are_not_independent() -> None:
    task, rng = tasks.get("classification"), np.random.default_rng(0)
    groups = np.repeat(np.arange(8), 100)
    right = np.repeat(np.linspace(0.5, 1.0, 8), 100) > rng.random(800)
    predictions = np.eye(2)[right.astype(int)]
    rows = headline(task, np.ones(800), predictions, "")["interval"]
    whole = headline(task, np.ones(800), predictions, "", groups)["interval"]
    assert whole[1] - whole[0] > 2 * (rows[1] - rows[0])
    alone = headline(task, np.ones(800), predictions, "", np.arange(800))["interval"]
    assert alone == pytest.approx(rows, abs=0.01)


def test_groups_that_are_all_right_say_no_more_than_their_number() -> None:
    groups = np.repeat(np.arange(8), 100)
    score = headline(tasks.get("classification"), np.zeros(800), np.eye(2)[[0] * 800], "", groups)
    assert score["value"] == 1.0
    assert score["interval"] == pytest.approx([0.6306, 1.0], abs=1e-3)


def test_groups_of_one_value_each_do_not_blow_up_an_interval_of_r_squared() -> None:
    y = np.repeat([20.0, 50.0, 70.0], 40)
    predictions = y + np.random.default_rng(0).normal(0, 5, 120)
    low, high = headline(tasks.get("regression"), y, predictions, "", y)["interval"]
    assert -5 < low < high <= 1
