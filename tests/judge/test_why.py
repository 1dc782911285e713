"""The sentences of a verdict say no more than its numbers."""

from __future__ import annotations

from dataclasses import replace

from finalists import BASE, finalist

from selector.judge.finalist import Finalist
from selector.judge.verdict import judge


def test_the_baseline_is_not_told_as_a_familys_result() -> None:
    base = finalist("tabular.baseline", 0.8, 3, type="estimator")
    linear = finalist("tabular.linear", 0.79, 2, shift=1, type="estimator")
    verdict = judge([linear, finalist("rnn.gru", 0.78, 2, shift=2)], base)
    assert (verdict.verdict, verdict.recommended) == ("undecided", "tabular.baseline")
    assert {"tabular", "rnn"} == set(verdict.probabilities)
    told = " ".join(verdict.why)
    assert "tabular.linear" in told
    assert "tabular is better" not in told


def test_the_best_of_those_that_beat_the_baseline_is_not_called_the_best_of_all() -> None:
    base = Finalist("tabular.baseline", "tabular", scores=dict.fromkeys("abc", 0.0), metric="r2")
    noisy = Finalist("rnn.gru", "rnn", scores={"a": 0.2, "b": 0.8, "c": 0.9}, metric="r2")
    sure = Finalist("cnn.fcn", "cnn", scores={"a": 0.55, "b": 0.6, "c": 0.6}, metric="r2")
    verdict = judge([noisy, sure], base)
    assert (verdict.verdict, verdict.recommended) == ("undecided", "cnn.fcn")
    told = " ".join(verdict.why)
    assert "best mean score so far of the models that surely beat the trivial baseline" in told


def test_no_more_splits_are_promised_than_there_are() -> None:
    base = finalist("tabular.baseline", 0.5, 10, type="estimator", validation_rows=100)
    near = finalist("cnn.fcn", 0.535, 10, shift=3, spread=9, validation_rows=100)
    verdict = judge([near], base, most_splits=10)
    assert (verdict.verdict, verdict.open) == ("baseline", True)
    assert "more rows" in verdict.more_time
    assert "more common splits" in judge([near], base, most_splits=20).more_time


def test_a_wider_region_is_not_proposed_where_it_is_the_widest() -> None:
    pair = [finalist("cnn.fcn", 0.93, 10), finalist("rnn.gru", 0.895, 10, shift=3, spread=4)]
    verdicts = {p: judge(pair, BASE, prefer=p, most_splits=10) for p in ("balanced", "cheap")}
    for prefer, verdict in verdicts.items():
        if verdict.verdict == "undecided":
            assert ("--prefer cheap" in verdict.more_time) == (prefer != "cheap")
    assert verdicts["cheap"].verdict == "undecided"


def test_a_choice_is_told_by_the_splits_that_both_have() -> None:
    dear = finalist("rnn.gru", 0.973, 10, macs=10**7)
    cheap = finalist("cnn.minirocket", 0.971, 10, shift=2, macs=10**5, type="fixed features")
    cheap = replace(cheap, scores={**cheap.scores, "s99": 1.0})
    verdict = judge([dear, cheap], BASE)
    assert (verdict.verdict, verdict.recommended) == ("tie", "cnn.minirocket")
    told = next(w for w in verdict.why if "against the best score" in w)
    assert "scored .971 against the best score, .973" in told
