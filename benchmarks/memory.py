"""Memory of a long run: driver and workers together, from beginning to end.

    python benchmarks/memory.py [--time 600] [--only NAME ...] [--out PATH]

Runs ``selector recommend`` on each set and adds up, once a second, the resident
memory of the command and of all its child processes (pages that processes
share count in each, so the sum is an upper bound). Of a run it keeps the largest
sum, and the median of each quarter of the time: where memory leaks, the last
quarter is above the second. Rows are appended to ``OUT.csv``; ``OUT.md`` is
written at the end.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from common import append, done_already, markdown
from quality import command

SETS = ("GunPoint",)
QUARTERS = ("first", "second", "third", "last")
MIB = 1 << 20


def resident(process: psutil.Process) -> int:
    """Return the bytes that a process and its children hold."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.Error):
            total += one.memory_info().rss
    return total


def measure(name: str, budget: float, room: Path) -> dict[str, Any]:
    """Run one set once and return a row."""
    started = time.monotonic()
    line = command(name, room, budget, 0, ())
    seen: list[tuple[float, int]] = []
    with subprocess.Popen(line, stdout=subprocess.DEVNULL) as running:
        watched = psutil.Process(running.pid)
        while running.poll() is None:
            with suppress(psutil.Error):
                seen.append((time.monotonic() - started, resident(watched)))
            time.sleep(1.0)
    if running.returncode:
        raise RuntimeError(f"{' '.join(line)} ended with {running.returncode}")
    row: dict[str, Any] = {"time": budget, "dataset": name}
    ended = seen[-1][0]
    for i, quarter in enumerate(QUARTERS):
        part = [b for at, b in seen if i * ended / 4 <= at <= (i + 1) * ended / 4]
        row[quarter] = round(statistics.median(part) / MIB)
    return {**row, "largest": round(max(b for _, b in seen) / MIB)}


def main() -> None:
    """Measure what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--time", type=float, default=600.0)
    parser.add_argument("--only", nargs="+", default=list(SETS))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("memory"))
    options = parser.parse_args()
    path = options.out.with_suffix(".csv")
    have = {(float(r["time"]), r["dataset"]) for r in done_already(path)}
    for name in options.only:
        if (options.time, name) in have:
            continue
        with tempfile.TemporaryDirectory() as room:
            row = measure(name, options.time, Path(room))
        append(path, row, tuple(row))
        print(row, flush=True)
    rows = done_already(path)
    text = "Resident memory in MiB: median of each quarter of the run, and the largest.\n\n"
    text += markdown(list(rows[0]), (list(r.values()) for r in rows))
    options.out.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
