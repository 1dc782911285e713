"""What is said of many runs of the shipped sets."""

from __future__ import annotations

from quality import compared, summary


def row(dataset, seed, family, score, tie_group="", **more):
    return {
        "time": "60.0", "dataset": dataset, "seed": str(seed), "family": family,
        "score": str(score), "floor_score": "0.9", "tie_group": tie_group, **more,
    }  # fmt: skip


def test_recommendations_agree_where_one_is_in_the_tie_group_of_the_other():
    rows = [
        row("a", 0, "cnn", 0.95, "cnn.fcn"),
        row("a", 1, "rnn", 0.93, "rnn.gru cnn.fcn"),
        row("a", 2, "tabular", 0.85, "tabular.linear"),
        row("b", 0, "cnn", 0.9),
        row("b", 1, "cnn", 0.9, time="180.0"),
    ]
    told = summary(rows, 60.0)
    assert "agree in 1 of 3 pairs" in told
    assert "in 0 both ways" in told
    assert "+0.50 on average over the sets, +0.00 on the worst (b), -5.00 in the worst run" in told


def test_rows_are_compared_only_where_both_runs_told_which_were_right():
    earlier = [row("a", 0, "cnn", 0.5, right="1010"), row("b", 0, "cnn", 0.5)]
    later = [row(d, 0, "cnn", 0.75, right="1011", time="180.0") for d in "ab"]
    told = compared(later, earlier, 180.0, "x.csv", 60.0)
    assert "| a | 1 | 0.5000 | 0.7500 | 0 | 1 | 1.000 |" in told
    assert "| b | 1 | 0.5000 | 0.7500 |  |  |  |" in told
    assert "0.5000 → 0.7500" in told
