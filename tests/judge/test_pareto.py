"""The front holds what nothing beats in both score and cost."""

from __future__ import annotations

from typing import Any

from selector.judge.pareto import pareto_front


def row(name: str, score: float | None, macs: int | None) -> dict[str, Any]:
    return {"architecture": name, "score": score, "macs": macs}


def test_dominated_models_are_not_on_the_front() -> None:
    rows = [row("a", 0.9, 100), row("b", 0.9, 200), row("c", 0.95, 200), row("d", 0.5, 10)]
    assert pareto_front(rows) == {"a", "c", "d"}


def test_equal_ones_are_both_on_it_and_unknown_ones_are_not() -> None:
    rows = [row("a", 0.9, 100), row("b", 0.9, 100), row("c", None, 1), row("d", 0.99, None)]
    assert pareto_front([*rows, row("e", float("nan"), 1), row("f", 0.1, 0)]) == {"a", "b"}
    assert pareto_front([]) == set()
