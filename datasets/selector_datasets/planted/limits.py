"""The limits: nothing to be learnt, and very little."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from selector.contract import Array
from selector.errors import OptionError, did_you_mean
from selector_datasets.files import Samples
from selector_datasets.planted.parts import at_least, balanced

SEPARATION = 0.5449
"""Distance of two normal classes, in deviations, whose best classifier has an AUC of .65."""


def noise(
    n: int = 1200, steps: int = 100, seed: int = 0, kind: str = "series", classes: int = 2
) -> Samples:
    """Make samples whose labels have nothing to do with them.

    Parameters
    ----------
    n, steps, seed : int
        Number of samples, length of a series, the seed.
    kind : {"series", "multivariate", "grid", "table"}
        One channel, three channels, images of 16 × 16, or eight columns.
    classes : int
        Number of labels, balanced.

    Returns
    -------
    Samples
        ``x`` of the shape asked for, ``y`` from 0 to classes − 1.
    """
    shapes = {"series": (steps, 1), "multivariate": (steps, 3), "grid": (16, 16), "table": (8,)}
    _one_of(kind, shapes)
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 1.0, (n, *shapes[kind])).astype(np.float32)
    names = tuple(f"x{i}" for i in range(8)) if kind == "table" else ()
    return Samples(x, balanced(rng, n, classes), names)


def weak_signal(n: int = 1000, steps: int = 60, seed: int = 0, kind: str = "table") -> Samples:
    """Make samples whose two classes hardly differ.

    Normal noise, shifted by half of :data:`SEPARATION` towards one side or the
    other along one direction: the best possible classifier, which knows it, has
    an AUC of .65 and an accuracy of .607.

    Parameters
    ----------
    n, steps, seed : int
        Number of samples, length of a series, the seed.
    kind : {"table", "series"}
        Ten columns, of which four carry the shift in equal parts; or one
        channel that carries it as a hump over the whole series.

    Returns
    -------
    Samples
        ``x`` of shape ``(n, 10)`` or ``(n, steps, 1)``, ``y`` 0 or 1, balanced.
    """
    _one_of(kind, ("table", "series"))
    at_least(steps, 4, "steps")
    rng = np.random.default_rng(seed)
    along = weak_direction(kind, steps)
    y = balanced(rng, n, 2)
    x = rng.normal(0.0, 1.0, (n, len(along))) + SEPARATION * (y - 0.5)[:, None] * along
    if kind == "table":
        return Samples(x.astype(np.float32), y, tuple(f"x{i}" for i in range(len(along))))
    return Samples(x[..., None].astype(np.float32), y)


def weak_direction(kind: str, steps: int) -> Array:
    """Return the unit vector along which the classes of :func:`weak_signal` differ."""
    if kind == "table":
        direction = np.isin(np.arange(10), (1, 4, 5, 8)).astype(float)
    else:
        direction = np.sin(np.pi * (np.arange(steps) + 0.5) / steps)
    return np.asarray(direction / np.linalg.norm(direction))


def _one_of(kind: str, allowed: Collection[str]) -> None:
    if kind not in allowed:
        raise OptionError(
            f"kind must be one of {', '.join(allowed)}; received '{kind}'."
            f"{did_you_mean(kind, allowed)}"
        )
