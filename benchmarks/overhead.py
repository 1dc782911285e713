"""Where the seconds of a run go, with an empty and with a filled compilation cache.

    python benchmarks/overhead.py [--time 60] [--only NAME ...] [--out PATH]

Runs ``selector recommend`` three times on each set, with a cache folder of its
own: first empty, then as the runs before left it. Of the core-seconds between the
beginning and the end of the search it tells how many went into training and
scoring, into building and compiling, and into nothing; how many trials there
were, and how far the predicted seconds of a trial were from the truth. Rows are
appended to ``OUT.csv``; ``OUT.md`` is written at the end. Run it on an idle
machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from common import append, done_already, markdown
from quality import command

SETS = ("GunPoint", "JapaneseVowels", "digits", "mnist")
CACHES = ("empty", "filled", "filled twice")
"""States of the compilation cache: the first run's programs, and those of two runs."""
LEARNED = 5
"""Trials before predictions count."""


def measure(name: str, budget: float, room: Path, cache: str) -> dict[str, Any]:
    """Run one set once and return a row."""
    folder = room / cache
    folder.mkdir()
    line = command(name, folder, budget, 0, ())
    environment = {**os.environ, "XDG_CACHE_HOME": str(room / "cache")}
    environment.pop("SELECTOR_CACHE", None)
    started = time.monotonic()
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    wall = time.monotonic() - started
    told = json.loads(done.stdout)
    with (Path(told["run"]) / "trials.jsonl").open() as stream:
        trials = [json.loads(text) for text in stream]
    return {"time": budget, "dataset": name, "cache": cache, "process_seconds": round(wall, 2),
            **summary(told, trials)}  # fmt: skip


def summary(told: dict[str, Any], trials: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the run's timeline and its trials say."""
    line = told["timeline"]
    cores = len({t["worker"] for t in trials})
    searched = [t for t in trials if t["spec"]["stage"] != "final"]
    results = [t["result"] for t in searched]
    phase = cores * (line["search ended"] - line["search began"])
    compiling = sum(r["compile_seconds"] for r in results)
    working = sum(r["seconds"] for r in results) - compiling
    networks = [t for t in searched if t["type"] == "network"]
    imported = max(v for k, v in line.items() if "imported" in k)
    return {
        "profiled_at": line["data profiled and stored"],
        "search_from": line["search began"],
        "imported_at": imported,
        "search_to": line["search ended"],
        "ended_at": told["wall_seconds"],
        "training_share": round(working / phase, 3),
        "compiling_share": round(compiling / phase, 3),
        "idle_share": round(1 - (working + compiling) / phase, 3),
        "trials": len(searched),
        "network_trials": len(networks),
        "ended_as_planned": sum(
            t["result"]["stopped"] in ("early", "planned", "pruned") for t in networks
        ),
        "hits": told["compile_cache"]["hits"],
        "misses": told["compile_cache"]["misses"],
        "prediction_error": prediction_error(searched),
        "peak_memory": told["peak_memory"],
        "verdict": told["verdict"],
        "score": told["score"]["value"] if told["score"] else None,
    }


def prediction_error(trials: list[dict[str, Any]]) -> float | None:
    """Return the median relative error of predicted trial seconds after the first five."""
    errors = [
        abs(t["result"]["predicted_seconds"] - t["result"]["seconds"]) / t["result"]["seconds"]
        for t in trials[LEARNED:]
        if t["result"]["predicted_seconds"] is not None and t["result"]["state"] == "complete"
    ]
    return round(statistics.median(errors), 3) if errors else None


def main() -> None:
    """Measure what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--time", type=float, default=60.0)
    parser.add_argument("--only", nargs="+", default=list(SETS))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("overhead"))
    options = parser.parse_args()
    path = options.out.with_suffix(".csv")
    have = {
        (float(r["time"]), r["dataset"]) for r in done_already(path) if r["cache"] == CACHES[-1]
    }
    for name in options.only:
        if (options.time, name) in have:
            continue
        with tempfile.TemporaryDirectory() as room:
            for cache in CACHES:
                row = measure(name, options.time, Path(room), cache)
                append(path, row, tuple(row))
                print(row, flush=True)
    rows = done_already(path)
    names = [k for k in rows[0] if k not in ("time", "peak_memory")]
    text = markdown(names, ([r[k] for k in names] for r in rows))
    options.out.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
