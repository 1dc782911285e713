"""Architectures are asked in a process of their own: what hangs or dies is refused, and told."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from selector.search import proposal, workers
from selector.search.budget import Budget
from selector.search.proposal import Proposal
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
def propose(run):
    """Return a function that makes a proposal; its process ends with the test."""
    made = []

    def start(seconds: float = 60.0, **options: object) -> Proposal:
        pool = WorkerPool(run.path, 1, warm=(), **options)  # type: ignore[arg-type]
        made.append(Proposal(pool, Budget(seconds), threading.Event()))
        return made[-1]

    yield start
    for one in made:
        one.pool.close()


def test_candidates_come_back_with_their_reasons(propose):
    asked = propose()
    found = {c.name: c for c in asked.candidates()}
    assert found["tabular.linear"].admitted
    assert not found["rnn.gru"].admitted
    assert "tabular" in found["rnn.gru"].reason
    assert [e["name"] for e in asked.plugins if e["state"] == "loaded"] == [
        "selector_cnn", "selector_hybrid", "selector_rnn", "selector_tabular",
    ]  # fmt: skip
    assert not asked.failures


def test_what_was_not_asked_for_is_refused_with_the_reason(propose):
    found = {c.name: c for c in propose().candidates(families=("rnn",))}
    assert found["tabular.linear"].reason == "not among the families asked for"
    assert any(c.admitted and c.role == "baseline" for c in found.values())


@pytest.mark.parametrize(
    ("body", "reason"),
    [("time.sleep(1e6)", "deadline"), ("os._exit(3)", "exit code 3")],
)
def test_an_architecture_that_hangs_or_exits_is_refused_and_the_others_are_asked(
    propose, make_plugin, monkeypatch, body, reason
):
    monkeypatch.setattr(workers, "GRACE", 0.2)
    monkeypatch.setattr(proposal, "PROPOSE_SECONDS", 1.0)
    make_plugin("zz_odd", ARCHITECTURE.format(name="odd.one", body=body))
    make_plugin("zzz_fine", ARCHITECTURE.format(name="odd.two", body="pass"))
    asked = propose()
    found = {c.name: c for c in asked.candidates()}
    assert reason in found["odd.one"].reason
    assert not found["odd.one"].admitted
    assert found["odd.two"].admitted
    assert found["tabular.linear"].admitted
    assert [(f["architecture"], f["stage"]) for f in asked.failures] == [("odd.one", "propose")]


def test_a_plugin_that_hangs_at_import_is_left_out(propose, make_plugin):
    make_plugin("aa_sleeper", "import time\ntime.sleep(1e6)")
    asked = propose(load_seconds=2.0)
    found = {c.name for c in asked.candidates()}
    entry = next(e for e in asked.plugins if e["name"] == "aa_sleeper")
    assert entry["state"] == "failed"
    assert "tabular.linear" in found


def test_memory_over_the_limit_refuses_the_architecture(propose, make_plugin):
    body = "x = [b'x' * 10**8 for _ in range(10**3)]"
    make_plugin("zz_hungry", ARCHITECTURE.format(name="odd.hungry", body=f"{body}; time.sleep(9)"))
    found = {c.name: c for c in propose(memory=600 * 2**20).candidates()}
    assert "memory" in found["odd.hungry"].reason


def test_a_signal_from_elsewhere_is_blamed_on_nobody_and_the_rest_is_asked(propose):
    asked = propose()
    os.kill(asked.pool.workers[0].process.pid, signal.SIGKILL)
    found = asked.candidates()
    assert any(c.admitted for c in found)
    assert not any("signal" in c.reason for c in found)


def test_nothing_is_asked_once_the_time_is_over(propose):
    assert propose(0.1).candidates() == []


def test_what_is_wrong_with_a_plugin_is_a_failure_of_the_run(propose, make_plugin):
    make_plugin("zz_broken", "import no_such_module_anywhere")
    asked = propose()
    asked.candidates()
    [failure] = asked.failures
    assert (failure["architecture"], failure["stage"]) == ("plugin zz_broken", "start")
    assert "no_such_module_anywhere" in failure["reason"]
