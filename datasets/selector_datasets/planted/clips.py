"""Clips: a shape that moves."""

from __future__ import annotations

import numpy as np

from selector.contract import Array
from selector_datasets.files import Samples
from selector_datasets.planted.parts import at_least, balanced

DIRECTIONS = np.array([[0, -1], [0, 1], [-1, 0], [1, 0]])


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
    at_least(steps, 4, "steps")
    at_least(side, 12, "side")
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, noise, (n, steps, side, side))
    y = balanced(rng, n, len(DIRECTIONS))
    pixels, times = np.arange(side), np.arange(steps)[:, None]
    for clip, direction in zip(x, DIRECTIONS[y], strict=True):
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
