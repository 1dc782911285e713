"""The model that a run leaves: how long it is trained, and what is said of it."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from selector.artifact.final import FinalModel
from selector.artifact.predict import Predictor
from selector.artifact.run import RunFolder
from selector.contract import TrialResult
from selector.errors import OptionError
from selector.search.limits import Limits


@pytest.fixture
def entry():
    """A finalist that was compared on 10 epochs, of a tenth of a second each, and may have 30."""
    latest = SimpleNamespace(
        scoring_seconds=lambda rows: 0.0, result=TrialResult("complete", latency_ms=0.0)
    )
    return SimpleNamespace(epochs=10, longest=lambda: 30, seconds=lambda n: 1.0, latest=latest)


def final(stop: threading.Event) -> SimpleNamespace:
    return SimpleNamespace(
        planner=SimpleNamespace(profile=SimpleNamespace(n=100), timed=True, scored=0),
        budget=SimpleNamespace(seconds=60.0, left=lambda: 50.0),
        runner=SimpleNamespace(stop=stop),
    )


def test_the_last_fit_takes_what_time_is_left_unless_it_was_asked_to_end(entry):
    stop = threading.Event()
    assert FinalModel._epochs(final(stop), entry) == 30
    stop.set()
    assert FinalModel._epochs(final(stop), entry) == 10


@pytest.mark.parametrize(("limit", "said"), [(None, 0), (5.0, 1)])
def test_a_latency_that_was_never_measured_is_told(entry, limit, said):
    contender = SimpleNamespace(limits=Limits(latency_ms=limit), too_costly=lambda result: "")
    planner = SimpleNamespace(contenders={"rnn.gru": contender}, finalists={"rnn.gru": entry})
    model = SimpleNamespace(planner=planner, saved=lambda: {"architecture": "rnn.gru"})
    notes = FinalModel.over_limits(model, {"state": "complete"})
    assert len(notes) == said
    assert all("--max-latency was not held against" in note for note in notes)


def test_a_model_that_the_report_does_not_name_is_told(tmp_path):
    run = RunFolder.create(tmp_path / "run", "data")
    (run.path / "model").mkdir()
    run.write("model/pipeline.json", {"architecture": "tabular.linear"})
    predictor = SimpleNamespace(run=run, folder=run.path / "model")
    assert Predictor._other_model(predictor) == []
    run.write("recommendation.json", {"recommended": {"architecture": "cnn.fcn"}})
    (note,) = Predictor._other_model(predictor)
    assert "the saved model is tabular.linear: the run ended before cnn.fcn" in note
    run.write("recommendation.json", {"recommended": {"architecture": "tabular.linear"}})
    assert Predictor._other_model(predictor) == []
    run.release()


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("worker grew past its memory limit", "could not be fitted (worker grew past"),
        ("worker did not return by its deadline", "in the time left (selector resume"),
        ("no answer within 8.2 s", "in the time left (selector resume"),
        ("", "in the time left"),
    ],
)
def test_why_the_choice_was_not_fitted_is_told(reason, said):
    failed = {"architecture": "cnn.fcn", "stage": "final", "reason": reason}
    runner = SimpleNamespace(failures=[failed] if reason else [])
    told = FinalModel._not_fitted(SimpleNamespace(runner=runner), {"architecture": "cnn.fcn"})
    assert said in told


def test_probabilities_of_a_number_are_refused_before_anything_is_read(tmp_path):
    predictor = SimpleNamespace(schema=SimpleNamespace(classes=()), folder=tmp_path)
    with pytest.raises(OptionError, match="need a classification"):
        Predictor.check_probabilities(predictor)
    predictor.schema.classes = ("a", "b")
    Predictor.check_probabilities(predictor)


@pytest.mark.parametrize(
    ("kind", "seconds", "rows"),
    [("estimator", 20.0, None), ("estimator", 400.0, 100_000), ("network", 400.0, None)],
)
def test_an_estimator_that_all_rows_would_take_too_long_is_fitted_on_fewer(kind, seconds, rows):
    planner = SimpleNamespace(
        profile=SimpleNamespace(n=1_000_000), timed=True, splits=SimpleNamespace(n_confirm=20_000)
    )
    entry = SimpleNamespace(seconds=lambda n: seconds, record=SimpleNamespace(type=kind))
    assert FinalModel._rows(SimpleNamespace(planner=planner), entry, spare=50.0) == rows


@pytest.mark.parametrize(
    ("early", "left", "epochs", "fitted", "saved"),
    [
        ("tabular.linear", 30.0, 10.0, ["cnn.fcn"], "cnn.fcn"),
        ("tabular.linear", 30.0, 0.9, ["cnn.fcn", "tabular.linear"], "tabular.linear"),
        ("tabular.linear", 4.0, 10.0, ["tabular.linear"], "tabular.linear"),
        ("tabular.baseline", 4.0, 2.0, ["cnn.fcn"], "cnn.fcn"),
        ("cnn.resnet", 30.0, 2.0, ["cnn.fcn"], None),
        ("cnn.resnet", 4.0, 2.0, [], None),
        ("", 4.0, 2.0, ["cnn.fcn"], "cnn.fcn"),
    ],
)
def test_a_network_that_had_no_time_does_not_take_the_place_of_a_model_that_had(
    tmp_path, early, left, epochs, fitted, saved
):
    """Its scores were those of ten epochs, of a second each; two are another model.

    A saved network is not replaced by a closed form either, and the trivial baseline always.
    """
    run = RunFolder.create(tmp_path / "run", "x")
    asked: list[str] = []

    def call(command, *_, **__):
        asked.append(command["spec"]["architecture"])
        Path(command["folder"]).mkdir()
        if asked[-1] != "cnn.fcn":
            return {"state": "complete", "epochs": 0, "worker": 0}
        cut = {"stopped": "deadline", "fit_seconds": epochs, "epoch_seconds": 1.0}
        return {"state": "complete", "epochs": 1 + int(epochs), "worker": 0, **cut}

    def finalist(name, kind, planned):
        role = "baseline" if name == "tabular.baseline" else ""
        found = SimpleNamespace(name=name, type=kind, family="x", role=role)
        contender = SimpleNamespace(candidate=found, limits=Limits())
        record = SimpleNamespace(type=kind, spec=SimpleNamespace(params={}))
        return SimpleNamespace(
            contender=contender, record=record, epochs=planned, longest=lambda: planned,
            seconds=lambda n: 10.0 if planned else 0.1,
            latest=SimpleNamespace(scoring_seconds=lambda rows: 0.0),
        )  # fmt: skip

    finalists = {
        "cnn.fcn": finalist("cnn.fcn", "network", 10),
        "tabular.linear": finalist("tabular.linear", "estimator", None),
    }
    contenders = {name: found.contender for name, found in finalists.items()}
    contenders["tabular.baseline"] = finalist("tabular.baseline", "estimator", None).contender
    planner = SimpleNamespace(
        finalists=finalists, contenders=contenders,
        profile=SimpleNamespace(n=100), splits=SimpleNamespace(n_confirm=100), timed=True,
        scored=0, records=[],
    )  # fmt: skip
    runner = SimpleNamespace(slowness=1.0, failures=[], call=call, stop=threading.Event())
    budget = SimpleNamespace(seconds=60.0, left=lambda: left, elapsed=lambda: 0.0)
    model = FinalModel(
        run, runner, planner, budget, task=None, test_y=None, on="", schema={}, seed=0
    )
    if early:
        (run.path / "model").mkdir()
        kind = "network" if early == "cnn.resnet" else "estimator"
        run.write("model/pipeline.json", {"architecture": early, "type": kind})
    rows = [{"architecture": name, "state": "confirmed"} for name in finalists]
    model.fit({"recommended": {"architecture": "cnn.fcn"}, "leaderboard": rows})
    assert asked == fitted
    assert [r.spec.architecture for r in planner.records] == ([saved] if saved else [])
    reasons = [f["reason"] for f in runner.failures]
    assert len(reasons) == (saved != "cnn.fcn")
    assert all("no time for a quarter of the training" in reason for reason in reasons)
    run.release()
