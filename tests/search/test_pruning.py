"""Trainings are compared with earlier ones of their lane on the same split only."""

from __future__ import annotations

from selector.contract import TrialResult, TrialSpec
from selector.search.pruning import MARGIN, thresholds
from selector.search.records import Record


def record(**rungs: float) -> Record:
    spec = TrialSpec("0-search-x", "search", "rnn.x", {}, "search-0", 0, 1.0)
    told = {name.replace("_", "."): loss for name, loss in rungs.items()}
    result = TrialResult("complete", score=0.5, loss=1.0, rungs={k[1:]: v for k, v in told.items()})
    return Record(spec, result, "rnn", "network")


def test_one_earlier_trial_says_nothing():
    assert thresholds([]) == {}
    assert thresholds([record(r0_25=1.0, r0_5=0.5)]) == {}


def test_early_the_worst_counts_and_half_through_the_median():
    records = [record(r0_25=a, r0_5=b) for a, b in ((1.0, 0.5), (2.0, 0.9), (3.0, 0.1))]
    assert thresholds(records) == {"0.25": MARGIN * 3.0, "0.5": 0.5}


def test_what_was_given_up_early_counts_only_as_far_as_it_came():
    records = [record(r0_25=1.0, r0_5=0.5), record(r0_25=2.0)]
    assert thresholds(records) == {"0.25": MARGIN * 2.0}
