"""Splits by group and forward in order."""

from __future__ import annotations

import numpy as np
import pytest

from selector import tasks
from selector.errors import DataError
from selector.tasks.arranged import holdout, search_split, splitter, subset, thinned

RNG = np.random.default_rng(0)
N = 120
GROUPS = RNG.permutation(np.repeat(np.arange(24), 5))
ORDER = RNG.permutation(N).astype(float)
TARGETS = {
    "classification": (RNG.permutation(N) % 3).astype(float),
    "regression": RNG.normal(size=N),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_group_is_never_split_apart(name):
    task, y = tasks.get(name), TARGETS[name]
    made = splitter(task, y, 5, 2, 0, GROUPS, None)
    made += [holdout(task, y, 0.2, 0, GROUPS, None), search_split(task, y, 0.25, 3, GROUPS, None)]
    assert len(made) == 12
    for split in made:
        assert not set(GROUPS[split == 0]) & set(GROUPS[split == 1])
        assert 0.1 < (split == 1).mean() < 0.4
    validated = sum((split == 1).astype(int) for split in made[:5])
    assert (validated == 1).all(), "each row is validated on once in a cross-validation"


@pytest.mark.parametrize("name", TARGETS)
def test_forward_splits_train_on_the_past_alone(name):
    task, y = tasks.get(name), TARGETS[name]
    made = splitter(task, y, 5, 2, 0, None, ORDER)
    searched = [search_split(task, y, 0.25, seed, None, ORDER) for seed in range(8)]
    for split in [*made, *searched]:
        assert ORDER[split == 0].max() < ORDER[split == 1].min()
    assert len(made) == 5
    assert len({int((s == 0).sum()) for s in searched}) > 3, "the place is drawn anew"
    last = holdout(task, y, 0.2, 0, None, ORDER)
    assert sorted(ORDER[last == 1]) == list(range(96, 120))


@pytest.mark.parametrize("name", TARGETS)
def test_what_happened_at_one_time_is_on_one_side(name):
    task, y = tasks.get(name), TARGETS[name]
    days = ORDER // 5  # five rows a day
    made = splitter(task, y, 5, 2, 0, None, days)
    made += [search_split(task, y, 0.25, seed, None, days) for seed in range(8)]
    for split in [*made, holdout(task, y, 0.21, 0, None, days)]:
        assert days[split == 0].max() < days[split == 1].min()
        assert 0.1 < (split == 1).mean() < 0.35
    assert len(made) == 13


def test_where_one_time_has_most_rows_they_are_on_both_sides():
    task, y = tasks.get("regression"), TARGETS["regression"]
    for order in (np.zeros(N), (ORDER > 2).astype(float)):
        assert (holdout(task, y, 0.2, 0, None, order) == 1).sum() == 24
        assert len(splitter(task, y, 5, 2, 0, None, order)) == 5


def test_without_either_rows_are_split_as_usual():
    task, y = tasks.get("classification"), TARGETS["classification"]
    for mine, usual in zip(
        splitter(task, y, 5, 2, 7, None, None), task.splitter(y, 5, 2, 7), strict=True
    ):
        np.testing.assert_array_equal(mine, usual)
    np.testing.assert_array_equal(holdout(task, y, 0.2, 7, None, None), task.holdout(y, 0.2, 7))


def test_one_group_is_refused():
    with pytest.raises(DataError, match="all samples are of one group"):
        holdout(tasks.get("regression"), TARGETS["regression"], 0.2, 0, np.zeros(N), None)


def test_a_rare_class_does_not_make_the_part_larger():
    rng = np.random.default_rng(0)
    groups, y = np.repeat(np.arange(100), 10), np.repeat([0.0, 1.0, 2.0], [600, 398, 2])
    y = y[rng.permutation(1000)]
    task = tasks.get("classification")
    for split in (
        holdout(task, y, 0.2, 0, groups, None),
        *splitter(task, y, 5, 2, 0, groups, None),
    ):
        assert 0.15 < (split == 1).mean() < 0.25


def test_a_part_of_the_rows_keeps_the_shares_and_the_rare_classes():
    y = np.repeat([0, 1, 2], [900, 90, 10])
    chosen = subset(y, 100, True, np.random.default_rng(0))
    assert len(set(chosen)) == 100
    np.testing.assert_allclose(np.bincount(y[chosen]), [89, 8, 3], atol=1)


@pytest.mark.parametrize("name", TARGETS)
def test_a_thinned_split_trains_on_two_thirds_of_its_rows(name):
    task, y = tasks.get(name), TARGETS[name]
    split = holdout(task, y, 0.25, 0, None, None)
    thin = thinned(task, y, split, 60, 1)
    assert (np.sum(thin == 0), np.sum(thin == 1), np.sum(thin == 2)) == (40, 20, 60)
    assert (thin[thin != 2] == split[thin != 2]).all()
    assert (thinned(task, y, split, 60, 2) != thin).any()
    assert thinned(task, y, split, N, 1) is split
