"""Training networks: selector's engine against ``Model.fit`` with stock layers.

    python benchmarks/training.py --setup          # environments for TensorFlow and PyTorch
    python benchmarks/training.py [--rows 512 2048] [--cores 0] [--engines jax tensorflow torch]

For each model and data size: seconds to the first step with an empty and with a
filled compilation cache, and of a second training of the same shape; seconds an
epoch; compile plus 30 epochs (the first step, then 30 times an epoch); share of
the peak of a float32 matrix product measured in the same process. The stock
side trains the same network, saved by selector with stock layers, by
``Model.fit``, on the same cores. selector's side has the environment of a worker,
which keeps freed memory. Rows go to ``training.csv`` as they are
measured, a run that was broken off goes on, and ``training.md`` is written at
the end. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

from quality import append, done_already

from selector.search import workers

HERE = Path(__file__).parent
PARTS = HERE / "training_parts"
ENVIRONMENTS = HERE / ".environments"
REQUIREMENTS = {"tensorflow": ["tensorflow-cpu"], "torch": ["torch==2.13.0"]}
FIELDS = (
    "date", "cores", "rows", "model", "engine", "first", "first_cached", "again", "epoch",
    "thirty", "share_of_peak", "macs", "params",
)  # fmt: skip


def set_up() -> None:
    """Make one environment for each other backend."""
    keras = f"keras=={metadata.version('keras')}"
    for name, packages in REQUIREMENTS.items():
        place = ENVIRONMENTS / name
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        wanted = [*packages, keras, "numpy"]
        subprocess.run([str(place / "bin" / "pip"), "install", "--quiet", *wanted], check=True)


def run(line: list[str], **environment: str) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    theirs = ("JAX_", "SELECTOR_", "XLA_")
    env = {k: v for k, v in os.environ.items() if not k.startswith(theirs)}
    env |= {"TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    done = subprocess.run(line, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)}\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def measure(model: str, rows: int, options: argparse.Namespace, have: set[str]) -> Any:
    """Yield a row for each engine that is missing."""
    with tempfile.TemporaryDirectory() as room:
        saved = Path(room) / "saved"
        ours = [sys.executable, str(PARTS / "ours.py"), model, str(rows), "--cores", options.cores]
        worker = {k: v for k, v in workers.environment(1).items() if k.startswith("MALLOC_")}
        cold = run([*ours, "--save", str(saved)], XDG_CACHE_HOME=room, **worker)
        warm = run(ours, XDG_CACHE_HOME=room, **worker)
        seconds = min(cold["epoch"], warm["epoch"])
        work = 3 * 2 * cold["macs"] * rows / seconds / 1e9
        if "selector" not in have:
            yield {
                "engine": "selector", "first": cold["first"], "first_cached": warm["first"],
                "again": warm["again"], "epoch": seconds, "thirty": cold["first"] + 30 * seconds,
                "share_of_peak": work / cold["gflops_peak"], "macs": cold["macs"],
                "params": cold["params"],
            }  # fmt: skip
        for engine in options.engines:
            if engine in have:
                continue
            python = (
                sys.executable if engine == "jax" else str(ENVIRONMENTS / engine / "bin" / "python")
            )
            line = [python, str(PARTS / "stock.py"), str(saved / "model.keras"),
                    str(saved / "data.npz"), str(cold["batch"]), "6", options.cores]  # fmt: skip
            found = run(line, KERAS_BACKEND=engine, KERAS_HOME=room)
            yield {
                "engine": engine, "first": found["first"], "epoch": found["epoch"],
                "thirty": found["start"] + 30 * found["epoch"],
            }  # fmt: skip


def table(rows: list[dict[str, str]]) -> str:
    """Return the measurements as Markdown: ratios to each stock engine."""
    lines = ["# Training: selector's engine against Model.fit", ""]
    engines = [e for e in ("jax", "tensorflow", "torch") if any(r["engine"] == e for r in rows)]
    for size in sorted({int(r["rows"]) for r in rows}):
        here = [r for r in rows if int(r["rows"]) == size]
        cores = sorted({r["cores"] for r in here})
        lines += [f"## {size} rows, batch 64, on core(s) {', '.join(cores)}", ""]
        heads = ["model", "s/epoch", "first step", "cached", "again", "of peak"]
        heads += [f"{e}: epoch ×" for e in engines] + [f"{e}: +30 epochs ×" for e in engines]
        lines += ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
        ratios: dict[str, list[float]] = {}
        for model in dict.fromkeys(r["model"] for r in here):
            mine = {r["engine"]: r for r in here if r["model"] == model}
            own = mine.get("selector")
            if own is None:
                continue
            cells = [model, f"{float(own['epoch']):.3f}", f"{float(own['first']):.2f}",
                     f"{float(own['first_cached']):.2f}", f"{float(own['again']):.3f}",
                     f"{float(own['share_of_peak']):.2f}"]  # fmt: skip
            for what in ("epoch", "thirty"):
                for engine in engines:
                    if engine not in mine:
                        cells.append("")
                        continue
                    ratio = float(mine[engine][what]) / float(own[what])
                    ratios.setdefault(f"{engine} {what}", []).append(ratio)
                    cells.append(f"{ratio:.2f}")
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
        for name, values in ratios.items():
            lines.append(
                f"{name}: median {statistics.median(values):.2f}×, least {min(values):.2f}×,"
                f" ahead on {sum(v > 1 for v in values)} of {len(values)}."
            )
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing, then write the table."""
    from training_parts.models import MODELS

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--setup", action="store_true", help="make the environments, then stop")
    parser.add_argument("--rows", type=int, nargs="+", default=[512, 2048])
    parser.add_argument("--cores", default="0")
    parser.add_argument("--models", nargs="+", default=[m.name for m in MODELS])
    parser.add_argument("--engines", nargs="*", default=["jax", "tensorflow", "torch"])
    parser.add_argument("--out", type=Path, default=HERE / "training")
    options = parser.parse_args()
    if options.setup:
        set_up()
        return
    path = options.out.with_suffix(".csv")
    known = done_already(path)
    for size in options.rows:
        for model in options.models:
            have = {
                r["engine"]
                for r in known
                if (r["model"], int(r["rows"]), r["cores"]) == (model, size, options.cores)
            }
            if have >= {"selector", *options.engines}:
                continue
            for found in measure(model, size, options, have):
                row = {"date": date.today().isoformat(), "cores": options.cores, "rows": size,
                       "model": model, **found}  # fmt: skip
                append(path, row, FIELDS)
                print(model, size, {k: v for k, v in found.items() if k != "params"}, flush=True)
    options.out.with_suffix(".md").write_text(table(done_already(path)) + "\n")


if __name__ == "__main__":
    main()
