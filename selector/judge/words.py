"""Numbers in words: scores, probabilities and points, for sentences."""

from __future__ import annotations

import math

METRICS = {
    "r2": "R²",
    "balanced_accuracy": "balanced accuracy",
    "f1_macro": "macro F1",
    "roc_auc": "ROC AUC",
    "neg_log_loss": "negative log loss",
}
"""Names of metrics as people write them, where that is not the name itself."""


def decimal(value: float | None, digits: int = 3) -> str:
    """Return a score as it is written in a table: ``.993``, ``1.000``, ``-.120``, ``–``."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}f}"
    if text.strip("-0.") == "":
        text = text.lstrip("-")
    if text.startswith("0."):
        return text[1:]
    return "-" + text[2:] if text.startswith("-0.") else text


def probability(value: float, asked: float | None = None) -> str:
    """Return a probability: ``.97``, never rounded up to certainty or down to nothing.

    Beside one that is `asked`, in as many digits as tell them apart.
    """
    if value >= 0.995:
        return "more than .99"
    if value < 0.005:
        return "less than .01"
    digits = 2
    while asked is not None and digits < 6 and decimal(value, digits) == decimal(asked, digits):
        digits += 1
    return decimal(value, digits)


def points(value: float, metric: str = "accuracy") -> str:
    """Return a difference of scores in words: ``1 point``, ``2.5 points``, ``.010 of R²``."""
    if metric not in ("accuracy", "balanced_accuracy"):
        return f"{decimal(value)} of {METRICS.get(metric, metric)}"
    number = f"{100.0 * value:.1f}".removesuffix(".0")
    if number == "0" and value != 0.0:
        return "less than 0.1 point"
    return f"{number} point" if number in ("1", "-1") else f"{number} points"


def listed(items: list[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]
