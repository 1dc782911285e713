"""Layers for clips: equal to the standard ones, forward and backward, and put back on saving."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from selector.training import cost, layers

pytestmark = pytest.mark.usefixtures("numpy_weights")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 5, 6, 7, 2)).astype("float32")
# Keras reads weights by ``np.array(variable)``, of which NumPy 2 complains.
SAVING = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
PAIRS = {
    "convolution": (layers.Conv3DByFrames(4, (3, 3, 3), padding="same", activation="tanh"), "conv"),
    "even kernel": (layers.Conv3DByFrames(4, (2, 4, 3), padding="same"), "conv"),
    "frame by frame": (layers.Conv3DByFrames(4, (1, 3, 3), padding="same", use_bias=False), "conv"),
    "last map": (layers.ConvLSTM2DByProducts(4, 3), "lstm"),
    "all maps": (layers.ConvLSTM2DByProducts(4, 3, use_bias=False, return_sequences=True), "lstm"),
    "pooling": (layers.MaxPool3DByReshape((2, 2, 3)), "pool"),
}
GRADIENTS = ("convolution", "last map", "pooling")  # each costs seconds of compilation
STANDARD = {
    "conv": keras.layers.Conv3D,
    "lstm": keras.layers.ConvLSTM2D,
    "pool": keras.layers.MaxPooling3D,
}


def pair(name: str) -> tuple[Any, Any]:
    """Return a model of the layer and one of the standard layer in its place."""
    kind = type(PAIRS[name][0])
    x = keras.Input(X.shape[1:])
    model = keras.Model(x, kind.from_config(PAIRS[name][0].get_config())(x))
    for weight in model.weights:
        weight.assign(RNG.normal(size=weight.shape) * 0.4)
    return model, layers.with_standard_layers(model)


def gradients(model: Any) -> Any:
    import jax

    trained = [v.value for v in model.trainable_variables]

    def loss(weights: Any, x: Any) -> Any:
        out, _ = model.stateless_call(weights, [v.value for v in model.non_trainable_variables], x)
        return (out**2 * np.arange(1, out[0].size + 1).reshape(out.shape[1:])).mean()

    return jax.jit(jax.grad(loss, argnums=(0, 1)))(trained, X)


@pytest.mark.parametrize("name", PAIRS)
def test_function_and_gradient_are_those_of_the_standard_layer(name: str) -> None:
    import jax

    model, standard = pair(name)
    assert type(standard.layers[1]) is STANDARD[PAIRS[name][1]]
    assert standard.output_shape == model.output_shape
    out, expected = (np.asarray(jax.jit(m)(X)) for m in (model, standard))
    assert out.shape[1:] == model.output_shape[1:]
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(out, expected, atol=1e-5)
    if name in GRADIENTS:
        ours, theirs = gradients(model), gradients(standard)
        for mine, other in zip([*ours[0], ours[1]], [*theirs[0], theirs[1]], strict=True):
            assert np.abs(other).max() > 0
            np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-3 * np.abs(other).max())


@SAVING
@pytest.mark.parametrize("name", PAIRS)
def test_saved_and_loaded_as_they_are(name: str, tmp_path: Any) -> None:
    model, _ = pair(name)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert type(loaded.layers[1]) is type(model.layers[1])
    np.testing.assert_array_equal(np.asarray(loaded(X)), np.asarray(model(X)))


def test_multiply_adds_are_counted_at_every_position_and_step() -> None:
    positions = 5 * 6 * 7
    assert cost.multiply_adds(pair("convolution")[0]) == 27 * 2 * 4 * positions
    assert cost.multiply_adds(pair("frame by frame")[0]) == 9 * 2 * 4 * positions
    lstm = 9 * (2 + 4) * 16 * positions
    assert cost.multiply_adds(pair("last map")[0]) == lstm
    assert cost.multiply_adds(pair("all maps")[0]) == lstm
    assert cost.multiply_adds(pair("pooling")[0]) == 0


def test_a_block_pools_before_it_normalises() -> None:
    x = keras.Input((5, 6, 7, 2))
    model = keras.Model(x, layers.conv3d_block(x, 8, (3, 3, 3), (2, 2, 2)))
    out = np.asarray(model(X, training=True))
    assert out.shape == (3, 2, 3, 3, 8)
    assert out.min() == 0
    bare = keras.Model(x, layers.conv3d_block(x, 8, (1, 3, 3)))
    assert bare.output_shape == (None, 5, 6, 7, 8)
