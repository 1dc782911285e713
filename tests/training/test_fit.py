"""Trials and final models of every base: leaks, scores, failures, saving, loading."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from toys import (
    ToyConv,
    ToyDummy,
    ToyFeatures,
    ToyForest,
    ToyLinear,
    ToyMLP,
    profile_of,
    series,
    spec_of,
    split_of,
    table,
)

from selector import tasks
from selector.artifact.final import FinalModel
from selector.contract import Architecture, Column, EstimatorArchitecture, Variable
from selector.errors import DataError, RunError, SourceNotFoundError
from selector.training import closed_form, cost, features, fit, models, programs, saved, steps
from selector.training.clock import median_seconds
from selector.training.fit import fit_final, run_trial
from selector.training.fitted import TrialData

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CASES = {
    "network": (ToyConv(), series(ragged=True), True),
    "feature": (ToyFeatures(), series(ragged=True), True),
    "estimator": (ToyForest(), table(), True),
    "network-regression": (ToyMLP(), table(classification=False), False),
    "feature-regression": (ToyFeatures(), table(classification=False), False),
    "estimator-regression": (ToyForest(), table(classification=False), False),
    "pipeline": (ToyLinear(), table(), True),
}


def trial(case, path=None, data=None, **changes):
    architecture, original, classification = CASES[case]
    data = data or original
    split = split_of(len(data.y))
    profile = profile_of(original, classification)
    spec = spec_of(architecture, **changes)
    return run_trial(spec, architecture, profile, data, split, predictions_path=path)


def final(case, folder, **changes):
    architecture, data, classification = CASES[case]
    spec = spec_of(architecture, stage="final", split=None, **{"epochs": 15, **changes})
    profile = profile_of(data, classification)
    return fit_final(spec, architecture, profile, data, folder, extra={"schema": {"a": 1}})


@pytest.mark.parametrize("case", CASES)
def test_trial_is_scored_on_saved_predictions(case, tmp_path):
    _, data, classification = CASES[case]
    path = tmp_path / "predictions" / "t.npy"
    result = trial(case, path)
    assert result.state == "complete", result.reason
    assert result.predictions == "predictions/t.npy"
    predictions = np.load(path, allow_pickle=False)
    y = data.y[split_of(len(data.y)) == 1]
    assert predictions.dtype == np.float32
    assert predictions.shape == ((len(y), 2) if classification else (len(y),))
    task = tasks.get("classification" if classification else "regression")
    assert result.score == task.score(y, predictions)
    assert result.loss == task.loss(y, predictions)
    assert result.score > (0.65 if classification else 0.3)
    assert result.n_train == len(data.y) - len(y)
    assert result.bytes > 0


@pytest.mark.parametrize("case", ["network", "feature", "network-regression", "pipeline"])
def test_poisoned_validation_row_changes_no_other_prediction(case, tmp_path):
    """Scaling, feature biases, weights and head see training rows only."""
    _, data, _ = CASES[case]
    rows = np.flatnonzero(split_of(len(data.y)) == 1)
    values, y = data.x.values.copy(), data.y.copy()
    if data.x.lengths is None:
        values[rows[0]] = 1e9
    else:
        start = int(data.x.lengths[: rows[0]].sum())
        values[start : start + int(data.x.lengths[rows[0]])] = 1e9
    if case.endswith("regression"):
        y[rows[0]] = 1e9
    bad = TrialData(replace(data.x, values=values), y)
    clean, dirty = tmp_path / "clean.npy", tmp_path / "dirty.npy"
    assert trial(case, clean, epochs=5).state == "complete"
    assert trial(case, dirty, bad, epochs=5).state == "complete"
    np.testing.assert_array_equal(np.load(clean)[1:], np.load(dirty)[1:])


def test_poisoned_row_leaves_biases_and_head_alone(monkeypatch):
    """The solved head itself is compared, not only what it predicts."""
    _, data, _ = CASES["feature"]
    seen = []
    original = models.with_dense

    def spy(built, kernel, bias):
        layer = built.features.get_layer("random")
        seen.append([np.asarray(layer.bias.value), kernel, bias])
        return original(built, kernel, bias)

    monkeypatch.setattr(models, "with_dense", spy)
    values = data.x.values.copy()
    values[int(data.x.lengths[:3].sum()) : int(data.x.lengths[:4].sum())] = 1e9  # row 3
    trial("feature")
    trial("feature", data=TrialData(replace(data.x, values=values), data.y))
    for clean, dirty in zip(*seen, strict=True):
        np.testing.assert_array_equal(clean, dirty)
    assert seen[0][0].any()


def test_unused_rows_are_left_out(tmp_path):
    architecture, data, _ = CASES["network"]
    split = split_of(len(data.y))
    split[::6] = 2
    spec = spec_of(architecture, epochs=10)
    path = tmp_path / "p.npy"
    result = run_trial(spec, architecture, profile_of(data), data, split, predictions_path=path)
    assert result.state == "complete", result.reason
    assert result.n_train == int((split == 0).sum())
    assert len(np.load(path)) == int((split == 1).sum())


def test_regression_is_in_original_units(tmp_path):
    _, data, _ = CASES["network-regression"]
    result = final("network-regression", tmp_path, epochs=150)
    assert result.state == "complete", result.reason
    predicted = saved.load(tmp_path).predict(data.x)
    assert predicted.shape == data.y.shape
    assert abs(predicted.mean() - data.y.mean()) < 0.2 * data.y.std()
    assert tasks.get("regression").score(data.y, predicted) > 0.8


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from selector.contract import Variable
from selector.training import saved
for folder in map(Path, sys.argv[1:]):
    given = np.load(folder / "x.npz")
    lengths = given["lengths"] if "lengths" in given else None
    axes = ("feature",) if lengths is None else ("time", "channel")
    x = Variable(axes, given["values"], (), lengths)
    np.save(folder / "out.npy", saved.load(folder).predict(x))
"""


def test_fresh_process_and_single_rows_give_exactly_the_same(tmp_path):
    cases = ["network", "feature", "estimator", "network-regression"]
    expected = {}
    for case in cases:
        _, data, classification = CASES[case]
        folder = tmp_path / case
        result = final(case, folder)
        assert result.state == "complete", result.reason
        model = saved.load(folder)
        assert model.pipeline["schema"] == {"a": 1}
        together = expected[case] = model.predict(data.x)
        assert together.dtype == np.float32
        if classification:
            np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
        alone = [model.predict(data.x.take(np.array([i]))) for i in range(0, len(data.y), 5)]
        np.testing.assert_array_equal(np.concatenate(alone), together[::5])
        arrays = {"values": data.x.values}
        if data.x.lengths is not None:
            arrays["lengths"] = data.x.lengths
        np.savez(folder / "x.npz", **arrays)
    folders = [str(tmp_path / case) for case in cases]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", SCRIPT, *folders], check=True, env=env, timeout=120)
    for case in cases:
        np.testing.assert_array_equal(np.load(tmp_path / case / "out.npy"), expected[case])


def test_a_model_says_of_how_many_rows_its_head_was_solved(tmp_path, monkeypatch):
    n = len(CASES["feature"][1].y)
    final("feature", tmp_path / "all")
    monkeypatch.setattr(closed_form, "rows_within", lambda *_: 20)
    final("feature", tmp_path / "few")
    told = [json.loads((tmp_path / m / "pipeline.json").read_text()) for m in ("all", "few")]
    assert [t["n_train"] for t in told] == [n, 20]
    planner = SimpleNamespace(profile=SimpleNamespace(n=n))
    notes = [
        FinalModel.rows_left_out(SimpleNamespace(saved=lambda t=t: t, planner=planner))
        for t in told
    ]
    assert notes[0] == []
    assert f"on 20 of {n} rows" in notes[1][0]


def test_longer_series_than_in_training(tmp_path):
    """A longer series beside it changes no other prediction."""
    _, data, _ = CASES["network"]
    assert final("network", tmp_path).state == "complete"
    model = saved.load(tmp_path)
    few = data.x.take(np.arange(4))
    longer = Variable(
        few.axes,
        np.concatenate([few.values, np.zeros((70, 2), np.float32)]),
        few.columns,
        np.append(few.lengths, 70),
    )
    out = model.predict(longer)
    assert out.shape == (5, 2)
    np.testing.assert_array_equal(out[:4], model.predict(few))


@pytest.mark.parametrize("case", CASES)
def test_saved_model_reproduces_itself(case, tmp_path):
    _, data, _ = CASES[case]
    assert final(case, tmp_path / "a").state == "complete"
    assert final(case, tmp_path / "b").state == "complete"
    first, second = (saved.load(tmp_path / name).predict(data.x) for name in "ab")
    np.testing.assert_array_equal(first, second)


def test_categories_are_matched_by_name(tmp_path):
    _, data, _ = CASES["pipeline"]
    assert final("pipeline", tmp_path).state == "complete"
    model = saved.load(tmp_path)
    values = data.x.values.copy()
    values[:, 3] = np.array([2, 0, 1])[values[:, 3].astype(int)]  # red is now coded 2
    levels = ("green", "blue", "red")
    columns = (*data.x.columns[:3], Column("s", "categorical", levels, "string"))
    np.testing.assert_array_equal(
        model.predict(replace(data.x, values=values, columns=columns)), model.predict(data.x)
    )
    assert model.unseen == 0
    strange = (*data.x.columns[:3], Column("s", "categorical", ("red", "green", "mauve")))
    model.predict(replace(data.x, columns=strange))
    assert model.unseen == int((data.x.values[:, 3] == 2).sum())


# ------------------------------------------------------------------ failures


def test_errors_in_an_architecture_become_reasons():
    class Broken(ToyMLP):
        def build(self, inputs, params, profile):
            raise ZeroDivisionError("no such\nlayer")

    class Unpooled(ToyConv):
        def build(self, inputs, params, profile):
            return inputs.x

    class Odd(Architecture):
        name, family = "toy.odd", "toy"

    data = table()
    common = (profile_of(data), data, split_of(len(data.y)))
    result = run_trial(spec_of(Broken()), Broken(), *common)
    assert (result.state, result.reason) == ("failed", "ZeroDivisionError: no such layer")
    assert "must derive from" in run_trial(spec_of(Odd()), Odd(), *common).reason
    data = series()
    result = run_trial(
        spec_of(Unpooled()), Unpooled(), profile_of(data), data, split_of(len(data.y))
    )
    assert "(batch, features)" in result.reason


def test_interrupts_pass():
    class Interrupted(EstimatorArchitecture):
        name, family = "toy.interrupted", "toy"

        def build(self, params, profile):
            raise KeyboardInterrupt

    data = table()
    with pytest.raises(KeyboardInterrupt):
        run_trial(
            spec_of(Interrupted()), Interrupted(), profile_of(data), data, split_of(len(data.y))
        )


def test_confirmation_past_its_deadline_fails():
    result = trial("network", stage="confirm", epochs=10**6, seconds=3.0)
    assert result.state == "failed"
    assert result.reason.startswith("deadline")
    assert result.stopped == "deadline"


def test_no_validation_rows():
    _, data, _ = CASES["pipeline"]
    result = run_trial(
        spec_of(ToyLinear()), ToyLinear(), profile_of(data), data, np.zeros(len(data.y), np.int8)
    )
    assert "no validation row" in result.reason


def test_a_class_missing_from_training_gets_probability_zero(tmp_path):
    data = table()
    y = data.y.copy()
    split = split_of(len(y))
    y[split == 1] = 2
    profile = replace(profile_of(data), n_outputs=3, classes=("no", "yes", "maybe"))
    for architecture in (ToyLinear(), ToyMLP(), ToyFeatures()):
        path = tmp_path / f"{architecture.name}.npy"
        result = run_trial(
            spec_of(architecture, epochs=3),
            architecture,
            profile,
            TrialData(data.x, y),
            split,
            predictions_path=path,
        )
        assert result.state == "complete", result.reason
        assert np.load(path).shape == (int((split == 1).sum()), 3)


def test_an_estimator_may_claim_variable_length(tmp_path):
    data = series(ragged=True)
    profile, split = profile_of(data), split_of(len(data.y))
    assert run_trial(spec_of(ToyDummy()), ToyDummy(), profile, data, split).state == "complete"
    spec = spec_of(ToyDummy(), stage="final", split=None)
    assert fit_final(spec, ToyDummy(), profile, data, tmp_path).state == "complete"
    np.testing.assert_allclose(saved.load(tmp_path).predict(data.x), 0.5)
    refused = run_trial(spec_of(ToyForest()), ToyForest(), profile, data, split)
    assert "one length" in refused.reason


@pytest.mark.parametrize("recipe", ["trees", "calibrated", "ridge"])
def test_common_estimators_are_saved(recipe, tmp_path):
    class Recipe(EstimatorArchitecture):
        name, family = f"toy.{recipe}", "tabular"

        def build(self, params, profile):
            from sklearn.calibration import CalibratedClassifierCV
            from sklearn.ensemble import ExtraTreesClassifier
            from sklearn.impute import SimpleImputer
            from sklearn.linear_model import RidgeClassifierCV
            from sklearn.model_selection import StratifiedKFold
            from sklearn.pipeline import make_pipeline
            from sklearn.svm import SVC

            last = {
                "trees": ExtraTreesClassifier(5),
                "calibrated": CalibratedClassifierCV(SVC(), cv=StratifiedKFold(2)),
                "ridge": CalibratedClassifierCV(RidgeClassifierCV(), cv=2),
            }[recipe]
            return make_pipeline(SimpleImputer(), last)

    data = table()
    spec = spec_of(Recipe(), stage="final", split=None)
    result = fit_final(spec, Recipe(), profile_of(data), data, tmp_path)
    assert result.state == "complete", result.reason
    assert saved.load(tmp_path).predict(data.x).shape == (80, 2)


# ------------------------------------------------------------------- loading


def test_load_refuses_what_it_should(tmp_path):
    with pytest.raises(SourceNotFoundError, match="no saved model"):
        saved.load(tmp_path)
    assert final("network", tmp_path).state == "complete"
    path = tmp_path / saved.PIPELINE
    pipeline = json.loads(path.read_text())
    assert all(name.startswith("selector.") for name in pipeline["modules"])
    path.write_text(json.dumps({**pipeline, "modules": ["antigravity"]}))
    with pytest.raises(RunError, match="no installed plugin"):
        saved.load(tmp_path)
    assert "antigravity" not in sys.modules
    path.write_text(json.dumps({**pipeline, "format": 99}))
    with pytest.raises(RunError, match="format 99"):
        saved.load(tmp_path)
    path.write_text("{")
    with pytest.raises(RunError, match="damaged"):
        saved.load(tmp_path)


def test_estimators_of_other_types_are_refused(tmp_path):
    class Custom(EstimatorArchitecture):
        name, family = "toy.custom", "toy"

        def build(self, params, profile):
            from sklearn.preprocessing import FunctionTransformer

            return FunctionTransformer(func=os.system)

    data = table()
    spec = spec_of(Custom(), stage="final", split=None)
    result = fit_final(spec, Custom(), profile_of(data), data, tmp_path)
    assert result.state == "failed"
    assert "may be loaded" in result.reason
    assert not (tmp_path / saved.PIPELINE).exists()


def test_wrong_shapes_are_refused(tmp_path):
    _, data, _ = CASES["pipeline"]
    assert final("pipeline", tmp_path).state == "complete"
    model = saved.load(tmp_path)
    with pytest.raises(DataError, match=r"shape \(4\), not \(3\)"):
        model.predict(replace(data.x, values=data.x.values[:, :3], columns=()))
    with pytest.raises(DataError, match="axes"):
        model.predict(series().x)
    assert model.predict(data.x.take(np.array([], int))).shape == (0, 2)


# ---------------------------------------------------------------------- cost


def test_costs_are_counted():
    import keras

    x = keras.Input((20, 3))
    y = keras.layers.Conv1D(8, 5, padding="same", use_bias=False)(x)
    y = keras.layers.GRU(4, use_bias=False)(y)
    y = keras.layers.Dense(2)(y)
    model = keras.Model(x, y)
    recurrent = 8 * 12 + 4 * 12
    counted = cost.of_model(model)
    assert counted["macs"] == 5 * 3 * 8 * 20 + recurrent * 20 + 4 * 2
    assert counted["params_count"] == 5 * 3 * 8 + recurrent + 4 * 2 + 2
    assert counted["bytes"] == 4 * counted["params_count"]


def test_latency_of_a_network_needs_time(monkeypatch):
    assert trial("network", stage="confirm", epochs=2).latency_ms > 0
    assert trial("network", stage="search", epochs=2).latency_ms == 0
    monkeypatch.setattr(fit, "_LATENCY_SECONDS", 1e9)
    assert trial("network", stage="confirm", epochs=2).latency_ms == 0


def test_latency_of_an_estimator_is_always_measured(monkeypatch):
    monkeypatch.setattr(fit, "_LATENCY_SECONDS", 1e9)
    assert trial("pipeline", stage="search").latency_ms > 0


def test_modules_of_a_model(tmp_path: Path):
    result = final("network", tmp_path)
    assert result.state == "complete"
    modules = json.loads((tmp_path / saved.PIPELINE).read_text())["modules"]
    assert modules
    assert set(modules) <= set(sys.modules)


def test_a_trial_tells_what_it_took_until_its_first_step_and_what_was_expected(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(programs, "folder", lambda: tmp_path)  # nothing is stored yet
    rates = {
        "seconds_per_mac": 1e-9, "start_seconds": {"new": 3.0, "stored": 1.0, "ready": 0.5},
        "scoring_seconds": 0.25, "share": 1.0,
    }  # fmt: skip
    steps.clear()
    first, second = trial("network"), trial("network", rates=rates, epochs=10)
    assert first.start == "new"
    assert second.start == "ready"
    assert first.predicted_seconds is None
    assert second.predicted_seconds == pytest.approx(
        0.5 + 0.25 + 10 * 1e-9 * second.macs * second.n_train
    )
    for result in (first, second):
        assert 0 < result.compile_seconds < result.seconds - result.fit_seconds + 1e-6
    assert first.planned_epochs >= first.epochs > 0


def test_fixed_features_are_predicted_by_how_their_program_starts(monkeypatch, tmp_path):
    monkeypatch.setattr(programs, "folder", lambda: tmp_path)
    steps.clear()
    seconds = {"new": 3.0, "stored": 1.0, "ready": 0.5}
    first = trial("feature")
    rates = {
        "start_seconds": seconds, "work_seconds": 0.2, "work": 2 * first.macs * first.n_train,
    }  # fmt: skip
    second = trial("feature", rates=rates)
    assert (first.start, second.start) == ("new", "ready")
    assert first.predicted_seconds is None
    assert second.predicted_seconds == pytest.approx(0.5 + 0.1)
    for result in (first, second):
        assert 0 < result.compile_seconds < result.seconds - result.fit_seconds + 1e-6


def test_a_network_that_cannot_end_in_time_is_not_compiled():
    rates = {
        "seconds_per_mac": 1.0, "start_seconds": {"new": 3.0, "stored": 1.0, "ready": 0.5},
        "scoring_seconds": 0.25, "share": 1.0,
    }  # fmt: skip
    steps.clear()
    result = trial("network", rates=rates, seconds=20.0)
    assert result.state == "failed"
    assert "not started" in result.reason
    assert all(not entry.step._ready for entry in steps._cache.values())


def test_what_was_expected_of_a_closed_form_model_stands_beside_the_truth():
    assert trial("estimator", expected_seconds=0.7).predicted_seconds == 0.7


def test_shifts_change_training_and_not_the_program():
    steps.clear()
    still = trial("network", params={"shift": 0.0}, epochs=120)
    moved = trial("network", params={"shift": 0.1}, epochs=120)
    assert moved.start == "ready"
    assert moved.loss != still.loss
    assert moved.score > 0.65


@pytest.mark.parametrize("params", [{}, {"label_smoothing": 0.1}])
def test_a_network_tells_a_rare_class_apart_where_each_counts_the_same(params):
    y = (np.arange(500) % 50 == 0).astype(float)
    values = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
    values[:, 0] += 6 * y
    data = TrialData(Variable(("feature",), values, (Column("a"), Column("b"))), y)
    profile = replace(profile_of(data), metric="balanced_accuracy", counts=(490, 10))
    spec = spec_of(ToyMLP(), {"learning_rate": 1e-2, **params}, epochs=30)
    result = run_trial(spec, ToyMLP(), profile, data, split_of(500, every=3))
    assert result.score > 0.95


def test_what_cannot_be_timed_is_not_lost(monkeypatch):
    data = table()
    split, spec = split_of(len(data.y)), spec_of(ToyLinear())
    monkeypatch.setattr(fit, "median_seconds", lambda *_: 1 / 0)
    result = run_trial(spec, ToyLinear(), profile_of(data), data, split)
    assert (result.state, result.latency_ms) == ("complete", 0.0)


def test_timing_ends_with_the_time():
    calls = []
    left = iter([10.0, 10.0, 0.0])
    assert median_seconds(lambda: calls.append(1), lambda: next(left)) > 0
    assert len(calls) == 3
    assert median_seconds(lambda: calls.append(1), lambda: 0.0) == 0.0


def test_a_limit_on_latency_is_held_against_the_saved_model(tmp_path):
    data = table()
    spec = spec_of(ToyLinear(), stage="final", split=None)
    for latency in (False, True):
        told = fit_final(
            replace(spec, latency=latency), ToyLinear(), profile_of(data), data, tmp_path / "m"
        )
        assert (told.latency_ms > 0) == latency


def test_fixed_features_take_the_rows_that_there_is_time_for():
    def rows(left, timed=True):
        job = SimpleNamespace(
            spec=SimpleNamespace(timed=timed), clock=SimpleNamespace(left=left),
            train=np.arange(5000), validation=np.arange(1000), classification=True,
            data=SimpleNamespace(y=np.arange(6000) % 2.0),
        )  # fmt: skip
        return len(features._affordable(job, 10, 0.005, np.random.default_rng(0)))

    assert rows(10.0) == 600, "five seconds for the rows to predict, of the rest three fifths"
    assert rows(1000.0) == 5000
    assert rows(1.0) == features.BATCH


def test_a_rare_class_is_chosen_as_if_all_were_equally_frequent(tmp_path):
    rng = np.random.default_rng(0)
    y = np.array([0.0, *[0.0] * 18, 1.0] * 60)
    values = rng.normal(size=(len(y), 2)).astype(np.float32)
    values[:, 0] += 1.2 * y
    data = TrialData(Variable(("feature",), values, (Column("a"), Column("b"))), y)
    usual = profile_of(data)
    profile = replace(usual, metric="balanced_accuracy", counts=(1140, 60))
    spec, split = spec_of(ToyLinear()), split_of(len(y), every=3)
    task = tasks.get("classification", "balanced_accuracy")
    scores = []
    for about in (usual, profile):
        path = tmp_path / "p" / "t.npy"
        result = run_trial(spec, ToyLinear(), about, data, split, predictions_path=path)
        predictions = np.load(path)
        np.testing.assert_allclose(predictions.sum(axis=1), 1, atol=1e-5)
        scores.append(task.score(y[split == 1], predictions))
    assert result.score == scores[1]
    assert scores[0] < 0.6 < 0.65 < scores[1]
    spec = spec_of(ToyLinear(), stage="final", split=None)
    assert fit_final(spec, ToyLinear(), profile, data, tmp_path / "m").state == "complete"
    assert task.score(y, saved.load(tmp_path / "m").predict(data.x)) > 0.65
