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

import psutil

from selector.artifact.run import RunFolder
from selector.search.budget import Budget
from selector.search.runner import Runner
from selector.search.workers import WorkerPool


def runner_of(run: RunFolder) -> Runner:
    return Runner(run, WorkerPool(run.path, 1, warm=()), Budget(60.0), threading.Event())


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


def until_idle(runner: Runner) -> None:
    while not runner.pool.idle():
        runner.events(0.1)


def test_a_killed_worker_is_replaced(run):
    runner = runner_of(run)
    try:
        until_idle(runner)
        first = runner.pool.workers[0].process.pid
        os.kill(first, signal.SIGKILL)
        while not runner.failures:
            runner.events(0.1)
        until_idle(runner)
        assert runner.pool.workers[0].process.pid != first
        assert "signal 9" in runner.failures[0]["reason"]
    finally:
        runner.pool.close()


def test_an_idle_worker_that_has_grown_is_replaced_and_the_run_goes_on(run):
    runner = runner_of(run)
    try:
        until_idle(runner)
        first = runner.pool.workers[0]
        runner.pool.recycle(first)
        assert first.process.poll() is not None
        assert runner.pool.workers[0] is not first
        until_idle(runner)
        assert not runner.failures
        assert runner.restarts == 0
    finally:
        runner.pool.close()


def test_commands_run_side_by_side_and_one_that_fails_harms_no_other(run):
    pool = WorkerPool(run.path, 2, warm=())
    runner = Runner(run, pool, Budget(60.0), threading.Event())
    asked = {"op": "propose", "skip": []}
    lost = {"op": "predict", "data": "nowhere", "model": "nowhere", "out": "nowhere"}
    try:
        answers = runner.call_all([asked, lost, asked], 30.0)
        assert [a["state"] for a in answers] == ["complete", "failed", "complete"]
        assert "nowhere" in answers[1]["reason"]
        alone = runner.call_all([asked] * 9, 2.0, patience=1.9)  # none is begun so late
        assert [a["state"] for a in alone].count("failed") >= 7
        assert not any(w.killed_for for w in pool.workers)
        assert runner.call_all([asked], 0.0)[0]["reason"] == "no answer within 0.0 s"
    finally:
        pool.close()
    assert runner.call_all([asked, asked], 5.0) == 2 * [
        {"state": "failed", "reason": "no worker is left"}
    ]


def test_a_worker_does_not_import_what_lies_in_the_current_folder(run, tmp_path):
    (tmp_path / "queue.py").write_text("raise SystemExit('the data folder was imported')")
    script = textwrap.dedent(f"""
        import sys
        sys.path[:] = [p for p in sys.path if p]
        from pathlib import Path
        from selector.artifact.run import RunFolder
        from selector.search.budget import Budget
        from selector.search.runner import Runner
        from selector.search.workers import WorkerPool
        import threading, time
        room = Path({str(run.path)!r})
        pool = WorkerPool(room, 1, warm=())
        runner = Runner(RunFolder(room), pool, Budget(20.0), threading.Event())
        while not runner.pool.idle() and runner.budget.left() > 0 and not runner.failures:
            runner.events(0.1)
        print(len(runner.pool.idle()), runner.failures)
        runner.pool.close()
    """)
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout == "1 []\n", done.stdout + done.stderr
