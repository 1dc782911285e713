"""Layers made for speed: equal to Keras's in value, gradient, statistics, and when saved."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selector.training import cost, layers
from selector.training.layers.convolve import _parts
from selector.training.layers.standard import STANDARD

RNG = np.random.default_rng(0)
EQUAL = {"rtol": 1e-4, "atol": 2e-5}
# Keras reads weights by ``np.array(variable)``, of which NumPy 2 complains.
pytestmark = pytest.mark.usefixtures("numpy_weights", "compiled_quickly")
SAVING = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
FEW = settings(max_examples=10, deadline=None, derandomize=True)


def value_and_gradients(layer: Any, x: np.ndarray, **given: Any) -> tuple[Any, Any, list[Any]]:
    """Return the output, and the gradients of a smooth function of it by inputs and weights."""

    def loss(inputs: Any, weights: Any) -> Any:
        fixed = [v.value for v in layer.non_trainable_variables]
        out, _ = layer.stateless_call(weights, fixed, inputs, **given)
        return (jax.numpy.sin(out) * scale).sum(), out

    shape = layer.compute_output_shape(x.shape)
    scale = np.random.default_rng(7).normal(size=shape).astype("float32")
    weights = [v.value for v in layer.trainable_variables]
    (by_x, by_w), out = jax.jit(jax.grad(loss, (0, 1), has_aux=True))(x, weights)
    return np.asarray(out), np.asarray(by_x), [np.asarray(w) for w in by_w]


def check_equal(fast: Any, standard: Any, x: np.ndarray, **given: Any) -> None:
    """Compare two layers with the same, random weights."""
    for layer in (fast, standard):
        layer.build(x.shape)
    rng = np.random.default_rng(5)
    for one, other in zip(fast.weights, standard.weights, strict=True):
        assert one.shape == other.shape
        assert one.name == other.name
        values = rng.uniform(0.5, 1.5, one.shape) * rng.choice([-1, 1], one.shape)
        for weight in (one, other):
            weight.assign(np.abs(values) if "variance" in one.name else values)
    ours, theirs = (value_and_gradients(layer, x, **given) for layer in (fast, standard))
    np.testing.assert_allclose(ours[0], theirs[0], **EQUAL)
    np.testing.assert_allclose(ours[1], theirs[1], **EQUAL)
    assert len(ours[2]) == len(theirs[2])
    for one, other in zip(ours[2], theirs[2], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
    assert tuple(fast.compute_output_shape(x.shape)) == ours[0].shape


@FEW
@given(
    batch=st.integers(1, 19), steps=st.integers(12, 25), channels=st.integers(1, 5),
    kernel=st.integers(1, 6), stride=st.integers(1, 3), dilation=st.integers(1, 2),
    padding=st.sampled_from(["same", "valid"]), separable=st.booleans(), bias=st.booleans(),
)  # fmt: skip
def test_one_dimensional_convolutions_equal_the_standard_ones(
    batch: int, steps: int, channels: int, kernel: int, stride: int, dilation: int,
    padding: str, separable: bool, bias: bool,
) -> None:  # fmt: skip
    dilation = dilation if stride == 1 else 1
    common = {
        "strides": stride, "dilation_rate": dilation, "padding": padding, "use_bias": bias,
        "activation": "tanh",
    }  # fmt: skip
    x = np.random.default_rng(batch).normal(size=(batch, steps, channels)).astype("float32")
    if separable:
        fast = layers.SeparableConv1DByShifts(4, kernel, **common)
        check_equal(fast, keras.layers.SeparableConv1D(4, kernel, **common), x)
    else:
        fast = layers.DepthwiseConv1DByShifts(kernel, **common)
        check_equal(fast, keras.layers.DepthwiseConv1D(kernel, **common), x)


@FEW
@given(
    batch=st.integers(1, 9), height=st.integers(5, 11), width=st.integers(5, 11),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 4)), stride=st.integers(1, 3),
    dilation=st.integers(1, 2), padding=st.sampled_from(["same", "valid"]),
)  # fmt: skip
def test_two_dimensional_convolutions_equal_the_standard_ones(
    batch: int, height: int, width: int, kernel: tuple[int, int], stride: int, dilation: int,
    padding: str,
) -> None:  # fmt: skip
    dilation = dilation if stride == 1 and (max(kernel) - 1) * 2 < min(height, width) else 1
    common = {"strides": stride, "dilation_rate": dilation, "padding": padding}
    x = np.random.default_rng(batch).normal(size=(batch, height, width, 3)).astype("float32")
    fast = layers.DepthwiseConv2DByShifts(kernel, **common)
    check_equal(fast, keras.layers.DepthwiseConv2D(kernel, **common), x)


@FEW
@given(
    batch=st.integers(1, 9), steps=st.integers(1, 12), channels=st.integers(1, 4),
    kernel=st.integers(1, 15), stride=st.integers(1, 3), dilation=st.integers(1, 2),
    padding=st.sampled_from(["same", "valid", "causal"]), bias=st.booleans(),
)  # fmt: skip
def test_convolutions_of_series_equal_the_standard_ones(
    batch: int, steps: int, channels: int, kernel: int, stride: int, dilation: int,
    padding: str, bias: bool,
) -> None:  # fmt: skip
    """Also kernels longer than the series, and of one step."""
    dilation = dilation if stride == 1 else 1
    steps += (kernel - 1) * dilation if padding == "valid" else 0
    common = {
        "strides": stride, "dilation_rate": dilation, "padding": padding, "use_bias": bias,
        "activation": "tanh",
    }  # fmt: skip
    x = np.random.default_rng(batch).normal(size=(batch, steps, channels)).astype("float32")
    check_equal(layers.FastConv1D(4, kernel, **common), keras.layers.Conv1D(4, kernel, **common), x)


@FEW
@given(
    batch=st.integers(1, 9), height=st.integers(1, 9), width=st.integers(1, 9),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 4)), stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
)  # fmt: skip
def test_convolutions_of_images_equal_the_standard_ones(
    batch: int, height: int, width: int, kernel: tuple[int, int], stride: int, dilation: int
) -> None:
    dilation = dilation if stride == 1 else 1
    common = {"strides": stride, "dilation_rate": dilation, "padding": "same"}
    x = np.random.default_rng(batch).normal(size=(batch, height, width, 3)).astype("float32")
    check_equal(layers.FastConv2D(4, kernel, **common), keras.layers.Conv2D(4, kernel, **common), x)


@pytest.mark.parametrize(("side", "stride"), [(9, 1), (8, 2), (2, 1), (2, 2)])
def test_the_gradient_of_a_kernel_is_added_up_over_parts_of_a_large_batch(
    side: int, stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules[_parts.__module__]
    monkeypatch.setattr(module, "LEAST_WEIGHTS", 1)
    monkeypatch.setattr(module, "PART_POSITIONS", 1)
    monkeypatch.setattr(module, "PART_SAMPLES", 2)
    assert _parts(12, 1) == 6
    x = RNG.normal(size=(12, side, side, 2)).astype("float32")
    fast, standard = (
        kind(3, 3, strides=stride, padding="same")
        for kind in (layers.FastConv2D, keras.layers.Conv2D)
    )
    check_equal(fast, standard, x)


def test_parts_of_a_batch_are_equal_and_neither_small_nor_many() -> None:
    assert _parts(2048, 256) == 8
    assert [_parts(64, n) for n in (64, 200, 300, 784, 4000)] == [1, 1, 2, 4, 8]
    assert [_parts(b, 2000) for b in (7, 16, 50, 53)] == [1, 2, 5, 1]


def test_groups_and_channels_first_are_left_to_keras() -> None:
    x = RNG.normal(size=(2, 9, 6)).astype("float32")
    check_equal(layers.FastConv1D(4, 3, groups=2), keras.layers.Conv1D(4, 3, groups=2), x)
    x, first = RNG.normal(size=(2, 3, 9, 8)).astype("float32"), {"data_format": "channels_first"}
    check_equal(layers.FastConv2D(4, 3, **first), keras.layers.Conv2D(4, 3, **first), x)


class Wrapped(keras.layers.Layer):
    """A plugin's layer, whose output Keras finds by tracing it with sizes left open."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = layers.FastConv1D(4, 5, padding="same")

    def call(self, inputs: Any) -> Any:
        return self.inner(inputs) + 1.0


def test_a_convolution_inside_another_layer_takes_series_of_any_length() -> None:
    x = keras.Input((None, 3))
    model = keras.Model(x, Wrapped()(x))
    assert model.output_shape == (None, None, 4)
    values = RNG.normal(size=(2, 3, 3)).astype("float32")
    expected = model.layers[1].inner(values) + 1.0
    np.testing.assert_allclose(model.predict_on_batch(values), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kernel", [1, 3])
def test_numbers_of_another_type_become_those_of_the_kernel(kernel: int) -> None:
    whole = np.arange(24, dtype="int32").reshape(2, 4, 3)
    half = layers.FastConv1D(4, kernel, padding="same", dtype="mixed_bfloat16")
    for layer in (layers.FastConv1D(4, kernel, padding="same"), half):
        out = layer(whole)
        assert str(out.dtype) == layer.compute_dtype
        standard = keras.layers.Conv1D.from_config(layer.get_config())
        standard.build(whole.shape)
        standard.set_weights([np.array(w.value) for w in layer.weights])
        np.testing.assert_allclose(
            np.asarray(out, "float32"), np.asarray(standard(whole), "float32"), rtol=0.02
        )


def test_a_kernel_longer_than_a_series_without_padding_is_refused_as_by_keras() -> None:
    with pytest.raises(ValueError, match="empty output"):
        layers.convolve(np.zeros((2, 3, 1), "float32"), np.zeros((5, 1, 2), "float32"))


def test_what_shifts_cannot_do_is_done_as_keras_does() -> None:
    x = RNG.normal(size=(2, 9, 3)).astype("float32")
    for fast, standard in (
        (layers.DepthwiseConv1DByShifts(3, depth_multiplier=2),
         keras.layers.DepthwiseConv1D(3, depth_multiplier=2)),
        (layers.SeparableConv1DByShifts(4, 3, depth_multiplier=2),
         keras.layers.SeparableConv1D(4, 3, depth_multiplier=2)),
    ):  # fmt: skip
        check_equal(fast, standard, x)


@FEW
@given(
    steps=st.integers(1, 12), size=st.integers(1, 5), rectified=st.booleans(),
)  # fmt: skip
def test_sliding_maximum_equals_the_standard_layer(steps: int, size: int, rectified: bool) -> None:
    """Also where values are equal, as the zeros of a ReLU are: the first has the gradient."""
    x = np.random.default_rng(steps).normal(size=(3, steps, 2)).astype("float32")
    x = np.maximum(x, 0) if rectified else x
    standard = keras.layers.MaxPooling1D(size, strides=1, padding="same")
    check_equal(layers.MaxPool1DBySlices(size), standard, x)


def test_masked_steps_are_never_the_maximum() -> None:
    mask = np.arange(11)[None] < np.array([[11], [7], [1], [0]])
    x = np.where(mask[..., None], -np.abs(RNG.normal(size=(4, 11, 3))) - 1, np.nan)
    out = np.asarray(layers.sliding_max(x.astype("float32"), mask, 3))
    alone = np.asarray(layers.sliding_max(x[1:2, :7].astype("float32"), None, 3))
    np.testing.assert_array_equal(out[1, :7], alone[0])
    assert not out[~mask].any()
    assert (out[mask] <= -1).all()


@pytest.mark.parametrize("shape", [(6, 11, 3), (8, 4, 3, 2), (16, 3)])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_normalisation_equals_the_standard_layer(
    shape: tuple[int, ...], masked: bool, training: bool
) -> None:
    fast, standard = (
        kind(momentum=0.8)
        for kind in (layers.OnePassBatchNormalization, keras.layers.BatchNormalization)
    )
    x = (RNG.normal(size=shape) * 3 + 2).astype("float32")
    given = {"training": training}
    if masked:
        given["mask"] = RNG.uniform(size=shape[:-1]) < 0.6
    check_equal(fast, standard, x, **given)
    for layer in (fast, standard):
        layer(x, **given)
    for one, other in zip(fast.non_trainable_weights, standard.non_trainable_weights, strict=True):
        np.testing.assert_allclose(np.asarray(one.value), np.asarray(other.value), rtol=1e-4)


@pytest.mark.parametrize("masked", [False, True])
def test_many_numbers_are_added_without_losing_any(masked: bool) -> None:
    from selector.training.compiler import LEFT_OUT, SUMS_OF_SUMS
    from selector.training.layers.normalization import MANY, added

    values = np.full((4 * MANY, 2), 0.1, "float32")
    program = jax.jit(lambda v: added(v, masked)).lower(values)
    total = program.compile(compiler_options={LEFT_OUT: SUMS_OF_SUMS})(values)
    np.testing.assert_allclose(np.asarray(total), 4 * MANY * 0.1, rtol=1e-4)


@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"go_backwards": True}])
@pytest.mark.parametrize("masked", [False, True])
def test_recurrent_layer_equals_the_standard_one(options: dict[str, Any], masked: bool) -> None:
    x = RNG.normal(size=(4, 7, 3)).astype("float32")
    given = {"mask": np.arange(7) < np.array([[7], [4], [1], [6]])} if masked else {}
    check_equal(layers.FastGRU(5, name="a", **options), keras.layers.GRU(5, name="a", **options),
                x, **given)  # fmt: skip


def everything() -> keras.Model:
    """Return a model in which each fast layer occurs."""
    x = keras.Input((12, 9, 2))
    y = keras.layers.Reshape((2, 12, 9, 1))(x)
    y = layers.MaxPool3DByReshape((1, 1, 1))(layers.Conv3DByFrames(3, 3, padding="same")(y))
    y = layers.ConvLSTM2DByProducts(2, 3, padding="same")(y)
    y = layers.conv2d_block(y, 4, pool=(2, 1))
    y = layers.DepthwiseConv2DByShifts(3, padding="same")(y)
    y = keras.layers.Reshape((6 * 9, 4))(y)
    y, _ = layers.conv_block(y, None, 5, 3)
    y = layers.FastDropout(0.2)(layers.sliding_max(y, None))
    y, _ = layers.separable_block(y, None, 6, 4, stride=2, dilation=1)
    y = layers.DepthwiseConv1DByShifts(4, dilation_rate=2, padding="same")(y)
    y = keras.layers.Bidirectional(layers.FastGRU(3, return_sequences=True))(y)
    return keras.Model(x, layers.pool(layers.FastGRU(4, return_sequences=True)(y), None, "mean"))


LOAD = """
import sys
import keras
import numpy as np
folder = sys.argv[1]
model = keras.saving.load_model(folder + "/model.keras", compile=False)
np.save(folder + "/out.npy", model.predict(np.load(folder + "/x.npy"), verbose=0))
assert not any(name.split(".")[0] == "selector" for name in sys.modules)
"""


@SAVING
def test_keras_alone_loads_a_model_of_every_fast_layer(tmp_path: Path) -> None:
    model = everything()
    assert {type(layer) for layer in model.layers} >= set(STANDARD)
    for weight in model.weights:
        values = RNG.uniform(0.5, 1.5, weight.shape)
        weight.assign(values if len(weight.shape) < 2 else values - 1)
    x = RNG.normal(size=(5, 12, 9, 2)).astype("float32")
    np.save(tmp_path / "x.npy", x)
    copy = layers.with_standard_layers(model)
    assert "selector" not in copy.to_json()
    copy.save(tmp_path / "model.keras")
    subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)], check=True, timeout=120, cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
    )  # fmt: skip
    expected = model.predict_on_batch(x)
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, rtol=1e-4, atol=1e-5)


def test_the_work_of_fast_layers_is_counted_as_that_of_standard_ones() -> None:
    x = keras.Input((20, 6))
    y = layers.SeparableConv1DByShifts(8, 5, strides=2, use_bias=False)(x)
    separable = keras.Model(x, y)
    assert cost.multiply_adds(separable) == 8 * (5 * 6 + 6 * 8)
    y = layers.DepthwiseConv1DByShifts(5, padding="same")(x)
    assert cost.multiply_adds(keras.Model(x, y)) == 20 * 5 * 6
    x = keras.Input((8, 9, 3))
    y = layers.DepthwiseConv2DByShifts(3, strides=2, padding="same")(x)
    assert cost.multiply_adds(keras.Model(x, y)) == 4 * 5 * 9 * 3
