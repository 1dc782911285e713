"""What the runner makes of commands that ended."""

from __future__ import annotations

import threading
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from selector.contract import TrialSpec
from selector.search.budget import Budget
from selector.search.runner import Runner
from selector.search.workers import Event


@pytest.mark.parametrize(
    ("asked", "stopped", "recorded"),
    [(True, "deadline", 0), (False, "deadline", 1), (True, "", 1)],
)
def test_a_trial_that_was_asked_to_end_is_not_held_against_what_it_was(asked, stopped, recorded):
    stop = threading.Event()
    runner = Runner(SimpleNamespace(), SimpleNamespace(), Budget(10), stop)  # type: ignore[arg-type]
    runner.planner = SimpleNamespace()  # type: ignore[assignment]
    runner._numbers["1-confirm-cnn.fcn"] = None
    told = []
    runner._record = lambda *given: told.append(given)  # type: ignore[method-assign]
    if asked:
        stop.set()
    spec = TrialSpec("1-confirm-cnn.fcn", "confirm", "cnn.fcn", {}, "confirm-0", 0, 5.0, 40)
    content = {"state": "failed", "reason": "3 of 40 epochs were trained", "stopped": stopped}
    command = {"op": "trial", "id": 1, "spec": asdict(spec)}
    worker = SimpleNamespace(index=0)
    runner._take(Event(worker, "result", {**content, "command": command}))  # type: ignore[arg-type]
    assert len(told) == len(runner.failures) == recorded
