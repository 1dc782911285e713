"""What the benchmarks share: rows of a CSV that goes on, runs of the command line, tables.

Commands run in a scratch folder with relative file names, as a user would type
them, so that what a CSV says of a command can be repeated anywhere.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import selector_datasets

FRESH_SEED = 1_000_003
"""Seed of fresh test rows; no training set is made with it."""
FRESH_ROWS = 10_000


def done_already(path: Path) -> list[dict[str, str]]:
    """Return the rows measured before."""
    if not path.exists():
        return []
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def append(path: Path, row: dict[str, Any], fields: Sequence[str] = ()) -> None:
    """Append one row at once; its columns are `fields`, or the keys of the row."""
    new = not path.exists()
    with path.open("a", newline="") as handle:
        writer = csv.DictWriter(handle, fields or list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def markdown(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a Markdown table; numbers that are not whole get three digits."""
    lines = [list(header), ["---"] * len(header), *([_cell(c) for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def go_on(
    path: Path,
    wanted: Iterable[dict[str, Any]],
    measure: Callable[[dict[str, Any]], dict[str, Any]],
    fields: Sequence[str],
) -> None:
    """Measure what a CSV does not hold yet, and append each row as it is measured.

    Parameters
    ----------
    path : Path
        The CSV.
    wanted : iterable of dict
        The columns that say what is to be measured; a row that has these
        values is not measured again, also where it failed: remove the row to
        repeat it.
    measure : callable
        Takes one of `wanted` and returns the other columns.
    fields : sequence of str
        All columns.
    """
    for task in wanted:
        have = done_already(path)
        if any(all(row.get(k) == str(v) for k, v in task.items()) for row in have):
            continue
        row = {**dict.fromkeys(fields, ""), **task, "date": time.strftime("%Y-%m-%d")}
        row |= measure(task)
        append(path, row, fields)
        print(" ".join(str(row[f]) for f in fields if f not in ("command", "date")), flush=True)


@dataclass(frozen=True)
class Ran:
    """A command that has ended.

    Parameters
    ----------
    command : str
        As a user would type it.
    seconds : float
        Wall time of the whole process.
    exit : int
        Its exit code.
    out, error : str
        What it wrote.
    """

    command: str
    seconds: float
    exit: int
    out: str
    error: str

    @property
    def recommendation(self) -> dict[str, Any] | None:
        """The JSON object that ``recommend --json`` printed."""
        try:
            return dict(json.loads(self.out))
        except ValueError:
            return None

    @property
    def reason(self) -> str:
        """The last line of its messages where it failed."""
        lines = self.error.strip().splitlines()
        return lines[-1][:200] if self.exit and lines else ""


def run(room: Path, *arguments: Any) -> Ran:
    """Run ``selector ARGUMENTS`` in the folder `room`, and wait for it."""
    words = [str(a) for a in arguments]
    env = dict(os.environ)
    here = [os.path.abspath(p) for p in env.get("PYTHONPATH", "").split(os.pathsep) if p]
    env["PYTHONPATH"] = os.pathsep.join(here)
    started = time.monotonic()
    line = [sys.executable, "-m", "selector.cli", *words]
    done = subprocess.run(line, capture_output=True, text=True, env=env, cwd=room)
    seconds = round(time.monotonic() - started, 2)
    error = done.stderr.replace(str(room), ".")  # the scratch folder says nothing in a CSV
    return Ran(" ".join(["selector", *words]), seconds, done.returncode, done.stdout, error)


def recommend(room: Path, source: Path, *arguments: Any) -> Ran:
    """Run ``selector recommend`` on a file in `room`; the run folder is ``room/run``."""
    return run(room, "recommend", source.name, *arguments, "--json", "--quiet", "--out", "run")


def answer(ran: Ran) -> dict[str, Any]:
    """Return the columns that every benchmark takes from a recommendation."""
    row: dict[str, Any] = {"command": ran.command, "seconds": ran.seconds, "exit": ran.exit}
    row["reason"] = ran.reason
    rec = ran.recommendation
    if rec is None:
        return row
    chosen = rec["recommended"] or {}
    score = rec["score"] or {"value": "", "interval": ("", ""), "metric": ""}
    return row | {
        "verdict": rec["verdict"],
        "family": chosen.get("family", ""),
        "architecture": chosen.get("architecture", ""),
        "metric": score["metric"],
        "score": score["value"],
        "low": score["interval"][0],
        "high": score["interval"][1],
    }


def fresh(name: str, room: Path, rows: int = FRESH_ROWS, **options: Any) -> Path:
    """Write fresh test rows of a planted set into `room`."""
    return selector_datasets.make(name, room / "fresh", n=rows, seed=FRESH_SEED, **options)


def score_of_predictions(predicted: Path, truth: Any, task: str) -> float:
    """Return accuracy or R² of a CSV that ``selector predict`` wrote."""
    values = np.array([float(row["prediction"]) for row in done_already(predicted)])
    truth = np.asarray(truth, dtype=float)
    if len(values) != len(truth):
        raise ValueError(f"{len(values)} predictions for {len(truth)} rows in {predicted.name}")
    if task == "regression":
        return float(1.0 - np.mean((values - truth) ** 2) / truth.var())
    return float(np.mean(values == truth))
