"""Which family wins on each planted set, measured with five minutes for each family.

    python benchmarks/truth_reference.py [--seconds 300] [--only SET ...] [--out PATH]

What a planted set is meant to show is one thing, which family learns it is
another: so each family alone gets ``selector recommend --families F --prefer
score --time SECONDS`` on the set as it is shipped, chooses among all that it has
by validation, and is scored on 10,000 fresh rows of the same distribution. The
families go through the command line rather than through training code of this
script, so that each has its whole portfolio, its search, and its fixed features
and estimators, and a new architecture takes part by being there.

Families whose architectures all refuse the data (networks on a table) have a row
without a score. ``noise`` is left out: its answer needs no measuring. Rows are
appended to ``OUT.csv`` as they are measured, a run that was broken off goes on,
and ``OUT.md`` is written at the end. All sets take about two and a half hours
on two cores.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import FRESH_ROWS, answer, done_already, fresh, go_on, markdown, recommend

import selector_datasets
from selector_datasets import planted

FAMILIES = ("rnn", "cnn", "hybrid", "tabular")
SETS = tuple(name for name, card in planted.CARDS.items() if card["winner"] != "baseline")
MARGIN = 0.01
"""Families this close to the best are as good: the tool's own region of practical equivalence."""
FIELDS = (
    "date", "command", "budget", "rows", "set", "tried", "score", "low", "high", "metric",
    "architecture", "family", "verdict", "seconds", "exit", "reason",
)  # fmt: skip


def measure(task: dict[str, Any]) -> dict[str, Any]:
    """Give one family its time on one set."""
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        source = selector_datasets.make(task["set"], room)
        test = fresh(task["set"], room, task["rows"])
        extra = ("--families", task["tried"], "--prefer", "score", "--time", task["budget"])
        return answer(recommend(room, source, "--test", test.name, *extra))


def scores(rows: Sequence[dict[str, str]], name: str) -> dict[str, float]:
    """Return the score of each family that has one on a set, the best first.

    Where a family was measured with several budgets, that of the largest counts.
    """
    mine = [r for r in rows if r["set"] == name and r["score"]]
    mine.sort(key=lambda r: float(r["budget"]))
    found = {r["tried"]: float(r["score"]) for r in mine}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def tie_group(rows: Sequence[dict[str, str]], name: str, margin: float = MARGIN) -> list[str]:
    """Return the families within `margin` of the best on a set, the best first.

    ``["baseline"]`` where there is nothing to be learnt; empty where nothing
    was measured.
    """
    if planted.CARDS[name]["winner"] == "baseline":
        return ["baseline"]
    found = scores(rows, name)
    best = max(found.values(), default=0.0)
    return [f for f, score in found.items() if best - score <= margin + 1e-12]


def table(rows: Sequence[dict[str, str]], margin: float = MARGIN) -> str:
    """Return the Markdown text: scores, who wins and by how much, and whether as planted."""
    if not any(r["score"] for r in rows):
        return "Nothing has a score yet.\n"
    lines: list[list[Any]] = []
    for name, card in planted.CARDS.items():
        found = scores(rows, name)
        if not found:
            continue
        group = tie_group(rows, name, margin)
        outside = [score for family, score in found.items() if family not in group]
        lead = f"{100 * (found[group[-1]] - max(outside)):.1f}" if outside else ""
        meant = card["winner"].split(" or ")
        agrees = "yes" if set(group) & set(meant) else "no"
        shown = [f"{found[f]:.3f}" if f in found else "" for f in FAMILIES]
        lines.append([name, card["winner"], *shown, " = ".join(group), lead, agrees])
    header = ["set", "planted", *FAMILIES, "measured", "lead, points", "as planted"]
    budgets = sorted({float(r["budget"]) for r in rows if r["score"]})
    tests = sorted({int(r["rows"]) for r in rows if r["score"]})
    return (
        "Score (accuracy, or R²) of each family alone on fresh rows "
        f"({', '.join(map(str, tests))}), with {', '.join(f'{b:g}' for b in budgets)} s for each,"
        " measured by `python benchmarks/truth_reference.py`.\n"
        f"Families within {100 * margin:g} points of the best count as equal; the lead is that of"
        " the last of them over the best of the others.\n\n" + markdown(header, lines)
    )


def main() -> None:
    """Measure what is missing and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--rows", type=int, default=FRESH_ROWS, help="fresh test rows")
    parser.add_argument("--only", nargs="*", default=SETS, choices=SETS, metavar="SET")
    parser.add_argument("--families", nargs="*", default=FAMILIES)
    parser.add_argument("--margin", type=float, default=MARGIN)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(""))
    options = parser.parse_args()
    path = options.out.with_suffix(".csv")
    wanted = [
        {"budget": options.seconds, "rows": options.rows, "set": name, "tried": family}
        for name in options.only
        for family in options.families
    ]
    go_on(path, wanted, measure, FIELDS)
    options.out.with_suffix(".md").write_text(table(done_already(path), options.margin))


if __name__ == "__main__":
    main()
