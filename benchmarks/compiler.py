"""What options of XLA's CPU compiler bring, model by model.

    python benchmarks/compiler.py [--rows 512] [--cores 0] [--models NAME ...]

For each network of ``training.py``: seconds to the first step with an empty cache
and seconds an epoch, without options, with each of those that
``selector.training.compiler`` and ``backend`` know, and as these choose. Rows go to
``compiler.csv`` as they are measured, a run that was broken off goes on, and
``compiler.md`` is written at the end. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from common import append, done_already, markdown
from training import PARTS, run
from training_parts.models import MODELS

LOOPS = {"xla_cpu_use_fusion_emitters": False}
SUMS = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}
WHOLE = {"xla_disable_hlo_passes": "tree_reduction_rewriter"}
WAYS: dict[str, dict[str, Any] | None] = {
    "none": {},
    "first level": {"xla_backend_optimization_level": 1},
    "one part": {"xla_cpu_parallel_codegen_split_count": 1},
    "wide vectors": {"xla_cpu_prefer_vector_width": 512},
    "not unrolled": {},
    "plain loops": LOOPS,
    "sums by library": SUMS,
    "sums whole": WHOLE,
    "chosen": None,
}
NOT_UNROLLED = ("not unrolled", "chosen")
"""Ways with the flag that XLA takes from its environment alone."""
FIELDS = ("date", "cores", "rows", "model", "way", "first", "epoch")


def table(rows: list[dict[str, str]]) -> str:
    """Return seconds to the first step and an epoch, each way beside the others."""
    lines = []
    for model in dict.fromkeys(r["model"] for r in rows):
        mine = {r["way"]: r for r in rows if r["model"] == model}
        cells = [
            f"{float(mine[way][what]):.3f}" if way in mine else ""
            for what in ("first", "epoch")
            for way in WAYS
        ]
        lines.append([model, *cells])
    heads = [f"{name}, {way}" for name in ("first step", "s/epoch") for way in WAYS]
    return "Measured by `python benchmarks/compiler.py`.\n\n" + markdown(["model", *heads], lines)


def main() -> None:
    """Measure what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--cores", default="0")
    parser.add_argument("--models", nargs="+", default=[m.name for m in MODELS])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(""))
    options = parser.parse_args()
    path = options.out.with_suffix(".csv")
    have = {(r["model"], r["way"], int(r["rows"]), r["cores"]) for r in done_already(path)}
    for model in options.models:
        for way, wanted in WAYS.items():
            if (model, way, options.rows, options.cores) in have:
                continue
            line = [sys.executable, str(PARTS / "ours.py"), model, str(options.rows)]
            line += ["--cores", options.cores]
            line += [] if wanted is None else ["--options", json.dumps(wanted)]
            line += [] if way in NOT_UNROLLED else ["--unrolled"]
            with tempfile.TemporaryDirectory() as room:
                found = run(line, XDG_CACHE_HOME=room)
            row = {
                "date": date.today().isoformat(), "cores": options.cores, "rows": options.rows,
                "model": model, "way": way, "first": found["first"], "epoch": found["epoch"],
            }  # fmt: skip
            append(path, row, FIELDS)
            print(row, flush=True)
    options.out.with_suffix(".md").write_text(table(done_already(path)))


if __name__ == "__main__":
    main()
