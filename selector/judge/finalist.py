"""The finalists: what a verdict compares, and how two of them compare."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from selector.judge.statistics import Posterior, VariancePrior, accuracy_prior, correlated_t
from selector.search.splits import MINIMUM_SPLITS
from selector.tasks.metrics import BOUNDS, COUNTED

SURE_ON_FEW = 0.99
"""Probability from which a difference is obvious on fewer splits."""


@dataclass(frozen=True)
class Finalist:
    """One configuration that was scored on the common splits.

    Parameters
    ----------
    architecture, family, title : str
        As in :class:`selector.contract.Candidate`.
    scores : mapping of str to float
        Split name to score (accuracy, or R²); higher is better.
    test_train_ratio : float
        Rows validated on over rows trained on, in each split.
    validation_rows : int
        Rows in one validation part; 0 where unknown, which gives up the
        knowledge of how coarse a score is.
    grouped : bool
        Whether rows belong together (``--group``): counting them then says
        nothing of the noise.
    metric : str
        Name of the score. For shares of rows the noise of counting them is
        known, see :func:`selector.judge.statistics.accuracy_prior`.
    trained : bool
        Whether its weights were learnt by gradient descent.
    type : str
        ``"trained"``, ``"fixed features"`` or ``"estimator"``.
    macs, bytes, params_count : int
        Counted cost of one prediction: multiply-adds, size, parameters; 0
        where unknown.
    passes : float
        Passes over the data that fitting takes, in predictions for each row:
        three for each epoch of gradient training (forward and backward), one
        for fixed features.
    """

    architecture: str
    family: str
    title: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    test_train_ratio: float = 0.25
    validation_rows: int = 0
    grouped: bool = False
    metric: str = "accuracy"
    trained: bool = True
    type: str = "trained"
    macs: int = 0
    passes: float = 0.0
    bytes: int = 0
    params_count: int = 0

    @property
    def finite_scores(self) -> dict[str, float]:
        """The scores that are numbers, in the order of the splits' names."""
        return {s: float(v) for s, v in sorted(self.scores.items()) if math.isfinite(v)}

    @property
    def mean(self) -> float:
        """Mean score over its own splits; NaN where it has none."""
        values = self.finite_scores.values()
        return fmean(values) if values else math.nan

    def one_row(self, splits: int) -> float:
        """Return what one row adds to the mean over `splits`, where it is a share of rows; else 0.

        Splits beyond one cross-validation look at the same rows again.
        """
        if self.metric not in COUNTED or self.validation_rows <= 0 or self.grouped:
            return 0.0
        every = self.validation_rows * (1.0 + 1.0 / self.test_train_ratio)
        return 1.0 / min(every, self.validation_rows * splits)

    @property
    def cost(self) -> tuple[int, int]:
        """Multiply-adds for each row to fit the model and to predict, then bytes.

        Counted, never timed. A model that takes hundreds of passes over the
        data to train, and whose result depends on a seed, is not the cheap one
        of two that predict equally well.

        Where multiply-adds were not counted, one for each parameter stands
        in, and where those are unknown too, one for each four bytes.
        """
        each = self.macs or self.params_count or self.bytes // 4
        return round(each * (1.0 + self.passes)), self.bytes


def common_splits(first: Finalist, second: Finalist) -> tuple[str, ...]:
    """Return the names of the splits on which both have a score."""
    return tuple(s for s in first.finite_scores if s in second.finite_scores)


def compare(first: Finalist, second: Finalist) -> Posterior | None:
    """Return the posterior of the score of `first` minus that of `second`.

    Returns
    -------
    Posterior or None
        None with fewer than two common splits. For accuracies on a known
        number of rows the variance is pooled with the one that counting
        predicts, so that one split is enough, and the scale is at least one row
        in all the validation parts together.
    """
    splits = common_splits(first, second)
    if not splits:
        return None
    a = [first.finite_scores[s] for s in splits]
    b = [second.finite_scores[s] for s in splits]
    rows = min(first.validation_rows, second.validation_rows)
    prior = _prior(first, fmean(a), fmean(b), rows)
    if len(splits) < 2 and prior is None:
        return None
    return correlated_t(
        [x - y for x, y in zip(a, b, strict=True)],
        max(first.test_train_ratio, second.test_train_ratio),
        prior=prior,
        minimal_scale=1.0 / (rows * len(splits)) if rows > 0 else 0.0,
    )


def probability_better(first: Finalist, second: Finalist, margin: float = 0.0) -> float:
    """Return the probability that `first` is better than `second` by more than `margin`.

    Returns
    -------
    float
        NaN where it is not known: with fewer than :data:`MINIMUM_SPLITS` common
        splits only what is surer than :data:`SURE_ON_FEW` counts, or as sure not to be.
    """
    posterior = compare(first, second)
    if posterior is None:
        return math.nan
    sure = posterior.probability_above(margin)
    enough = len(common_splits(first, second)) >= MINIMUM_SPLITS
    obvious = max(sure, 1.0 - sure) >= SURE_ON_FEW
    return sure if enough or obvious else math.nan


def score_interval(finalist: Finalist, level: float = 0.95) -> tuple[float, float] | None:
    """Return a credible interval of a finalist's mean score.

    Returns
    -------
    tuple of float or None
        Lower and upper end, cut to 0 and 1 for accuracies; None with fewer
        than two splits.
    """
    values = list(finalist.finite_scores.values())
    if len(values) < 2:
        return None
    rows = finalist.validation_rows
    posterior = correlated_t(
        values,
        finalist.test_train_ratio,
        prior=_prior(finalist, finalist.mean, 0.0, rows),
        minimal_scale=1.0 / (rows * len(values)) if rows > 0 else 0.0,
    )
    low, high = posterior.interval(level)
    floor, ceiling = BOUNDS.get(finalist.metric, (-math.inf, math.inf))
    return max(low, floor), min(high, ceiling)


def adjusted_means(finalists: Sequence[Finalist]) -> dict[str, float]:
    """Return each finalist's mean score as if all had been scored on all splits.

    A finalist that raced on five splits and one that stopped after three are
    compared by least squares on ``score = finalist + split``, so that an easy
    split favours neither. Where all have the same splits, and also where no chain
    of common splits links them all, these are the plain means.

    Returns
    -------
    dict of str to float
        Architecture to mean; finalists without a score are left out.
    """
    import numpy as np

    scored = [f for f in finalists if f.finite_scores]
    splits = sorted({s for f in scored for s in f.finite_scores})
    if all(len(f.finite_scores) == len(splits) for f in scored):
        return {f.architecture: f.mean for f in scored}
    cells = [
        (row, splits.index(s), v)
        for row, f in enumerate(scored)
        for s, v in f.finite_scores.items()
    ]
    design = np.zeros((len(cells), len(scored) + len(splits)))
    values = np.array([v for _, _, v in cells])
    for i, (row, column, _) in enumerate(cells):
        design[i, row] = design[i, len(scored) + column] = 1.0
    centre = float(values.mean())
    effects, _, rank, _ = np.linalg.lstsq(design, values - centre, rcond=None)
    if rank < len(scored) + len(splits) - 1:
        return {f.architecture: f.mean for f in scored}
    shift = centre + float(effects[len(scored) :].mean())
    lowest, highest = BOUNDS.get(scored[0].metric, (-math.inf, math.inf))
    return {
        f.architecture: min(max(float(effects[i]) + shift, lowest), highest)
        for i, f in enumerate(scored)
    }


def _prior(finalist: Finalist, first: float, second: float, rows: int) -> VariancePrior | None:
    """Return the variance that counting predicts, where the score is a share of single rows."""
    if finalist.metric not in COUNTED or rows <= 0 or finalist.grouped:
        return None
    return accuracy_prior(first, second, rows)
