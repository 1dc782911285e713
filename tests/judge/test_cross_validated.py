"""The best of many models that know nothing scores what one of them would."""

from __future__ import annotations

import numpy as np
import pytest

from selector import tasks
from selector.judge.cross_validated import cross_validated

TASK = tasks.get("classification", "accuracy")


def guesses(y: np.ndarray, hit: float, seed: int) -> np.ndarray:
    """Return probabilities that name the right one of two classes with probability `hit`."""
    right = np.random.default_rng(seed).random(len(y)) < hit
    said = np.where(right, y, 1 - y)
    return np.column_stack([1.0 - said, said])


def test_choosing_among_guesses_is_not_rewarded() -> None:
    stated, flattered = [], []
    for seed in range(30):
        y = np.random.default_rng(1000 + seed).integers(0, 2, 40)
        models = [guesses(y, 0.5, 100 * seed + m) for m in range(10)]
        flattered.append(max(TASK.score(y, p) for p in models))
        told = cross_validated(TASK, y, np.arange(40), models)
        assert told is not None
        stated.append(told["value"])
    assert np.mean(flattered) > 0.59
    assert abs(np.mean(stated) - 0.5) < 0.03


def test_one_model_scores_its_mean_and_the_interval_holds_the_truth() -> None:
    held = 0
    for seed in range(40):
        y = np.random.default_rng(2000 + seed).integers(0, 2, 40)
        p = guesses(y, 0.8, seed)
        told = cross_validated(TASK, y, np.arange(40), [p])
        assert told is not None
        assert told["value"] == pytest.approx(TASK.score(y, p), abs=0.02)
        assert told["n"] == 40
        low, high = told["interval"]
        held += low <= 0.8 <= high
    assert held >= 36


def test_repeated_predictions_of_a_sample_stay_together() -> None:
    y = np.random.default_rng(3).integers(0, 2, 30)
    p = guesses(y, 0.7, 3)
    once = cross_validated(TASK, y, np.arange(30), [p])
    twice = cross_validated(TASK, np.tile(y, 2), np.tile(np.arange(30), 2), [np.tile(p, (2, 1))])
    assert once == twice


@pytest.mark.parametrize("n", [10, 15, 40])
def test_r_squared_of_few_or_tied_rows_stays_sensible(n: int) -> None:
    task = tasks.get("regression", "r2")
    for seed in range(10):
        rng = np.random.default_rng(seed)
        y = np.where(rng.random(n) < 0.7, 0.0, rng.normal(size=n))
        models = [y + 0.2 * y.std() * rng.normal(size=n) for _ in range(3)]
        told = cross_validated(task, y, np.arange(n), models)
        assert told is not None
        assert 0.8 < told["value"] <= 1.0
        assert told["interval"][0] > 0.3


def test_there_is_none_without_models() -> None:
    assert cross_validated(TASK, np.zeros(3), np.arange(3), []) is None


def test_rows_that_are_all_right_leave_an_interval() -> None:
    y = np.arange(40) % 2
    told = cross_validated(TASK, y, np.arange(40), [np.eye(2)[y]])
    assert told is not None
    assert told["value"] == 1.0
    assert told["interval"] == pytest.approx([0.9119, 1.0], abs=1e-3)
