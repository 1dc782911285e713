"""Tables: thresholds and interactions of independent columns."""

from __future__ import annotations

import numpy as np

from selector.contract import Array
from selector_datasets.files import Samples
from selector_datasets.planted.parts import at_least

FLIPPED = 0.04
"""Share of labels that are wrong, so that no model can be right more often than .96."""


def thresholds(n: int = 1500, seed: int = 0, columns: int = 12) -> Samples:
    """Make a table whose class follows from thresholds on five of its columns.

    All columns are independent and normal. :func:`rule` adds what three
    comparisons give, two of which depend on another column; four labels in a
    hundred are flipped at random. The order of the columns means nothing.

    Parameters
    ----------
    n, seed : int
        Number of rows, the seed.
    columns : int
        Number of columns, at least 5; only the first five count.

    Returns
    -------
    Samples
        ``x`` of shape ``(n, columns)`` with names ``x0`` …, ``y`` 0 or 1, about
        balanced.
    """
    at_least(columns, 5, "columns")
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 1.0, (n, columns))
    y = rule(x) ^ (rng.random(n) < FLIPPED)
    return Samples(x.astype(np.float32), y.astype(np.int64), _names(columns))


def thresholds_permuted(n: int = 1500, seed: int = 0, columns: int = 36) -> Samples:
    """Make the table of :func:`thresholds` with its columns in another order.

    With 36 columns of one scale, named by counting, it has the look of series or
    of square images with a row each, and is neither.

    Parameters
    ----------
    n, seed, columns : int
        As for :func:`thresholds`. The order of the columns is the same for
        every seed, see :func:`permutation`.

    Returns
    -------
    Samples
        As :func:`thresholds` returns them.
    """
    made = thresholds(n, seed, columns)
    return Samples(made.x[:, permutation(columns)], made.y, made.names)


def rule(x: Array) -> Array:
    """Return the class, as booleans, that the first five columns give."""
    both = (x[:, 0] > -0.6) & (x[:, 1] > -0.6)
    sided = np.where(x[:, 2] > 0.0, x[:, 3] > 0.1, x[:, 3] < -0.1)
    return np.asarray(1.0 * both + 1.0 * sided + 0.8 * (x[:, 4] > 0.0) > 1.1)


def permutation(columns: int) -> Array:
    """Return which column of :func:`thresholds` stands at each place."""
    return np.random.default_rng(columns).permutation(columns)


def _names(columns: int) -> tuple[str, ...]:
    return tuple(f"x{i}" for i in range(columns))
