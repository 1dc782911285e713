"""Invented candidates and a clock, for plans that run nothing."""

from __future__ import annotations

import numpy as np

from selector.contract import Candidate, Categorical, Float, TrialResult
from selector.search.budget import Budget
from selector.search.planner import Planner
from selector.search.records import Record

N = 160
WARM = {"keras", "sklearn"}
SCORES = {
    "tabular.baseline": 0.5, "tabular.linear": 0.7, "cnn.fixed": 0.95, "cnn.net": 0.9,
    "rnn.net": 0.8, "rnn.other": 0.75, "hybrid.net": 0.85,
}  # fmt: skip


class Clock(Budget):
    """A budget whose time is what the test says."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.now = 6.0

    def elapsed(self) -> float:
        return self.now


def candidate(name: str) -> Candidate:
    family = name.split(".")[0]
    network = name.endswith(("net", "other"))
    kind = "network" if network else "feature" if name.endswith("fixed") else "estimator"
    space = {"lr": Float(0.001, 0.1, log=True), "u": Categorical((1, 2))} if network else {}
    portfolio = ({"lr": 0.01, "u": 1}, {"lr": 0.02, "u": 2}) if network else ({},)
    role = "baseline" if name == "tabular.baseline" else "candidate"
    return Candidate(name, family, name, "p", network, kind, role, True, "fits", space, portfolio)  # type: ignore[arg-type]


def play(
    planner: Planner, seconds: float = 3.0, limit: int = 10_000, compiled: float = 0.2
) -> list[Record]:
    """Run a plan with invented trials, two at a time; each takes `seconds` on its core.

    Of these a network's structure takes `compiled` to compile where it is new.
    """
    built: set[tuple[str, int]] = set()
    rng = np.random.default_rng(0)
    done: list[Record] = []
    while len(done) < limit:
        asked = [a for a in (planner.next(WARM, set()) for _ in range(2)) if a is not None]
        if not asked or planner.budget.left() < planner.reserve():
            return done
        for spec, number in asked:
            found = planner.contenders[spec.architecture].candidate
            network = found.type == "network"
            took = seconds if network else 0.1
            planner.budget.now += took / 2
            program = (found.name, spec.params.get("u", 0))
            result = TrialResult(
                "complete", score=float(np.clip(SCORES[found.name] + rng.normal(0, 0.01), 0, 1)),
                loss=0.5, fit_seconds=took, seconds=took, n_train=45, stopped="planned",
                epochs=20 if network else 0, best_epoch=20 if network else 0,
                epoch_seconds=took / 20 if network else 0.0, bytes=100, macs=1000,
                compile_seconds=0.2 if program in built else compiled, planned_epochs=20,
            )  # fmt: skip
            built.add(program)
            record = Record(spec, result, found.family, found.type, number)
            planner.tell(record)
            done.append(record)
    return done
