"""Greedy selection averages what is better together, and nothing else."""

from __future__ import annotations

import numpy as np

from selector.judge.ensemble import greedy_selection

Y = np.random.default_rng(0).normal(size=400)


def squared(predictions: np.ndarray) -> float:
    return float(np.mean(np.square(predictions - Y)))


def noisy(seed: int, scale: float) -> np.ndarray:
    return Y + np.random.default_rng(seed).normal(size=len(Y)) * scale


def test_models_with_independent_errors_are_averaged() -> None:
    predictions = [noisy(1, 0.5), noisy(2, 0.5), noisy(3, 0.5)]
    counts = greedy_selection(predictions, squared)
    assert all(counts)
    mean = sum(c * p for c, p in zip(counts, predictions, strict=True)) / sum(counts)
    assert squared(mean) < 0.45 * min(map(squared, predictions))


def test_a_model_that_only_adds_noise_is_left_out() -> None:
    assert greedy_selection([noisy(1, 0.1), noisy(2, 3.0)], squared)[1] == 0


def test_copies_of_the_best_add_nothing() -> None:
    one = noisy(1, 0.5)
    assert greedy_selection([one, one], squared) == [1, 0]


def test_weights_follow_the_errors() -> None:
    counts = greedy_selection([noisy(1, 0.3), noisy(2, 0.6)], squared, rounds=40)
    assert counts[0] > 2 * counts[1] > 0


def test_nothing_is_chosen_where_no_loss_is_finite() -> None:
    nowhere = np.full_like(Y, np.nan)
    assert greedy_selection([nowhere, noisy(1, 0.1)], squared) == [0, 1]
    assert greedy_selection([nowhere], squared) == [0]
    assert greedy_selection([], squared) == []
