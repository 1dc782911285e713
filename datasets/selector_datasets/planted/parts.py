"""What the generators share: wave forms, balanced labels, checks of options."""

from __future__ import annotations

import numpy as np

from selector.contract import Array
from selector.errors import OptionError

PULSE = np.array([0.7, 1.0, 0.7])


def chirp(width: int) -> Array:
    """Return a wave whose frequency rises, of mean 0 and deviation 1."""
    t = np.arange(width) / width
    return standardised(np.sin(2 * np.pi * (0.6 * t + 1.5 * t**2)) * (0.4 + t))


def standardised(wave: Array) -> Array:
    """Return a wave moved and scaled to mean 0 and deviation 1."""
    centred: Array = wave - wave.mean()
    return np.asarray(centred / centred.std())


def balanced(rng: np.random.Generator, n: int, classes: int) -> Array:
    """Return labels from 0 to classes − 1 in random order, each as often as the others."""
    return rng.permutation(np.arange(n, dtype=np.int64) % classes)


def at_least(value: int, least: int, name: str) -> None:
    """Refuse an option below its least value.

    Raises
    ------
    OptionError
        Where it is below.
    """
    if value < least:
        raise OptionError(f"{name} must be at least {least}; received {value}.")
