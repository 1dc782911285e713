"""The layers for plugin authors: masks, convolution, pooling."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from selector.errors import OptionError
from selector.training import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 11, 3)).astype("float32")
LENGTHS = np.array([11, 7, 1, 0])
MASK = np.arange(11)[None] < LENGTHS[:, None]
# Keras reads weights by ``np.array(variable)``, of which NumPy 2 complains.
SAVING = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def array(value: object) -> np.ndarray:
    return np.asarray(value)


def test_apply_mask_zeroes_even_what_is_not_a_number() -> None:
    x = X.copy()
    x[~MASK] = np.nan
    out = array(layers.ApplyMask()(x, mask=MASK))
    np.testing.assert_array_equal(out, np.where(MASK[..., None], X, 0))
    np.testing.assert_array_equal(array(layers.ApplyMask()(X)), X)


@pytest.mark.parametrize(
    ("pooling", "function"), [("mean", np.mean), ("max", np.max), ("last", lambda s, axis: s[-1])]
)
def test_pooling_sees_real_steps_only(pooling: str, function: object) -> None:
    x = X.copy()
    x[~MASK] = 1e6
    out = array(layers.pool(x, MASK, pooling))
    for row, length in enumerate(LENGTHS):
        expected = function(X[row, :length], axis=0) if length else np.zeros(3)  # type: ignore[operator]
        np.testing.assert_allclose(out[row], expected, atol=1e-6)
    plain = array(layers.pool(X, None, pooling))
    np.testing.assert_allclose(plain[1], function(X[1], axis=0), atol=1e-6)  # type: ignore[operator]


def test_deviation_sees_real_steps_only() -> None:
    x = np.where(MASK[..., None], X, 1e6).astype("float32")
    out = array(layers.MaskedStdPooling()(x, mask=MASK))
    np.testing.assert_allclose(out[1], X[1, :7].std(axis=0), atol=1e-3)
    np.testing.assert_allclose(out[2:], 0, atol=1e-3)


def test_attention_weighs_real_steps_and_adds_up() -> None:
    layer = layers.MaskedAttentionPooling(8)
    x = np.where(MASK[..., None], X, 1e6).astype("float32")
    out = array(layer(x, mask=MASK))
    np.testing.assert_allclose(out[2], X[2, 0], atol=1e-6)
    np.testing.assert_allclose(out[3], 0, atol=1e-6)
    np.testing.assert_allclose(array(layer(np.ones_like(X), mask=MASK))[:3], 1, atol=1e-6)
    np.testing.assert_allclose(out[1], array(layer(X[1:2, :7]))[0], atol=1e-5)


def test_mean_and_max_are_joined() -> None:
    out = array(layers.pool(X, MASK, "mean+max"))
    assert out.shape == (4, 6)
    np.testing.assert_allclose(out[1, 3:], X[1, :7].max(axis=0), atol=1e-6)


def test_an_unknown_pooling_is_named() -> None:
    with pytest.raises(OptionError, match=r"not 'maen'\. Did you mean 'mean'"):
        layers.pool(X, MASK, "maen")


def test_patches_hold_every_real_value_in_order() -> None:
    x = np.where(MASK[..., None], X, 1e6).astype("float32")
    out, mask = layers.patch(x, MASK, 4)
    assert out.shape == (4, 3, 12)
    real = np.pad(np.where(MASK[..., None], X, 0), ((0, 0), (0, 1), (0, 0)))
    np.testing.assert_array_equal(array(out), real.reshape(4, 3, 12))
    np.testing.assert_array_equal(array(mask).sum(axis=1), -(-LENGTHS // 4))
    assert layers.patch(x, MASK, 1)[0] is x
    assert layers.patch(X, None, 4)[1] is None


@pytest.mark.parametrize(
    ("stride", "kernel", "dilation"), [(1, 5, 1), (2, 8, 1), (3, 4, 1), (1, 3, 4), (2, 1, 1)]
)
@pytest.mark.parametrize("training", [False, True])
def test_convolution_does_not_depend_on_padding(
    stride: int, kernel: int, dilation: int, training: bool
) -> None:
    x = keras.Input((None, 3))
    m = keras.Input((None,), dtype="bool")
    y, short = layers.conv_block(x, m, 6, kernel, stride=stride, dilation=dilation)
    model = keras.Model([x, m], [y, short])
    longer = np.pad(X, ((0, 0), (0, 50), (0, 0)))
    longer_mask = np.pad(MASK, ((0, 0), (0, 50)))
    longer[~longer_mask] = 1e5
    out, mask = (array(v) for v in model([X, MASK], training=training))
    out2, mask2 = (array(v) for v in model([longer, longer_mask], training=training))
    steps = -(-11 // stride)
    assert out.shape == (4, steps, 6)
    assert out2.shape == (4, -(-61 // stride), 6)
    np.testing.assert_array_equal(mask.sum(axis=1), -(-LENGTHS // stride))
    np.testing.assert_array_equal(mask2[:, :steps], mask)
    assert not mask2[:, steps:].any()
    np.testing.assert_allclose(out2[:, :steps], out, atol=1e-5)
    assert np.abs(out).max() > 0.01
    assert not out2[~mask2].any()


def test_a_masked_row_gives_what_its_real_steps_alone_give() -> None:
    x = keras.Input((None, 3))
    m = keras.Input((None,), dtype="bool")
    y, _ = layers.conv_block(x, m, 5, 4, stride=2)
    model = keras.Model([x, m], y)
    alone = array(model([X[1:2, :7], MASK[1:2, :7]]))
    together = array(model([X, MASK]))
    np.testing.assert_allclose(together[1, :4], alone[0], atol=1e-6)


@pytest.mark.parametrize("shape", [(8, 8), (7, 9), (28, 5), (2, 3)])
@pytest.mark.parametrize("window", [(2, 2), (1, 2), (3, 2)])
def test_max_pooling_equals_the_standard_layer(
    shape: tuple[int, int], window: tuple[int, int]
) -> None:
    if window[0] > shape[0]:
        pytest.skip("no window fits")
    x = RNG.normal(size=(2, *shape, 3)).astype("float32")
    layer = layers.MaxPool2DByReshape(window)
    expected = array(keras.layers.MaxPooling2D(window)(x))
    np.testing.assert_array_equal(array(layer(x)), expected)
    assert layer.compute_output_shape((None, *shape, 3)) == (None, *expected.shape[1:])


def test_standard_layers_take_the_place_of_fast_ones() -> None:
    x = keras.Input((9, 7, 1))
    y = layers.conv2d_block(x, 4, pool=(2, 2))
    model = keras.Model(x, keras.layers.Flatten()(y))
    model.layers[3].moving_mean.assign([0.1, 0.2, -0.3, 0.4])
    copy = layers.with_standard_layers(model)
    kinds = {type(layer).__name__ for layer in copy.layers}
    assert "MaxPooling2D" in kinds
    assert "MaxPool2DByReshape" not in kinds
    batch = RNG.normal(size=(3, 9, 7, 1)).astype("float32")
    np.testing.assert_array_equal(array(copy(batch)), array(model(batch)))


@SAVING
def test_every_layer_is_saved_and_loaded(tmp_path: Path) -> None:
    x = keras.Input((None, 3))
    m = keras.Input((None,), dtype="bool")
    y, mask = layers.conv_block(x, m, 4, 3, stride=2)
    y, mask = layers.patch(y, mask, 2)
    parts = [layers.pool(y, mask, p) for p in ("mean+max", "attention", "last")]
    parts.append(layers.MaskedStdPooling()(y, mask=mask))
    model = keras.Model([x, m], keras.layers.Concatenate()(parts))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(array(loaded([X, MASK])), array(model([X, MASK])))
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]


def test_shapes_are_known_before_anything_runs() -> None:
    x = keras.Input((None, 3))
    y, _ = layers.patch(x, None, 4)
    assert y.shape == (None, None, 12)
    assert layers.pool(y, None, "attention").shape == (None, 12)
    assert layers.conv_block(keras.Input((10, 2)), None, 5, 4, stride=3)[0].shape == (None, 4, 5)


def test_dropout_drops_at_its_rate_and_anew_each_time() -> None:
    layer = layers.FastDropout(0.3)
    x = np.ones((64, 40, 25), dtype="float32")
    first, second = (array(layer(x, training=True)) for _ in range(2))
    for out in (first, second):
        assert abs((out == 0).mean() - 0.3) < 0.01
        np.testing.assert_allclose(out[out > 0], 1 / 0.7, rtol=1e-6)
        for axis in range(3):
            share = (out == 0).mean(axis=tuple(a for a in range(3) if a != axis))
            assert abs(share - 0.3).max() < 0.08, "some places are dropped more often"
    both = ((first == 0) & (second == 0)).mean()
    assert abs(both - 0.09) < 0.01, "two draws depend on each other"
    neighbours = ((first[:, 1:] == 0) & (first[:, :-1] == 0)).mean()
    assert abs(neighbours - 0.09) < 0.01
    np.testing.assert_array_equal(array(layer(x, training=False)), x)


@pytest.mark.parametrize(
    "standard",
    [
        keras.initializers.GlorotUniform(seed=1),
        keras.initializers.LecunNormal(seed=1),
        keras.initializers.HeUniform(seed=1),
        keras.initializers.VarianceScaling(0.5, "fan_out", "untruncated_normal", seed=1),
        keras.initializers.Orthogonal(gain=1.5, seed=1),
    ],
    ids=lambda init: type(init).__name__,
)
@pytest.mark.parametrize("shape", [(300, 200), (5, 30, 64), (3, 3, 16, 32)])
def test_numpy_draws_the_standard_distribution(standard, shape: tuple[int, ...]) -> None:
    theirs = array(standard(shape))
    with layers.drawn_by_numpy():
        ours, again = array(standard(shape)), array(standard(shape))
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert ours.std() == pytest.approx(theirs.std(), rel=0.05)
    assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.4)
    assert abs(ours.mean()) < 0.01
    np.testing.assert_array_equal(again, ours)
    assert (ours != theirs).any()
    np.testing.assert_array_equal(array(standard(shape)), theirs)  # the context has ended
    if isinstance(standard, keras.initializers.Orthogonal):
        flat = ours.reshape(-1, shape[-1]).astype("float64") / 1.5
        small = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
        np.testing.assert_allclose(small, np.eye(len(small)), atol=1e-5)


def test_vectors_and_other_initialisers_are_drawn_too() -> None:
    with layers.drawn_by_numpy():
        vector = array(keras.initializers.GlorotUniform(seed=3)((600,)))
        zeros = array(keras.initializers.Zeros()((4, 4)))
        normal = array(keras.initializers.RandomNormal(stddev=2.0, seed=3)((80, 80)))
    assert 0.9 * np.sqrt(3 / 600) < np.abs(vector).max() <= np.sqrt(3 / 600)
    assert not zeros.any()
    assert normal.std() == pytest.approx(2.0, rel=0.05)


def test_a_model_for_saving_has_the_standard_dropout_and_its_initialisers() -> None:
    x = keras.Input((9, 3))
    y = keras.layers.Bidirectional(keras.layers.GRU(4))(x)
    y = layers.FastDropout(0.5)(y)
    model = keras.Model(x, keras.layers.Dense(2, kernel_initializer="lecun_normal")(y))
    copy = layers.with_standard_layers(model)
    assert "selector>" in model.to_json()
    assert "selector>" not in copy.to_json()
    assert "LecunNormal" in copy.to_json()
    batch = RNG.normal(size=(3, 9, 3)).astype("float32")
    np.testing.assert_array_equal(array(copy(batch)), array(model(batch)))


@keras.saving.register_keras_serializable(package="tests")
class Dropping(keras.layers.Layer):
    """A plugin's layer that holds a dropout."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.dense, self.dropout = keras.layers.Dense(4), layers.FastDropout(0.5)

    def build(self, shape: tuple[int, ...]) -> None:
        self.dense.build(shape)
        super().build(shape)

    def call(self, inputs: object, training: bool = False) -> object:
        return self.dropout(self.dense(inputs), training=training)


def test_a_dropout_inside_another_layer_is_saved_too(tmp_path: Path) -> None:
    x = keras.Input((3,))
    y = keras.Sequential([keras.layers.Dense(5), layers.FastDropout(0.5)])(Dropping()(x))
    model = keras.Model(x, keras.layers.Dense(2)(layers.FastDropout(0.2)(y)))
    copy = layers.with_standard_layers(model)
    copy.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    expected = array(model(X[:, 0]))
    assert np.ptp(expected) > 0
    np.testing.assert_array_equal(array(copy(X[:, 0])), expected)
    np.testing.assert_array_equal(array(loaded(X[:, 0])), expected)


def test_images_and_clips_are_series_of_rows_and_frames() -> None:
    series = keras.Input((None, 3))
    assert layers.as_series(series) is series
    assert layers.as_series(keras.Input((7, 5, 3))).shape == (None, 7, 15)
    assert layers.as_series(keras.Input((4, 7, 5, 3))).shape == (None, 4, 105)
    images = RNG.normal(size=(2, 7, 5, 3)).astype("float32")
    np.testing.assert_array_equal(array(layers.as_series(images)), images.reshape(2, 7, 15))
