"""The pure parts of the benchmarks of truth and calibration: no run of the program."""

from __future__ import annotations

import calibration
import common
import numpy as np
import pytest
import regret
import truth
import truth_reference

from selector.readers import read
from selector_datasets import planted


def reference_row(name, family, score, budget=300.0):
    row = dict.fromkeys(truth_reference.FIELDS, "")
    return row | {"set": name, "tried": family, "score": str(score), "budget": str(budget),
                  "rows": "10000"}  # fmt: skip


REFERENCE = [
    reference_row("last_command", "rnn", 0.99),
    reference_row("last_command", "hybrid", 0.981),
    reference_row("last_command", "cnn", 0.8),
    reference_row("last_command", "cnn", 0.7, budget=20.0),
    reference_row("last_command", "tabular", ""),
    reference_row("thresholds", "tabular", 0.94),
    reference_row("thresholds", "cnn", ""),
]


def truth_row(name, seed, verdict, family, score=0.9):
    row = dict.fromkeys(truth.FIELDS, "")
    return row | {"time": "90.0", "set": name, "seed": str(seed), "verdict": verdict,
                  "family": family, "architecture": f"{family}.x", "score": str(score),
                  "seconds": "91"}  # fmt: skip


def test_tie_groups_come_from_the_largest_budget():
    assert truth_reference.scores(REFERENCE, "last_command") == {
        "rnn": 0.99, "hybrid": 0.981, "cnn": 0.8,
    }  # fmt: skip
    assert truth_reference.tie_group(REFERENCE, "last_command") == ["rnn", "hybrid"]
    assert truth_reference.tie_group(REFERENCE, "last_command", 0.005) == ["rnn"]
    assert truth_reference.tie_group(REFERENCE, "thresholds") == ["tabular"]
    assert truth_reference.tie_group(REFERENCE, "adding") == []
    assert truth_reference.tie_group([], "noise") == ["baseline"]


def test_reference_table():
    text = truth_reference.table(REFERENCE)
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert lines[2] == (
        "| last_command | rnn | 0.990 | 0.800 | 0.981 |  | rnn = hybrid | 18.1 | yes |"
    )
    assert lines[3] == "| thresholds | tabular |  |  |  | 0.940 | tabular |  | yes |"
    assert len(lines) == 4


def test_recommendations_are_held_against_the_reference():
    rows = [
        truth_row("last_command", 0, "winner", "rnn", 0.97),
        truth_row("last_command", 1, "winner", "cnn", 0.8),
        truth_row("noise", 0, "baseline", "tabular", 0.5),
        truth_row("noise", 1, "undecided", "rnn", 0.5),
        truth_row("adding", 0, "tie", "rnn"),
    ]
    found = truth.judged(rows, REFERENCE)
    assert [r["right"] for r in found] == ["yes", "no", "yes", "no", "?"]
    assert [r["lost"] for r in found] == [pytest.approx(2.0), pytest.approx(19.0), None, None, None]
    text = truth.table(rows, REFERENCE)
    assert "Right: 2 of 4 runs (1 more without a reference)" in text
    assert "*winner*: 2, of which 1 name" in text
    assert "| last_command | 1 | rnn = hybrid | cnn | cnn.x | winner | no | 0.800 | 19.0 |" in text


def test_a_failed_run_is_not_right():
    row = truth_row("last_command", 0, "", "", "") | {"exit": "2"}
    assert [r["right"] for r in truth.judged([row], REFERENCE)] == ["no"]
    assert "none 1" in truth.table([row], REFERENCE)


def test_going_on(tmp_path):
    path, fields, asked = tmp_path / "x.csv", ("date", "set", "seed", "score"), []

    def measure(task):
        if task == {"set": "b", "seed": 1}:
            raise KeyboardInterrupt
        asked.append(task)
        return {"score": 0.5}

    wanted = [{"set": s, "seed": i} for i in range(2) for s in "ab"]
    with pytest.raises(KeyboardInterrupt):
        common.go_on(path, wanted, measure, fields)
    assert len(common.done_already(path)) == len(asked) == 3
    common.go_on(path, wanted[:3], measure, fields)
    assert len(asked) == 3
    common.go_on(path, [{"set": "c", "seed": 0}], measure, fields)
    assert [(r["set"], r["seed"]) for r in common.done_already(path)] == [
        ("a", "0"), ("b", "0"), ("a", "1"), ("c", "0"),
    ]  # fmt: skip


def test_scores_of_written_predictions(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("prediction\n1\n0\n1\n1\n")
    assert common.score_of_predictions(path, [1, 0, 0, 1], "classification") == 0.75
    assert common.score_of_predictions(path, [1, 0, 0, 1], "regression") == pytest.approx(0.0)
    with pytest.raises(ValueError, match="4 predictions for 3 rows"):
        common.score_of_predictions(path, [1, 0, 0], "classification")


def test_draws_of_calibration(tmp_path):
    for part, count in calibration.DRAWS.items():
        made = [calibration.problem(part, draw) for draw in range(count)]
        assert len({m["seed"] for m in made}) == count
    noise = [calibration.problem("noise", draw) for draw in range(40)]
    assert {(m["kind"], m["n"]) for m in noise} == {
        (kind, n) for kind in calibration.KINDS for n in calibration.SIZES
    }
    interval = [calibration.problem("interval", draw) for draw in range(40)]
    assert {m["set"] for m in interval} == set(planted.CARDS) - {"noise", "moving_shapes"}
    path = calibration.write(tmp_path, {"set": "noise", "kind": "ragged", "n": 20, "seed": 1})
    ragged = read(path)
    assert ragged.x.lengths is not None
    assert len(np.unique(ragged.x.lengths)) > 5
    assert calibration.write(tmp_path, noise[0]).suffix == ".csv"


def test_calibration_table():
    def row(part, verdict, score="", low="", high="", true=""):
        made = dict.fromkeys(calibration.FIELDS, "")
        return made | {"part": part, "verdict": verdict, "score": score, "low": low,
                       "high": high, "true": true}  # fmt: skip

    rows = [
        row("noise", "baseline", "0.5"),
        row("noise", "winner", "0.6"),
        row("weak", "tie", "0.6"),
        row("weak", "", ""),
        row("interval", "winner", "0.9", "0.85", "0.95", "0.88"),
        row("interval", "winner", "0.9", "0.85", "0.95", "0.96"),
        row("interval", "", "", "", "", ""),
    ]
    assert [calibration.passed(r) for r in rows] == [True, False, True, False, True, False, False]
    text = calibration.table(rows)
    assert "| noise | verdict *baseline* | 2 | 1 | 38 of 40 |" in text
    assert "| interval | the 95% interval holds the true score | 3 | 1 | 36 of 40 |" in text
    assert "-2.00 points on average over 2 problems" in text
    assert text.split("Draws that did not")[1].count("\n| ") == 6


def test_regret_is_the_best_family_less_the_minute():
    minute = [
        {"dataset": "GunPoint", "seed": str(seed), "time": "60.0", "score": score}
        for seed, score in enumerate(("0.9", "0.95", "1.0"))
    ] + [
        {"dataset": "iris", "seed": str(seed), "time": "60.0", "score": score}
        for seed, score in enumerate(("0.9", "1.0"))
    ]
    rows = [
        {"dataset": "GunPoint", "alone": "cnn", "score": "0.96"},
        {"dataset": "GunPoint", "alone": "rnn", "score": "0.8"},
        {"dataset": "iris", "alone": "tabular", "score": "0.95"},
    ]
    assert regret.minute(minute, "GunPoint", 0) == 0.95
    assert regret.minute(minute, "iris", 1) == 1.0
    text = regret.table(rows, minute, 0)
    assert "| GunPoint | 0.800 | 0.960 |  |  | cnn | 0.950 | +1.0 |" in text
    assert "Worst +5.0 points" in text
    assert "mean +3.00" in text
