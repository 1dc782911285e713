"""Finalists whose scores are invented."""

from __future__ import annotations

from typing import Any

from selector.judge.finalist import Finalist

NOISE = (0.004, -0.006, 0.002, 0.003, -0.003, 0.001, 0.005, -0.006, -0.002, 0.002)


def finalist(
    name: str, mean: float, splits: int = 5, *, shift: int = 0, spread: float = 1.0, **more: Any
) -> Finalist:
    """Scores around `mean`; `shift` decorrelates them from those of others."""
    noise = NOISE[shift:] + NOISE[:shift]
    scores = {f"s{i}": mean + spread * noise[i] for i in range(splits)}
    more = {"validation_rows": 400, "macs": 1000, "bytes": 4000, **more}
    return Finalist(name, name.split(".")[0], scores=scores, **more)


BASE = finalist("tabular.baseline", 0.5, 10, type="estimator")
