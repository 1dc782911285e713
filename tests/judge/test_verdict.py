"""All four verdicts, near their thresholds, and what must not change them."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from finalists import BASE, finalist
from hypothesis import given, settings
from hypothesis import strategies as st

from selector.errors import OptionError
from selector.judge.finalist import Finalist, adjusted_means, compare, score_interval
from selector.judge.verdict import Lacking, Verdict, expected_loss, judge
from selector.judge.why import splits_needed


def test_winner_where_one_family_is_clearly_better() -> None:
    verdict = judge([finalist("cnn.fcn", 0.97), finalist("rnn.gru", 0.90, shift=3)], BASE)
    assert verdict.verdict == "winner"
    assert (verdict.recommended, verdict.family) == ("cnn.fcn", "cnn")
    assert verdict.probabilities["rnn"]["better"] >= 0.9
    assert verdict.baseline_probability is not None
    assert verdict.baseline_probability >= 0.98
    assert not verdict.open
    assert "better by more than 1 point with probability" in verdict.why[0]


def test_winner_recommends_the_cheaper_of_its_own_tie() -> None:
    dear = finalist("cnn.inception", 0.974, 10, macs=10**8)
    cheap = finalist("cnn.minirocket", 0.972, 10, shift=2, macs=10**4, type="fixed features")
    verdict = judge([dear, cheap, finalist("rnn.gru", 0.85, 10, shift=4)], BASE)
    assert verdict.verdict == "winner"
    assert (verdict.best, verdict.recommended) == ("cnn.inception", "cnn.minirocket")
    assert verdict.tie_group == ("cnn.minirocket", "cnn.inception")
    assert verdict.expected_loss <= 0.01
    assert any("times fewer multiply-adds" in w for w in verdict.why)


def test_tie_recommends_the_cheapest_and_names_the_best() -> None:
    verdict = judge(
        [
            finalist("rnn.gru", 0.973, 10, macs=10**7),
            finalist("cnn.minirocket", 0.971, 10, shift=2, macs=10**5, type="fixed features"),
        ],
        BASE,
    )
    assert verdict.verdict == "tie"
    assert verdict.recommended == "cnn.minirocket"
    assert verdict.best == "rnn.gru"
    assert set(verdict.tie_group) == {"cnn.minirocket", "rnn.gru"}
    assert 0.0 < verdict.expected_loss <= 0.01


def test_tie_where_the_best_is_the_cheapest_says_so() -> None:
    verdict = judge(
        [
            finalist("tabular.linear", 0.973, 10, macs=10, type="estimator"),
            finalist("rnn.gru", 0.972, 10, shift=1, macs=10**7),
        ],
        BASE,
    )
    assert (verdict.verdict, verdict.recommended) == ("tie", "tabular.linear")
    assert any("no neural network" in w for w in verdict.why)
    assert any("both the best by mean and cheaper" in w for w in verdict.why)


def test_baseline_where_labels_are_noise() -> None:
    verdict = judge(
        [finalist("cnn.fcn", 0.501, spread=10), finalist("rnn.gru", 0.497, shift=3, spread=10)],
        BASE,
    )
    assert verdict.verdict == "baseline"
    assert verdict.recommended == "tabular.baseline"
    assert verdict.baseline_probability is not None
    assert verdict.baseline_probability < 0.98


def test_baseline_alone() -> None:
    verdict = judge([], BASE)
    assert (verdict.verdict, verdict.recommended) == ("baseline", "tabular.baseline")
    assert "only the trivial baseline" in verdict.why[0]


def test_undecided_where_the_difference_is_between_tie_and_win() -> None:
    verdict = judge(
        [
            finalist("cnn.fcn", 0.97, macs=10**7, validation_rows=40, spread=5),
            finalist("rnn.gru", 0.95, shift=3, validation_rows=40, spread=5),
        ],
        BASE,
    )
    assert verdict.verdict == "undecided"
    assert verdict.recommended == "cnn.fcn"
    assert verdict.open
    assert verdict.more_time


@pytest.mark.parametrize("splits", [1, 2])
def test_fewer_than_three_common_splits_decide_nothing(splits: int) -> None:
    verdict = judge([finalist("cnn.fcn", 0.97, splits), finalist("rnn.gru", 0.96, splits)], BASE)
    assert verdict.verdict == "undecided"
    assert verdict.recommended == "cnn.fcn"
    assert "3 common splits" in verdict.more_time


def test_a_family_with_one_split_keeps_it_open_and_is_not_preferred() -> None:
    lucky = finalist("hybrid.conv_gru", 0.999, 1)
    verdict = judge([finalist("cnn.fcn", 0.97), finalist("rnn.gru", 0.85), lucky], BASE)
    assert verdict.verdict == "undecided"
    assert verdict.recommended == "cnn.fcn"
    assert "hybrid" in verdict.more_time
    assert any("too few splits" in w for w in verdict.why)


def test_disjoint_splits_cannot_be_compared() -> None:
    other = Finalist("rnn.gru", "rnn", scores={f"t{i}": 0.9 for i in range(5)})
    verdict = judge([finalist("cnn.fcn", 0.97), other], None)
    assert verdict.verdict == "undecided"
    assert verdict.probabilities["rnn"]["better"] is None
    assert any("share no split" in w for w in verdict.why)


def test_a_recommended_model_beats_the_baseline_itself() -> None:
    wild = Finalist(
        "rnn.gru",
        "rnn",
        scores={"s0": 0.99, "s1": 0.3, "s2": 0.99, "s3": 0.4, "s4": 0.99},
        validation_rows=20,
        macs=1,
    )
    steady = finalist("cnn.fcn", 0.73)
    verdict = judge([wild, steady], BASE)
    assert verdict.verdict == "undecided"
    assert verdict.recommended == "cnn.fcn"
    assert "rnn.gru" not in verdict.tie_group


def test_one_family_alone_wins_without_a_claim_about_families() -> None:
    verdict = judge([finalist("rnn.gru", 0.9), finalist("rnn.lstm", 0.8)], BASE)
    assert (verdict.verdict, verdict.recommended) == ("winner", "rnn.gru")
    assert verdict.probabilities == {}
    assert "says nothing about families" in verdict.why[0]


def test_without_a_baseline_nothing_is_held_against_the_models() -> None:
    verdict = judge([finalist("rnn.gru", 0.4), finalist("cnn.fcn", 0.2)], None)
    assert verdict.verdict == "winner"
    assert verdict.baseline_probability is None
    assert any("has no score" in w for w in verdict.why)


def _gap(difference: float) -> Verdict:
    return judge(
        [
            finalist("cnn.fcn", 0.90 + difference, 10, macs=10**7),
            finalist("rnn.gru", 0.90, 10, shift=3, macs=10**3),
        ],
        BASE,
    )


def test_the_verdict_goes_from_tie_over_undecided_to_winner_once() -> None:
    order = {"tie": 0, "undecided": 1, "winner": 2}
    steps = [_gap(d) for d in np.linspace(0.0, 0.08, 81)]
    ranks = [order[v.verdict] for v in steps]
    assert ranks == sorted(ranks)
    assert set(ranks) == {0, 1, 2}
    for verdict in steps:
        rnn = verdict.probabilities.get("rnn")
        if verdict.verdict == "winner":
            assert rnn is not None
            assert rnn["better"] >= 0.9
        elif verdict.verdict == "tie":
            assert verdict.expected_loss <= 0.01
            assert verdict.recommended == "rnn.gru"
        else:
            assert rnn is not None
            assert rnn["better"] < 0.9


def few_rows(name: str, *scores: float, **more: Any) -> Finalist:
    """Scores on validation parts of 10 of 50 rows."""
    return Finalist(
        name, name.split(".")[0], scores={f"s{i}": v for i, v in enumerate(scores)},
        validation_rows=10, bytes=4000, **more,
    )  # fmt: skip


def test_undecided_on_few_rows_takes_a_cheaper_model_that_is_one_row_behind() -> None:
    base = few_rows("tabular.baseline", 0.5, 0.4, 0.5, 0.5, type="estimator")
    dear = few_rows("rnn.lstm", 1.0, 1.0, 1.0, 1.0, 1.0, macs=10**6, passes=300)
    cheap = few_rows("cnn.minirocket", 1.0, 1.0, 0.9, 1.0, 1.0, macs=10**6, passes=1)
    verdict = judge([dear, cheap], base)
    assert verdict.verdict == "undecided"
    assert (verdict.best, verdict.recommended) == ("rnn.lstm", "cnn.minirocket")
    assert any("no more than one row behind the best mean, rnn.lstm" in w for w in verdict.why)
    worse = few_rows("cnn.minirocket", 1.0, 0.9, 0.9, 1.0, 0.9, macs=10**6, passes=1)
    assert judge([dear, worse], base).recommended == "rnn.lstm"
    uncounted = [replace(f, validation_rows=0) for f in (dear, cheap)]
    assert judge(uncounted, base).recommended == "rnn.lstm"


def test_the_baseline_threshold_is_ninety_eight() -> None:
    verdicts = [
        judge([finalist("cnn.fcn", 0.5 + d, 10, spread=4, shift=2)], BASE)
        for d in np.linspace(0.0, 0.1, 51)
    ]
    for verdict in verdicts:
        assert verdict.baseline_probability is not None
        assert (verdict.verdict == "baseline") == (verdict.baseline_probability < 0.98)
    assert {v.verdict for v in verdicts} == {"baseline", "winner"}


def test_a_cheap_model_that_is_clearly_not_the_best_is_never_taken() -> None:
    for difference in (0.011, 0.02, 0.05):
        assert _gap(difference).recommended == "cnn.fcn"


def test_prefer_moves_the_rope() -> None:
    pair = [
        finalist("cnn.fcn", 0.915, 10, macs=10**7, validation_rows=2000, spread=0.2),
        finalist("rnn.gru", 0.900, 10, shift=3, validation_rows=2000, spread=0.2),
    ]
    assert judge(pair, BASE, prefer="cheap").recommended == "rnn.gru"
    assert judge(pair, BASE, prefer="score").verdict == "winner"
    assert judge(pair, BASE, prefer="score").rope == 0.001
    assert judge(pair, BASE, rope=0.5).rope == 0.5


def test_r_squared_needs_no_row_count() -> None:
    base = finalist("tabular.baseline", 0.0, metric="r2", validation_rows=0)
    models = [
        finalist("tabular.linear", 0.48, metric="r2", type="estimator", spread=4),
        finalist("rnn.gru", 0.20, metric="r2", shift=3, spread=4),
    ]
    verdict = judge(models, base)
    assert (verdict.verdict, verdict.recommended) == ("winner", "tabular.linear")
    assert "by more than .010 of R²" in verdict.why[0]
    posterior = compare(*models)
    assert posterior is not None
    assert posterior.df == 4.0


def test_perfect_scores_on_few_rows_come_to_a_tie_with_more_splits() -> None:
    def pair(splits: int) -> list[Finalist]:
        scores = {f"s{i}": 1.0 for i in range(splits)}
        return [
            Finalist("cnn.a", "cnn", scores=scores, validation_rows=10, macs=5),
            Finalist("rnn.b", "rnn", scores=scores, validation_rows=10, macs=50),
        ]

    assert judge(pair(3), BASE).verdict == "undecided"
    later = judge(pair(10), BASE)
    assert (later.verdict, later.recommended) == ("tie", "cnn.a")


def test_cost_stands_in_where_multiply_adds_are_unknown() -> None:
    assert Finalist("a.a", "a", macs=7, params_count=1, bytes=2).cost == (7, 2)
    assert Finalist("a.a", "a", params_count=9, bytes=2).cost == (9, 2)
    assert Finalist("a.a", "a", bytes=40).cost == (10, 40)


def test_unusable_input_is_refused() -> None:
    with pytest.raises(OptionError, match="at least one finalist"):
        judge([], None)
    with pytest.raises(OptionError, match="more than once"):
        judge([finalist("a.a", 0.5), finalist("a.a", 0.6)], None)
    with pytest.raises(OptionError, match="Did you mean 'score'"):
        judge([finalist("a.a", 0.5)], None, prefer="scor")
    with pytest.raises(OptionError, match="rope must be"):
        judge([finalist("a.a", 0.5)], None, rope=math.nan)


def test_nan_scores_are_left_out() -> None:
    broken = Finalist("hybrid.x", "hybrid", scores={"s0": math.nan})
    models = [finalist("cnn.fcn", 0.97), finalist("rnn.gru", 0.90, shift=3)]
    assert judge([*models, broken], BASE) == judge(models, BASE)


def test_the_dictionary_is_strict_json() -> None:
    for verdict in (
        _gap(0.0),
        judge([], BASE),
        judge([finalist("cnn.fcn", 0.9, 1), finalist("rnn.gru", 0.8, 1)], BASE),
    ):
        data = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
        assert data["verdict"] == verdict.verdict
        assert data["tie_group"] == list(verdict.tie_group)
        assert data["why"]


def test_expected_loss_is_that_of_the_worst_rival() -> None:
    cheap, near, far = (
        finalist("a.a", 0.9, shift=1),
        finalist("b.b", 0.91, shift=4),
        finalist("c.c", 0.6, shift=6),
    )
    one = compare(near, cheap)
    assert one is not None
    assert expected_loss(cheap, [near, far, cheap]) == pytest.approx(one.expected_excess())
    assert expected_loss(cheap, [Finalist("d.d", "d", scores={"t": 1.0})]) == math.inf


def test_adjusted_means_favour_no_easy_split() -> None:
    hard, easy = {"s0": 0.5, "s1": 0.5}, {"s2": 0.9, "s3": 0.9}
    steady = Finalist("a.a", "a", scores={**hard, **easy})
    half = Finalist("b.b", "b", scores={k: v - 0.1 for k, v in easy.items()})
    means = adjusted_means([steady, half])
    assert half.mean > steady.mean
    assert means["a.a"] - means["b.b"] == pytest.approx(0.1)
    assert means["a.a"] == pytest.approx(0.7)


def test_adjusted_means_stay_within_the_metric() -> None:
    hard = Finalist("rnn.gru", "rnn", scores={"a": 1.0, "b": 1.0})
    weak = Finalist("cnn.fcn", "cnn", scores={"a": 0.7, "b": 0.7, "c": 0.95})
    assert adjusted_means([hard, weak])["rnn.gru"] == 1.0


def test_score_interval_is_cut_at_one_and_needs_two_splits() -> None:
    perfect = score_interval(Finalist("a.a", "a", scores={"s0": 1.0, "s1": 1.0}, validation_rows=9))
    assert perfect is not None
    assert perfect[1] == 1.0
    assert perfect[0] < 1.0
    assert score_interval(finalist("a.a", 0.9, 1)) is None
    few = score_interval(finalist("a.a", 0.9, validation_rows=10))
    many = score_interval(finalist("a.a", 0.9, validation_rows=1000))
    assert few is not None
    assert many is not None
    assert few[1] - few[0] > many[1] - many[0]


def test_more_time_names_a_number_of_splits_that_then_suffices() -> None:
    def pair(splits: int) -> tuple[Finalist, Finalist]:
        return (
            finalist("cnn.fcn", 0.928, splits, validation_rows=300, macs=10**7),
            finalist("rnn.gru", 0.90, splits, shift=5, validation_rows=300),
        )

    needed = splits_needed(*pair(3), 0.01)
    now = judge(pair(3), BASE)
    assert now.verdict == "undecided"
    assert needed is not None
    assert 3 < needed <= 10
    assert f"about {needed} common splits" in now.more_time
    fewer = judge(pair(3), BASE, most_splits=needed - 1)
    assert f"the {needed - 1} common splits that there are do not settle" in fewer.more_time
    assert judge(pair(10), BASE).verdict == "winner"


FOUR = [
    finalist("cnn.fcn", 0.96, 6, macs=10**7),
    finalist("cnn.minirocket", 0.958, 6, shift=2, macs=10**4),
    finalist("rnn.gru", 0.955, 4, shift=3),
    finalist("tabular.linear", 0.80, 3, shift=5, macs=100),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
def test_the_order_of_finalists_and_splits_changes_nothing(order: tuple[int, ...]) -> None:
    def backwards(f: Finalist) -> Finalist:
        return Finalist(**{**vars(f), "scores": dict(reversed(f.scores.items()))})

    assert judge([backwards(FOUR[i]) for i in order], BASE) == judge(FOUR, BASE)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0.55, 0.99), min_size=2, max_size=4), st.integers(0, 9))
def test_a_dominated_dear_finalist_changes_no_recommendation(
    means: list[float], shift: int
) -> None:
    names = ["cnn.a", "rnn.b", "hybrid.c", "tabular.d"]
    models = [
        finalist(n, m, 10, shift=i, macs=10 ** (5 - i), validation_rows=200)
        for i, (n, m) in enumerate(zip(names, means, strict=False))
    ]
    bad = finalist("other.z", 0.515, 10, shift=shift, macs=10**9, validation_rows=200)
    before, after = judge(models, BASE), judge([*models, bad], BASE)
    assert (before.verdict, before.recommended) == (after.verdict, after.recommended)
    own = finalist("cnn.z", 0.515, 10, shift=shift, macs=10**9, validation_rows=200)
    inside = judge([*models, own], BASE)
    assert (before.verdict, before.recommended) == (inside.verdict, inside.recommended)


def test_what_the_time_did_not_suffice_for_leaves_a_winner_open_and_is_said() -> None:
    entered = [finalist("tabular.linear", 0.97, type="estimator"), finalist("rnn.gru", 0.8)]
    assert judge(entered, BASE).verdict == "winner"
    verdict = judge(entered, BASE, lacking=Lacking(compared=("cnn",)))
    assert (verdict.verdict, verdict.open) == ("undecided", True)
    assert verdict.why[0] == "the time was too short to compare cnn"
    assert verdict.more_time == "more time would compare cnn too"
    assert not any("no neural network" in reason for reason in verdict.why)


def test_the_winner_itself_may_have_been_trained_for_a_short_time() -> None:
    entered = [finalist("cnn.fcn", 0.97), finalist("rnn.gru", 0.8)]
    short = Lacking(trained={"cnn": "cnn.fcn (2 epochs)"})
    assert judge(entered, BASE, lacking=short).verdict == "winner"
    other = judge(entered, BASE, lacking=Lacking(trained={"rnn": "rnn.gru (2 epochs)"}))
    assert other.verdict == "undecided"
    assert "rnn.gru (2 epochs)" in other.why[0]


def test_a_baseline_names_the_families_that_were_not_compared() -> None:
    entered = [finalist("tabular.linear", 0.5, type="estimator")]
    verdict = judge(entered, BASE, lacking=Lacking(compared=("rnn", "cnn")))
    assert verdict.verdict == "baseline"
    assert "compare rnn and cnn" in verdict.why[0]
    assert "too" in verdict.more_time


def test_a_baseline_speaks_of_a_model_whose_splits_suffice() -> None:
    entered = [finalist("tabular.linear", 0.51), finalist("tabular.tree", 0.53, 2)]
    verdict = judge(entered, BASE)
    assert verdict.verdict == "baseline"
    assert "tabular.linear" in verdict.why[0]
    assert "–" not in verdict.why[0]


def test_what_is_obvious_needs_no_three_splits() -> None:
    entered = [finalist("tabular.linear", 0.6), finalist("cnn.conv3d", 0.95, 1)]
    verdict = judge(entered, BASE)
    assert (verdict.verdict, verdict.recommended) == ("undecided", "cnn.conv3d")
    alone = judge([finalist("tabular.linear", 0.5), finalist("cnn.conv3d", 0.95, 1)], BASE)
    assert alone.recommended == "cnn.conv3d"


def test_what_is_not_obvious_does() -> None:
    entered = [finalist("tabular.linear", 0.6), finalist("cnn.conv3d", 0.62, 1)]
    assert judge(entered, BASE).recommended == "tabular.linear"
    blind = [replace(f, validation_rows=0) for f in (*entered, finalist("rnn.gru", 0.95, 1))]
    assert judge(blind, replace(BASE, validation_rows=0)).recommended == "tabular.linear"


def test_a_family_that_is_obviously_worse_needs_no_more_time() -> None:
    entered = [finalist("cnn.fcn", 0.97), finalist("rnn.gru", 0.6, 1)]
    verdict = judge(entered, BASE, lacking=Lacking(compared=("rnn",)))
    assert verdict.verdict == "winner"
    close = [finalist("cnn.fcn", 0.97), finalist("rnn.gru", 0.96, 1)]
    assert judge(close, BASE, lacking=Lacking(compared=("rnn",))).verdict == "undecided"


def test_where_no_score_can_be_better_longer_training_changes_nothing() -> None:
    short = Lacking(trained={"cnn": "cnn.conv3d (4 epochs)"})
    tied = [finalist("hybrid.frame_gru", 1.0, spread=0.0), finalist("cnn.conv3d", 1.0, spread=0.0)]
    assert judge(tied, BASE, lacking=short).verdict == "tie"
    lower = [replace(f, scores={s: v - 0.2 for s, v in f.scores.items()}) for f in tied]
    assert judge(lower, BASE, lacking=Lacking(trained={"cnn": "a", "hybrid": "b"})).verdict == (
        "undecided"
    )


def test_on_less_than_a_whole_cross_validation_a_cheaper_model_must_not_be_behind() -> None:
    base = few_rows("tabular.baseline", 0.5, 0.4, 0.5, 0.5, type="estimator")
    dear = few_rows("cnn.fcn", 1.0, 1.0, 1.0, 1.0, macs=10**6, passes=300)
    level = few_rows("cnn.minirocket", 1.0, 1.0, 1.0, 1.0, macs=10**6, passes=1)
    lucky = few_rows("tabular.boosting", 1.0, 0.9, 1.0, 1.0, macs=10**3, passes=1)
    verdict = judge([dear, level, lucky], base, lacking=Lacking(compared=("rnn",)))
    assert verdict.verdict == "undecided"
    assert verdict.recommended == "cnn.minirocket"


def test_rows_that_belong_together_are_not_counted_one_by_one() -> None:
    scores = {"s0": (0.86, 0.70), "s1": (0.66, 0.66), "s2": (0.86, 0.73)}
    pair = [
        Finalist(
            f"{family}.x", family, validation_rows=200, macs=1000, bytes=1000, grouped=grouped,
            scores={s: v[i] for s, v in scores.items()},
        )
        for grouped in (False, True)
        for i, family in enumerate(("cnn", "rnn"))
    ]  # fmt: skip
    assert judge(pair[:2], BASE_OF_FEW).verdict == "winner"
    assert judge(pair[2:], BASE_OF_FEW).verdict == "undecided"
    one = [replace(f, scores={"s0": f.scores["s0"]}) for f in pair]
    assert compare(one[0], one[1]) is not None
    assert compare(one[2], one[3]) is None, "one split of a few groups says nothing"


BASE_OF_FEW = Finalist(
    "tabular.baseline", "tabular", type="estimator", validation_rows=200,
    scores={"s0": 0.3, "s1": 0.3, "s2": 0.3},
)  # fmt: skip


def test_a_model_that_was_given_up_at_once_does_not_keep_the_baseline_open() -> None:
    base = Finalist("tabular.baseline", "tabular", scores={f"s{i}": 0.8 for i in range(5)},
                    validation_rows=200, type="estimator")  # fmt: skip
    linear = replace(base, architecture="tabular.linear")
    bad = Finalist("rnn.gru", "rnn", scores={"s0": 0.5}, validation_rows=200)
    verdict = judge([linear, bad], base)
    assert verdict.verdict == "baseline"
    assert not verdict.open
