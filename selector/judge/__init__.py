"""The judge: common splits, statistics, racing and the verdict.

Statistics are computed with SciPy, which is imported when first needed.
"""

from __future__ import annotations

from selector.judge.finalist import (
    MINIMUM_SPLITS,
    Finalist,
    adjusted_means,
    common_splits,
    compare,
    score_interval,
)
from selector.judge.headline import gap_sentence, headline
from selector.judge.outcome import ROPES, Comparison, Verdict
from selector.judge.racing import in_contention, next_confirmations
from selector.judge.statistics import Posterior, VariancePrior, accuracy_prior, correlated_t
from selector.judge.verdict import expected_loss, judge

__all__ = [
    "MINIMUM_SPLITS",
    "ROPES",
    "Comparison",
    "Finalist",
    "Posterior",
    "VariancePrior",
    "Verdict",
    "accuracy_prior",
    "adjusted_means",
    "common_splits",
    "compare",
    "correlated_t",
    "expected_loss",
    "gap_sentence",
    "headline",
    "in_contention",
    "judge",
    "next_confirmations",
    "score_interval",
]
