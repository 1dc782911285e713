"""The fixed features: MiniRocket as published, the reservoir's echo."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from forms import ARCHITECTURES, PROFILES, feature_model, profile

from selector.contract import IMAGE_AXES, SERIES_AXES
from selector_cnn.layers import KERNELS, MiniRocketTransform, dilations_for
from selector_rnn.layers import GROUPS, EchoStateCell

pytestmark = pytest.mark.usefixtures("compiled_quickly")


def by_hand(x: np.ndarray, layer: MiniRocketTransform) -> np.ndarray:
    """MiniRocket in plain loops, for one channel and series of one length."""
    out = []
    for i, (dilation, count) in enumerate(layer.dilations):
        biases = np.asarray(layer.biases[i].value)
        reach = 4 * dilation
        block = np.zeros((len(x), 84, count))
        for k in range(84):
            for row, series in enumerate(x[:, :, 0]):
                around = np.pad(series, reach)
                response = np.array(
                    [
                        sum(KERNELS[k, j] * around[t + j * dilation] for j in range(9))
                        for t in range(len(series))
                    ]
                )
                if (k + i) % 2 and len(series) > 2 * reach:
                    response = response[reach:-reach]
                block[row, k] = [(response > b).mean() for b in biases[k]]
        out.append(block.reshape(len(x), -1))
    return np.concatenate(out, axis=1)


def test_there_are_84_kernels_that_sum_to_zero() -> None:
    assert KERNELS.shape == (84, 9)
    assert len({tuple(k) for k in KERNELS}) == 84
    assert (KERNELS.sum(axis=1) == 0).all()


@pytest.mark.parametrize("length", [3, 9, 24, 150, 1500])
def test_dilations_fit_and_share_the_features(length: int) -> None:
    dilations = dilations_for(length, 9996)
    assert sum(count for _, count in dilations) == 119
    assert dilations[0][0] == 1
    assert all(8 * d < max(length, 9) for d, _ in dilations)
    assert [d for d, _ in dilations] == sorted({d for d, _ in dilations})


@pytest.mark.parametrize("length", [6, 30])
def test_minirocket_equals_plain_loops(length: int) -> None:
    x = np.random.default_rng(0).normal(size=(3, length, 1)).astype("float32")
    layer = MiniRocketTransform(420, length)
    layer(x)
    layer.adapt(x)
    difference = np.abs(np.asarray(layer(x)) - by_hand(x, layer))
    # A value that equals its bias, as quantiles do, may fall on either side.
    assert (difference < 1e-5).mean() > 0.98
    assert difference.max() < 2.01 / max(length - 8 * layer.dilations[-1][0], 3)


@pytest.mark.parametrize(("channels", "ragged"), [(1, False), (1, True), (3, True), (6, True)])
def test_minirocket_of_a_batch_is_that_of_each_series(
    channels: int, ragged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether series are gone through together, a few at a time, or alone and unpadded."""
    from selector_cnn import layers

    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 44, channels)).astype("float32")
    lengths = np.array([12, 44, 29, 12, 29, 44]) if ragged else np.full(6, 44)
    mask = np.arange(44) < lengths[:, None]
    layer = MiniRocketTransform(420, 44)
    layer.build(x.shape)
    layer.adapt(x, mask)
    together = np.asarray(layer(x, mask=mask if ragged else None))
    assert np.ptp(together) > 0.5
    monkeypatch.setattr(layers, "ROW_STEPS", 90)
    few = np.asarray(layer(x, mask=mask if ragged else None))
    alone = [np.asarray(layer(x[i : i + 1, :n]))[0] for i, n in enumerate(lengths)]
    # A value that equals its bias, as quantiles do, may fall on either side.
    for other in (few, np.stack(alone)):
        assert (np.abs(other - together) < 1e-5).mean() > 0.99
        assert np.abs(other - together).max() < 0.5


def test_minirocket_finds_a_motif_that_means_do_not_show() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 60, 1)).astype("float32")
    motif = np.array([3, -3, 3, -3, 0, 3, 3, -3, -3], dtype="float32")
    y = np.arange(160) % 2
    for row, start in enumerate(rng.integers(0, 50, size=160)):
        x[row, start : start + 9, 0] += motif if y[row] else motif[::-1]
    layer = MiniRocketTransform(2520, 60)
    layer(x[:2])
    layer.adapt(x[:100])
    features = np.asarray(layer(x))
    features = features - features[:100].mean(axis=0)
    targets = 2.0 * y[:100] - 1
    gram = features[:100] @ features[:100].T
    dual = np.linalg.solve(gram + 10 * np.eye(100), targets)
    predicted = features[100:] @ features[:100].T @ dual > 0
    assert (predicted == y[100:]).mean() > 0.8


def weights(model: keras.Model) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(w.value) for w in model.weights]


def test_adapt_takes_only_what_it_is_given() -> None:
    p, architecture = PROFILES["multivariate series"], ARCHITECTURES["cnn.minirocket"]
    model = feature_model(architecture, architecture.portfolio(p)[0], p)
    x = np.random.default_rng(0).normal(size=(5, 100, 6)).astype("float32")
    architecture.adapt(model, x, None)
    first = weights(model)
    architecture.adapt(model, 7 * x, None)
    biases = model.layers[-1].biases
    assert all(np.abs(np.asarray(b.value)).max() > 1 for b in biases)
    changed = [not np.allclose(a, b) for a, b in zip(first, weights(model), strict=True)]
    assert sum(changed) == len(biases)
    assert model.count_params() == sum(w.size for w in first)
    assert not model.trainable_weights


def test_the_reservoir_has_the_spectral_radius_asked_for() -> None:
    cell = EchoStateCell(40, spectral_radius=0.8, slowest=0.1)
    cell.build((None, 3))
    radius = np.abs(np.linalg.eigvals(np.asarray(cell.recurrent.value))).max()
    assert radius == pytest.approx(0.8, abs=1e-4)
    leak = np.unique(np.round(np.asarray(cell.leak.value), 6))
    assert len(leak) == GROUPS
    assert leak.min() == pytest.approx(0.1)
    assert leak.max() == pytest.approx(1.0)
    assert not cell.trainable_weights


def test_the_reservoir_is_the_recurrence_it_says() -> None:
    cell = EchoStateCell(12, seed=5)
    x = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    states = np.asarray(keras.layers.RNN(cell, return_sequences=True)(x))
    w, u, leak, bias = (
        np.asarray(v.value) for v in (cell.kernel, cell.recurrent, cell.leak, cell.bias)
    )
    state = np.zeros((2, 12))
    for t in range(6):
        state = (1 - leak) * state + leak * np.tanh(x[:, t] @ w + state @ u + bias)
        np.testing.assert_allclose(states[:, t], state, atol=1e-5)


def test_the_reservoir_is_the_same_every_time() -> None:
    p, architecture = PROFILES["multivariate series"], ARCHITECTURES["rnn.reservoir"]
    x = np.random.default_rng(0).normal(size=(2, 100, 6)).astype("float32")
    params = architecture.portfolio(p)[0]
    outputs = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        outputs.append(np.asarray(feature_model(architecture, params, p)([x])))
    np.testing.assert_array_equal(*outputs)
    assert outputs[0].shape == (2, 6 * params["units"])


def test_minirocket_counts_its_convolutions_and_comparisons() -> None:
    from selector_cnn.layers import MiniRocketTransform, dilations_for

    layer = MiniRocketTransform(length=50, features=840)
    biases = sum(count for _, count in dilations_for(50, 840))
    kernels = len(dilations_for(50, 840)) * 9 * 3 * 84
    assert layer.count_macs((50, 3), (84 * biases,)) == 50 * (kernels + 84 * biases)


@pytest.mark.parametrize(("length", "channels"), [(44, 12), (61, 5), (7, 23)])
@pytest.mark.parametrize("ragged", [False, True])
def test_channels_mixed_first_give_the_same_features(
    length: int, channels: int, ragged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values are whole numbers, and biases lie between them, so that nothing is rounded."""
    from selector_cnn import layers

    rng = np.random.default_rng(length)
    x = rng.integers(-4, 5, size=(5, length, channels)).astype("float32")
    mask = np.arange(length) < np.array([length, 1, length // 2, length - 1, 5])[:, None]
    layer = MiniRocketTransform(840, length)
    layer.build(x.shape)
    layer.adapt(x, mask if ragged else None)
    for bias in layer.biases:
        bias.assign(np.floor(np.asarray(bias.value)) + 0.5)
    mixed = np.asarray(layer(x, mask=mask if ragged else None))
    monkeypatch.setattr(layers, "MIXED_ABOVE", channels)
    gathered = np.asarray(layer(x, mask=mask if ragged else None))
    assert np.ptp(mixed) > 0.5
    np.testing.assert_allclose(mixed, gathered, atol=1e-6)


def test_many_channels_cost_one_multiply_add_each(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = MiniRocketTransform(length=62, features=840)
    kernels = 84 * len(dilations_for(62, 840))
    assert layer.count_macs((62, 144), (840,)) == 62 * (kernels * (144 + 9) + 840)
    assert layer.count_macs((62, 4), (840,)) == 62 * (kernels * 9 * 4 + 840)
    monkeypatch.delattr(MiniRocketTransform, "_gathered")
    assert layer(keras.ops.ones((1, 62, 144))).shape == (1, 840)


def test_minirocket_takes_fewer_features_of_many_channels() -> None:
    architecture = ARCHITECTURES["cnn.minirocket"]

    def features(*shape: int, n: int = 3_000) -> int:
        return architecture.portfolio(profile(SERIES_AXES, shape, n=n))[0]["features"]

    assert [features(62, channels) for channels in (1, 9, 144)] == [9996, 5040, 2520]


def test_the_reservoir_counts_the_rows_of_an_image() -> None:
    reservoir = ARCHITECTURES["rnn.reservoir"]
    assert reservoir.fit_for(profile(IMAGE_AXES, (2_000, 4, 1))).admitted
    refused = reservoir.fit_for(profile(IMAGE_AXES, (2_001, 4, 1)))
    assert not refused.admitted
    assert "2001" in refused.reason
    assert not reservoir.fit_for(profile(SERIES_AXES, (2_001, 1))).admitted
