"""Whether the order of an axis carries signal: neighbours against a permuted null.

Two statistics are compared with the same statistics after random
permutations of the axis, which keep every value and destroy only the order:

* *neighbour correlation*: the mean correlation, across samples, between the
  values at adjacent positions, each position standardised by itself, so that
  differing scales of table columns cannot look like smoothness;
* *smoothness*: one minus the mean squared difference of adjacent values of a
  sample over that of all pairs (the ratio of von Neumann, 1941).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from selector.contract import Array, Variable

PERMUTATIONS = 200
MAX_SAMPLES = 500
MAX_STEPS = 200
MAX_COLUMNS = 1024
MAX_REST = 64
SCALE_LIMIT = 10.0
"""Largest ratio of the widest column's deviation to the upper quartile of all
deviations at which columns still count as one quantity at many positions."""


@dataclass(frozen=True)
class Order:
    """What neighbours along one axis have in common.

    Parameters
    ----------
    steps : int
        Positions measured.
    correlation : float
        Mean correlation of adjacent positions.
    null, null_std, null95 : float
        Mean, deviation and 95% quantile of the same under permutation.
    low : float
        The 10% quantile over the pairs of neighbours: a series goes on at
        nearly every step, groups of related columns break between groups.
    smoothness, smoothness_null95 : float
        The second statistic and its permuted 95% quantile.
    """

    steps: int
    correlation: float
    null: float
    null_std: float
    null95: float
    low: float
    smoothness: float
    smoothness_null95: float

    @property
    def z(self) -> float:
        """Deviations of the null by which the correlation exceeds its mean."""
        return (self.correlation - self.null) / max(self.null_std, 1e-9)

    @property
    def gap(self) -> float:
        """Share of the possible rise over the null's mean that is reached."""
        return (self.correlation - self.null) / max(1.0 - self.null, 1e-9)

    @property
    def ordered(self) -> bool:
        """Whether the order clearly carries signal.

        Few positions have few permutations, so less can be asked of them:
        the number of null deviations asked for grows from 2 to 4.
        """
        asked = float(np.clip(2.0 + (self.steps - 6) / 6.0, 2.0, 4.0))
        return self.correlation > self.null95 and self.z >= asked and self.gap >= 0.15


def spread(count: int, limit: int) -> Array:
    """Return at most `limit` positions spread evenly over ``range(count)``."""
    if count <= limit:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, limit).round().astype(np.int64))


def sample_rows(values: Array, limit: int = MAX_SAMPLES) -> Array:
    """Return at most `limit` row positions, the same samples in whatever order rows come.

    Rows are sorted by a random projection of some of their cells, and taken
    at even distances.
    """
    n = len(values)
    if n <= limit:
        return np.arange(n)
    flat = values.reshape(n, -1)
    rng = np.random.default_rng(0)
    cells = rng.permutation(flat.shape[1])[:64]
    key = np.nan_to_num(flat[:, np.sort(cells)].astype(np.float64)) @ rng.normal(size=len(cells))
    return np.argsort(key, kind="stable")[spread(n, limit)]


def middle(steps: int, limit: int) -> slice:
    """Return the middle window of at most `limit` adjacent positions."""
    start = max(0, (steps - limit) // 2)
    return slice(start, start + min(steps, limit))


def correlations(values: Array) -> Array:
    """Return the correlation across samples between all positions of an axis.

    Parameters
    ----------
    values : ndarray, shape (n, steps, rest)
        Samples; NaN where missing. Cells of `rest` are averaged over.

    Returns
    -------
    ndarray, shape (steps, steps)
        NaN where a position is constant.
    """
    present = ~np.isnan(values)
    counts = np.maximum(present.sum(axis=0), 1)
    filled = np.where(present, values, 0.0)
    centred = np.where(present, filled - filled.sum(axis=0) / counts, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=0) / counts)
    scale = np.abs(filled).max(axis=0, initial=0.0)
    varies = deviation > 1e-9 * scale
    scaled = (centred / np.where(varies, deviation, np.inf)).astype(np.float32)
    weight = (present & varies).astype(np.float32)
    steps = values.shape[1]
    rows = scaled.transpose(1, 0, 2).reshape(steps, -1)
    marks = weight.transpose(1, 0, 2).reshape(steps, -1)
    pairs = marks @ marks.T
    out = np.full((steps, steps), np.nan)
    np.divide(rows @ rows.T, pairs, out=out, where=pairs > 0)
    return out


def differences(values: Array) -> Array:
    """Return the mean squared difference within samples between all positions.

    Each cell of `rest` is first scaled over samples and positions.
    """
    mean = np.nanmean(values, axis=(0, 1), keepdims=True)
    deviation = np.nanstd(values, axis=(0, 1), keepdims=True)
    scaled = np.nan_to_num((values - mean) / np.where(deviation > 0, deviation, 1.0))
    rows = scaled.astype(np.float32).transpose(1, 0, 2).reshape(values.shape[1], -1)
    gram = (rows @ rows.T).astype(np.float64)
    own = np.diag(gram)
    out: Array = (own[:, None] + own[None, :] - 2.0 * gram) / max(rows.shape[1], 1)
    return out


def _masked_mean(values: Array) -> Array:
    """Return the mean over the last axis without NaN; 0 where nothing is left."""
    present = ~np.isnan(values)
    total = np.where(present, values, 0.0).sum(axis=-1)
    mean: Array = total / np.maximum(present.sum(axis=-1), 1)
    return mean


def _permutations(steps: int) -> Array:
    rng = np.random.default_rng(0)
    return np.argsort(rng.random((PERMUTATIONS, steps)), axis=1)


def pairs_against_null(matrix: Array, lag: int = 1) -> tuple[float, Array, float]:
    """Return the mean of `matrix` over pairs at `lag`, its null, and its 10% quantile."""
    steps = len(matrix)
    along = np.diagonal(matrix, lag)
    orders = _permutations(steps)
    null = _masked_mean(matrix[orders[:, :-lag], orders[:, lag:]])
    known = along[~np.isnan(along)]
    low = float(np.quantile(known, 0.1)) if len(known) else 0.0
    return float(_masked_mean(along)), null, low


def measure_axis(values: Array, limit: int = MAX_STEPS) -> Order | None:
    """Measure the order of the second axis.

    Parameters
    ----------
    values : ndarray, shape (n, steps, rest)
        Samples. At most 500 samples, `limit` adjacent steps and 64 cells of
        `rest` are used.
    limit : int, default 200
        Most steps used.

    Returns
    -------
    Order or None
        None where there are fewer than three positions or two samples.
    """
    n, steps, rest = values.shape
    if n < 2 or steps < 3 or rest < 1:
        return None
    part = values[sample_rows(values)][:, middle(steps, limit)][:, :, spread(rest, MAX_REST)]
    part = part.astype(np.float64)
    part = part[:, :, ~np.isnan(part).all(axis=(0, 1))]
    if part.shape[2] == 0:
        return None
    correlation, null, low = pairs_against_null(correlations(part))
    distance = differences(part)
    overall = distance.sum() / max(part.shape[1] * (part.shape[1] - 1), 1)
    if overall <= 0:
        return None
    adjacent, permuted, _ = pairs_against_null(distance)
    return Order(
        steps=part.shape[1],
        correlation=correlation,
        null=float(null.mean()),
        null_std=float(null.std()),
        null95=float(np.quantile(null, 0.95)),
        low=low,
        smoothness=float(1.0 - adjacent / overall),
        smoothness_null95=float(np.quantile(1.0 - permuted / overall, 0.95)),
    )


def scale_ratio(deviations: Array) -> float:
    """Return the largest deviation over the upper quartile of those above zero."""
    positive = deviations[deviations > 0]
    if len(positive) == 0:
        return 1.0
    return float(positive.max() / np.quantile(positive, 0.75))


def dense_part(variable: Variable) -> Array:
    """Return samples with a common number of steps, for measuring.

    Of series whose lengths vary, those at least as long as the lower quartile
    are cut to it.
    """
    if variable.lengths is None:
        return variable.values
    steps = max(int(np.quantile(variable.lengths, 0.25)), 1)
    rows = np.flatnonzero(variable.lengths >= steps)
    some = variable.take(rows[spread(len(rows), 4 * MAX_SAMPLES)])
    return some.padded(steps)[0]
