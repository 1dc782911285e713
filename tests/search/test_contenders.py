"""What is tried of an architecture, and which of its configurations leads."""

from __future__ import annotations

from dataclasses import replace

from selector.contract import Candidate, Float, TrialResult, TrialSpec
from selector.search.contenders import (
    FEW_ROWS,
    REPEATS,
    Contender,
    Finalist,
    most_trials,
    planned_trials,
)
from selector.search.records import ENOUGH_EPOCHS, LONGER, Record

PORTFOLIO = ({"lr": 0.1}, {"lr": 0.2})


def candidate(trained: bool) -> Candidate:
    kind = "network" if trained else "estimator"
    space = {"lr": Float(0.01, 1.0)}
    return Candidate(
        "rnn.x", "rnn", "x", "p", trained, kind, "candidate", True, "fits", space, PORTFOLIO
    )


def record(lr: float, split: int, score: float, epochs: int = 10) -> Record:
    spec = TrialSpec("0-search-x", "search", "rnn.x", {"lr": lr}, f"search-{split}", 0, 1.0)
    return Record(
        spec, TrialResult("complete", score=score, loss=0.0, epochs=epochs), "rnn", "network"
    )


def contender(*records: Record) -> Contender:
    return Contender(candidate(True), [], list(records))


def test_on_few_rows_every_configuration_of_a_network_is_tried_on_several_splits():
    planned = planned_trials(candidate(True), FEW_ROWS - 1)
    assert planned[:2] == [(p, 0) for p in PORTFOLIO]
    assert len(planned) == REPEATS * len(PORTFOLIO) == most_trials(candidate(True), FEW_ROWS - 1)
    assert {split for _, split in planned} == set(range(REPEATS))


def test_else_and_for_closed_forms_once():
    assert planned_trials(candidate(True), FEW_ROWS) == [(p, 0) for p in PORTFOLIO]
    assert planned_trials(candidate(False), 10) == [(p, 0) for p in PORTFOLIO]


def test_the_best_mean_leads_and_not_the_luckiest_split():
    told = contender(
        record(0.1, 0, 1.0), record(0.1, 1, 0.6), record(0.2, 0, 0.9), record(0.2, 1, 0.9)
    )
    assert told.best is not None
    assert told.best.spec.params == {"lr": 0.2}
    assert told.best_value == 0.9


def test_a_configuration_that_was_tried_again_does_not_shut_out_the_better_one():
    told = contender(record(0.1, 0, 0.97), record(0.2, 0, 0.8), record(0.2, 0, 0.81))
    assert told.best is not None
    assert told.best.spec.params == {"lr": 0.1}
    assert told.best_value == 0.97


def test_configurations_are_compared_on_the_splits_that_they_share():
    told = contender(
        record(0.1, 0, 0.8), record(0.2, 0, 0.9), record(0.1, 1, 1.0), record(0.1, 2, 1.0)
    )
    assert told.best is not None
    assert told.best.spec.params == {"lr": 0.2}


def test_a_sampled_configuration_leads_only_where_it_is_better_by_more_than_chance():
    def led_by(first: float, sampled: float, rows: int) -> float:
        records = [record(0.2, 0, first), record(0.5, 3, sampled)]
        records = [replace(r, result=replace(r.result, n_train=rows)) for r in records]
        found = contender(*records).best
        assert found is not None
        return float(found.spec.params["lr"])

    assert led_by(0.96, 0.97, 720) == 0.2, "240 rows to validate on: a standard error of 1.8 points"
    assert led_by(0.96, 0.99, 720) == 0.5
    assert led_by(0.96, 0.97, 72_000) == 0.5
    assert contender(record(0.5, 3, 0.9), record(0.6, 4, 0.91)).best_value == 0.91


def test_one_that_only_lacked_time_is_tried_again_where_a_run_goes_on():
    failed = replace(record(0.1, 0, 0.9), result=TrialResult("failed", reason="deadline"))
    for late in (True, False):
        told = contender(failed, failed)
        told.started, told.retries = 2, 2
        told.block("deadline: no time", late=late)
        told.forgive()
        assert bool(told.blocked) == (not late)
        assert told.has_work == late
        assert told.portfolio == ([(PORTFOLIO[0], 0)] if late else [])


def test_a_trial_that_is_repeated_takes_none_of_those_planned():
    told = Contender(candidate(False), [({"lr": 0.1}, 0)], most=1)
    told.started = told.retries = 1
    assert told.has_work


def test_the_trial_with_the_median_epochs_stands_for_its_configuration():
    told = contender(*(record(0.1, i, 0.9, epochs) for i, epochs in enumerate((5, 40, 12))))
    assert told.best is not None
    assert told.best.result.epochs == 12


def test_without_a_finished_trial_nothing_leads_not_even_over_a_negative_score():
    assert contender().best is None
    assert contender().best_value < contender(record(0.1, 0, -3.0)).best_value


def test_a_plan_that_the_time_cut_short_may_be_trained_for_longer_at_the_end():
    told = record(0.1, 0, 0.9, epochs=20)
    result = replace(told.result, stopped="planned", fit_seconds=4.0)
    cut = replace(told, spec=replace(told.spec, train_seconds=5.0), result=result)
    whole = replace(cut, spec=replace(told.spec, train_seconds=50.0))
    early = replace(cut, result=replace(result, stopped="early"))
    settled = replace(cut, result=replace(result, planned_epochs=20, best_epoch=16))
    late = replace(cut, result=replace(result, planned_epochs=20, best_epoch=17))
    brief = replace(cut, result=replace(result, planned_epochs=4, best_epoch=3))
    assert (cut.cut_short, whole.cut_short, early.cut_short) == (True, False, False)
    assert (settled.cut_short, late.cut_short, brief.cut_short) == (False, True, True)
    assert Finalist(contender(cut), cut, 20).longest() == 20  # the same samples, seen often enough
    params = {"lr": 0.1, "shift": 0.1}
    varied = replace(cut, spec=replace(cut.spec, params=params))
    assert Finalist(contender(varied), varied, 20).longest() == LONGER * 20
    for epochs, most in ((3, LONGER * 3), (8, ENOUGH_EPOCHS)):
        few = replace(cut, result=replace(cut.result, epochs=epochs))
        assert Finalist(contender(few), few, epochs).longest() == most
    assert Finalist(contender(whole), whole, 20).longest() == 20
    assert Finalist(contender(whole), whole, 8).longest() == 20  # what the search trained
    assert Finalist(contender(whole), whole, None).longest() is None


def test_a_trial_that_was_not_timed_has_the_latency_of_the_one_before():
    told = record(0.1, 0, 0.9)
    timed, untimed = (
        replace(told, result=replace(told.result, latency_ms=ms)) for ms in (7.0, 0.0)
    )
    entry = Finalist(contender(told), told, 10, records=[timed, untimed])
    assert entry.latest.result == timed.result
    assert Finalist(contender(told), told, 10).latest == told
