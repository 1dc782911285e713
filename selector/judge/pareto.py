"""Which models are not beaten in both score and cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def pareto_front(rows: Sequence[Mapping[str, Any]], cost: str = "macs") -> set[str]:
    """Return the architectures for which no other scores more at no higher cost.

    Of equal ones all are on the front.

    Parameters
    ----------
    rows : sequence of mapping
        With ``architecture``, ``score`` and `cost`; rows without a finite
        score or a known cost do not take part.
    cost : str
        Key of the cost, lower is better: multiply-adds of one prediction.
    """
    known = [
        (row["architecture"], float(row["score"]), float(row[cost]))
        for row in rows
        if row.get("score") is not None and row.get(cost) and math.isfinite(row["score"])
    ]
    return {
        name
        for name, score, price in known
        if not any(
            other >= score and less <= price and (other > score or less < price)
            for _, other, less in known
        )
    }
