"""What a minute loses against each family's own five minutes.

    python benchmarks/regret.py [--time 300] [--seed 0] [--only NAME ...] [--out PATH]

Runs ``selector recommend --families F`` for each family on every shipped set, so
that all of them together have five minutes (tables have one family), and holds the score of each
family's model on the untouched test part against the scores at 60 s in
``quality.csv`` (``benchmarks/quality.py``). The regret of a set is the best of
the families' scores minus the middle score at 60 s; sets that are split by the
seed use the seed's own row. Rows are appended to ``OUT.csv`` as they are
measured, a run that was broken off goes on, and ``OUT.md`` is written at the
end. About an hour on two cores.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import append, done_already, markdown
from quality import measure

import selector_datasets

FAMILIES = ("rnn", "cnn", "hybrid", "tabular")
WORST, MEAN = 1.5, 0.7
"""Points that a set may lose at most, and on average."""


def minute(rows: Sequence[dict[str, str]], name: str, seed: int) -> float | None:
    """Return the score at 60 s: the median over seeds, or that of the split of `seed`."""
    mine = [r for r in rows if r["dataset"] == name and float(r["time"]) == 60 and r["score"]]
    if "test" not in selector_datasets.card(name).get("files", {}):
        mine = [r for r in mine if int(r["seed"]) == seed]
    return statistics.median(float(r["score"]) for r in mine) if mine else None


def table(rows: Sequence[dict[str, Any]], quality: Sequence[dict[str, str]], seed: int) -> str:
    """Return the Markdown text: one line for each set, then the worst and the mean."""
    lines, losses = [], []
    for name in dict.fromkeys(r["dataset"] for r in rows):
        scores = {
            r["alone"]: float(r["score"]) for r in rows if r["dataset"] == name and r["score"]
        }
        ours = minute(quality, name, seed)
        if not scores or ours is None:
            continue
        best = max(scores, key=lambda f: scores[f])
        losses.append(100 * (scores[best] - ours))
        cells = [scores.get(f, "") for f in FAMILIES]
        lines.append([name, *cells, best, ours, f"{losses[-1]:+.1f}"])
    text = markdown(["set", *FAMILIES, "best", "at 60 s", "regret, points"], lines)
    if losses:
        text += (
            f"\nWorst {max(losses):+.1f} points (asked for: at most {WORST}), mean"
            f" {statistics.mean(losses):+.2f} (at most {MEAN}).\n"
        )
    return "Measured by `python benchmarks/regret.py`.\n\n" + text


def main() -> None:
    """Measure what is missing and write the table."""
    here = Path(__file__)
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--time", type=float, default=300.0, help="for all families of a set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=None)
    parser.add_argument("--quality", type=Path, default=here.with_name("quality.csv"))
    parser.add_argument("--out", type=Path, default=here.with_suffix(""))
    options = parser.parse_args()
    path = options.out.with_suffix(".csv")
    names = [n for n in selector_datasets.names() if "winner" not in selector_datasets.card(n)]
    have = {(r["dataset"], r["alone"]) for r in done_already(path)}
    for name in options.only or names:
        kinds = ("tabular",) if selector_datasets.card(name)["kind"] == "tabular" else FAMILIES
        for family in kinds:
            if (name, family) in have:
                continue
            budget = options.time / len(kinds)
            row = measure(name, budget, options.seed, ["--families", family])
            append(path, {"alone": family, **row})
            print(name, family, row["score"], row["architecture"], row["process_seconds"])
    text = table(done_already(path), done_already(options.quality), options.seed)
    options.out.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
