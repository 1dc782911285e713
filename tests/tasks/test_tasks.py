"""Tasks: scores against scikit-learn, intervals against published figures, splits by property."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss, r2_score

from selector import tasks
from selector.errors import DataError, OptionError
from selector.tasks.metrics import METRICS, counted_rows

CLASSES = tasks.get("classification")
NUMBERS = tasks.get("regression")


def probabilities(n: int, k: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(k), size=n)


def test_get_names_what_is_allowed():
    with pytest.raises(
        OptionError, match=r"classification, regression\. Did you mean 'regression'"
    ):
        tasks.get("regresion")


def test_classification_agrees_with_scikit_learn():
    y = np.random.default_rng(1).integers(0, 4, 80).astype(float)
    p = probabilities(80, 4)
    assert CLASSES.score(y, p) == pytest.approx(accuracy_score(y, p.argmax(axis=1)))
    assert CLASSES.loss(y, p) == pytest.approx(log_loss(y, p))
    assert CLASSES.row_scores(y, p).mean() == pytest.approx(CLASSES.score(y, p))


def test_loss_of_a_certain_mistake_is_finite():
    p = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert CLASSES.loss(np.array([0.0, 1.0]), p) == pytest.approx(-np.log(1e-7) / 2)


def test_regression_agrees_with_scikit_learn():
    rng = np.random.default_rng(2)
    y = rng.normal(size=60)
    p = y + rng.normal(size=60)
    assert NUMBERS.score(y, p) == pytest.approx(r2_score(y, p))
    assert NUMBERS.score(y, p[:, None]) == pytest.approx(r2_score(y, p))
    assert NUMBERS.loss(y, p) == pytest.approx(1 - r2_score(y, p))
    assert NUMBERS.row_scores(y, p).shape == (60,)


def test_constant_truth_gives_finite_scores():
    y = np.full(5, 3.0)
    assert NUMBERS.score(y, y) == 1.0
    assert np.isfinite(NUMBERS.score(y, y + 1))
    assert np.isfinite(NUMBERS.interval(y, y + 1)).all()


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),
        (10, 10, 0.6915, 1.0),
        (8, 10, 0.4439, 0.9748),
        (81, 263, 0.2527, 0.3676),
    ],
)
def test_clopper_pearson(right, n, low, high):
    p = np.zeros((n, 2))
    p[:right, 0] = 1.0
    p[right:, 1] = 1.0
    assert CLASSES.interval(np.zeros(n), p) == pytest.approx((low, high), abs=2e-4)


def test_bootstrap_interval_holds_the_score_and_repeats():
    rng = np.random.default_rng(3)
    y = rng.normal(size=200)
    p = y + rng.normal(size=200) * 0.5
    low, high = NUMBERS.interval(y, p)
    assert low < NUMBERS.score(y, p) < high < 1
    assert (low, high) == NUMBERS.interval(y, p)
    wide = NUMBERS.interval(y[:20], p[:20])
    assert wide[1] - wide[0] > high - low
    narrow = NUMBERS.interval(y, p, level=0.5)
    assert narrow[1] - narrow[0] < high - low


def test_baselines():
    prior = CLASSES.baseline(np.array([0.0, 0.0, 0.0, 1.0]), 3, classes=3)
    assert prior.tolist() == [[0.75, 0.25, 0.0]] * 3
    mean = NUMBERS.baseline(np.array([1.0, 3.0]), 2)
    assert mean.tolist() == [2.0, 2.0]
    y = np.array([1.0, 5.0, 6.0])
    assert NUMBERS.score(y, NUMBERS.baseline(y, 3)) == pytest.approx(0.0)


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(2, 30), min_size=2, max_size=8),
    share=st.floats(0.05, 0.6),
    seed=st.integers(0, 5),
)
def test_holdout_keeps_every_class_in_training(counts, share, seed):
    y = np.repeat(np.arange(len(counts)), counts).astype(float)
    split = CLASSES.holdout(y, share, seed)
    assert split.dtype == np.int8
    assert set(y[split == 0]) == set(y)
    wanted = max(1, round(share * len(y)))
    assert (split == 1).sum() == min(wanted, len(y) - len(counts))
    for c, count in enumerate(counts):
        room = count - 1
        if (split == 1).sum() == wanted and share * count <= room:
            assert abs((split[y == c] == 1).sum() - share * count) <= len(counts)


def test_holdout_is_stratified_and_seeded():
    y = np.repeat([0.0, 1.0], [90, 10])
    split = CLASSES.holdout(y, 0.2, 7)
    assert (split[y == 1] == 1).sum() == 2
    assert (split == CLASSES.holdout(y, 0.2, 7)).all()
    assert (split != CLASSES.holdout(y, 0.2, 8)).any()


def test_holdout_of_single_rows_is_refused():
    with pytest.raises(DataError, match="no class has two rows"):
        CLASSES.holdout(np.arange(4.0), 0.2, 0)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 200), share=st.floats(0.01, 0.99), seed=st.integers(0, 5))
def test_regression_holdout_has_both_parts(n, share, seed):
    y = np.random.default_rng(seed).normal(size=n)
    split = NUMBERS.holdout(y, share, seed)
    assert (split == 1).sum() == np.clip(round(share * n), 1, n - 1)


def test_regression_holdout_spreads_over_the_range():
    y = np.arange(100.0)
    for seed in range(5):
        assert abs(y[NUMBERS.holdout(y, 0.2, seed) == 1].mean() - y.mean()) < 3


def test_splitter_covers_every_row_once_in_each_repeat():
    y = np.repeat([0.0, 1.0, 2.0], [20, 15, 5])
    splits = CLASSES.splitter(y, folds=5, repeats=3, seed=0)
    assert len(splits) == 15
    for repeat in range(3):
        assert (sum(s.astype(int) for s in splits[5 * repeat : 5 * repeat + 5]) == 1).all()
    for split in splits:
        assert split.dtype == np.int8
        assert set(y[split == 0]) == set(y[split == 1]) == {0.0, 1.0, 2.0}
    again = CLASSES.splitter(y, folds=5, repeats=3, seed=0)
    assert all((a == b).all() for a, b in zip(splits, again, strict=True))


def test_splitter_lowers_the_folds_to_the_smallest_class():
    y = np.repeat([0.0, 1.0], [20, 3])
    assert len(CLASSES.splitter(y, folds=10, repeats=2, seed=0)) == 6
    single = np.repeat([0.0, 1.0, 2.0], [20, 3, 1])
    assert len(CLASSES.splitter(single, folds=10, repeats=1, seed=0)) == 3
    assert len(NUMBERS.splitter(np.arange(4.0), folds=10, repeats=1, seed=0)) == 4
    with pytest.raises(DataError, match="no class has two rows"):
        CLASSES.splitter(np.arange(4.0), folds=2, repeats=1, seed=0)


RARE = np.array([0.0] * 90 + [1.0] * 10)


def shares(right_of_common: int, right_of_rare: int) -> np.ndarray:
    """Return probabilities that are right in so many rows of each class."""
    said = RARE.copy()
    said[right_of_common:90] = 1.0
    said[90 + right_of_rare :] = 0.0
    return np.stack([0.9 - 0.8 * said, 0.1 + 0.8 * said], axis=1)


def test_a_rare_class_counts_as_much_in_balanced_accuracy():
    p = shares(81, 4)
    assert tasks.get("classification").score(RARE, p) == pytest.approx(0.85)
    balanced = tasks.get("classification", "balanced_accuracy")
    assert balanced.score(RARE, p) == pytest.approx((0.9 + 0.4) / 2)
    low, high = balanced.interval(RARE, p)
    assert low < 0.65 < high
    assert high - low > 0.2, "ten rows of the rare class leave it open"
    assert tasks.get("classification").metric == "accuracy", "the usual task has changed"


@pytest.mark.parametrize("metric", METRICS["classification"])
def test_every_metric_prefers_the_better_predictions(metric):
    task = tasks.get("classification", metric)
    good, poor, none = shares(88, 9), shares(60, 5), np.tile([0.9, 0.1], (100, 1))
    assert task.score(RARE, good) > task.score(RARE, poor)
    assert task.score(RARE, good) > task.score(RARE, none)
    low, high = task.interval(RARE, good)
    assert low <= task.score(RARE, good) <= high
    assert low < high


@pytest.mark.parametrize("classes", [2, 4])
def test_scores_are_those_of_scikit_learn(classes):
    from sklearn import metrics as known

    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, 150)
    p = np.round(rng.dirichlet(np.ones(classes), 150) + 0.01, 1)  # with ties
    p[p.sum(axis=1) == 0] = 1.0
    p /= p.sum(axis=1, keepdims=True)
    names = METRICS["classification"]
    scored = {m: tasks.get("classification", m).score(y.astype(float), p) for m in names}
    said, shown = p.argmax(axis=1), p[:, 1] if classes == 2 else p
    assert scored["roc_auc"] == pytest.approx(known.roc_auc_score(y, shown, multi_class="ovr"))
    assert scored["balanced_accuracy"] == pytest.approx(known.balanced_accuracy_score(y, said))
    assert scored["f1_macro"] == pytest.approx(known.f1_score(y, said, average="macro"))


def test_a_metric_of_another_task_is_refused():
    with pytest.raises(OptionError, match="Allowed: r2"):
        tasks.get("regression", "roc_auc")


def test_balanced_accuracy_is_as_noisy_as_few_rows():
    assert counted_rows("accuracy", 100, (90, 10)) == 100
    assert counted_rows("balanced_accuracy", 100, (50, 50)) == 100
    assert counted_rows("balanced_accuracy", 100, (90, 10)) == 36


def test_rare_rows_that_are_all_right_are_not_known_to_be_always_right():
    task = tasks.get("classification", "balanced_accuracy")
    y = np.array([0.0] * 95 + [1.0] * 5)
    p = np.stack([1 - y, y], axis=1)
    low, high = task.interval(y, p)
    assert high == task.score(y, p) == 1.0
    assert 0.7 < low < 0.95, "five of five leave a recall of two thirds possible"
    low, high = task.interval(np.repeat([0.0, 1.0], 500), np.repeat(np.eye(2), 500, axis=0))
    assert low > 0.99


@pytest.mark.parametrize("metric", ["f1_macro", "roc_auc"])
def test_no_interval_is_one_point_where_all_is_right(metric):
    y = np.array([0.0] * 30 + [1.0] * 10)
    low, high = tasks.get("classification", metric).interval(y, np.stack([1 - y, y], axis=1))
    assert high == 1.0
    assert low == pytest.approx(0.6915, abs=1e-3), "ten of ten (Clopper and Pearson)"


def test_the_interval_of_a_balanced_accuracy_holds_the_truth():
    rng = np.random.default_rng(0)
    task, held = tasks.get("classification", "balanced_accuracy"), 0
    y = np.array([0] * 80 + [1] * 12)
    for _ in range(200):
        said = np.where(rng.random(len(y)) < np.where(y, 0.8, 0.9), y, 1 - y)
        low, high = task.interval(y.astype(float), np.eye(2)[said])
        held += low <= 0.85 <= high
    assert held >= 182


def test_the_interval_of_many_rows_is_that_of_resampling(monkeypatch):
    rng = np.random.default_rng(2)
    y = rng.gamma(2.0, size=3000)
    p = y + rng.normal(0, 0.8, 3000)
    drawn = np.array(NUMBERS.interval(y, p))
    monkeypatch.setattr("selector.tasks.regression.MANY_ROWS", 2000)
    normal = np.array(NUMBERS.interval(y, p))
    np.testing.assert_allclose(normal, drawn, atol=0.15 * (drawn[1] - drawn[0]))


def test_a_perfect_log_loss_has_no_interval_above_its_highest_value():
    y, p = np.repeat([0.0, 1.0], 20), np.repeat(np.eye(2), 20, axis=0)
    low, high = tasks.get("classification", "neg_log_loss").interval(y, p)
    assert low <= high <= 0.0
    low, high = tasks.get("classification", "roc_auc").interval(y, p)
    assert low < high <= 1.0
