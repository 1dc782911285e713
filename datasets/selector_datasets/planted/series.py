"""Series: what came last, what state was reached, a shape somewhere, two shapes in order."""

from __future__ import annotations

import numpy as np

from selector.contract import Array
from selector_datasets.files import Samples
from selector_datasets.planted.parts import PULSE, at_least, balanced, chirp, standardised


def last_command(
    n: int = 1200,
    steps: int = 100,
    seed: int = 0,
    classes: int = 4,
    amplitude: float = 3.0,
    noise: float = 0.4,
) -> Samples:
    """Make series whose class is the last of two to six commands.

    A command is a pulse of three steps on a channel of its own. Commands lie
    anywhere, so that the last may be a step or almost the whole series away
    from the end. How often each command occurs says little: a network that
    pools over time, with a receptive field shorter than the gaps, cannot tell
    which came last.

    Parameters
    ----------
    n : int
        Number of series; classes are balanced.
    steps : int
        Length of a series, at least 40.
    seed : int
        Of the random numbers.
    classes : int
        Number of commands, and of channels.
    amplitude, noise : float
        Height of a pulse, and standard deviation of the noise.

    Returns
    -------
    Samples
        ``x`` of shape ``(n, steps, classes)``, ``y`` from 0 to classes − 1.
    """
    at_least(steps, 40, "steps")
    at_least(classes, 2, "classes")
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, noise, (n, steps, classes))
    y = balanced(rng, n, classes)
    width = len(PULSE)
    for series, last in zip(x, y, strict=True):
        count = int(rng.integers(2, 7))
        slots = np.sort(rng.choice(steps // (2 * width), count, replace=False))
        commands = rng.integers(0, classes, count)
        commands[-1] = last
        for slot, command in zip(slots, commands, strict=True):
            start = 2 * width * slot + int(rng.integers(0, width))
            series[start : start + width, command] += amplitude * PULSE
    return Samples(x.astype(np.float32), y)


def local_motif(
    n: int = 1200, steps: int = 100, seed: int = 0, width: int = 16, amplitude: float = 1.6
) -> Samples:
    """Make series in which one of two motifs lies somewhere in noise.

    One motif is the other reversed, so that their spectra, their sums and
    their sizes are equal; only the local shape tells them apart.

    Parameters
    ----------
    n, steps, seed : int
        Number of series, their length (at least twice `width`), the seed.
    width : int
        Steps of a motif.
    amplitude : float
        Standard deviation of the motif, where that of the noise is 1.

    Returns
    -------
    Samples
        ``x`` of shape ``(n, steps, 1)``, ``y`` 0 or 1.
    """
    at_least(steps, 2 * width, "steps")
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 1.0, (n, steps))
    y = balanced(rng, n, 2)
    motif = amplitude * chirp(width)
    for series, label in zip(x, y, strict=True):
        start = int(rng.integers(0, steps - width + 1))
        series[start : start + width] += motif[::-1] if label else motif
    return Samples(x[..., None].astype(np.float32), y)


def motif_order(
    n: int = 1200, steps: int = 100, seed: int = 0, width: int = 10, amplitude: float = 2.2
) -> Samples:
    """Make series in which two noisy motifs occur; the class says which comes first.

    Each occurs once in every series, at a random place; the gap between them
    varies from nothing to most of the series. Detecting a motif takes a local
    filter, their order takes memory.

    Parameters
    ----------
    n, steps, seed : int
        Number of series, their length (at least four times `width`), the seed.
    width : int
        Steps of a motif.
    amplitude : float
        Standard deviation of a motif, where that of the noise is 1.

    Returns
    -------
    Samples
        ``x`` of shape ``(n, steps, 1)``, ``y`` 1 where the second motif is first.
    """
    at_least(steps, 4 * width, "steps")
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 1.0, (n, steps))
    y = balanced(rng, n, 2)
    motif = chirp(width)
    bump = standardised(np.abs(np.linspace(-1.0, 1.0, width)))
    pair = (amplitude * motif, amplitude * bump)
    for series, label in zip(x, y, strict=True):
        first, second = np.sort(rng.choice(steps - 2 * width + 1, 2, replace=False))
        second += width
        series[first : first + width] += pair[label]
        series[second : second + width] += pair[1 - label]
    return Samples(x[..., None].astype(np.float32), y)


def state_tracking(
    n: int = 1600,
    steps: int = 80,
    seed: int = 0,
    amplitude: float = 3.0,
    noise: float = 0.3,
) -> Samples:
    """Make series that drive a switch; the class is its state at the end.

    The switch obeys three symbols, each a pulse of three steps on a channel of
    its own: *on*, *off* and *flip*. On and off occur equally often in every
    series, once or twice each, and flips one to three times, in random order at
    random places. A series with *on* and *off* exchanged has the same counts
    and the other class, so that counting symbols says nothing at all; setting
    and flipping do not commute, so that the order cannot be pooled away.

    Parameters
    ----------
    n : int
        Number of series; classes are balanced.
    steps : int
        Length of a series, at least 42.
    seed : int
        Of the random numbers.
    amplitude, noise : float
        Height of a pulse, and standard deviation of the noise.

    Returns
    -------
    Samples
        ``x`` of shape ``(n, steps, 3)``, its channels *on*, *off*, *flip*;
        ``y`` 1 where the switch is on at the end.
    """
    width = len(PULSE)
    at_least(steps, 14 * width, "steps")
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, noise, (n, steps, 3))
    y = balanced(rng, n, 2)
    for series, state in zip(x, y, strict=True):
        pairs, flips = int(rng.integers(1, 3)), int(rng.integers(1, 4))
        symbols = rng.permutation([0] * pairs + [1] * pairs + [2] * flips)
        if switched(symbols) != state:
            symbols = np.where(symbols < 2, 1 - symbols, symbols)
        slots = np.sort(rng.choice(steps // (2 * width), len(symbols), replace=False))
        for slot, symbol in zip(slots, symbols, strict=True):
            start = 2 * width * slot + int(rng.integers(0, width))
            series[start : start + width, symbol] += amplitude * PULSE
    return Samples(x.astype(np.float32), y)


def switched(symbols: Array) -> int:
    """Return the last state of a switch after symbols 0 (on), 1 (off) and 2 (flip)."""
    state = 0
    for symbol in symbols:
        state = 1 - state if symbol == 2 else int(symbol == 0)
    return state


def adding(n: int = 2000, steps: int = 60, seed: int = 0) -> Samples:
    """Make the adding problem: two marked values of a series are to be added.

    The first channel holds uniform values, the second is 1 at one step of each
    half and 0 elsewhere. The best constant answer, 1, has a mean squared error
    of 1/6. A network that multiplies the channels and pools over all steps can
    solve it as well as one that carries the sum along.

    Parameters
    ----------
    n, steps, seed : int
        Number of series, their length (at least 4), the seed.

    Returns
    -------
    Samples
        ``x`` of shape ``(n, steps, 2)``, ``y`` real, from 0 to 2.

    References
    ----------
    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9
    (1997).
    """
    at_least(steps, 4, "steps")
    rng = np.random.default_rng(seed)
    x = np.zeros((n, steps, 2))
    x[..., 0] = rng.uniform(0.0, 1.0, (n, steps))
    rows, half = np.arange(n), steps // 2
    x[rows, rng.integers(0, half, n), 1] = 1.0
    x[rows, rng.integers(half, steps, n), 1] = 1.0
    return Samples(x.astype(np.float32), (x[..., 0] * x[..., 1]).sum(axis=1))
