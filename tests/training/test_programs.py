"""Traced programs are kept, found again, and never taken for another model's."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import jax
import keras
import numpy as np
import pytest
from toys import ToyConv, ToyFeatures, profile_of, series, spec_of, split_of

from selector.training import models, programs, saved, steps
from selector.training.fit import fit_final, run_trial
from selector.training.layers import FastDropout


@pytest.fixture
def room(monkeypatch, tmp_path):
    """A folder for programs of its own, and no compiled step in memory."""
    monkeypatch.setattr(programs, "folder", lambda: tmp_path)
    steps.clear()
    yield tmp_path
    steps.clear()


def trial(**params):
    data, architecture = series(), ToyConv()
    spec = spec_of(architecture, {"learning_rate": 1e-2, "filters": 8, **params}, epochs=3)
    result = run_trial(spec, architecture, profile_of(data), data, split_of(len(data.y)))
    (entry,) = steps._cache.values()
    steps.clear()
    return result, (entry.step.traces, entry.forward.traces)


def kept(room: Path) -> list[Path]:
    return sorted(room.glob(f"*{programs.SUFFIX}"))


def test_a_kept_program_is_not_traced_again_and_gives_the_same_to_the_bit(room):
    first, traced = trial()
    assert traced == (1, 1)
    assert len(kept(room)) == 2
    again, traced = trial()
    assert traced == (0, 0)
    assert again.loss == first.loss
    assert again.score == first.score


@pytest.mark.parametrize("form", [False, True], ids=["fixed", "ragged"])
def test_a_saved_model_with_fixed_features_uses_the_program_of_its_trials(room, tmp_path, form):
    data, architecture = series(ragged=form), ToyFeatures()
    spec = spec_of(architecture, {})
    fitted = tmp_path / "model"
    assert fit_final(spec, architecture, profile_of(data), data, fitted).state == "complete"
    traced = kept(room)
    assert traced
    steps.clear()
    saved.load(fitted).predict(data.x)
    assert kept(room) == traced
    assert [entry.forward.traces for entry in steps._cache.values()] == [0]


@pytest.mark.parametrize("described", [True, False])
def test_a_saved_network_is_traced_by_the_first_process_that_predicts(
    room, tmp_path, monkeypatch, described
):
    data, architecture = series(), ToyConv()
    spec = spec_of(architecture, {"learning_rate": 1e-2, "filters": 8}, epochs=1)
    fitted = tmp_path / "model"
    assert fit_final(spec, architecture, profile_of(data), data, fitted).state == "complete"
    if not described:  # as for a layer whose source cannot be found
        monkeypatch.setattr(steps, "key_of", lambda *_: None)
    steps.clear()
    outputs = saved.load(fitted).predict(data.x)
    first = [entry.forward.traces for entry in steps._cache.values()]
    steps.clear()
    again = saved.load(fitted)
    np.testing.assert_array_equal(again.predict(data.x), outputs)
    np.testing.assert_array_equal(again.predict(data.x.take([3]))[0], outputs[3])
    then = [entry.forward.traces for entry in steps._cache.values()]
    assert (first, then) == (([1], [0]) if described else ([], []))


def test_nothing_is_compiled_again_once_training_has_begun(room):
    compiled, heard = [], []

    def listen(event, *_, **__):
        if "backend_compile" in event:
            compiled.append(event)

    def beat(**progress):
        heard.append((progress.get("epoch"), len(compiled)))

    jax.monitoring.register_event_duration_secs_listener(listen)
    data, architecture = series(), ToyConv()
    spec = spec_of(architecture, {"learning_rate": 1e-2, "filters": 8}, epochs=4)
    split = split_of(len(data.y))
    run_trial(spec, architecture, profile_of(data), data, split, heartbeat=beat)
    training = [count for epoch, count in heard if epoch is not None]
    assert training
    assert training[0] > 0
    assert training[-1] == training[0]


def test_another_structure_is_another_program(room):
    trial()
    _, traced = trial(filters=4)
    assert traced == (1, 1)
    assert len(kept(room)) == 4


@pytest.mark.parametrize("params", [{}, {"shift": 0.1}], ids=["still", "shifted"])
def test_a_trial_tells_that_its_program_was_stored(room, params):
    assert trial(**params)[0].start == "new"
    assert trial(**params)[0].start == "stored"


def test_fixed_features_tell_that_their_program_was_stored(room):
    data, architecture = series(), ToyFeatures()
    told = []
    for _ in range(2):
        steps.clear()
        spec, split = spec_of(architecture, {}), split_of(len(data.y))
        told.append(run_trial(spec, architecture, profile_of(data), data, split).start)
    assert told == ["new", "stored"]


def test_a_program_that_was_cut_off_is_traced_again(room):
    first, _ = trial()
    for path in kept(room):
        path.write_bytes(path.read_bytes()[:40])
    again, traced = trial()
    assert traced == (1, 1)
    assert again.loss == first.loss
    assert trial()[1] == (0, 0)


def test_without_a_folder_nothing_is_kept(monkeypatch):
    monkeypatch.setattr(programs, "folder", lambda: None)
    steps.clear()
    assert trial()[1] == (1, 1)
    assert trial()[1] == (1, 1)


def test_the_key_follows_configuration_and_source_and_not_the_seed(monkeypatch):
    def model(units=3, activation="relu", seed=0):
        keras.utils.clear_session(free_memory=False)
        x = keras.Input((4,))
        draw = keras.initializers.GlorotUniform(seed=seed)
        layer = keras.layers.Dense(units, activation=activation, kernel_initializer=draw)
        return keras.Model(x, layer(x))

    key = programs.key_of(model())
    assert key is not None
    assert programs.key_of(model(seed=1)) == key
    assert programs.key_of(model(units=4)) != key
    assert programs.key_of(model(activation="tanh")) != key
    assert programs.key_of(model(), "regression") != key
    monkeypatch.setattr(programs, "_source", lambda package: "edited since")
    assert programs.key_of(model()) != key


class ToyNormalized(ToyConv):
    """Learns mean and variance from the training rows before it is trained."""

    name = "toy.normalized"

    def build(self, inputs, params, profile):
        inputs = replace(inputs, x=keras.layers.Normalization(name="norm")(inputs.x))
        return super().build(inputs, params, profile)

    def adapt(self, model, x, mask):
        model.get_layer("norm").adapt(x)


def test_what_was_learnt_in_adapt_belongs_to_the_program(room):
    data, architecture = series(), ToyNormalized()
    shifted = replace(data, x=replace(data.x, values=data.x.values * [1.0, 5.0] + [0.0, 3.0]))
    spec = spec_of(architecture, {"learning_rate": 1e-2, "normalize": "sample"}, epochs=1)
    split = np.arange(len(data.y)) // 40
    for given, part in ((data, split), (data, 1 - split), (shifted, split)):
        run_trial(spec, architecture, profile_of(given), given, part.astype(np.int8))
    assert len(steps._cache) > 1
    digests = set()
    for mean in (0.0, 1.0):
        layer = keras.layers.Normalization(mean=None)
        model = keras.Sequential([keras.Input((3,)), layer])
        layer.adapt(np.full((4, 3), mean))
        digests.add(programs.key_of(model))
    assert len(digests) == 2


def test_what_a_layer_saves_and_is_no_weight_belongs_to_the_program(room, monkeypatch):
    monkeypatch.setattr(programs, "_source", lambda package: "the same")

    class Shifted(keras.layers.Dense):
        by = np.zeros(4, np.float32)

        def call(self, inputs):
            return super().call(inputs) + self.by

        def save_own_variables(self, store):
            super().save_own_variables(store)
            store["by"] = self.by

    keys, entries, outputs = [], [], []
    rows, ones = np.arange(2, dtype=np.int32), np.ones((2, 3), np.float32)
    for by in (0.0, 0.0, 2.0):  # zero, as the bias is, whose values are no part of a program
        keras.utils.clear_session(free_memory=False)
        x = keras.Input((3,))
        layer = Shifted(4)
        model = keras.Model(x, layer(x))
        layer.by = np.full(4, by, np.float32)
        keys.append(programs.key_of(model))
        entry = steps.compiled("key", "shape", model, "regression")
        entries.append(entry)
        flat, fixed = steps._values(model)
        given = entry.forward(flat, fixed, ones, None, rows)
        outputs.append(np.asarray(given) - np.asarray(model(ones)))
    assert keys[0] == keys[1] != keys[2]
    assert entries[0] is entries[1] is not entries[2]
    np.testing.assert_allclose(outputs, 0.0, atol=1e-6)


def test_a_layer_that_cannot_say_what_it_saves_keeps_no_program(room, monkeypatch):
    monkeypatch.setattr(programs, "_source", lambda package: "the same")

    class Empty(keras.layers.Layer):
        def call(self, inputs):
            return inputs + 1.0

        def save_own_variables(self, store):
            store["edges"] = self.learnt_later

    x = keras.Input((3,))
    model, plain = (keras.Model(x, layer(x)) for layer in (Empty(), FastDropout(0.5)))
    assert programs.key_of(plain) is not None
    assert programs.key_of(model) is None
    first, second = (steps.compiled("key", "shape", model, "") for _ in range(2))
    assert first is not second


def test_a_model_is_described_once_and_let_go_with_it(monkeypatch):
    made = []
    serialise = keras.saving.serialize_keras_object
    monkeypatch.setattr(
        keras.saving, "serialize_keras_object", lambda m: made.append(m.name) or serialise(m)
    )
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(4)(x))
    before = len(models._configurations)
    keys = {programs.key_of(model, length) for length in (8, 16, 16)}
    assert len(keys) == 2
    assert models.custom_modules(model) == []
    assert len(made) == 1
    assert len(models._configurations) == before + 1
    del model
    gc.collect()
    assert len(models._configurations) <= before


def test_a_layer_without_a_configuration_keeps_no_program():
    class Nameless(keras.layers.Layer):
        def __init__(self, secret):
            super().__init__()
            self.secret = secret

        def call(self, inputs):
            return inputs * self.secret

    x = keras.Input((4,))
    assert programs.key_of(keras.Model(x, Nameless(np.ones(4))(x))) is None

    class ToyNameless(ToyConv):
        name = "toy.nameless"

        def build(self, inputs, params, profile):
            return Nameless(np.ones(1))(super().build(inputs, params, profile))

    data, architecture = series(), ToyNameless()
    spec = spec_of(architecture, {"learning_rate": 1e-2}, epochs=1)
    result = run_trial(spec, architecture, profile_of(data), data, split_of(len(data.y)))
    assert result.state == "failed"  # what cannot be saved fails in its first trial
    assert "Nameless" in result.reason


def test_the_rate_of_a_dropout_is_an_argument(room):
    keys, outputs = set(), []
    for rate in (0.1, 0.2, 0.6):
        keras.utils.clear_session(free_memory=False)
        x = keras.Input((400,))
        model = keras.Model(x, FastDropout(rate)(x))
        keys.add(programs.key_of(model))
        entry = steps.compiled("key", "shape", model, "regression")
        flat, fixed = steps._values(model)
        ones = np.ones((8, 400), np.float32)
        rows = np.arange(8, dtype=np.int32)
        np.testing.assert_array_equal(entry.forward(flat, fixed, ones, None, rows), ones)
        outputs.append(np.asarray(model(ones, training=True)))
    assert len(keys) == 1
    assert entry.forward.traces == 1
    for rate, values in zip((0.1, 0.2, 0.6), outputs, strict=True):
        assert abs(np.mean(values == 0) - rate) < 0.04
        np.testing.assert_allclose(values[values != 0], 1 / (1 - rate), rtol=1e-6)


def test_no_dropout_is_another_program_that_draws_nothing():
    keys = set()
    for rate in (0.0, 0.2):
        keras.utils.clear_session(free_memory=False)
        x = keras.Input((40,))
        model = keras.Model(x, FastDropout(rate)(x))
        keys.add(programs.key_of(model))
    assert len(keys) == 2
    ones = np.ones((8, 40), np.float32)
    np.testing.assert_array_equal(np.asarray(FastDropout(0.0)(ones, training=True)), ones)
