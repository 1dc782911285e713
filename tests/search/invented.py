"""Invented candidates and a clock, for plans that run nothing."""

from __future__ import annotations

from selector.contract import Candidate, Categorical, Float
from selector.search.budget import Budget

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
