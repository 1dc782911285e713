"""The minGRU layer against loops in plain NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from selector_rnn.min_gru_layer import MinGRU, linear_scan


def by_hand(layer: MinGRU, x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Step by step, each series alone and without its padding; zeros at masked steps."""
    weights = (layer.gate_kernel, layer.gate_bias, layer.kernel, layer.bias)
    gate_kernel, gate_bias, kernel, bias = (
        keras.ops.convert_to_numpy(w.value).astype(float) for w in weights
    )
    states = np.zeros((*x.shape[:2], layer.units))
    half = -(-layer.units // 2) if layer.bidirectional else layer.units
    for row, length in enumerate(lengths):
        for unit in range(layer.units):
            state, order = 0.0, range(length)
            for t in order if unit < half else reversed(order):
                z = 1 / (1 + np.exp(-(x[row, t] @ gate_kernel[:, unit] + gate_bias[unit])))
                state = (1 - z) * state + z * (x[row, t] @ kernel[:, unit] + bias[unit])
                states[row, t, unit] = state
    return states


@pytest.mark.parametrize("bidirectional", [False, True])
def test_it_is_the_recurrence_it_says(bidirectional: bool) -> None:
    x = np.random.default_rng(0).normal(size=(3, 11, 4)).astype("float32")
    layer = MinGRU(5, bidirectional, memory=8)
    states = keras.ops.convert_to_numpy(layer(x))
    layer.bias.assign(np.linspace(-1, 1, 5))
    states = keras.ops.convert_to_numpy(layer(x))
    np.testing.assert_allclose(states, by_hand(layer, x, np.full(3, 11)), atol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_masked_steps_carry_the_state(bidirectional: bool) -> None:
    x = np.random.default_rng(0).normal(size=(3, 11, 4)).astype("float32")
    lengths = np.array([11, 1, 6])
    mask = np.arange(11) < lengths[:, None]
    x[~mask] = np.nan
    layer = MinGRU(6, bidirectional)
    layer.build(x.shape)
    layer.bias.assign(np.linspace(-1, 1, 6))
    states = keras.ops.convert_to_numpy(layer(x, mask=mask))
    expected = by_hand(layer, x, lengths)
    np.testing.assert_allclose(states[mask], expected[mask], atol=1e-5)
    forward = 3 if bidirectional else 6
    last = states[[0, 1, 2], lengths - 1, :forward]
    np.testing.assert_array_equal(states[:, -1, :forward], last)
    assert (states[1, 1:, forward:] == 0).all()


def test_its_gradient_is_that_of_the_unrolled_loop() -> None:
    jax = pytest.importorskip("jax")
    rng = np.random.default_rng(0)
    kept, added, weight = rng.uniform(0.1, 1, (3, 2, 9, 4)).astype("float32")

    def unrolled(kept, added):
        state, total = 0.0, 0.0
        for t in range(9):
            state = kept[:, t] * state + added[:, t]
            total += (weight[:, t] * state**2).sum()
        return total

    def scanned(kept, added):
        return (weight * linear_scan(kept, added) ** 2).sum()

    for mine, theirs in zip(
        jax.grad(scanned, (0, 1))(kept, added),
        jax.grad(unrolled, (0, 1))(kept, added),
        strict=True,
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_its_gates_start_at_rates_up_to_the_memory() -> None:
    layer = MinGRU(8, bidirectional=True, memory=100)
    layer.build((None, None, 3))
    rates = 1 / (1 + np.exp(-keras.ops.convert_to_numpy(layer.gate_bias.value)))
    np.testing.assert_allclose(rates[:4], rates[4:])
    assert rates[0] == pytest.approx(0.5)
    assert rates[3] == pytest.approx(0.01, rel=1e-3)


def test_it_counts_its_multiply_adds() -> None:
    assert MinGRU(6).count_macs((10, 4), (10, 6)) == 10 * 6 * (2 * 4 + 2)
