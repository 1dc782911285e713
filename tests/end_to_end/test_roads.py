"""From a file to a verdict and a model that can be used: one road for each kind of data."""

from __future__ import annotations

import csv
import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification, make_friedman1
from sklearn.metrics import r2_score

import selector_datasets
from selector.artifact.run import RunFolder

SLOW = functools.partial(pytest.param, marks=pytest.mark.slow)
FIELDS = {
    "run", "kind", "task", "target", "recommended", "verdict", "score", "baseline",
    "leaderboard", "failures", "trials", "wall_seconds",
}  # fmt: skip
ROW = {
    "architecture", "family", "score", "interval", "fit_seconds", "latency_ms", "bytes", "state",
}  # fmt: skip


def selector(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "selector.cli", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, cwd=cwd)


def recommend(tmp_path: Path, *arguments: object, seconds: int = 15) -> dict[str, Any]:
    done = selector(
        "recommend", *arguments, "--time", seconds, "--json", "--quiet", "--out", tmp_path / "run"
    )
    assert done.returncode == 0, done.stderr
    rec: dict[str, Any] = json.loads(done.stdout)
    assert set(rec) >= FIELDS
    assert all(set(row) >= ROW for row in rec["leaderboard"])
    assert rec["verdict"] in {"winner", "tie", "baseline", "undecided"}
    assert rec["recommended"]["architecture"]
    assert rec["score"]["interval"][0] <= rec["score"]["value"] <= rec["score"]["interval"][1]
    stored = json.loads((tmp_path / "run" / "recommendation.json").read_text())
    assert stored == rec
    assert "<html" in (tmp_path / "run" / "report.html").read_text()
    return rec


def predictions(run: Path, source: object, *more: object) -> list[dict[str, str]]:
    out = run.parent / "out.csv"
    done = selector("predict", run, source, "-o", out, *more)
    assert done.returncode == 0, done.stderr
    with out.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_wide_series_with_a_test_file(tmp_path):
    train, test = selector_datasets.path("GunPoint"), selector_datasets.path("GunPoint", "test")
    rec = recommend(tmp_path, train, "--test", test)
    assert (rec["kind"], rec["task"], rec["target"]) == ("sequential", "classification", "target")
    assert rec["score"]["n"] == 150
    assert rec["score"]["value"] > rec["baseline"]["value"] + 0.2
    told = predictions(tmp_path / "run", test)
    with Path(test).open(newline="") as handle:
        truth = [row["target"] for row in csv.DictReader(handle)]
    assert (
        np.mean([p["prediction"] == t for p, t in zip(told, truth, strict=True)])
        == (rec["score"]["value"])
    )
    families = sorted(rec["answers"])  # on a slow machine these may be few
    compared = selector("compare", families[0], families[-1], tmp_path / "run")
    assert compared.returncode == 0, compared.stderr
    for family in {families[0], families[-1]}:
        assert compared.stdout.count(f"{family}: ") == 5
    # a single row, without its target, gets the label that it got in the batch
    with Path(test).open(newline="") as handle:
        rows = list(csv.reader(handle))
    (tmp_path / "one.csv").write_text(",".join(rows[0][:-1]) + "\n" + ",".join(rows[7][:-1]) + "\n")
    alone = predictions(tmp_path / "run", tmp_path / "one.csv", "--proba")
    assert [a["prediction"] for a in alone] == [told[6]["prediction"]]
    assert sum(float(v) for k, v in alone[0].items() if k.startswith("proba_")) == pytest.approx(1)


@pytest.mark.parametrize("family", [SLOW("rnn"), SLOW("cnn"), "hybrid"])
def test_ragged_series_and_each_family_of_networks(tmp_path, family):
    test = selector_datasets.path("JapaneseVowels", "test")
    train = selector_datasets.path("JapaneseVowels")
    rec = recommend(tmp_path, train, "--test", test, "--families", family)
    assert rec["recommended"]["family"] in (family, "tabular")
    assert rec["profile"]["shape"][0] is None
    told = predictions(tmp_path / "run", test)
    truth = [
        line.rsplit(":", 1)[1].strip()
        for line in Path(test).read_text().splitlines()
        if ":" in line and not line.startswith(("#", "@"))
    ]
    assert (
        np.mean([p["prediction"] == t for p, t in zip(told, truth, strict=True)])
        == (rec["score"]["value"])
    )


def test_an_image_folder(tmp_path):
    train = tmp_path / "train"
    source = selector_datasets.path("mnist")
    for label in "0123":
        (train / label).mkdir(parents=True)
        for image in sorted((source / label).glob("*.png"))[:25]:
            (train / label / image.name).write_bytes(image.read_bytes())
    rec = recommend(tmp_path, train)
    assert rec["kind"] == "grid"
    assert rec["score"]["n"] == 20
    told = predictions(tmp_path / "run", train)
    assert len(told) == 100
    assert np.mean([t["path"].split("/")[0] == t["prediction"] for t in told]) > 0.7


def test_a_table_with_categories_and_gaps(tmp_path):
    source = selector_datasets.path("penguins")
    asked = ("--metric", "balanced_accuracy", "--max-params", 500)
    rec = recommend(tmp_path, source, "--refit-all", *asked)
    assert (rec["kind"], rec["target"]) == ("tabular", "species")
    assert rec["score"]["value"] > 0.9
    assert rec["score"]["metric"] == rec["baseline"]["metric"] == "balanced_accuracy"
    assert rec["baseline"]["value"] == pytest.approx(1 / 3)
    params = {r["architecture"]: r["params_count"] for r in rec["leaderboard"]}
    assert (params[rec["recommended"]["architecture"]] or 0) <= 500
    over = [r for r in rec["leaderboard"] if r["state"] == "over a limit"]
    assert all("500 allowed" in r["reason"] for r in over)
    lines = source.read_text().splitlines()
    header = lines[0].split(",")
    strange = lines[1].split(",")
    strange[header.index("island")] = "Atlantis"
    keep = [i for i, name in enumerate(header) if name != "species"]
    (tmp_path / "new.csv").write_text(
        "\n".join(",".join(row[i] for i in keep) for row in (header, strange)) + "\n"
    )
    done = selector("predict", tmp_path / "run", tmp_path / "new.csv", "--model", "model_all")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "prediction"
    assert done.stdout.splitlines()[1] in {"Adelie", "Gentoo", "Chinstrap"}
    assert "note:" in done.stderr
    assert "1" in done.stderr


def test_regression_from_python_and_back(tmp_path):
    script = f"""
import json, numpy as np, selector
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4)); y = X @ [1.0, 2.0, 0.0, -1.0] + 0.1 * rng.normal(size=200)
rec = selector.recommend(X, y, time=12, out={str(tmp_path / "run")!r})
again = selector.load(rec.save({str(tmp_path / "copy")!r}))
assert {str(tmp_path / "copy")!r} in (again.path / "report.html").read_text()
assert {str(tmp_path / "run")!r} not in (again.path / "recommendation.json").read_text()
print(json.dumps([rec.verdict, rec.score["metric"], rec.score["value"],
                  float(np.abs(rec.predict(X[:5]) - y[:5]).max()),
                  bool((again.predict(X[:5]) == rec.predict(X[:5])).all())]))
"""
    (tmp_path / "script.py").write_text(script)  # without an `if __name__` guard
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    verdict, metric, score, error, same = json.loads(done.stdout)
    assert metric == "r2"
    assert verdict in {"winner", "tie", "undecided"}
    assert score > 0.95
    assert error < 1.0
    assert same
    assert done.stderr == ""


def test_an_ensemble_is_saved_beside_the_recommended_model(tmp_path):
    columns, y = make_friedman1(400, noise=1.0, random_state=0)
    table = pd.DataFrame(columns).assign(y=y)
    table[:300].to_csv(tmp_path / "train.csv", index=False)
    table[300:].to_csv(tmp_path / "test.csv", index=False)
    rec = recommend(tmp_path, tmp_path / "train.csv", "--test", tmp_path / "test.csv", "--ensemble")
    made = rec["ensemble"]
    assert len(made["members"]) >= 2
    assert sum(m["weight"] for m in made["members"]) == pytest.approx(1)
    assert made["bytes"] > next(
        row["bytes"]
        for row in rec["leaderboard"]
        if row["architecture"] == rec["recommended"]["architecture"]
    )
    assert made["score"]["n"] == 100
    told = predictions(tmp_path / "run", tmp_path / "test.csv", "--model", "ensemble")
    values = np.array([float(p["prediction"]) for p in told])
    assert r2_score(y[300:], values) == pytest.approx(made["score"]["value"], abs=1e-6)
    alone = predictions(tmp_path / "run", tmp_path / "test.csv")
    assert [p["prediction"] for p in alone] != [p["prediction"] for p in told]


def test_few_rows_are_all_used_and_scored_by_cross_validation(tmp_path):
    columns, y = make_classification(40, 6, class_sep=2.0, random_state=1)
    table = pd.DataFrame(columns).assign(y=np.array(["no", "yes"])[y])
    table.to_csv(tmp_path / "few.csv", index=False)
    rec = recommend(tmp_path, tmp_path / "few.csv", "--refit-all", "--ensemble")
    assert rec["complete"]
    assert rec["profile"]["n"] == rec["score"]["n"] == 40
    assert rec["score"]["on"] == "cross-validation of 40 rows"
    assert 0.8 < rec["score"]["value"] <= max(r["score"] or 0 for r in rec["leaderboard"]) + 0.02
    assert "no test part" in rec["ensemble"]["reason"]
    assert rec["probes"] is None
    notes = " ".join(rec["notes"])
    assert "none is held back" in notes
    assert "no model_all" in notes
    told = predictions(tmp_path / "run", tmp_path / "few.csv")
    assert np.mean([p["prediction"] for p in told] == table["y"]) > 0.9


@pytest.mark.slow
def test_counted_trials_are_the_same_each_time_bit_for_bit(tmp_path):
    train, test = selector_datasets.path("GunPoint"), selector_datasets.path("GunPoint", "test")
    told = []
    for name in ("one", "two"):
        run = tmp_path / name
        line = ["recommend", train, "--test", test, "--trials", 20, "--seed", 1, "--workers", 2]
        done = selector(*line, "--json", "--quiet", "--out", run)
        assert done.returncode == 0, done.stderr
        rec = json.loads(done.stdout)
        trials = sorted(  # by number: a second worker may end first
            (
                ([t["spec"][k] for k in ("id", "split", "seed", "params")], t["result"]["score"])
                for t in RunFolder(run).trials()
            ),
            key=lambda told: told[0][0],
        )
        told.append(
            [trials, rec["verdict"], rec["recommended"], rec["score"], rec["tie_group"],
             (run / "predictions" / "test.npy").read_bytes()]
        )  # fmt: skip
    assert len(told[0][0]) > 40
    assert told[0] == told[1]


def test_a_run_that_was_killed_goes_on_without_losing_a_trial(tmp_path):
    train, test = selector_datasets.path("GunPoint"), selector_datasets.path("GunPoint", "test")
    line = [sys.executable, "-m", "selector.cli", "recommend", str(train), "--test", str(test)]
    line += ["--time", "60", "--quiet", "--out", str(tmp_path / "run")]
    driver = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    trials = tmp_path / "run" / "trials.jsonl"
    while driver.poll() is None and (not trials.exists() or trials.read_bytes().count(b"\n") < 4):
        pass
    driver.kill()
    driver.wait()
    before = [t["spec"]["id"] for t in RunFolder(tmp_path / "run").trials()]
    assert len(before) >= 4
    done = selector("resume", tmp_path / "run", "--time", "15", "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["score"]["n"] == 150
    after = [t["spec"]["id"] for t in RunFolder(tmp_path / "run").trials()]
    assert after[: len(before)] == before
    assert len(after) > len(before)
