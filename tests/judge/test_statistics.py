"""The posterior against numeric integration and published properties."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from selector.errors import OptionError
from selector.judge.statistics import Posterior, VariancePrior, accuracy_prior, correlated_t

DIFFERENCES = [0.02, 0.05, -0.01, 0.04, 0.03]

differences = st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=12)


def test_correlated_t_is_the_published_test() -> None:
    posterior = correlated_t(DIFFERENCES, 0.25)
    assert posterior.df == 4.0
    assert posterior.loc == pytest.approx(np.mean(DIFFERENCES))
    expected = np.std(DIFFERENCES, ddof=1) * math.sqrt(1 / 5 + 0.25)
    assert posterior.scale == pytest.approx(expected)


def test_without_overlap_it_is_the_ordinary_t_test() -> None:
    posterior = correlated_t(DIFFERENCES, 0.0)
    p = stats.ttest_1samp(DIFFERENCES, 0.0, alternative="greater").pvalue
    assert posterior.probability_above(0.0) == pytest.approx(1.0 - p)


@pytest.mark.parametrize("df", [1.5, 2.0, 4.0, 9.0, 40.0])
@pytest.mark.parametrize("loc", [-0.05, 0.0, 0.02, 0.3])
@pytest.mark.parametrize("threshold", [-0.02, 0.0, 0.01])
def test_against_numeric_integration(df: float, loc: float, threshold: float) -> None:
    posterior = Posterior(df, loc, 0.03)
    density = stats.t(df, loc, 0.03).pdf
    above = stats.t(df, loc, 0.03).sf(threshold)
    assert posterior.probability_above(threshold) == pytest.approx(above, abs=1e-9)
    within, _ = integrate.quad(density, -0.01, 0.01)
    assert posterior.probability_within(-0.01, 0.01) == pytest.approx(within, abs=1e-7)
    near, _ = integrate.quad(lambda d: (d - threshold) * density(d), threshold, threshold + 1.0)
    far, _ = integrate.quad(
        lambda d: (d - threshold) * density(d), threshold + 1.0, np.inf, limit=200
    )
    assert posterior.expected_excess(threshold) == pytest.approx(near + far, rel=1e-5, abs=1e-8)


@given(differences, st.floats(0.0, 1.0), st.floats(-0.1, 0.1))
def test_exchanging_the_models_mirrors_everything(
    values: list[float], ratio: float, x: float
) -> None:
    one = correlated_t(values, ratio)
    other = correlated_t([-v for v in values], ratio)
    assert one.probability_above(x) == pytest.approx(1.0 - other.probability_above(-x), abs=1e-9)
    if one.df > 1.0:
        # E[max(0, d)] - E[max(0, -d)] = E[d]
        assert one.expected_excess() - other.expected_excess() == pytest.approx(one.loc, abs=1e-7)


@given(differences, st.floats(0.0, 1.0))
def test_monotone_in_the_threshold(values: list[float], ratio: float) -> None:
    posterior = correlated_t(values, ratio)
    steps = np.linspace(-0.5, 0.5, 11)
    above = [posterior.probability_above(x) for x in steps]
    assert all(a >= b for a, b in itertools.pairwise(above))
    if posterior.df > 1.0:
        excess = [posterior.expected_excess(x) for x in steps]
        assert all(a >= b - 1e-9 for a, b in itertools.pairwise(excess))


def test_overlapping_training_parts_make_it_less_sure() -> None:
    sure = [correlated_t(DIFFERENCES, r).probability_above(0.0) for r in (0.0, 0.1, 0.25, 1.0)]
    assert sure == sorted(sure, reverse=True)
    assert sure[0] > sure[-1]


def test_equal_differences_are_no_certainty_where_rows_are_few() -> None:
    exact = correlated_t([0.125] * 3, 0.25)
    assert exact.scale == 0.0
    assert exact.probability_above(0.01) == 1.0
    assert exact.probability_above(0.125) == 0.5
    assert exact.expected_excess(0.04) == pytest.approx(0.085)
    assert exact.interval() == (pytest.approx(0.125), pytest.approx(0.125))
    floored = correlated_t([0.125] * 3, 0.25, minimal_scale=1 / 30)
    assert floored.scale == pytest.approx(1 / 30)
    assert 0.5 < floored.probability_above(0.01) < 0.99


def test_one_degree_of_freedom_has_no_mean() -> None:
    posterior = correlated_t([0.0, 0.1], 0.25)
    assert posterior.expected_excess() == math.inf
    assert 0.5 < posterior.probability_above(0.0) < 1.0


def test_interval_holds_its_share() -> None:
    posterior = correlated_t(DIFFERENCES, 0.25)
    low, high = posterior.interval(0.9)
    assert posterior.probability_within(low, high) == pytest.approx(0.9)
    assert (low + high) / 2 == pytest.approx(posterior.loc)


def test_a_prior_pools_variances_by_degrees_of_freedom() -> None:
    own = np.var(DIFFERENCES, ddof=1)
    posterior = correlated_t(DIFFERENCES, 0.25, prior=VariancePrior(0.01, 4.0))
    assert posterior.df == 8.0
    assert posterior.scale == pytest.approx(math.sqrt((own + 0.01) / 2 * 0.45))


def test_accuracy_prior_is_the_variance_of_counting() -> None:
    rng = np.random.default_rng(0)
    first = rng.random((40_000, 25)) < 0.9
    second = rng.random((40_000, 25)) < 0.7
    measured = np.var(first.mean(1) - second.mean(1))
    assert accuracy_prior(0.9, 0.7, 25).variance == pytest.approx(measured, rel=0.03)
    assert accuracy_prior(1.0, 1.0, 25).variance == 0.0


@pytest.mark.parametrize("values", [[], [0.1], [0.1, math.nan], [0.1, math.inf]])
def test_too_few_or_no_numbers_are_refused(values: list[float]) -> None:
    with pytest.raises(OptionError, match="at least two finite differences"):
        correlated_t(values, 0.25)


@pytest.mark.parametrize("ratio", [-0.1, math.nan, math.inf])
def test_a_bad_ratio_is_refused(ratio: float) -> None:
    with pytest.raises(OptionError, match="test_train_ratio"):
        correlated_t(DIFFERENCES, ratio)


def test_coverage_is_honest_where_splits_are_independent() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(2000):
        low, high = correlated_t(rng.normal(0.03, 0.05, 5), 0.0).interval(0.9)
        inside += low <= 0.03 <= high
    assert 0.88 < inside / 2000 < 0.92
