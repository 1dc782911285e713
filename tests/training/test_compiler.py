"""The compiler's options follow from a model's layers, and change no result."""

from __future__ import annotations

import jax
import keras
import numpy as np
import pytest
from toys import ToyConv, profile_of, series, spec_of, split_of

from selector.training import compiler, layers, steps
from selector.training.compiler import LEFT_OUT, QUICK, SUMS, SUMS_OF_SUMS
from selector.training.fit import run_trial

SERIES, IMAGE = (12, 3), (8, 8, 1)
LIBRARY = {SUMS: "LIBRARY_FUSION_TYPE_REDUCE"}
WHOLE = {LEFT_OUT: SUMS_OF_SUMS}


def model(shape, *parts):
    return keras.Sequential([keras.layers.Input(shape), *parts, keras.layers.Dense(2)])


def conv2d():
    return keras.layers.Conv2D(4, 3), layers.OnePassBatchNormalization()


@pytest.mark.parametrize(
    ("shape", "parts", "wanted"),
    [
        (SERIES, [layers.FastGRU(4)], WHOLE),
        (
            SERIES,
            [keras.layers.Bidirectional(keras.layers.LSTM(4)), layers.FastDropout(0.2)],
            WHOLE,
        ),
        (SERIES, [keras.layers.Conv1D(4, 3)], WHOLE),
        (SERIES, [keras.layers.Conv1D(4, 3), layers.FastGRU(4)], WHOLE),
        (SERIES, [keras.layers.Conv1D(4, 3), layers.MaxPool1DBySlices(3)], WHOLE),
        (SERIES, [keras.layers.Conv1D(4, 3), layers.DepthwiseConv1DByShifts(3)], {}),
        (SERIES, [keras.layers.Flatten()], WHOLE),
        (IMAGE, [*conv2d(), keras.layers.Flatten()], LIBRARY),
        (
            IMAGE,
            [*conv2d(), layers.MaxPool2DByReshape((2, 2)), keras.layers.Flatten()],
            LIBRARY,
        ),
        (
            IMAGE,
            [*conv2d(), keras.layers.Reshape((6, 24)), layers.FastGRU(4)],
            LIBRARY,
        ),
    ],
)
def test_options_follow_from_the_layers(shape, parts, wanted):
    assert compiler.options(model(shape, *parts)) == QUICK | wanted


def test_xla_knows_all_options():
    lowered = jax.jit(lambda x: x + 1.0).lower(1.0)
    assert lowered.compile(compiler_options=QUICK | LIBRARY | WHOLE)(1.0) == 2.0


def test_an_option_that_xla_does_not_know_is_left_out_alone(monkeypatch):
    monkeypatch.setattr(compiler, "_unknown", set())
    asked = []

    class Lowered:
        def compile(self, compiler_options):
            asked.append(dict(compiler_options))
            return jax.jit(lambda x: x + 1.0).lower(1.0).compile(compiler_options=compiler_options)

    wanted = {"xla_cpu_no_such_option": True, **QUICK}
    for _ in range(2):
        assert compiler.compiled(Lowered(), wanted)(1.0) == 2.0
    assert asked == [wanted, QUICK, QUICK]


def test_an_option_with_a_value_that_xla_refuses_is_an_error():
    lowered = jax.jit(lambda x: x + 1.0).lower(1.0)
    with pytest.raises(jax.errors.JaxRuntimeError):
        compiler.compiled(lowered, {"xla_backend_optimization_level": "much"})


def test_no_options_but_on_a_cpu(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert compiler.options(model(SERIES, keras.layers.Conv1D(4, 3))) == {}


def test_a_training_is_the_same_with_each_option(monkeypatch):
    data, architecture = series(), ToyConv()
    spec = spec_of(architecture, {"learning_rate": 1e-2, "filters": 8}, epochs=3)
    losses = []
    for wanted in ({}, QUICK, LIBRARY, WHOLE, QUICK | WHOLE, QUICK | LIBRARY):
        monkeypatch.setattr(compiler, "options", lambda model, wanted=wanted: wanted)
        steps.clear()
        result = run_trial(spec, architecture, profile_of(data), data, split_of(len(data.y)))
        losses.append(result.loss)
    steps.clear()
    np.testing.assert_allclose(losses, losses[0], rtol=1e-3)
