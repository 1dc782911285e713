"""Workers are supervised: what hangs, dies or grows is ended, told, and replaced."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest

from selector.artifact.run import RunFolder
from selector.contract import Column, Profile
from selector.search import workers
from selector.search.budget import Budget
from selector.search.runner import Runner
from selector.search.workers import WorkerPool

ARCHITECTURE = """
import os, time
from selector import hookimpl
from selector.contract import EstimatorArchitecture, Fit

class Odd(EstimatorArchitecture):
    name = "{name}"
    family = "odd"
    kinds = ("tabular",)
    def fit_for(self, profile):
        {body}
        return Fit(True, "yes")
    def build(self, params, profile):
        return None

@hookimpl
def selector_architectures():
    return [Odd()]
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(tmp_path / "run", "x")
    profile = Profile(
        name="x", axes=("feature",), kind="tabular", task="classification", target="y", n=20,
        shape=(2,), n_outputs=2, classes=("a", "b"), counts=(10, 10),
        columns=(Column("u"), Column("v")),
    )  # fmt: skip
    folder.write("profile.json", profile.to_dict())
    return folder


def runner_of(run: RunFolder, seconds: float = 60.0, count: int = 1, **options: object) -> Runner:
    pool = WorkerPool(run.path, count, warm=(), **options)  # type: ignore[arg-type]
    return Runner(run, pool, Budget(seconds), threading.Event())


def test_candidates_come_back_with_their_reasons(run):
    runner = runner_of(run)
    try:
        found = {c.name: c for c in runner.propose()}
    finally:
        runner.pool.close()
    assert found["tabular.linear"].admitted
    assert not found["rnn.gru"].admitted
    assert "tabular" in found["rnn.gru"].reason
    assert [e["name"] for e in runner.plugins if e["state"] == "loaded"] == [
        "selector_cnn", "selector_hybrid", "selector_rnn", "selector_tabular",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "reason"),
    [("time.sleep(1e6)", "deadline"), ("os._exit(3)", "exit code 3")],
)
def test_an_architecture_that_hangs_or_exits_is_refused_and_the_others_are_asked(
    run, make_plugin, monkeypatch, body, reason
):
    monkeypatch.setattr(workers, "GRACE", 0.2)
    monkeypatch.setattr("selector.search.runner.PROPOSE_SECONDS", 1.0)
    make_plugin("zz_odd", ARCHITECTURE.format(name="odd.one", body=body))
    make_plugin("zzz_fine", ARCHITECTURE.format(name="odd.two", body="pass"))
    runner = runner_of(run)
    try:
        found = {c.name: c for c in runner.propose()}
    finally:
        runner.pool.close()
    assert reason in found["odd.one"].reason
    assert not found["odd.one"].admitted
    assert found["odd.two"].admitted
    assert found["tabular.linear"].admitted


def test_a_plugin_that_hangs_at_import_is_left_out(run, make_plugin):
    make_plugin("aa_sleeper", "import time\ntime.sleep(1e6)")
    runner = runner_of(run, load_seconds=2.0)
    try:
        found = {c.name for c in runner.propose()}
    finally:
        runner.pool.close()
    entry = next(e for e in runner.plugins if e["name"] == "aa_sleeper")
    assert entry["state"] == "failed"
    assert "tabular.linear" in found


def test_memory_over_the_limit_ends_the_worker(run, make_plugin):
    body = "x = [b'x' * 10**8 for _ in range(10**3)]"
    make_plugin("zz_hungry", ARCHITECTURE.format(name="odd.hungry", body=f"{body}; time.sleep(9)"))
    runner = runner_of(run, memory=600 * 2**20)
    try:
        found = {c.name: c for c in runner.propose()}
    finally:
        runner.pool.close()
    assert "memory" in found["odd.hungry"].reason


def test_closing_leaves_no_worker(run):
    pool = WorkerPool(run.path, 2, warm=())
    processes = [w.process.pid for w in pool.workers]
    pool.close()
    assert not any(psutil.pid_exists(p) for p in processes)


def test_workers_go_with_a_killed_driver(run):
    script = textwrap.dedent(f"""
        import json, sys, time
        from pathlib import Path
        from selector.search.workers import WorkerPool
        pool = WorkerPool(Path({str(run.path)!r}), 2)
        print(json.dumps([w.process.pid for w in pool.workers]), flush=True)
        time.sleep(60)
    """)
    driver = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    started = json.loads(driver.stdout.readline())
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    driver.stdout.close()
    deadline = time.monotonic() + 3.0
    while time.monotonic() < deadline and any(map(psutil.pid_exists, started)):
        time.sleep(0.05)
    assert not any(psutil.pid_exists(p) for p in started)


def test_a_killed_worker_is_replaced(run):
    runner = runner_of(run)
    try:
        runner.propose()
        first = runner.pool.workers[0].process.pid
        os.kill(first, signal.SIGKILL)
        found = runner.propose()
        assert runner.pool.workers[0].process.pid != first
        assert any(c.admitted for c in found)
        assert "signal 9" in runner.failures[0]["reason"]
    finally:
        runner.pool.close()


def test_an_idle_worker_that_has_grown_is_replaced_and_the_run_goes_on(run):
    runner = runner_of(run)
    try:
        while not runner.pool.idle():
            runner._events(0.1)
        first = runner.pool.workers[0]
        runner.pool.recycle(first)
        assert first.process.poll() is not None
        assert runner.pool.workers[0] is not first
        names = {c.name for c in runner.propose()}
        assert "tabular.linear" in names
        assert not runner.failures
        assert runner.restarts == 0
    finally:
        runner.pool.close()
