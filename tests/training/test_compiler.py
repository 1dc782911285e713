"""The compiler's options follow from a model's layers, and change no result."""

from __future__ import annotations

import jax
import keras
import numpy as np
import pytest
from toys import ToyConv, profile_of, series, spec_of, split_of

from selector.training import compiler, layers, steps
from selector.training.compiler import FUSED_LOOPS, LEFT_OUT, QUICK, SUMS, SUMS_OF_SUMS
from selector.training.fit import run_trial

SERIES, IMAGE = (12, 3), (8, 8, 1)
PLAIN, LIBRARY = {FUSED_LOOPS: False}, {SUMS: "LIBRARY_FUSION_TYPE_REDUCE"}
WHOLE = {LEFT_OUT: SUMS_OF_SUMS}


class Fused(keras.layers.Layer):
    """A layer of a plugin that asks for fused loops."""

    fused_loops = True

    def call(self, inputs):
        """Return the inputs."""
        return inputs


def model(shape, *parts):
    return keras.Sequential([keras.layers.Input(shape), *parts, keras.layers.Dense(2)])


def both_ways():
    return keras.layers.Bidirectional(keras.layers.LSTM(4))


def conv2d():
    return keras.layers.Conv2D(4, 3), layers.OnePassBatchNormalization()


@pytest.mark.parametrize(
    ("shape", "parts", "wanted"),
    [
        (SERIES, [layers.FastGRU(4)], PLAIN | WHOLE),
        (
            SERIES,
            [keras.layers.Bidirectional(keras.layers.LSTM(4)), layers.FastDropout(0.2)],
            PLAIN | WHOLE,
        ),
        (SERIES, [keras.layers.Conv1D(4, 3)], PLAIN | WHOLE),
        (SERIES, [keras.layers.Conv1D(4, 3), layers.FastGRU(4)], PLAIN | WHOLE),
        (SERIES, [keras.layers.Conv1D(4, 3), layers.MaxPool1DBySlices(3)], PLAIN | WHOLE),
        (SERIES, [keras.layers.Conv1D(4, 3), layers.DepthwiseConv1DByShifts(3)], PLAIN),
        (SERIES, [Fused(), keras.layers.Conv1D(4, 3)], WHOLE),
        (SERIES, [keras.layers.Flatten()], PLAIN | WHOLE),
        (IMAGE, [*conv2d(), keras.layers.Flatten()], PLAIN | LIBRARY),
        (
            IMAGE,
            [*conv2d(), layers.MaxPool2DByReshape((2, 2)), keras.layers.Flatten()],
            PLAIN | LIBRARY,
        ),
        (
            IMAGE,
            [*conv2d(), keras.layers.Reshape((6, 24)), layers.FastGRU(4)],
            PLAIN | LIBRARY,
        ),
    ],
)
def test_options_follow_from_the_layers(shape, parts, wanted):
    assert compiler.options(model(shape, *parts)) == QUICK | wanted


def test_options_that_xla_does_not_know_are_left_out():
    lowered = jax.jit(lambda x: x + 1.0).lower(1.0)
    assert compiler.compiled(lowered, {"xla_cpu_no_such_option": True})(1.0) == 2.0


def test_a_training_is_the_same_with_each_option(monkeypatch):
    data, architecture = series(), ToyConv()
    spec = spec_of(architecture, {"learning_rate": 1e-2, "filters": 8}, epochs=3)
    losses = []
    for wanted in ({}, QUICK, PLAIN, LIBRARY, WHOLE):
        monkeypatch.setattr(compiler, "options", lambda model, wanted=wanted: wanted)
        steps.clear()
        result = run_trial(spec, architecture, profile_of(data), data, split_of(len(data.y)))
        losses.append(result.loss)
    steps.clear()
    np.testing.assert_allclose(losses, losses[0], rtol=1e-3)
