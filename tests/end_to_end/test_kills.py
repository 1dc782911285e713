"""Killed at any moment: no worker stays, no finished trial is lost, and the run goes on."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import selector_datasets
from selector.artifact.run import RunFolder


def workers_of(run: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if "selector.training.worker" in line and str(run) in line:
            found.append(process)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(10))
def test_a_kill_at_a_random_moment(tmp_path, moment):
    rng = random.Random(moment)
    train, test = selector_datasets.path("GunPoint"), selector_datasets.path("GunPoint", "test")
    run = tmp_path / "run"
    line = [sys.executable, "-m", "selector.cli", "recommend", str(train), "--test", str(test)]
    line += ["--time", "40", "--quiet", "--out", str(run)]
    driver = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (run / "schema.json").exists():
        time.sleep(0.05)
    time.sleep(rng.uniform(0.5, 25.0))
    for worker in workers_of(run):  # a worker first: the driver replaces it
        if rng.random() < 0.5:
            worker.kill()
    time.sleep(rng.uniform(0.0, 3.0))
    acknowledged = (run / "trials.jsonl").read_bytes() if (run / "trials.jsonl").exists() else b""
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    deadline = time.monotonic() + 3.0
    while workers_of(run) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert workers_of(run) == []
    before = [json.dumps(t) for t in RunFolder(run).trials()]
    assert len(before) >= acknowledged.count(b"\n")
    line = [sys.executable, "-m", "selector.cli", "resume", str(run), "--time", "15", "--json"]
    done = subprocess.run([*line, "--quiet"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rec = json.loads(done.stdout)
    assert rec["verdict"] in {"winner", "tie", "baseline", "undecided"}
    assert rec["score"]["n"] == 150
    after = [json.dumps(t) for t in RunFolder(run).trials()]
    assert after[: len(before)] == before
