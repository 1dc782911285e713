r"""Score on the untouched test part of every shipped set, beside the published figures.

    python benchmarks/quality.py [--time 60] [--seeds 3] [--only NAME ...] [--out PATH]
    cd benchmarks; python quality.py --seeds 1 --out more_time --time 30
    python quality.py --seeds 1 --out more_time --time 180 \
        --against more_time.csv --against-time 30

Runs ``selector recommend --json`` as a user would, one run at a time. Each
result is appended to ``OUT.csv`` as it is measured; a run that was broken off
goes on where it stopped; ``OUT.md`` is written at the end. Sets that come with
a test part use it; the others are split by the run's seed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from common import append, done_already
from floor import floor_of
from scipy.stats import binomtest

import selector_datasets
from selector.artifact.data import read_data

FIELDS = (
    "time", "seed", "dataset", "score", "low", "high", "metric", "verdict", "architecture",
    "family", "baseline", "search_score", "trials", "process_seconds", "families", "failures",
    "exit", "date", "right", "floor", "floor_score", "tie_group",
)  # fmt: skip
SMALL_TABLES = 5
"""Seeds for sets without a test part of their own, whose score varies with the split."""


def command(name: str, room: Path, budget: float, seed: int, extra: Iterable[str]) -> list[str]:
    """Return the command line for one data set."""
    card = selector_datasets.card(name)
    made = [sys.executable, "-m", "selector.cli", "recommend"]
    if "test" in card.get("files", {}):
        made += [
            str(selector_datasets.path(name)),
            "--test",
            str(selector_datasets.path(name, "test")),
        ]
    elif card.get("files"):
        made += [str(selector_datasets.path(name))]
    else:
        suffix = ".npz" if "grid" in card["kind"] or "sequential" in card["kind"] else ".csv"
        made += [str(selector_datasets.make(name, room / f"{name}{suffix}"))]
    return [*made, "--time", str(budget), "--seed", str(seed), "--json", "--quiet",
            "--out", str(room / "run"), *extra]  # fmt: skip


def measure(name: str, budget: float, seed: int, extra: Iterable[str]) -> dict[str, Any]:
    """Run one set once and return a row."""
    with tempfile.TemporaryDirectory() as folder:
        line = command(name, Path(folder), budget, seed, extra)
        started = time.monotonic()
        done = subprocess.run(line, capture_output=True, text=True, env=dict(os.environ))
        seconds = time.monotonic() - started
        run = Path(folder) / "run"
        right = rows_right(run) if not done.returncode else ""
        closed = floor_of(run) if not done.returncode else {}
    row: dict[str, Any] = dict.fromkeys(FIELDS, "")
    row |= {"time": budget, "seed": seed, "dataset": name, "exit": done.returncode}
    row |= {"process_seconds": round(seconds, 2), "date": time.strftime("%Y-%m-%d")}
    row |= {"right": right, **closed}
    try:
        rec = json.loads(done.stdout)
    except ValueError:
        print(done.stderr[-2000:], file=sys.stderr)
        return row
    score = rec["score"] or {"value": "", "interval": ("", ""), "metric": ""}
    chosen = rec["recommended"] or {"architecture": "", "family": ""}
    shares = {
        f: [v["trained_best"], v["trained_splits"], v["share"], v["trained_improving"]]
        for f, v in rec["families"].items()
    }
    return row | {
        "score": score["value"],
        "low": score["interval"][0],
        "high": score["interval"][1],
        "metric": score["metric"],
        "verdict": rec["verdict"],
        "architecture": chosen["architecture"],
        "family": chosen["family"],
        "baseline": rec["baseline"]["value"],
        "search_score": rec["search_score"],
        "trials": rec["trials"],
        "families": json.dumps(shares),
        "tie_group": " ".join(rec["tie_group"]),
        "failures": json.dumps(rec["failures"]),
    }


def rows_right(run: Path) -> str:
    """Return which test rows a run's model got right, as a string of 0 and 1; classification."""
    if not (run / "data" / "test").exists():
        return ""
    _, y = read_data(run / "data" / "test")
    path = run / "predictions" / "test.npy"
    predictions = np.load(path, allow_pickle=False) if path.exists() else np.zeros(0)
    if y is None or predictions.ndim != 2:
        return ""
    return "".join("01"[bool(hit)] for hit in predictions.argmax(axis=1) == y.values)


def table(rows: list[dict[str, str]], budget: float) -> str:
    """Return the Markdown table: median (own test part) or mean (random parts) of each set."""
    lines = [
        f"Score on the untouched test part at `--time {budget:g}`,"
        " measured by `python benchmarks/quality.py`.",
        "Sets with a test part of their own: median over seeds; the others: mean over parts."
        " *Best closed form*: the model without gradient descent that scored best on the common"
        " splits of the same runs, fitted on all rows and scored on the test part.",
        "",
        "| set | runs | score | lowest | highest | best closed form | chosen | verdicts |"
        " longest, s | published |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in selector_datasets.names():
        mine = [r for r in rows if r["dataset"] == name and float(r["time"]) == budget]
        scores = [float(r["score"]) for r in mine if r["score"]]
        if not scores:
            continue
        card = selector_datasets.card(name)
        own = "test" in card.get("files", {})
        middle = statistics.median if own else statistics.mean
        closed = [float(r["floor_score"]) for r in mine if r.get("floor_score")]
        told = f"{middle(closed):.3f}" if closed else ""
        chosen = ", ".join(sorted({r["architecture"] for r in mine if r["architecture"]}))
        verdicts = ", ".join(sorted({r["verdict"] for r in mine if r["verdict"]}))
        published = ", ".join(f"{k} {v}" for k, v in card.get("published", {}).items())
        longest = max(float(r["process_seconds"]) for r in mine)
        lines.append(
            f"| {name} | {len(scores)} | {middle(scores):.3f} | {min(scores):.3f} |"
            f" {max(scores):.3f} | {told} | {chosen} | {verdicts} | {longest:.1f} | {published} |"
        )
    return "\n".join(lines) + "\n"


def summary(rows: list[dict[str, str]], budget: float) -> str:
    """Return how stable the recommendations are, and how they stand against closed forms.

    Two runs of a set agree where the recommended family of one is that of the other, or in
    its tie group; also told is how many do so both ways.
    """
    agree = both = pairs = 0
    against: dict[str, list[float]] = {}
    by_set: dict[str, list[dict[str, str]]] = {}
    for r in rows:
        if float(r["time"]) == budget and r["score"]:
            by_set.setdefault(r["dataset"], []).append(r)
    for name, mine in by_set.items():
        against[name] = [100 * (float(r["score"]) - float(r["floor_score"]))
                         for r in mine if r.get("floor_score")]  # fmt: skip
        for a, b in combinations(mine, 2):
            pairs += 1
            ways = [x["family"] in _families(y) for x, y in ((a, b), (b, a))]
            agree, both = agree + any(ways), both + all(ways)
    lines = []
    if pairs:
        lines.append(
            f"The recommended families of two runs of a set agree in {agree} of {pairs} pairs (the"
            f" one is the other, or in its tie group), in {both} both ways."
        )
    means = {name: statistics.mean(v) for name, v in against.items() if v}
    if means:
        worst = min(means, key=lambda name: means[name])
        run, where = min((min(v), name) for name, v in against.items() if v)
        lines.append(
            f"Against the best closed form, in points: {statistics.mean(means.values()):+.2f} on"
            f" average over the sets, {means[worst]:+.2f} on the worst ({worst}), {run:+.2f} in the"
            f" worst run ({where})."
        )
    return "\n".join(lines) + "\n"


def _families(row: dict[str, str]) -> set[str]:
    """Return the recommended family and those of the tie group."""
    return {row["family"], *(name.split(".")[0] for name in row["tie_group"].split())}


def compared(
    rows: list[dict[str, str]],
    before: list[dict[str, str]],
    budget: float,
    earlier: str,
    earlier_budget: float,
) -> str:
    """Return a Markdown table of two measurements of the same sets and seeds.

    The last column is McNemar's exact test over the test rows of all runs that
    both have (McNemar, Psychometrika 12, 1947).
    """
    lines = [f"`--time {budget:g}` against `--time {earlier_budget:g}` of `{earlier}`,"
             " by McNemar's test:", "",
             "| set | runs | before | after | only before right | only after right | p |",
             "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    old = {(r["dataset"], r["seed"]): r for r in before if float(r["time"]) == earlier_budget}
    pairs: dict[str, list[tuple[dict[str, str], dict[str, str]]]] = {}
    for r in rows:
        other = old.get((r["dataset"], r["seed"]))
        if other and r["score"] and other["score"] and float(r["time"]) == budget:
            pairs.setdefault(r["dataset"], []).append((other, r))
    for name, found in pairs.items():
        means = [statistics.mean(float(pair[i]["score"]) for pair in found) for i in (0, 1)]
        lost = won = 0
        for a, b in found:
            for x, y in zip(a.get("right") or "", b.get("right") or "", strict=False):
                lost, won = lost + (x > y), won + (y > x)
        p = binomtest(won, won + lost).pvalue if won + lost else 1.0
        counted = all(a.get("right") and b.get("right") for a, b in found)
        rows_told = [lost, won, f"{p:.3f}"] if counted else ["", "", ""]
        cells = [name, len(found), *(f"{m:.4f}" for m in means), *rows_told]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    overall = [
        statistics.mean(statistics.mean(float(pair[i]["score"]) for pair in found)
                        for found in pairs.values())
        for i in (0, 1)
    ]  # fmt: skip
    return "\n".join([*lines, "", f"Mean over sets: {overall[0]:.4f} → {overall[1]:.4f}."]) + "\n"


def main() -> None:
    """Measure what is missing and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--time", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=None)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("quality"))
    parser.add_argument("--families", default=None)
    parser.add_argument("--against", type=Path, help="a CSV to compare with; may be this one")
    parser.add_argument("--against-time", type=float, help="its budget, where it is another")
    options = parser.parse_args()
    path = options.out.with_suffix(".csv")
    extra = ["--families", options.families] if options.families else []
    have = {(float(r["time"]), r["dataset"], int(r["seed"])) for r in done_already(path)}
    names = [n for n in selector_datasets.names() if "winner" not in selector_datasets.card(n)]
    for seed in range(max(options.seeds, SMALL_TABLES)):
        for name in options.only or names:
            own = "test" in selector_datasets.card(name).get("files", {})
            if seed >= options.seeds and (own or options.seeds < 3):
                continue
            if (options.time, name, seed) in have:
                continue
            row = measure(name, options.time, seed, extra)
            append(path, row)
            print(
                name,
                seed,
                row["score"],
                row["architecture"],
                row["verdict"],
                row["process_seconds"],
            )
    rows = done_already(path)
    text = table(rows, options.time) + "\n" + summary(rows, options.time)
    if options.against:
        before, name = done_already(options.against), options.against.name
        earlier = options.against_time or options.time
        text += "\n" + compared(rows, before, options.time, name, earlier)
    options.out.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
