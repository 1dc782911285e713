"""Outputs in batches: a head is applied to each, so that no wide features are kept."""

from __future__ import annotations

import tracemalloc

import keras
import numpy as np
import pytest
from toys import ToyFeatures, profile_of, series, spec_of, split_of

from selector.training import programs, saved, steps
from selector.training.fit import fit_final, run_trial
from selector.training.forward import Forward, forward_of
from selector.training.preprocess import Prepared

WIDTH, BATCH = 4096, 64
FORWARDS = {
    "jax": lambda model, data, head=None: steps.JaxForward(model, BATCH, "k")(data, head),
    "plain": lambda model, data, head=None: Forward(model, BATCH)(data, head),
}


def projection(n: int = 1000) -> tuple[keras.Model, Prepared]:
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(WIDTH, kernel_initializer="ones")(x))
    values = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    return model, Prepared(values, None)


@pytest.mark.parametrize("forward", FORWARDS.values(), ids=FORWARDS)
def test_a_head_is_applied_to_whole_batches(forward):
    model, data = projection()
    features = forward(model, data)
    np.testing.assert_allclose(features[:, 5], data.x.sum(axis=1), rtol=1e-4, atol=1e-5)
    kernel = np.random.default_rng(1).normal(size=(WIDTH, 2)).astype(np.float32)
    shapes = set()

    def head(part):
        shapes.add(part.shape)
        return part @ kernel

    outputs = forward(model, data, head)
    assert shapes == {(BATCH, WIDTH)}  # of one size, so that a row alone gives the same bits
    np.testing.assert_allclose(outputs, features @ kernel, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(
        forward(model, Prepared(data.x[70:71], None), head), outputs[70:71]
    )


@pytest.mark.parametrize("forward", FORWARDS.values(), ids=FORWARDS)
def test_features_are_kept_once_or_not_at_all(forward):
    model, data = projection(2000)
    whole = len(data.x) * WIDTH * 4
    forward(model, data)  # compiles
    for head, share in ((lambda part: part[:, :2], 0.2), (None, 1.2)):
        tracemalloc.start()
        forward(model, data, head)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < share * whole


def test_only_outputs_are_kept_of_rows_that_are_predicted(monkeypatch, tmp_path):
    told, original = [], steps.JaxForward.__call__

    def watched(*arguments, **options):
        values = original(*arguments, **options)
        told.append(values.shape)
        return values

    monkeypatch.setattr(steps.JaxForward, "__call__", watched)
    data, architecture, profile = series(), ToyFeatures(), profile_of(series())
    split = split_of(len(data.y))
    steps.clear()
    run_trial(spec_of(architecture), architecture, profile, data, split)
    train, validation = (int(np.sum(np.asarray(split) == code)) for code in (0, 1))
    assert told[:3] == [(1, 32), (train, 32), (validation, 2)]  # the first compiles
    spec = spec_of(architecture, stage="final", split=None)
    assert fit_final(spec, architecture, profile, data, tmp_path).state == "complete"
    told.clear()
    saved.load(tmp_path).predict(data.x)
    assert told == [(len(data.y), 2)]


def test_what_was_traced_once_is_found_by_the_next_process(monkeypatch, tmp_path):
    monkeypatch.setattr(programs, "folder", lambda: tmp_path)
    steps.clear()
    model, data = projection(70)
    first = forward_of(model, BATCH)
    assert first.start(data) == "new"
    outputs = first(data)
    assert first.start(data) == "ready"
    steps.clear()  # as in another process
    again = forward_of(model, BATCH)
    assert again.start(data) == "stored"
    np.testing.assert_array_equal(again(data), outputs)
