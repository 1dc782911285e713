"""The order of confirmations, and who stays in the race."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from selector.judge.finalist import Finalist
from selector.judge.racing import in_contention, next_confirmations
from selector.judge.verdict import judge

SPLITS = [f"s{i}" for i in range(10)]
NOISE = (0.004, -0.006, 0.002, 0.003, -0.003, 0.001, 0.005, -0.006, -0.002, 0.002)


def finalist(name: str, mean: float = 0.0, splits: int = 0, shift: int = 0) -> Finalist:
    scores = {SPLITS[i]: mean + NOISE[(i + shift) % 10] for i in range(splits)}
    return Finalist(name, name.split(".")[0], scores=scores, validation_rows=100)


def base(splits: int = 3) -> Finalist:
    return finalist("tabular.baseline", 0.5, splits)


def test_champions_go_first_split_by_split() -> None:
    entered = [finalist(n) for n in ("cnn.a", "cnn.b", "rnn.c", "hybrid.d")]
    pairs = next_confirmations(entered, base(0), SPLITS)
    front = ["tabular.baseline", "cnn.a", "rnn.c", "hybrid.d"]
    assert pairs[:12] == [(a, s) for s in SPLITS[:3] for a in front]
    assert pairs[12:] == [("cnn.b", s) for s in SPLITS[:3]]


def test_stopping_at_any_moment_leaves_common_splits() -> None:
    entered = [finalist(n) for n in ("cnn.a", "rnn.c", "hybrid.d")]
    pairs = next_confirmations(entered, None, SPLITS)
    for stop in range(len(pairs) + 1):
        counts = [sum(a == f.architecture for a, _ in pairs[:stop]) for f in entered]
        assert max(counts) - min(counts) <= 1


def test_what_is_running_or_has_failed_is_not_given_out_again() -> None:
    entered = [finalist("cnn.a"), finalist("rnn.c")]
    pairs = next_confirmations(entered, None, SPLITS, taken={("cnn.a", "s0"), ("rnn.c", "s1")})
    assert pairs == [("rnn.c", "s0"), ("cnn.a", "s1"), ("cnn.a", "s2"), ("rnn.c", "s2")]


def test_a_settled_verdict_ends_the_race() -> None:
    entered = [finalist("cnn.a", 0.98, 3), finalist("rnn.c", 0.6, 3, 2)]
    assert judge(entered, base()).verdict == "winner"
    assert next_confirmations(entered, base(), SPLITS) == []
    assert next_confirmations(entered, base(), SPLITS, open=True) == [
        ("cnn.a", s) for s in SPLITS[3:]
    ]


def test_only_contenders_go_on_while_it_is_open() -> None:
    entered = [
        finalist("cnn.a", 0.96, 3),
        finalist("rnn.c", 0.94, 3, 2),
        finalist("hybrid.d", 0.60, 3, 4),
    ]
    assert judge(entered, base()).verdict == "undecided"
    pairs = next_confirmations(entered, base(), SPLITS)
    assert pairs == [(a, s) for s in SPLITS[3:] for a in ("cnn.a", "rnn.c")]


def test_the_baseline_stays_while_no_model_beats_it() -> None:
    entered = [finalist("cnn.a", 0.53, 3, 1), finalist("rnn.c", 0.52, 3, 2)]
    assert [f.architecture for f in in_contention(entered, base())] == [
        "tabular.baseline",
        "cnn.a",
        "rnn.c",
    ]
    sure = [finalist("cnn.a", 0.9, 3, 1)]
    assert [f.architecture for f in in_contention(sure, base())] == ["cnn.a"]


def test_idle_workers_may_go_ahead_behind_the_first_splits() -> None:
    entered = [finalist("cnn.a", 0.96, 3), finalist("rnn.c", 0.95, 2)]
    pairs = next_confirmations(entered, base(), SPLITS)
    assert pairs[0] == ("rnn.c", "s2")
    assert ("cnn.a", "s3") in pairs[1:]


def _run_to_the_end(truth: Mapping[str, float]) -> tuple[list[Finalist], int]:
    entered = [finalist(name) for name in truth]
    done = 0
    while pairs := next_confirmations(entered, None, SPLITS):
        name, split = pairs[0]
        at = [f.architecture for f in entered].index(name)
        noise = NOISE[(SPLITS.index(split) + 3 * at) % 10]
        scores = {**entered[at].scores, split: truth[name] + noise}
        entered[at] = replace(entered[at], scores=scores)
        done += 1
        assert done <= 10 * len(truth)
    return entered, done


def test_the_race_is_short_where_it_is_clear_and_ends_where_it_is_not() -> None:
    clear, few = _run_to_the_end({"cnn.a": 0.97, "rnn.c": 0.7, "hybrid.d": 0.6})
    assert judge(clear, None).verdict == "winner"
    assert few == 5  # three splits of the best, one of each that is obviously worse
    _, many = _run_to_the_end({"cnn.a": 0.97, "rnn.c": 0.95, "hybrid.d": 0.6})
    assert 9 < many < 30
