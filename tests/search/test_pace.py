"""What a run learns about the speed of the machine, and what it predicts from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from selector.contract import TrialResult, TrialSpec
from selector.search.pace import COMPILING_RATIO, Pace
from selector.search.records import Record
from selector.training.clock import DeadlineError
from selector.training.forecast import FeatureRates, Forecast, check_fits, forecast


def record(
    name: str = "cnn.net", kind: str = "network", params: Any = None, **result: Any
) -> Record:
    values = {
        "score": 0.5, "macs": 1000, "n_train": 100, "epochs": 20, "planned_epochs": 40,
        "fit_seconds": 2.0, "compile_seconds": 1.5, "start": "new", "seconds": 3.7,
    }  # fmt: skip
    spec = TrialSpec("0-search", "search", name, params or {}, "split", 0, 10.0)
    return Record(spec, TrialResult("complete", **{**values, **result}), "cnn", kind)


def test_nothing_is_known_before_the_first_network():
    assert Pace().rates("cnn.net") is None
    assert Pace().seconds("tabular.trees", {}) is None


def test_rates_are_the_medians_of_what_was_measured():
    pace = Pace()
    for seconds in (1.0, 2.0, 9.0):
        pace.tell(record(fit_seconds=seconds, seconds=seconds + 1.7))
    rates = pace.rates("cnn.net")
    assert rates is not None
    assert rates["seconds_per_mac"] == pytest.approx(2.0 / (1000 * 100 * 20))
    assert rates["start_seconds"]["new"] == pytest.approx(1.5)
    assert rates["scoring_seconds"] == pytest.approx(0.2)
    assert rates["share"] == pytest.approx(0.5)


def test_an_architecture_not_yet_tried_is_given_the_rate_of_the_others():
    pace = Pace()
    pace.tell(record())
    assert pace.rates("rnn.net") == {**pace.rates("cnn.net"), "own": False}


def test_a_configuration_tried_before_has_its_own_rate():
    pace = Pace()
    pace.tell(record())
    slow = record(fit_seconds=20.0)
    rates = pace.rates("cnn.net", like=slow)
    assert rates is not None
    assert rates["seconds_per_mac"] == pytest.approx(20.0 / (1000 * 100 * 20))


def test_a_failure_teaches_nothing():
    pace = Pace()
    broken = record()
    pace.tell(Record(broken.spec, TrialResult("failed", reason="x"), "cnn", "network"))
    assert pace.rates("cnn.net") is None


def test_the_forecast_of_the_same_trial_again_is_what_it_took_less_the_compilation():
    pace = Pace()
    pace.tell(record())
    pace.tell(record(start="ready", compile_seconds=0.1, seconds=2.3))
    rates = pace.rates("cnn.net")
    assert rates is not None
    same = {"macs": 1000, "n_train": 100, "epochs": None, "cap": 40, "train_seconds": None}
    new = forecast(rates, start="new", **same)
    again = forecast(rates, start="ready", **same)
    assert new.seconds == pytest.approx(3.7)
    assert again.seconds == pytest.approx(new.seconds - 1.4)


def test_a_plan_is_cut_by_the_seconds_it_may_take_and_fixed_epochs_are_not():
    pace = Pace()
    pace.tell(record(planned_epochs=20))
    rates = pace.rates("cnn.net")
    assert rates is not None
    size = {"macs": 1000, "n_train": 100, "start": "new", "cap": 200}
    planned = forecast(rates, epochs=None, train_seconds=4.0, **size)
    assert planned.seconds == pytest.approx(1.5 + 4.0 + 0.2)
    fixed = forecast(rates, epochs=100, train_seconds=4.0, **size)
    assert fixed.seconds == pytest.approx(1.5 + 10.0 + 0.2)


def test_what_cannot_end_is_not_started():
    pace = Pace()
    pace.tell(record())
    rates = pace.rates("cnn.net")
    assert rates is not None
    huge = forecast(
        rates, macs=10**6, n_train=100, start="new", epochs=None, cap=9, train_seconds=9.0
    )
    with pytest.raises(DeadlineError, match="not started"):
        check_fits(huge, left=10.0)
    check_fits(huge, left=80.0)


def test_how_a_step_starts_is_learned_apart():
    pace = Pace()
    pace.tell(record(start="stored", compile_seconds=0.3))
    pace.tell(record(start="new", compile_seconds=4.0))
    rates = pace.rates("cnn.net")
    assert rates is not None
    assert rates["start_seconds"]["stored"] == pytest.approx(0.3)
    assert rates["start_seconds"]["new"] == pytest.approx(4.0)
    assert 0 < rates["start_seconds"]["ready"] < 0.3


def test_an_estimator_is_expected_to_take_what_the_latest_like_it_took():
    pace = Pace()
    for trees, seconds in ((400, 3.0), (200, 0.5), (400, 1.0), (200, 0.4)):
        pace.tell(record("tabular.trees", "estimator", {"n": trees, "a": 0.1}, seconds=seconds))
    assert pace.seconds("tabular.trees", {"n": 400, "a": 0.7}) == 1.0
    assert pace.seconds("tabular.trees", {"n": 200, "a": 0.7}) == 0.4
    assert pace.seconds("tabular.trees", {"n": 100}) == 0.4


def features(name: str, units: int, start: str, compiling: float, working: float) -> Record:
    return record(
        name, "feature", {"units": units, "a": 0.1}, start=start, compile_seconds=compiling,
        seconds=compiling + working, macs=10 * units,
    )  # fmt: skip


def test_fixed_features_are_expected_by_how_their_program_starts_and_by_their_work():
    pace = Pace()
    assert pace.feature_rates("rnn.fixed", {"units": 400}) is None
    pace.tell(features("cnn.other", 7, "stored", 0.3, 0.1))
    pace.tell(features("rnn.fixed", 400, "new", 2.0, 1.5))
    pace.tell(features("rnn.fixed", 200, "new", 1.8, 0.7))
    pace.tell(features("rnn.fixed", 400, "ready", 0.1, 1.0))
    rates = FeatureRates(**pace.feature_rates("rnn.fixed", {"units": 400, "a": 0.7}))
    assert rates.seconds(4000, 100, "ready") == pytest.approx(1.1)
    assert rates.seconds(4000, 100, "new") == pytest.approx(2.8)  # compiled quicker at last
    assert rates.seconds(4000, 100, "stored") == pytest.approx(1.3)  # as other features
    assert rates.seconds(6000, 200, "ready") == pytest.approx(3.1)
    assert rates.seconds(4000, 100, "") == pytest.approx(1.0)


def test_features_without_multiply_adds_are_expected_to_take_as_long_again():
    rates = FeatureRates({"ready": 0.1}, work_seconds=0.4, work=0)
    assert rates.seconds(0, 100, "ready") == pytest.approx(0.5)


def test_a_structure_that_was_found_compiled_counts_what_compiling_it_would_take():
    def trained(start: str, compiling: float, **params: Any) -> Record:
        return record(
            params=params, start=start, compile_seconds=compiling, seconds=compiling + 3.0
        )

    pace = Pace()
    assert pace.compiled_share() == 0.0
    pace.tell(trained("stored", 0.2, width=8, lr=0.1))
    found = 0.1 + COMPILING_RATIO * (0.2 - 0.1)  # what compiling it would have taken, about
    assert pace.compiled_share() == pytest.approx(found / (found + 3))
    pace.tell(trained("stored", 0.2, width=16, lr=0.3))  # another worker is compiling it
    pace.tell(trained("new", 2.0, width=16, lr=0.1))
    told = found + 0.2 + 2.0
    assert pace.compiled_share() == pytest.approx(told / (told + 9.0))
    pace.tell(trained("ready", 0.1, width=16, lr=0.2))
    told += 0.1
    assert pace.compiled_share() == pytest.approx(told / (told + 12.0))
    confirmed = trained("stored", 0.2, width=32, lr=0.2)
    pace.tell(replace(confirmed, spec=replace(confirmed.spec, stage="confirm")))
    assert pace.compiled_share() == pytest.approx(told / (told + 12.0))


def test_a_first_epoch_that_was_cut_short_is_not_taken_for_a_whole_one():
    cut = record(epochs=1, stopped="deadline", epoch_seconds=20.0, fit_seconds=2.0)
    pace = Pace()
    pace.tell(cut)
    assert pace.rates("cnn.net")["seconds_per_mac"] == pytest.approx(20.0 / (1000 * 100))
    assert cut.predicted_seconds(100) == pytest.approx(20.5)


def test_other_architectures_speed_refuses_a_trial_only_where_it_is_hopeless():
    slow = Forecast(1.0, 30.0, 60.0)
    with pytest.raises(DeadlineError):
        check_fits(slow, 8.0)
    check_fits(replace(slow, own=False), 8.0)
    with pytest.raises(DeadlineError):
        check_fits(replace(slow, own=False), 3.0)
    pace = Pace()
    pace.tell(record())
    assert pace.rates("cnn.net")["own"]
    assert not pace.rates("rnn.net")["own"]
