"""Statistics of a difference measured on a few overlapping splits.

The posterior of a mean difference under the Bayesian correlated t-test: a
Student t distribution whose scale allows for the training parts that the
splits share.

References
----------
.. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error",
   Machine Learning 52, 2003.
.. [2] G. Corani and A. Benavoli, "A Bayesian approach for comparing
   cross-validated algorithms on multiple data sets", Machine Learning 100,
   2015.
.. [3] A. Benavoli, G. Corani, J. Demsar and M. Zaffalon, "Time for a change:
   a tutorial for comparing multiple classifiers through Bayesian analysis",
   JMLR 18, 2017.
.. [4] G. K. Smyth, "Linear models and empirical Bayes methods for assessing
   differential expression in microarray experiments", Statistical
   Applications in Genetics and Molecular Biology 3, 2004 (the moderated t:
   a variance shrunk towards one that is known beforehand).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from selector.errors import OptionError

PRIOR_DF = 4.0
"""Weight, in degrees of freedom, of a variance known from counting rows."""


@dataclass(frozen=True)
class VariancePrior:
    """What is known of the variance of one split's difference before measuring.

    Parameters
    ----------
    variance : float
        The variance expected, in squared score units.
    df : float
        How many measured degrees of freedom it counts as.
    """

    variance: float
    df: float = PRIOR_DF


@dataclass(frozen=True)
class Posterior:
    """Student t posterior of a mean difference.

    Parameters
    ----------
    df : float
        Degrees of freedom.
    loc : float
        Location: the mean of the measured differences, in score units.
    scale : float
        Scale, in score units; 0 makes it a point mass at `loc`.
    """

    df: float
    loc: float
    scale: float

    def probability_above(self, x: float) -> float:
        """Return the probability that the difference is above `x`.

        A point mass lying exactly on `x` counts half, so that exchanging the
        two models turns every probability ``p`` into ``1 - p``.
        """
        if self.scale == 0.0:
            return 0.5 if self.loc == x else float(self.loc > x)
        from scipy.special import stdtr

        return float(stdtr(self.df, (self.loc - x) / self.scale))

    def probability_within(self, low: float, high: float) -> float:
        """Return the probability that the difference lies from `low` to `high`."""
        return max(self.probability_above(low) - self.probability_above(high), 0.0)

    def expected_excess(self, threshold: float = 0.0) -> float:
        """Return ``E[max(0, d - threshold)]``, in score units.

        With ``d`` the score of the best model minus that of a cheaper one,
        and a threshold of 0, this is the loss to be expected from taking the
        cheaper one where the best could be had.

        Returns
        -------
        float
            In closed form; infinite with one degree of freedom or less, where
            the distribution has no mean.
        """
        if self.scale == 0.0:
            return max(self.loc - threshold, 0.0)
        if self.df <= 1.0:
            return math.inf
        z = (threshold - self.loc) / self.scale
        tail = 1.0 - Posterior(self.df, 0.0, 1.0).probability_above(-z)
        density = math.exp(_log_density(z, self.df))
        return max(self.scale * ((self.df + z * z) / (self.df - 1.0) * density - z * tail), 0.0)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the central credible interval that holds `level` of the probability."""
        if self.scale == 0.0:
            return self.loc, self.loc
        from scipy.special import stdtrit

        half = self.scale * float(stdtrit(self.df, 0.5 + level / 2.0))
        return self.loc - half, self.loc + half


def correlated_t(
    differences: Iterable[float],
    test_train_ratio: float,
    *,
    prior: VariancePrior | None = None,
    minimal_scale: float = 0.0,
) -> Posterior:
    """Return the posterior of the mean of paired `differences`.

    Without the keywords this is the published test [2]_: ``J - 1`` degrees of
    freedom, the mean as location, and scale ``s * sqrt(1 / J + ratio)``, where
    the ratio is the correction for shared training rows [1]_.

    Parameters
    ----------
    differences : iterable of float, length J >= 2
        Score of one model minus score of the other, one for each common split; with
        a `prior` one is enough.
    test_train_ratio : float
        Rows validated on over rows trained on, the same for all splits: in
        K-fold cross-validation ``1 / (K - 1)``.
    prior : VariancePrior, optional
        A variance known beforehand, pooled with the measured one by degrees of
        freedom [4]_. Three splits give two degrees of freedom, and a variance
        measured so roughly makes even 75% against 50% correct on 120 rows look
        doubtful (one time in five it fails to reach .98), while the number of
        rows tells the order of the noise: see :func:`accuracy_prior`.
    minimal_scale : float
        The scale is at least this. Differences that are all equal have no
        variance, and that is no certainty: the caller gives what one row more
        or less would have made.

    Returns
    -------
    Posterior
    """
    values = [float(d) for d in differences]
    count = len(values)
    if count < (2 if prior is None else 1) or not all(math.isfinite(d) for d in values):
        raise OptionError(
            "the correlated t-test needs at least two finite differences, "
            f"received {values}: score both models on more common splits"
        )
    if not (math.isfinite(test_train_ratio) and test_train_ratio >= 0.0):
        raise OptionError(
            "test_train_ratio must be a number of at least 0 (rows validated on over rows "
            f"trained on), received {test_train_ratio}"
        )
    loc = math.fsum(values) / count
    df = count - 1.0
    variance = math.fsum((d - loc) ** 2 for d in values) / max(df, 1.0)
    if variance <= (1e-12 * max(1.0, abs(loc))) ** 2:  # rounding, not variation
        variance = 0.0
    if prior is not None:
        variance = (df * variance + prior.df * prior.variance) / (df + prior.df)
        df += prior.df
    scale = math.sqrt(variance * (1.0 / count + test_train_ratio))
    return Posterior(df=df, loc=loc, scale=max(scale, minimal_scale))


def accuracy_prior(first: float, second: float, rows: int) -> VariancePrior:
    """Return the variance that counting rows leads one to expect.

    The difference of two accuracies on the same `rows` rows is the mean of
    values -1, 0 and 1, of variance ``q - (first - second)**2``, where ``q`` is
    the share of rows on which exactly one model is right (McNemar's
    discordant pairs). ``q`` is taken as if the models erred independently of
    each other; models mostly err on the same rows, so this errs towards
    caution.

    Parameters
    ----------
    first, second : float
        The two mean accuracies, from 0 to 1.
    rows : int
        Rows in one validation part.
    """
    discordant = first * (1.0 - second) + second * (1.0 - first)
    return VariancePrior(max(discordant - (first - second) ** 2, 0.0) / max(rows, 1))


def _log_density(z: float, df: float) -> float:
    """Log density of the standard Student t distribution at `z`."""
    return (
        math.lgamma((df + 1.0) / 2.0)
        - math.lgamma(df / 2.0)
        - 0.5 * math.log(df * math.pi)
        - (df + 1.0) / 2.0 * math.log1p(z * z / df)
    )
