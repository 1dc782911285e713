"""The five answers follow from the numbers, and name them."""

from __future__ import annotations

from typing import Any

import pytest

from selector.judge.questions import IN_GENERAL, QUESTIONS, answers


def row(name: str, score: float | None, **more: Any) -> dict[str, Any]:
    base = {
        "architecture": name, "family": name.split(".")[0], "role": "candidate", "score": score,
        "fit_seconds": 2.0, "epochs": 50, "latency_ms": 0.4, "params_count": 1234,
        "macs": 56789, "bytes": 4096,
    }  # fmt: skip
    return {**base, **more}


def drop(kind: str, score: float, error: float = 0.02, **which: Any) -> dict[str, Any]:
    return {"kind": kind, "score": score, "drop": 0.98 - score, "error": error, "n": 150, **which}


@pytest.fixture
def rec() -> dict[str, Any]:
    stats = {"trials": 7, "core_seconds": 41.0, "share": 0.4}
    return {
        "kind": "sequential",
        "task": "classification",
        "baseline": {"metric": "accuracy", "value": 0.5},
        "profile": {
            "n": 100, "axes": ["time", "channel"], "shape": [150, 1], "lengths": [150, 150, 150],
            "n_outputs": 2,
            "signals": {"time.neighbour_correlation": 0.91,
                        "time.neighbour_correlation_null95": 0.08},
        },
        "recommended": {"architecture": "rnn.gru"},
        "families": {"rnn": stats, "cnn": stats, "tabular": stats},
        "refused": [{"architecture": "rnn.other", "family": "rnn", "reason": "too short"}],
        "leaderboard": [
            row("rnn.gru", 0.98), row("cnn.fcn", 0.97), row("tabular.linear", 0.70, macs=0),
            row("tabular.baseline", 0.5, role="baseline"), row("cnn.lite", None),
        ],
        "probes": {
            "architecture": "rnn.gru", "family": "rnn", "on": "test file",
            "results": [
                drop("none", 0.98), drop("shuffle", 0.55), drop("last", 0.975, steps=75, share=0.5),
                drop("last", 0.6, steps=38, share=0.25),
                drop("hide", 0.98, start=0, stop=19), drop("hide", 0.68, start=93, stop=112),
            ],
        },
    }  # fmt: skip


def test_every_family_answers_every_question(rec):
    told = answers(rec)
    assert set(told) == {"rnn", "cnn", "tabular"}
    for by_question in told.values():
        assert set(by_question) == set(QUESTIONS)
        assert all(any(c.isdigit() for c in words) for words in by_question.values())


def test_the_winner_is_told_by_its_probes(rec):
    mine = answers(rec)["rnn"]
    assert "falls to .550 (43 points ± 2 points, 150 rows)" in mine["structure"]
    assert "28 points more than the best that knows no order, tabular.linear" in mine["structure"]
    assert "the last 75 of 150 steps are enough" in mine["long_term"]
    assert "steps 93 to 112 are hidden (30 points)" in mine["long_term"]
    assert "1 of 2 architectures" in mine["usage"]
    assert "2,500 series a second" in mine["efficiency"]
    assert "1,234 parameters" in mine["efficiency"]


def test_what_more_epochs_and_rows_bring_is_told(rec):
    rec["leaderboard"][0]["late_loss"] = {"epochs": 20, "loss": [0.3, 0.2]}
    rec["leaderboard"][1]["late_loss"] = {"epochs": 20, "loss": [0.3, 0.3]}
    rec["learning"] = {
        "architecture": "rnn.gru", "rows": [100, 200], "scores": [0.9, 0.95], "error": 0.02,
        "n": 50, "metric": "accuracy",
    }  # fmt: skip
    told = answers(rec)
    mine = told["rnn"]["efficiency"]
    assert "last 20 epochs lowered the validation loss from 0.3 to 0.2, by 0.005 each" in mine
    said = "trained on 100 rows its accuracy was .900, on 200 .950: 5 points (± 2 points, 50 rows)"
    assert said in mine
    assert "5 points for each 100 rows more" in mine
    assert "20 epochs lowered the validation loss of 0.3 no further" in told["cnn"]["efficiency"]
    assert "trained on" not in told["cnn"]["efficiency"]
    rec["learning"]["rows"] = [20, 40]
    assert "0.2 points for each row more" in answers(rec)["rnn"]["efficiency"]


def test_the_effective_field_is_told_in_parts(rec):
    changes = iter([0.05, 0.45])
    for result in rec["probes"]["results"]:
        if result["kind"] == "hide":
            result["change"] = next(changes)
    assert "effective field" not in answers(rec)["rnn"]["long_term"], "not all were hidden"
    for result in rec["probes"]["results"]:
        result["of"] = 2
    told = answers(rec)["rnn"]["long_term"]
    assert "its effective field: 1 of 2 parts make 90% of what hiding them" in told


def test_other_numbers_give_other_sentences(rec):
    before = answers(rec)["rnn"]
    rec["probes"]["results"][1] = drop("shuffle", 0.975)
    rec["probes"]["results"][2:4] = [drop("last", 0.7, steps=75, share=0.5)]
    rec["probes"]["results"][-1] = drop("hide", 0.97, start=93, stop=112)
    rec["profile"]["signals"]["time.neighbour_correlation"] = 0.03
    rec["profile"] |= {"shape": [None, 1], "lengths": [7, 19, 29]}
    after = answers(rec)["rnn"]
    assert "loses nothing that can be told (0.5 points" in after["structure"]
    assert "(chance: up to .08)" in after["structure"]
    assert "more than the last 75 of 19 steps are needed" in after["long_term"]
    assert "none of 2 parts that were hidden one at a time is needed" in after["long_term"]
    assert "series of 7 to 29 steps (median 19)" in after["inputs_outputs"]
    assert all(before[q] != after[q] for q in ("structure", "long_term", "inputs_outputs"))


def test_a_family_that_was_not_probed_says_so(rec):
    told = answers(rec)
    assert "rnn.gru was probed" in told["cnn"]["long_term"]
    assert "falls to" not in told["cnn"]["structure"]
    rec["probes"] = None
    assert "no model was probed" in answers(rec)["rnn"]["long_term"]


def test_tables_name_their_columns(rec):
    rec |= {"kind": "tabular", "probes": {
        "architecture": "tabular.linear", "family": "tabular", "on": "test file",
        "results": [drop("column", 0.9, column="age"), drop("column", 0.6, column="height")],
    }}  # fmt: skip
    rec["profile"] |= {"axes": ["feature"], "shape": [2], "signals": {}}
    structure = answers(rec)["tabular"]["structure"]
    assert "the columns have no order to measure" in structure
    assert "height (38 points) and age (8 points)" in structure
    assert "of 2 columns, shuffled among the rows, it needs" in structure


def test_a_table_whose_columns_were_not_all_probed_says_so(rec):
    rec |= {"kind": "tabular", "probes": {
        "architecture": "tabular.linear", "family": "tabular", "on": "test file",
        "results": [drop("column", 0.9, column="age"), drop("column", 0.6, column="height")],
    }}  # fmt: skip
    rec["profile"] |= {"axes": ["feature"], "shape": [30], "signals": {}}
    needed = answers(rec)["tabular"]["structure"]
    assert "of the first 2 of 30 columns, shuffled among the rows, it needs height" in needed
    rec["probes"]["results"] = [drop("column", 0.98, column=c) for c in ("age", "height")]
    none = answers(rec)["tabular"]["structure"]
    assert "none of the first 2 of 30 columns, shuffled among the rows, costs" in none


def test_what_holds_in_general_answers_every_question():
    assert all(set(told) == set(QUESTIONS) for told in IN_GENERAL.values())
    assert set(IN_GENERAL) == {"rnn", "cnn", "hybrid", "tabular"}


def test_probes_of_a_cheaper_member_of_the_family_are_said_to_be_its(rec):
    rec["probes"]["architecture"] = "rnn.lstm"
    told = answers(rec)["rnn"]
    assert "rnn.lstm (accuracy .980 as it is); with the steps" in told["structure"]
    assert told["long_term"].startswith("rnn.lstm: the last 75")


def test_probes_are_scored_row_by_row_whatever_the_metric(rec):
    rec["baseline"]["metric"] = "neg_log_loss"
    structure = answers(rec)["rnn"]["structure"]
    assert ".280 of negative log loss more" in structure
    assert "43 points ± 2 points" in structure


def test_resized_images_are_told(rec):
    rec["profile"]["shape"], rec["kind"] = [64, 64, 3], "grid"
    rec["profile"]["axes"] = ["height", "width", "channel"]
    assert any("nothing is padded, cut or resized" in a for a in answers(rec)["cnn"].values())
    rec["notes"] = ["7 of 9 images of another size were resized to 64 × 64 (height × width)"]
    assert any("7 of 9 images" in a for a in answers(rec)["cnn"].values())
