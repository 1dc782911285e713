"""Whether recommendations know what they do not know: noise, weak signals, intervals.

    python benchmarks/calibration.py [noise] [weak] [interval] [--time 20] [--draws N] [--out PATH]

* ``noise``: labels independent of the data, 40 draws of four kinds (tables,
  series, images, multivariate series of varying length) and 80 to 1200 rows. The
  verdict must be *baseline* in 38 at least. About 15 minutes on two cores.
* ``weak``: 20 draws of 1000 rows whose best classifier has an AUC of .65, tables
  and series. Not *baseline* in 18 at least. About 8 minutes.
* ``interval``: 40 generated problems with 20,000 fresh test rows each. The stated
  95% interval, from the rows that the run itself held out, holds the score of
  ``selector predict`` on the fresh rows in 36 at least, and stated minus true is
  within one point on average. About 25 minutes.

Every part by default. Rows are appended to ``OUT.csv`` as they are measured, a
run that was broken off goes on, and ``OUT.md`` is written at the end.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    FRESH_SEED,
    answer,
    done_already,
    fresh,
    go_on,
    markdown,
    recommend,
    run,
    score_of_predictions,
)

import selector_datasets
from selector_datasets import planted

DRAWS = {"noise": 40, "weak": 20, "interval": 40}
LEAST = {"noise": 38, "weak": 18, "interval": 36}
KINDS = ("table", "series", "grid", "ragged")
SIZES = (80, 150, 300, 600, 1200)
PROBLEMS = {
    "last_command": 400, "state_tracking": 400, "local_motif": 300, "motif_2d": 400,
    "motif_order": 500, "digit_order": 500, "thresholds": 300, "thresholds_permuted": 500,
    "adding": 500, "weak_signal": 600,
}  # fmt: skip
"""Sets of ``interval`` and their smaller number of rows; the larger is twice that."""
FRESH = 20_000
FIELDS = (
    "date", "command", "part", "time", "draw", "set", "kind", "n", "verdict", "family",
    "architecture", "metric", "score", "low", "high", "true", "seconds", "exit", "reason",
)  # fmt: skip


def problem(part: str, draw: int) -> dict[str, Any]:
    """Return the set of a draw: its name, its kind where it has several, its rows, its seed."""
    if part == "noise":
        kind, n = KINDS[draw % 4], SIZES[draw // 4 % len(SIZES)]
        return {"set": "noise", "kind": kind, "n": n, "seed": 1000 + draw}
    if part == "weak":
        kind = ("table", "series")[draw % 2]
        return {"set": "weak_signal", "kind": kind, "n": 1000, "seed": 2000 + draw}
    name = list(PROBLEMS)[draw % len(PROBLEMS)]
    twice = 1 + draw // len(PROBLEMS) % 2
    return {"set": name, "kind": "", "n": twice * PROBLEMS[name], "seed": 3000 + draw}


def write(room: Path, made: dict[str, Any]) -> Path:
    """Write the training rows of a draw into `room`."""
    if made["kind"] == "ragged":
        return _ragged(room / "noise.npz", made["n"], made["seed"])
    options = {"kind": made["kind"]} if made["kind"] else {}
    return selector_datasets.make(made["set"], room, n=made["n"], seed=made["seed"], **options)


def _ragged(path: Path, n: int, seed: int) -> Path:
    """Write series of three channels and 30 to 90 steps whose labels mean nothing."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(30, 91, n)
    x = rng.normal(0.0, 1.0, (int(lengths.sum()), 3)).astype(np.float32)
    np.savez_compressed(path, X=x, lengths=lengths, y=rng.permutation(np.arange(n) % 2))
    return path


def measure(task: dict[str, Any]) -> dict[str, Any]:
    """Run one draw of one part."""
    made = problem(task["part"], task["draw"])
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        ran = recommend(room, write(room, made), "--time", task["time"], "--seed", task["draw"])
        row = answer(ran) | {k: made[k] for k in ("set", "kind", "n")}
        if task["part"] == "interval" and row.get("score", "") != "":
            row["true"] = true_score(room, made["set"])
    return row


def true_score(room: Path, name: str, rows: int = FRESH) -> float:
    """Return the score of the saved model of ``room/run`` on fresh rows.

    Raises
    ------
    RuntimeError
        Where ``selector predict`` fails.
    """
    done = run(room, "predict", "run", fresh(name, room, rows).name, "--out", "predicted.csv")
    if done.exit:
        raise RuntimeError(f"{done.command}: {done.reason}")
    truth = planted.generate(name, n=rows, seed=FRESH_SEED).y
    return score_of_predictions(room / "predicted.csv", truth, planted.CARDS[name]["task"])


def passed(row: dict[str, str]) -> bool:
    """Say whether a draw came out as it must."""
    if row["part"] == "noise":
        return row["verdict"] == "baseline"
    if row["part"] == "weak":
        return row["verdict"] not in ("", "baseline")
    stated = row["true"] and row["low"]
    return bool(stated) and float(row["low"]) <= float(row["true"]) <= float(row["high"])


def table(rows: Sequence[dict[str, str]]) -> str:
    """Return the Markdown text: one line for each part, then the draws that failed."""
    demand = {
        "noise": "verdict *baseline*",
        "weak": "verdict not *baseline*",
        "interval": "the 95% interval holds the true score",
    }
    lines, failed = [], []
    for part, text in demand.items():
        mine = [r for r in rows if r["part"] == part]
        if not mine:
            continue
        good = sum(map(passed, mine))
        lines.append([part, text, len(mine), good, f"{LEAST[part]} of {DRAWS[part]}"])
        failed += [r for r in mine if not passed(r)]
    gaps = [float(r["score"]) - float(r["true"]) for r in rows if r["true"]]
    text = "Measured by `python benchmarks/calibration.py`.\n\n"
    text += markdown(["part", "demand", "draws", "met", "asked for"], lines)
    if gaps:
        mean = 100 * statistics.mean(gaps)
        error = 100 * statistics.stdev(gaps) / len(gaps) ** 0.5 if len(gaps) > 1 else float("nan")
        text += (
            f"\nStated minus true score: {mean:+.2f} points on average over {len(gaps)} problems"
            f" (standard error {error:.2f}); asked for is within 1 point.\n"
        )
    if failed:
        shown = [
            [r["part"], r["draw"], r["set"], r["kind"], r["n"], r["verdict"], r["architecture"],
             *(float(r[k]) if r[k] else "" for k in ("score", "low", "high", "true")), r["reason"]]
            for r in failed
        ]  # fmt: skip
        header = ["part", "draw", "set", "kind", "rows", "verdict", "architecture", "score",
                  "low", "high", "true", "reason"]  # fmt: skip
        text += "\nDraws that did not:\n\n" + markdown(header, shown)
    return text


def main() -> None:
    """Measure what is missing and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(DRAWS))
    parser.add_argument("--time", type=float, default=20.0)
    parser.add_argument("--draws", type=int, default=None, help="of each part")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(""))
    options = parser.parse_args()
    parts = options.parts or list(DRAWS)
    if not set(parts) <= set(DRAWS):
        parser.error(f"the parts are {', '.join(DRAWS)}; received {', '.join(parts)}")
    path = options.out.with_suffix(".csv")
    wanted = [
        {"part": part, "time": options.time, "draw": draw}
        for part in parts
        for draw in range(options.draws or DRAWS[part])
    ]
    go_on(path, wanted, measure, FIELDS)
    options.out.with_suffix(".md").write_text(table(done_already(path)))


if __name__ == "__main__":
    main()
