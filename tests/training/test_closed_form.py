"""The closed-form head against scikit-learn and against leaving rows out by force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from selector.training.closed_form import (
    FEWEST_ROWS,
    MAX_ROWS,
    REACHED,
    decompose,
    fit_temperature,
    leave_one_out,
    operations,
    rows_within,
    solve,
    speed,
    standardise,
    weights,
)


def problem(n, p, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(3, 2, (n, p))
    return x, x @ rng.normal(size=p) / np.sqrt(p) + rng.normal(0, 0.5, n) + 20


@pytest.mark.parametrize(("n", "p"), [(30, 80), (80, 12), (25, 25)])
@pytest.mark.parametrize("alpha", [1e-3, 1.0, 100.0])
def test_equals_ridge(n, p, alpha):
    x, y = problem(n, p)
    z, _, _ = standardise(x)
    found = weights(decompose(z), z, y[:, None], alpha)[:, 0]
    ridge = Ridge(alpha=alpha).fit(z, y)
    np.testing.assert_allclose(found, ridge.coef_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("n", "p"), [(20, 50), (40, 6)])
@pytest.mark.parametrize("alpha", [1e-2, 1.0, 300.0])
def test_leave_one_out_is_exact(n, p, alpha):
    x, y = problem(n, p)
    z, _, _ = standardise(x)
    found = leave_one_out(decompose(z), y[:, None], alpha)[:, 0]
    for i in range(n):
        others = np.arange(n) != i
        brute = Ridge(alpha=alpha).fit(z[others], y[others]).predict(z[[i]])[0]
        assert found[i] == pytest.approx(brute, rel=1e-6)


@pytest.mark.parametrize(("n", "p"), [(40, 90), (90, 8)])
def test_folded_head_gives_the_ridge_prediction(n, p):
    x, y = problem(n, p)
    x[:, 0] = 4.0  # constant in training
    head = solve(x, y)
    assert head.temperature == 1
    assert head.kernel[0, 0] == 0
    z, _, _ = standardise(x)
    ridge = Ridge(alpha=head.alpha).fit(z, y)
    np.testing.assert_allclose((x @ head.kernel + head.bias)[:, 0], ridge.predict(z), rtol=1e-6)


def test_classification_is_right_and_calibrated():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 300)
    x = rng.normal(size=(300, 20)) + 1.2 * np.eye(20)[y]
    head = solve(x[:200], y[:200], classes=3)
    logits = x[200:] @ head.kernel + head.bias
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    right = p.argmax(1) == y[200:]
    assert right.mean() > 0.6
    assert abs(p.max(1).mean() - right.mean()) < 0.1
    best, least = fit_temperature(head.loo, y[:200])
    assert best == pytest.approx(head.temperature)
    assert least < fit_entropy(head.loo, y[:200], best * 3)
    assert least < fit_entropy(head.loo, y[:200], best / 3)


def fit_entropy(scores, y, t):
    z = scores / t
    log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
    return -log_p[np.arange(len(y)), y].mean()


def test_separable_data_keeps_a_finite_temperature():
    y = np.arange(20) % 2
    scores = np.where(y[:, None] == np.arange(2), 1.0, -1.0)
    temperature, _ = fit_temperature(scores, y)
    assert 0.05 < temperature < 5


def test_rows_are_bounded():
    assert rows_within(50_000, 100, math.inf) == 50_000
    assert rows_within(50_000, 60_000, math.inf) == MAX_ROWS
    assert rows_within(50_000, 60_000, 0.0) == FEWEST_ROWS
    assert rows_within(150, 60_000, 0.0) == 150
    within = operations(1000, 60_000) / (REACHED * speed())
    assert 880 <= rows_within(50_000, 60_000, within) <= 1000


def test_more_rows_than_features_are_bounded_by_the_time():
    def seconds(n, p):
        return operations(n, p) / (REACHED * speed())

    n, p = 6694, 5040
    assert operations(n, p) > 4 * n * p**2 + 12 * p**3  # two products, eigenvectors
    assert operations(p, p) < operations(p + 1, p)
    assert rows_within(n, p, 1.01 * seconds(n, p)) == n
    assert p < rows_within(n, p, 0.95 * seconds(n, p)) < n
    assert rows_within(n, p, 0.8 * seconds(p, p)) <= MAX_ROWS
    within = seconds(1000, p)
    assert 880 <= rows_within(n, p, within) <= 1000
    assert rows_within(n, p, 0.0) == FEWEST_ROWS
    assert 36_000 <= rows_within(50_000, 100, seconds(40_000, 100)) <= 40_000
