"""The step loop: schedule, best epoch, reuse of compiled steps, seeds, failures."""

from __future__ import annotations

import time

import numpy as np
import pytest
from toys import ToyConv, ToyMLP, profile_of, series, spec_of, split_of, table

from selector.training import clock as clock_module
from selector.training import models, networks, programs, steps
from selector.training.clock import Clock, DeadlineError, NonFiniteError
from selector.training.fit import run_trial
from selector.training.loop import (
    Loop,
    Settings,
    Validation,
    batches,
    epoch_cap,
    schedule,
    still_improving,
)
from selector.training.plain import PlainEngine

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Scripted:
    """An engine whose only weight is the number of steps made, and whose losses are given."""

    def __init__(self, validation=(), training=0.5, pause=0.0):
        self.count, self.rates, self.validation = 0, [], list(validation)
        self.training, self.pause = training, pause

    def step(self, rows, learning_rate):
        self.count += 1
        self.rates.append(learning_rate)
        time.sleep(self.pause)
        return self.training

    def wait(self, loss):
        return loss

    def warm(self, rows):
        return 0.001

    def took(self, rows, seconds):
        self.step_seconds = seconds

    def outputs(self, rows):
        return np.full((len(rows), 1), self.count)

    def snapshot(self):
        return self.count

    def restore(self, snapshot):
        self.count = snapshot


def settings(**changes):
    return Settings(**{"batch_size": 4, "learning_rate": 1.0, "seed": 0, **changes})


def test_schedule_warms_up_and_ends_at_zero():
    values = [schedule(p) for p in np.linspace(0, 1, 201)]
    assert values[0] == pytest.approx(0.02)
    assert max(values) == pytest.approx(1)
    assert int(np.argmax(values)) == 10
    assert values[-1] == pytest.approx(0)
    assert np.all(np.diff(values[10:]) <= 0)


@pytest.mark.parametrize(("steps_per_epoch", "epochs"), [(3, 200), (16, 94), (400, 20)])
def test_epoch_cap(steps_per_epoch, epochs):
    assert epoch_cap(steps_per_epoch) == epochs


def test_batches_have_one_size_and_wrap_around():
    seen = list(batches(np.arange(100, 110), 4, np.random.default_rng(0)))
    assert [len(b) for b in seen] == [4, 4, 4]
    flat = np.concatenate(seen)
    assert sorted(flat[:10]) == list(range(100, 110))
    np.testing.assert_array_equal(flat[10:], flat[:2])


def test_planned_epochs_are_trained_exactly_and_validation_is_not_looked_at():
    engine = Scripted()

    def refuse(outputs):
        raise AssertionError("validation was looked at")

    guard = Validation(np.arange(3), refuse)
    history = Loop(engine, np.arange(10), settings(epochs=7), Clock(None), guard).run()
    assert (history.epochs, history.best_epoch, history.stopped) == (7, 7, "planned")
    assert engine.count == 7 * 3
    assert max(engine.rates) <= 1
    assert engine.rates[-1] < 0.02


def test_best_epoch_is_kept_and_training_stops_early():
    engine = Scripted()
    # the loss falls until epoch 30 of 3 steps, then rises
    guard = Validation(np.arange(3), lambda out: abs(out[0, 0] - 90) + 1.0)
    history = Loop(engine, np.arange(10), settings(), Clock(None), guard).run()
    assert history.stopped == "early"
    assert history.best_epoch == 30
    assert engine.count == 90
    assert np.all(history.outputs == 90)
    assert 30 < history.epochs < 200
    assert not history.improving


@pytest.mark.parametrize(
    ("limits", "stopped", "share"),
    [({"0.25": 0.8}, "pruned", 0.25), ({"0.5": 0.7}, "pruned", 0.5), ({"0.5": 0.8}, "planned", 1)],
)
def test_a_training_worse_than_earlier_ones_at_a_rung_is_given_up(limits, stopped, share):
    engine = Scripted()
    guard = Validation(np.arange(3), lambda out: 1.0 - out[0, 0] / 1200)  # from 1 to a half
    plan = settings(prune_above=limits)
    history = Loop(engine, np.arange(10), plan, Clock(None), guard).run()
    assert history.planned_epochs == 200
    assert history.stopped == stopped
    assert history.epochs == pytest.approx(share * 200, abs=12)
    assert history.outputs is not None
    assert history.rungs["0.25"] == pytest.approx(0.87, abs=0.05)


def test_what_a_step_took_is_noted_for_later_trials():
    engine = Scripted(pause=0.002)
    Loop(engine, np.arange(40), settings(epochs=3), Clock(None)).run()
    assert engine.step_seconds >= 0.002


def test_improving_is_told():
    assert still_improving(list(np.linspace(2, 1, 50)))
    assert not still_improving(list(np.linspace(2, 1, 25)) + [1.0] * 25)
    assert not still_improving([1.0])


def test_training_ends_at_the_deadline_with_the_best_so_far():
    engine = Scripted(pause=0.01)
    guard = Validation(np.arange(3), lambda out: 1 / out[0, 0])
    clock = Clock(time.monotonic() + 0.3)
    history = Loop(engine, np.arange(4000), settings(), clock, guard).run()
    assert history.stopped == "deadline"
    assert history.epochs == 1
    assert history.outputs is not None
    assert engine.count < 200
    whole = history.fit_seconds * 1000 / engine.count
    assert history.epoch_seconds == pytest.approx(whole), "what the whole epoch would have taken"


def test_a_training_ends_with_what_it_has_when_it_is_asked_to():
    engine = Scripted()
    guard = Validation(np.arange(3), lambda out: 1 / out[0, 0])

    def wait(loss):
        if engine.count == 50:
            clock_module.STOP.set()
        return loss

    engine.wait = wait
    try:
        history = Loop(engine, np.arange(40), settings(), Clock(None), guard).run()
    finally:
        clock_module.STOP.clear()
    assert history.stopped == "deadline"
    assert engine.count < 60
    assert history.outputs is not None


def test_a_confirmation_keeps_time_for_predicting_its_rows():
    engine = Scripted()
    engine.warm = lambda rows: 0.01
    loops = [
        Loop(engine, np.arange(40), settings(epochs=2), Clock(None), guard)
        for guard in (None, Validation(np.arange(4000), lambda out: 0.0))
    ]
    for loop in loops:
        loop._plan()
    without, reserved = (loop._reserve for loop in loops)
    assert reserved - without == pytest.approx(4000 / 4 * 0.01, rel=0.01)


def test_a_plan_fits_the_time_with_the_evaluations_that_are_made():
    engine = Scripted()
    engine.warm = lambda rows: 0.01  # an epoch of 10 steps takes 0.1 s
    engine.outputs = lambda rows: time.sleep(0.05) or np.zeros((len(rows), 1))
    plan = settings(train_seconds=3.0)
    guard = Validation(np.arange(3), lambda out: 0.0)
    loop = Loop(engine, np.arange(40), plan, Clock(time.monotonic() + 100), guard)
    planned, every = loop._plan()
    assert planned * (0.1 + 0.05 / every) <= 3.1


def test_confirmation_fails_at_the_deadline():
    engine = Scripted(pause=0.01)
    clock = Clock(time.monotonic() + 0.1)
    strict = settings(epochs=100, fail_on_deadline=True)
    with pytest.raises(DeadlineError, match="of 100 epochs"):
        Loop(engine, np.arange(40), strict, clock).run()


def test_squeezed_schedule_reaches_a_small_rate():
    engine = Scripted(pause=0.005)
    clock = Clock(time.monotonic() + 0.4)
    history = Loop(engine, np.arange(40), settings(epochs=1000), clock).run()
    assert history.stopped == "deadline"
    assert engine.rates[-1] < 0.1


def test_non_finite_loss_is_an_error():
    with pytest.raises(NonFiniteError, match="epoch 1"):
        Loop(Scripted(training=float("nan")), np.arange(9), settings(), Clock(None)).run()


# ----------------------------------------------------------- the real engine


def engine_for(data, architecture, params=None, seed=3, kind=steps.JaxEngine):
    profile = profile_of(data)
    job_spec = spec_of(architecture, params, seed=seed)
    preprocessor = networks.Preprocessor.fit(data.x)
    prepared = preprocessor.transform(data.x)
    built = models.build(architecture, job_spec.params, profile, prepared, seed, 2)
    if kind is PlainEngine:
        return PlainEngine(built, prepared, data.y, "classification", 1e-3, 0.05)
    key = networks.structure_key(architecture, job_spec.params, profile)
    return steps.JaxEngine(built, prepared, data.y, key, "classification", 1e-3, 0.05)


def test_learns_and_reports():
    data = series()
    beats = []
    result = run_trial(
        spec_of(ToyConv()),
        ToyConv(),
        profile_of(data),
        data,
        split_of(len(data.y)),
        heartbeat=lambda **progress: beats.append(progress),
    )
    assert result.state == "complete", result.reason
    assert result.score == 1.0
    assert result.loss < 0.3
    assert 0 < result.best_epoch <= result.epochs
    assert result.stopped in {"planned", "early"}
    assert result.params_count > 0
    assert result.macs > 0
    assert any("epoch" in beat for beat in beats)


def test_a_cached_step_is_reused_and_gives_what_a_fresh_one_gives(monkeypatch):
    monkeypatch.setattr(programs, "folder", lambda: None)
    steps.clear()
    data, architecture = series(), ToyConv()
    common = (architecture, profile_of(data), data, split_of(len(data.y)))

    def trial(rate, split=common[3], **params):
        given = {"learning_rate": rate, "filters": 8, **params}
        return run_trial(spec_of(architecture, given, epochs=3), *common[:3], split)

    first = trial(1e-3)
    (entry,) = steps._cache.values()
    assert (entry.step.traces, entry.forward.traces) == (1, 1)
    trial(1e-2, weight_decay=0.1, label_smoothing=0.2, normalize="sample")
    trial(1e-2, np.roll(common[3], 1))  # another split of the same rows
    reused = trial(1e-3)
    assert (entry.step.traces, entry.forward.traces) == (1, 1)
    assert len(steps._cache) == 1
    steps.clear()
    fresh = trial(1e-3)
    assert (reused.loss, reused.score) == (first.loss, first.score) == (fresh.loss, fresh.score)
    trial(1e-3, filters=4)
    assert len(steps._cache) == 2


def test_seeds_are_reproducible_bit_for_bit():
    data = series(ragged=True)
    rows = np.arange(len(data.y))

    def train(seed):
        engine = engine_for(data, ToyConv(), seed=seed)
        Loop(engine, rows, settings(batch_size=16, epochs=2, seed=seed), Clock(None)).run()
        return engine.outputs(rows)

    once = train(5)
    np.testing.assert_array_equal(once, train(5))
    assert not np.array_equal(once, train(6))


def test_building_leaves_the_random_generators_alone():
    import random

    random.seed(1)
    np.random.seed(1)
    expected = random.Random(1).random(), np.random.RandomState(1).rand()
    engine_for(table(), ToyMLP())
    assert (random.random(), np.random.rand()) == expected


def test_warm_changes_no_weight():
    data = table()
    engine = engine_for(data, ToyMLP())
    before = engine.outputs(np.arange(8))
    engine.warm(np.arange(8, dtype=np.int32))
    np.testing.assert_array_equal(engine.outputs(np.arange(8)), before)


@pytest.mark.parametrize("batch", [8, 16])
def test_plain_engine_trains_like_the_compiled_one(batch):
    """Without dropout both make the same AdamW steps."""
    data = table()
    rows = np.arange(len(data.y))
    results = []
    for kind in (steps.JaxEngine, PlainEngine):
        engine = engine_for(data, ToyMLP(), kind=kind)
        plan = settings(batch_size=batch, epochs=4, learning_rate=1e-2)
        Loop(engine, rows, plan, Clock(None)).run()
        results.append(engine.outputs(rows))
    np.testing.assert_allclose(results[0], results[1], atol=2e-4)


def test_plain_backend_runs_whole_trials(monkeypatch):
    from toys import ToyFeatures

    data = series(ragged=True)
    monkeypatch.setattr(networks.keras.backend, "backend", lambda: "other")
    for architecture in (ToyConv(), ToyFeatures()):
        result = run_trial(
            spec_of(architecture, epochs=60),
            architecture,
            profile_of(data),
            data,
            split_of(len(data.y)),
        )
        assert result.state == "complete", result.reason
        assert result.score > 0.7


def test_diverging_training_fails_with_a_reason():
    class Explosive(ToyMLP):
        name = "toy.explosive"

        def build(self, inputs, params, profile):
            import keras

            return keras.layers.Dense(4)(inputs.x) * 1e38 * 1e38

    data = table()
    split = split_of(len(data.y))
    result = run_trial(spec_of(Explosive()), Explosive(), profile_of(data), data, split)
    assert result.state == "failed"
    assert result.reason.startswith("non-finite:")


def test_batch_size_default_and_limits():
    assert [networks.batch_size(n) for n in (5, 40, 130, 1000, 10**6)] == [5, 16, 16, 64, 64]
    assert networks.batch_size(40, 128) == 40
    assert networks.batch_size(400, 32) == 32
