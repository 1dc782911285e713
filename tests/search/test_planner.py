"""The plan: every family gets its turn, finalists race on common splits, the clock is kept."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from invented import SCORES, N, play

from selector.artifact.recommendation import compose
from selector.contract import Categorical, Float, Int, TrialResult
from selector.errors import OptionError
from selector.search.budget import parse_time
from selector.search.contenders import DRAWN_ALIKE, PATIENCE
from selector.search.planner import COMPILED_SHARE, CONFIRM_SHARE
from selector.search.records import Record
from selector.search.splits import MINIMUM_SPLITS


def test_the_floor_comes_first_and_starts_with_the_baseline(make):
    records = play(make(), limit=3)
    assert [r.spec.stage for r in records[:3]] == ["floor"] * 3
    assert records[0].spec.architecture == "tabular.baseline"


def test_every_family_is_tried_before_any_is_tried_twice(make):
    records = [r for r in play(make()) if r.type == "network"]
    assert {r.family for r in records[:3]} == {"rnn", "cnn", "hybrid"}


def test_the_best_of_each_family_is_confirmed_on_common_splits(make):
    planner = make()
    play(planner)
    for name in ("cnn.net", "rnn.net", "hybrid.net", "cnn.fixed", "tabular.linear"):
        assert len(planner.finalists[name].scores) >= MINIMUM_SPLITS
    assert "rnn.other" not in planner.finalists
    first = planner.splits.confirm[:MINIMUM_SPLITS]
    assert all(set(first) <= set(f.scores) for f in planner.finalists.values())


def test_confirmation_plans_its_epochs_and_peeks_at_nothing(make):
    records = [r for r in play(make()) if r.spec.stage == "confirm" and r.type == "network"]
    assert records
    assert all(r.spec.epochs for r in records)
    by_name = {r.spec.architecture: {r.spec.epochs for r in records} for r in records}
    assert all(len(epochs) == 1 for epochs in by_name.values())


def test_each_family_of_networks_gets_its_share_or_rests_since_it_stopped_improving(make):
    planner = make(seconds=300.0)
    records = [r for r in play(planner) if r.spec.stage != "confirm" and r.type == "network"]
    spent: Counter[str] = Counter()
    for r in records:
        spent[r.family] += r.result.seconds
    total = sum(spent.values())
    assert total > 30
    for family, seconds in spent.items():
        members = [c for c in planner.contenders.values() if c.candidate.family == family]
        rested = all(c.stale >= PATIENCE for c in members if c.candidate.trained)
        assert rested or seconds / total >= 0.18, family


def test_the_next_architecture_of_a_family_joins_after_two_trials_of_the_first(make):
    everything = play(make(seconds=300.0))
    records = [r for r in everything if r.family == "rnn" and r.spec.stage != "confirm"]
    names = [r.spec.architecture for r in records]
    assert names[:3] == ["rnn.net", "rnn.net", "rnn.other"]


def test_what_is_compiled_is_trained_again_before_more_is_compiled(make):
    planner = make(seconds=600.0)
    records = play(planner, compiled=1.5)
    records = [r for r in records if r.type == "network" and r.spec.stage != "confirm"]
    shares = [
        sum(r.result.compile_seconds for r in records[:i])
        / sum(r.result.seconds for r in records[:i])
        for i in range(1, len(records))
    ]
    seen = {(records[0].spec.architecture, records[0].spec.params["u"])}
    families = {records[0].family}
    for record, before, share in zip(records[2:], shares, shares[1:], strict=False):
        program = (record.spec.architecture, record.spec.params["u"])
        # two run at a time: the share is that of one trial before, or of two
        if record.family in families and min(before, share) > COMPILED_SHARE:
            assert program in seen
        seen.add(program)
        families.add(record.family)
    assert {name for name, _ in seen} == {"cnn.net", "hybrid.net", "rnn.net", "rnn.other"}
    planner.timed = False
    assert not planner._compiled_enough(), "a plan without a clock is the same on any machine"


def test_where_trainings_are_slow_only_the_first_architecture_of_a_family_is_tried(make):
    records = [r for r in play(make(), seconds=9.0) if r.type == "network"]
    assert {r.family for r in records} == {"rnn", "cnn", "hybrid"}
    assert "rnn.other" not in {r.spec.architecture for r in records}


def test_three_of_four_sampled_networks_keep_the_structure_of_the_best(make):
    planner = make(seconds=600.0)
    records = [r for r in play(planner) if r.spec.architecture == "cnn.net"]
    sampled = [r for r in records if r.spec.stage == "search"][2:]
    contender = planner.contenders["cnn.net"]
    assert len(sampled) >= 6
    kept = Counter(r.spec.params["u"] for r in sampled)
    assert kept[contender.best.spec.params["u"]] >= 2 * len(sampled) // 3
    assert len({r.spec.params["lr"] for r in sampled}) == len(sampled)


def test_the_first_sampled_networks_keep_a_structure_that_is_compiled(make):
    planner = make(seconds=600.0)
    play(planner)
    contender = planner.contenders["cnn.net"]
    contender.candidate = replace(contender.candidate, space={"u": Int(1, 10**6)})
    new = []
    for sampled in range(8):
        contender.started = len(contender.candidate.portfolio) + sampled
        new.append(contender.structure(seed=0) != {"u": contender.best.spec.params["u"]})
    assert new == [False, False, False, True] * 2


def test_the_first_new_structures_are_the_same_in_every_run_of_a_seed(make):
    space = {
        "u": Int(1, 1000), "v": Int(1, 1000, log=True), "w": Categorical(tuple(range(100))),
        "x": Int(10, 1000, step=10), "lr": Float(0.1, 1.0), "shift": Categorical((0.0, 0.1)),
    }  # fmt: skip
    drawn = []
    for seed in (1, 1, 2):
        contender = make().contenders["cnn.net"]
        contender.candidate = replace(contender.candidate, space=space)
        contender.started = 5
        drawn.append(contender.structure(seed))
    assert drawn[0] == drawn[1] != drawn[2]
    assert set(drawn[0]) == {"u", "v", "w", "x"}
    assert drawn[0]["x"] % 10 == 0


def test_later_structures_are_left_to_the_study(make):
    contender = make().contenders["cnn.net"]
    contender.started = DRAWN_ALIKE
    assert contender.structure(seed=0) == {}


def test_what_was_learned_about_speed_goes_with_each_later_trial(make):
    records = [r for r in play(make()) if r.type == "network"]
    assert records[0].spec.rates is None
    assert all(r.spec.rates for r in records[4:])
    linear = [r for r in play(make()) if r.spec.architecture == "tabular.linear"]
    assert linear[0].spec.expected_seconds is None
    assert linear[-1].spec.expected_seconds == pytest.approx(0.1)


@pytest.mark.parametrize("seconds", [15.0, 60.0, 180.0])
def test_the_clock_is_kept(make, seconds):
    planner = make(seconds=seconds)
    play(planner)
    assert planner.budget.elapsed() <= seconds


def test_no_more_trials_than_asked_for(make):
    planner = make(seconds=600.0, max_trials=9)
    records = play(planner)
    assert sum(r.spec.stage != "confirm" for r in records) == 9
    assert planner.stage == "confirm"


def test_an_architecture_that_took_its_worker_down_is_not_asked_again(make):
    planner = make()
    play(planner, limit=3)
    planner.crashed("hybrid.net", "hung", guilty=True)
    before = planner.contenders["hybrid.net"].started
    play(planner)
    assert planner.contenders["hybrid.net"].started == before
    assert "hybrid.net" not in planner.finalists


def test_an_architecture_that_worked_before_has_a_second_chance(make):
    planner = make()
    play(planner, limit=12)
    assert planner.contenders["hybrid.net"].best is not None
    planner.crashed("hybrid.net", "hung", guilty=True)
    assert not planner.contenders["hybrid.net"].blocked
    planner.crashed("hybrid.net", "hung", guilty=True)
    assert planner.contenders["hybrid.net"].blocked == "hung"


def test_a_replayed_plan_keeps_every_trial_and_goes_on(make, tmp_path):
    first = make()
    records = play(first)
    again = make()
    again.replay(records)
    assert len(again.records) == len(records)
    more = play(again)
    assert again.confirmed
    assert not {r.spec.id for r in more} & {r.spec.id for r in records}


def test_what_is_composed_names_the_better_family(make, profile):
    planner = make()
    play(planner)
    rec = compose(
        planner=planner, profile=profile, metric="accuracy", prefer="balanced",
        noted_failures=[], candidates=[c.candidate for c in planner.contenders.values()],
    )  # fmt: skip
    assert rec["recommended"]["architecture"] == "cnn.fixed"
    assert rec["leaderboard"][0]["state"] == "confirmed"
    assert {r["architecture"] for r in rec["leaderboard"]} == set(SCORES)
    assert rec["families"]["rnn"]["trained_splits"] >= MINIMUM_SPLITS


def test_no_winner_is_named_over_a_family_that_was_not_compared(make, profile):
    planner = make(seconds=15.0)
    records = play(planner, seconds=6.0)
    untried = {"rnn", "hybrid"} & set(planner.uncompared_families())
    assert untried, [r.spec.id for r in records]
    rec = compose(
        planner=planner, profile=profile, metric="accuracy", prefer="balanced",
        noted_failures=[], candidates=[c.candidate for c in planner.contenders.values()],
    )  # fmt: skip
    assert rec["verdict"] == "undecided"
    assert any(family in " ".join(rec["why"]) for family in untried)


def test_no_winner_is_named_over_a_network_that_had_only_begun_to_learn(make, profile):
    planner = make()
    play(planner)
    told = functools.partial(
        compose, planner=planner, profile=profile, metric="accuracy", prefer="balanced",
        noted_failures=[], candidates=[c.candidate for c in planner.contenders.values()],
    )  # fmt: skip
    assert told()["verdict"] == "winner"
    entry = planner.finalists["rnn.net"]

    def trained(confirmed: int, **searched: Any) -> None:
        entry.epochs = confirmed
        for i, record in enumerate([entry.record, *entry.records]):
            result = replace(record.result, n_train=searched.get("n_train", 45))
            if i == 0:
                result = replace(result, **searched)
                entry.record = replace(record, result=result)
            else:
                entry.records[i - 1] = replace(record, result=result)

    trained(2, epochs=2, stopped="early")
    assert told()["verdict"] == "winner"
    trained(2, epochs=2, stopped="planned", n_train=100_000)
    assert told()["verdict"] == "winner"
    trained(2, epochs=8, stopped="early")  # shrunk, since the time was short
    assert told()["verdict"] == "undecided"
    trained(2, epochs=2, stopped="planned")
    rec = told()
    assert rec["verdict"] == "undecided"
    assert rec["recommended"]["architecture"] == "cnn.fixed"
    assert rec["why"][0] == "the time was too short to train rnn.net (2 epochs)"
    assert rec["more_time"] == "more time would train rnn for longer"


def test_a_baseline_that_alone_was_confirmed_in_time_is_not_recommended_for_it(make, profile):
    planner = make()
    play(planner, limit=12)
    planner.start_confirmation()
    play(planner, limit=2)
    for other in [f for name, f in planner.finalists.items() if name != "tabular.baseline"]:
        other.scores.clear()  # whatever ran beside it did not end
        other.records.clear()
    rec = compose(
        planner=planner, profile=profile, metric="accuracy", prefer="balanced",
        noted_failures=[], candidates=[c.candidate for c in planner.contenders.values()],
    )  # fmt: skip
    assert planner.finalists["tabular.baseline"].scores
    assert rec["recommended"]["architecture"] != "tabular.baseline"
    assert rec["verdict"] == "undecided"


@pytest.mark.parametrize(
    ("text", "seconds"), [("60", 60), ("90s", 90), ("5m", 300), ("1h", 3600), (12.5, 12.5)]
)
def test_times_are_understood(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["soon", "-5", "0", "3", "5 weeks", ""])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(OptionError, match="--time"):
        parse_time(text)


def test_a_lane_is_charged_for_its_members_that_have_no_more_work(make):
    planner = make()
    play(planner, limit=12)
    planner.contenders["rnn.other"].blocked = "exhausted"
    asked = []

    def spent(members):
        asked.append({c.candidate.name for c in members})
        return 1.0

    planner.lanes.choose(set(), spent)
    assert {"rnn.net", "rnn.other"} in asked


def test_time_is_kept_for_the_dearest_that_may_yet_be_recommended(make):
    planner = make()
    play(planner, limit=10)  # networks take 3 s, the best closed form .1 s
    assert planner.contenders["cnn.fixed"].best_value > planner.contenders["cnn.net"].best_value
    least = 1.25 * planner.contenders["cnn.net"].best.predicted_seconds(N)
    assert planner.reserve() > least
    planner.start_confirmation()
    assert planner.reserve() > least


def shortened(planner, epochs):
    """Confirm a planner's networks on three splits with so many epochs each."""
    planner.start_confirmation()
    told = []
    for name, finalist in planner.finalists.items():
        for split in planner.splits.confirm[:3]:
            trained = epochs if finalist.epochs is not None else None
            spec = replace(finalist.record.spec, stage="confirm", split=split, epochs=trained)
            result = replace(finalist.record.result, epochs=epochs, score=SCORES[name])
            told.append(Record(spec, result, name.split(".")[0], finalist.record.type))
    return told


@pytest.mark.parametrize(
    ("earlier", "seconds", "now", "kept"),
    [
        pytest.param(20, 60.0, 52.0, 3, id="a short resume keeps what a longer run confirmed"),
        pytest.param(5, 600.0, 6.0, 0, id="shorter trainings do not stand for longer ones"),
    ],
)
def test_a_resumed_run_counts_scores_of_as_many_epochs(make, earlier, seconds, now, kept):
    first = make()
    records = play(first, limit=16)
    told = shortened(first, earlier)
    planner = make(seconds)
    planner.budget.now = now
    planner.replay([*records, *told])
    planner.start_confirmation()
    found = planner.finalists["hybrid.net"]
    assert (found.epochs, len(found.scores)) == (20, kept)


def test_a_finalist_that_cannot_be_trained_is_no_family_that_lacked_time(make):
    planner = make()
    play(planner, limit=12)
    planner.start_confirmation()
    finalist = planner.finalists["rnn.net"]
    for split in planner.splits.confirm[:2]:
        spec = replace(finalist.record.spec, stage="confirm", split=split, epochs=finalist.epochs)
        planner.tell(Record(spec, TrialResult("failed", "not finite"), "rnn", "network"))
    assert planner.contenders["rnn.net"].blocked == "not finite"


def test_a_trial_that_was_enqueued_at_the_kill_does_not_stop_a_resume(make):
    planner = make()
    network = planner.contenders["rnn.net"].candidate
    planner.studies._study(network).enqueue_trial({"lr": 0.01, "u": 1})
    planner.studies.restore(network, {})
    number, params = planner.studies.ask(network, {"lr": 0.02, "u": 2})
    assert (number, params) == (1, {"lr": 0.02, "u": 2})


def test_time_is_kept_for_scoring_many_rows(make):
    planner = make(scored=10)
    play(planner, limit=10)
    few, planner.scored = planner.reserve(), 10 * N
    some, planner.scored = planner.reserve(), 1000 * N
    assert few < some < planner.reserve() < few + 0.11 * planner.budget.seconds


def test_many_cores_do_not_leave_the_search_without_time(make):
    planner = make(seconds=60.0)
    planner.cores = 16
    assert planner.trial_limit() <= CONFIRM_SHARE * 60.0
    assert planner._may_search()


def test_families_that_were_too_slow_are_named_as_not_compared(make):
    planner = make()
    for name in ("hybrid.net", "rnn.net", "rnn.other"):
        contender = planner.contenders[name]
        contender.block("deadline: no time was left", late=name == "hybrid.net")
    play(planner)
    uncompared = planner.uncompared_families()
    assert "hybrid" in uncompared
    assert "rnn" not in uncompared, "it is broken, not slow"


def test_the_baseline_does_not_stand_for_the_tabular_family(make):
    planner = make()
    play(planner)
    assert "tabular" not in planner.uncompared_families()
    del planner.finalists["tabular.linear"]
    assert len(planner.finalists["tabular.baseline"].scores) >= MINIMUM_SPLITS
    assert "tabular" in planner.uncompared_families()


def test_a_first_score_that_comes_late_still_takes_part(make):
    planner = make()
    while planner.stage != "confirm":
        if not play(planner, limit=1):
            break
    del planner.finalists["tabular.linear"]
    record = next(r for r in planner.records if r.spec.architecture == "tabular.linear")
    planner.tell(record)
    assert "tabular.linear" in planner.finalists
    spec = replace(record.spec, architecture="rnn.other")
    planner.tell(replace(record, spec=spec, family="rnn", type="network"))
    assert "rnn.other" not in planner.finalists, "its family has a finalist"


def test_few_trials_go_to_every_familys_network_first(make):
    records = play(make(max_trials=5))
    searched = [r for r in records if r.spec.stage in ("floor", "portfolio", "search")]
    assert len(searched) == 5
    assert {r.family for r in searched if r.type == "network"} == {"rnn", "cnn", "hybrid"}


def test_a_network_over_a_limit_takes_no_place_on_few_rows(make, profile):
    planner = make()
    planner.lanes.profile = replace(profile, n=60)
    first = planner.contenders["rnn.net"]
    first.started, first.blocked = 2, "over --max-params"
    lane = [c for c in planner.contenders.values() if c.candidate.family == "rnn"]
    assert (
        planner.lanes._turn([c for c in lane if not c.blocked]) is planner.contenders["rnn.other"]
    )


def test_a_last_fit_on_more_rows_is_compiled_anew_and_takes_what_it_is_given(make):
    planner = make(seconds=60.0)
    play(planner, limit=12)
    best = {name: planner.contenders[name].best for name in ("cnn.net", "tabular.linear")}
    assert planner._final_fit(100.0, best["cnn.net"]) >= 125.0
    planner.splits.thinned = True
    compiling = planner.pace.compiling("cnn.net")
    assert compiling > 0
    assert planner._final_fit(100.0, best["cnn.net"]) == pytest.approx(9.0 + compiling)
    assert planner._final_fit(100.0, best["tabular.linear"]) == pytest.approx(9.0)
