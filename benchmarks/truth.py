"""Recommendations held against planted truth.

    python benchmarks/truth.py [--time 90] [--seeds 2] [--only SET ...] [--out PATH]

Runs ``selector recommend`` on every planted set, and says whether the recommended
family is the winner that ``truth_reference.py`` measured, or in its tie group;
on ``noise`` the right answer is ``baseline``. Also told: how often a run was sure
(verdict *winner*) and wrong, and what its model loses on 10,000 fresh rows
against the best of the reference. Rows are appended to ``OUT.csv`` as they are
measured, a run that was broken off goes on, and ``OUT.md`` is written at the
end. About 35 minutes on two cores.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import FRESH_ROWS, answer, done_already, fresh, go_on, markdown, recommend
from truth_reference import MARGIN, scores, tie_group

import selector_datasets
from selector_datasets import planted

SETS = tuple(planted.CARDS)
FIELDS = (
    "date", "command", "time", "rows", "set", "seed", "verdict", "family", "architecture",
    "score", "low", "high", "metric", "tie_group", "why", "seconds", "exit", "reason",
)  # fmt: skip


def measure(task: dict[str, Any]) -> dict[str, Any]:
    """Ask for a recommendation on one set."""
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        source = selector_datasets.make(task["set"], room)
        test = fresh(task["set"], room, task["rows"])
        extra = ("--time", task["time"], "--seed", task["seed"])
        ran = recommend(room, source, "--test", test.name, *extra)
        told = ran.recommendation or {"tie_group": [], "why": []}
        group, why = " ".join(told["tie_group"]), "; ".join(told["why"])
        return {**answer(ran), "tie_group": group, "why": why}


def judged(
    rows: Sequence[dict[str, str]], reference: Sequence[dict[str, str]], margin: float = MARGIN
) -> list[dict[str, Any]]:
    """Return each row with what it said (``said``), what is true, and whether that agrees.

    ``right`` is ``"yes"``, ``"no"``, or ``"?"`` where the reference was not
    measured; ``lost`` is the best score of the reference minus the row's own,
    in points, None where one is missing.
    """
    made = []
    for row in rows:
        truth = tie_group(reference, row["set"], margin)
        said = "baseline" if row["verdict"] == "baseline" else row["family"]
        right = "?" if not truth else "yes" if said in truth else "no"
        best = max(scores(reference, row["set"]).values(), default=None)
        known = best is not None and row["score"] != ""
        lost = 100 * (best - float(row["score"])) if known and best is not None else None
        made.append({**row, "said": said, "truth": truth, "right": right, "lost": lost})
    return made


def table(
    rows: Sequence[dict[str, str]], reference: Sequence[dict[str, str]], margin: float = MARGIN
) -> str:
    """Return the Markdown text: a line for each run, then the counts."""
    found = judged(rows, reference, margin)
    lines = [
        [r["set"], r["seed"], " = ".join(r["truth"]) or "?", r["said"], r["architecture"],
         r["verdict"], r["right"], float(r["score"]) if r["score"] else "",
         "" if r["lost"] is None else f"{r['lost']:.1f}", r["seconds"]]
        for r in found
    ]  # fmt: skip
    header = ["set", "seed", "true", "recommended", "architecture", "verdict", "right",
              "score", "lost, points", "seconds"]  # fmt: skip
    right = Counter(r["right"] for r in found)
    sure = [r for r in found if r["verdict"] == "winner"]
    wrong = sum(r["right"] == "no" for r in sure)
    verdicts = ", ".join(
        f"{v or 'none'} {k}" for v, k in Counter(r["verdict"] for r in found).items()
    )
    budgets = ", ".join(f"{t:g}" for t in sorted({float(r["time"]) for r in rows}))
    return (
        f"`selector recommend --time {budgets}` on planted sets, against the families that"
        f" `truth_reference.py` measured as best (within {100 * margin:g} points);"
        " measured by `python benchmarks/truth.py`.\n\n"
        + markdown(header, lines)
        + f"\nRight: {right['yes']} of {right['yes'] + right['no']} runs"
        + (f" ({right['?']} more without a reference)" if right["?"] else "")
        + f". Verdict *winner*: {len(sure)}, of which {wrong} name a family that is not among"
        f" the best. Verdicts: {verdicts}.\n"
    )


def main() -> None:
    """Measure what is missing and write the table."""
    here = Path(__file__)
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--time", type=float, default=90.0)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rows", type=int, default=FRESH_ROWS, help="fresh test rows")
    parser.add_argument("--only", nargs="*", default=SETS, choices=SETS, metavar="SET")
    parser.add_argument("--margin", type=float, default=MARGIN)
    parser.add_argument("--reference", type=Path, default=here.with_name("truth_reference.csv"))
    parser.add_argument("--out", type=Path, default=here.with_suffix(""))
    options = parser.parse_args()
    path = options.out.with_suffix(".csv")
    wanted = [
        {"time": options.time, "rows": options.rows, "set": name, "seed": seed}
        for seed in range(options.seeds)
        for name in options.only
    ]
    go_on(path, wanted, measure, FIELDS)
    text = table(done_already(path), done_already(options.reference), options.margin)
    options.out.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
