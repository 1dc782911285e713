"""Where the marks of the report's two plots lie: scores, and scores against cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LOWEST_R2 = -1.0
"""An R² below this is drawn at the left edge, so that it does not squeeze the rest."""


@dataclass(frozen=True)
class Plot:
    """A dot plot in percent of its width.

    Parameters
    ----------
    rows : tuple of mapping
        ``architecture``, ``family``, ``filled`` (trained weights), ``chosen``,
        ``score``, ``x`` and ``low``, ``high`` (percent; None without an interval).
    ticks : tuple of (float, str)
        Position in percent and label.
    baseline : float or None
        Position of the trivial baseline.
    """

    rows: tuple[Mapping[str, Any], ...]
    ticks: tuple[tuple[float, str], ...]
    baseline: float | None


def layout(rec: Mapping[str, Any]) -> Plot | None:
    """Return where everything goes, or None where no row has a score.

    Parameters
    ----------
    rec : mapping
        The recommendation.
    """
    rows = [r for r in rec.get("leaderboard") or [] if _number(r.get("score")) is not None]
    if not rows:
        return None
    base = _number((rec.get("baseline") or {}).get("value"))
    values = [v for r in rows for v in (r["score"], *(r.get("interval") or ()))]
    lowest = _lowest(rec)
    values = [max(v, lowest) for v in values if _number(v) is not None]
    if base is not None:
        values.append(max(base, lowest))
    ticks = _ticks(min(values), max(values))
    low, high = ticks[0], ticks[-1]

    def at(value: float) -> float:
        return round(100.0 * min(max((value - low) / (high - low), 0.0), 1.0), 2)

    chosen = (rec.get("recommended") or {}).get("architecture")
    return Plot(
        rows=tuple(_row(r, at, chosen) for r in rows),
        ticks=tuple((at(t), f"{t:.10g}".replace("0.", ".", 1) if t else "0") for t in ticks),
        baseline=None if base is None else at(base),
    )


def against_cost(rec: Mapping[str, Any]) -> Plot | None:
    """Return score against multiply-adds, or None with fewer than two models that have both.

    The ticks are powers of ten; each row has ``x`` and ``y`` in percent, from
    the left and from the top, and ``front``.

    Parameters
    ----------
    rec : mapping
        The recommendation.
    """
    rows = [
        r
        for r in rec.get("leaderboard") or []
        if _number(r.get("score")) is not None and r.get("macs") and r.get("role") != "baseline"
    ]
    if len(rows) < 2:
        return None
    scores = [max(r["score"], _lowest(rec)) for r in rows]
    costs = [math.log10(r["macs"]) for r in rows]
    first, last = math.floor(min(costs)), max(math.ceil(max(costs)), math.floor(min(costs)) + 1)
    low, spread = min(scores), max(max(scores) - min(scores), 1e-9)

    def along(power: float) -> float:
        return round(100.0 * (power - first) / (last - first), 2)

    chosen = (rec.get("recommended") or {}).get("architecture")
    return Plot(
        rows=tuple(
            {
                "architecture": r.get("architecture"),
                "family": r.get("family"),
                "filled": bool(r.get("trained")),
                "chosen": r.get("architecture") == chosen,
                "front": bool(r.get("pareto")),
                "score": r["score"],
                "macs": r["macs"],
                "x": along(cost),
                "y": round(88.0 - 76.0 * (score - low) / spread, 2),
            }
            for r, score, cost in zip(rows, scores, costs, strict=True)
        ),
        ticks=tuple((along(p), f"10{_power(p)}") for p in range(first, last + 1)),
        baseline=None,
    )


def _lowest(rec: Mapping[str, Any]) -> float:
    """Return the lowest score that is drawn as it is."""
    unbounded = (rec.get("baseline") or {}).get("metric") == "neg_log_loss"
    return -math.inf if unbounded else LOWEST_R2


def _power(number: int) -> str:
    return str(number).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _row(row: Mapping[str, Any], at: Any, chosen: str | None) -> dict[str, Any]:
    """Return one row's marks."""
    interval = row.get("interval")
    ends = [_number(v) for v in interval] if interval else [None, None]
    whole = ends[0] is not None and ends[1] is not None
    return {
        "architecture": row.get("architecture"),
        "family": row.get("family"),
        "filled": bool(row.get("trained")),
        "confirmed": whole,
        "chosen": row.get("architecture") == chosen,
        "score": row["score"],
        "x": at(row["score"]),
        "low": at(ends[0]) if whole else None,
        "high": at(ends[1]) if whole else None,
    }


def _ticks(low: float, high: float) -> Sequence[float]:
    """Return three to seven round numbers that enclose `low` and `high`."""
    if high - low < 1e-6:
        low, high = low - 0.05, high + 0.05
    rough = (high - low) / 4.0
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(m * scale for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * scale >= rough - 1e-12)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, max(last, first + 1) + 1)]


def _number(value: Any) -> float | None:
    """Return a finite number, or None."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None
