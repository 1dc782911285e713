"""Generators of data whose right answer is known.

``last_command`` needs a memory of any length (recurrent networks),
``local_motif`` a detector that does not care where (convolutional ones),
``motif_order`` both, ``moving_shapes`` one that sees space and time together,
and ``noise`` has nothing to be learnt.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from selector.contract import Array
from selector.errors import OptionError, did_you_mean
from selector_datasets.files import Samples

VERSION = 1
"""Raised when a generator changes what it makes."""

_PULSE = np.array([0.7, 1.0, 0.7])
_N_TRAIN, _N_TEST = 1200, 600
_CLIPS_TRAIN, _CLIPS_TEST = 1000, 500
_DIRECTIONS = np.array([[0, -1], [0, 1], [-1, 0], [1, 0]])


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
    _at_least(steps, 40, "steps")
    _at_least(classes, 2, "classes")
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, noise, (n, steps, classes))
    y = _balanced(rng, n, classes)
    width = len(_PULSE)
    for series, last in zip(x, y, strict=True):
        count = int(rng.integers(2, 7))
        slots = np.sort(rng.choice(steps // (2 * width), count, replace=False))
        commands = rng.integers(0, classes, count)
        commands[-1] = last
        for slot, command in zip(slots, commands, strict=True):
            start = 2 * width * slot + int(rng.integers(0, width))
            series[start : start + width, command] += amplitude * _PULSE
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
    _at_least(steps, 2 * width, "steps")
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 1.0, (n, steps))
    y = _balanced(rng, n, 2)
    motif = amplitude * _chirp(width)
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
    _at_least(steps, 4 * width, "steps")
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 1.0, (n, steps))
    y = _balanced(rng, n, 2)
    motif = _chirp(width)
    bump = _standardised(np.abs(np.linspace(-1.0, 1.0, width)))
    pair = (amplitude * motif, amplitude * bump)
    for series, label in zip(x, y, strict=True):
        first, second = np.sort(rng.choice(steps - 2 * width + 1, 2, replace=False))
        second += width
        series[first : first + width] += pair[label]
        series[second : second + width] += pair[1 - label]
    return Samples(x[..., None].astype(np.float32), y)


def moving_shapes(
    n: int = 1000,
    steps: int = 12,
    seed: int = 0,
    side: int = 16,
    amplitude: float = 1.5,
    noise: float = 0.5,
) -> Samples:
    """Make clips of a shape that moves left, right, up or down: the class is where to.

    What leaves at one edge comes in at the other, and the start is anywhere,
    so that a single frame, and the mean of any pixel over the clips of a
    class, say nothing. Shape (square, cross or ring, drawn with soft edges),
    size, brightness and speed (0.6 to 1.6 pixels a frame) differ from clip to
    clip.

    Parameters
    ----------
    n : int
        Number of clips; classes are balanced.
    steps : int
        Frames of a clip, at least 4.
    seed : int
        Of the random numbers.
    side : int
        Height and width of a frame in pixels, at least 12.
    amplitude, noise : float
        Mean brightness of a shape, and standard deviation of the noise.

    Returns
    -------
    Samples
        ``x`` of shape ``(n, steps, side, side, 1)``, ``y`` from 0 to 3: left,
        right, up, down.
    """
    _at_least(steps, 4, "steps")
    _at_least(side, 12, "side")
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, noise, (n, steps, side, side))
    y = _balanced(rng, n, len(_DIRECTIONS))
    pixels, times = np.arange(side), np.arange(steps)[:, None]
    for clip, direction in zip(x, _DIRECTIONS[y], strict=True):
        start, speed = rng.uniform(0, side, 2), rng.uniform(0.6, 1.6)
        radius, shape = rng.uniform(1.6, 3.0), int(rng.integers(3))
        bright = amplitude * rng.uniform(0.7, 1.3)
        centre = start + speed * times * direction
        # Distance of each pixel from the centre along each axis, around the edge.
        down, right = (
            np.abs((pixels - centre[:, axis, None] + side / 2) % side - side / 2) for axis in (0, 1)
        )
        clip += bright * _drawn(shape, down[:, :, None], right[:, None, :], radius)
    return Samples(x[..., None].astype(np.float32), y)


def _drawn(shape: int, down: Array, right: Array, radius: float) -> Array:
    """Return a square, a cross or a ring: 1 inside, 0 outside, an edge of one pixel between."""
    if shape == 0:
        outside = np.maximum(down, right) - radius
    elif shape == 1:
        arms = np.maximum(down, right) - radius - 0.5
        outside = np.maximum(np.minimum(down, right) - 0.5, arms)
    else:
        outside = np.abs(np.hypot(down, right) - radius) - 0.5
    return np.asarray(np.clip(0.5 - outside, 0.0, 1.0))


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
    if kind not in shapes:
        raise OptionError(
            f"kind must be one of {', '.join(shapes)}; received '{kind}'."
            f"{did_you_mean(kind, shapes)}"
        )
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 1.0, (n, *shapes[kind])).astype(np.float32)
    names = tuple(f"x{i}" for i in range(8)) if kind == "table" else ()
    return Samples(x, _balanced(rng, n, classes), names)


def _chirp(width: int) -> Array:
    """Return a wave whose frequency rises, of mean 0 and deviation 1."""
    t = np.arange(width) / width
    return _standardised(np.sin(2 * np.pi * (0.6 * t + 1.5 * t**2)) * (0.4 + t))


def _standardised(wave: Array) -> Array:
    centred: Array = wave - wave.mean()
    return np.asarray(centred / centred.std())


def _balanced(rng: np.random.Generator, n: int, classes: int) -> Array:
    return rng.permutation(np.arange(n, dtype=np.int64) % classes)


def _at_least(value: int, least: int, name: str) -> None:
    if value < least:
        raise OptionError(f"{name} must be at least {least}; received {value}.")


GENERATORS: dict[str, Callable[..., Samples]] = {
    "last_command": last_command,
    "local_motif": local_motif,
    "motif_order": motif_order,
    "moving_shapes": moving_shapes,
    "noise": noise,
}


def _card(title: str, description: str, winner: str) -> dict[str, Any]:
    return {
        "title": title,
        "description": description,
        "source": "made by selector_datasets.planted",
        "licence": "CC0 1.0",
        "citation": "",
        "form": "arrays",
        "kind": "sequential",
        "task": "classification",
        "target": "y",
        "n_train": _N_TRAIN,
        "n_test": _N_TEST,
        "winner": winner,
    }


CARDS: dict[str, dict[str, Any]] = {
    "last_command": _card(
        "The last command wins",
        "The class is the last of two to six sparse commands in noisy steps.",
        "rnn",
    ),
    "local_motif": _card(
        "A motif somewhere",
        "Which of two motifs, one the reverse of the other, lies somewhere in noise.",
        "cnn",
    ),
    "motif_order": _card(
        "Which motif comes first",
        "Two noisy motifs occur in every series; the class is their order.",
        "hybrid or rnn",
    ),
    "moving_shapes": {
        **_card(
            "Moving shapes",
            "Clips of a shape; the class is whether it moves left, right, up or down.",
            "cnn or hybrid",
        ),
        "kind": "sequential-grid",
        "n_train": _CLIPS_TRAIN,
        "n_test": _CLIPS_TEST,
    },
    "noise": _card("Noise", "The labels are independent of the data.", "baseline"),
}


def generate(name: str, **options: Any) -> Samples:
    """Run the generator `name` with its options.

    Raises
    ------
    OptionError
        For an option that the generator does not have, or a value not allowed.
    """
    generator = GENERATORS[name]
    allowed = list(inspect.signature(generator).parameters)
    for option in options:
        if option not in allowed:
            raise OptionError(
                f"'{name}' has no option '{option}'.{did_you_mean(option, allowed)} "
                f"It has {', '.join(allowed)}."
            )
    _at_least(int(options.get("n", _N_TRAIN)), 4, "n")
    return generator(**options)
