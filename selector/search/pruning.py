"""When a network's training is given up: it is worse than earlier ones on the same split."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from selector.search.records import Record

LEAST_TRIALS = 2
"""Earlier trials that a comparison needs."""

MARGIN = 1.05
"""A quarter through its schedule a slow starter may be this much worse than the worst."""


def thresholds(records: Iterable[Record]) -> dict[str, float]:
    """Return the losses above which a training is given up, by share of its epochs.

    A quarter through, what is worse than every earlier trial is given up; half
    through, what is worse than their median (the median rule of Golovin et al.,
    "Google Vizier", KDD 2017).

    Parameters
    ----------
    records : iterable of Record
        Finished trials of one lane on one split; only those are comparable.
    """
    told = [r.result.rungs for r in records if r.ok]
    early = [rungs["0.25"] for rungs in told if "0.25" in rungs]
    half = [rungs["0.5"] for rungs in told if "0.5" in rungs]
    found = {}
    if len(early) >= LEAST_TRIALS:
        found["0.25"] = MARGIN * max(early)
    if len(half) >= LEAST_TRIALS:
        found["0.5"] = median(half)
    return found
