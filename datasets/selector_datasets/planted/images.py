"""Images: a shape or its mirror image somewhere, and digits in a row."""

from __future__ import annotations

import functools

import numpy as np

from selector.contract import Array
from selector_datasets.files import Samples
from selector_datasets.planted.parts import at_least, balanced, standardised

GLYPH = np.array(
    [
        [1, 1, 1, 0, 0],
        [1, 0, 0, 0, 0],
        [1, 1, 1, 1, 1],
        [0, 0, 0, 0, 1],
        [0, 0, 1, 1, 1],
    ]
)
"""The pattern of ``motif_2d``; its mirror image has the same row sums and column sums."""

ALPHABET = (0, 1, 4, 7)
"""The digits of ``digit_order``."""


def motif_2d(
    n: int = 1200, seed: int = 0, side: int = 16, amplitude: float = 1.2, noise: float = 1.0
) -> Samples:
    """Make images in which a pattern or its mirror image lies somewhere in noise.

    Both patterns have the same sum, the same size, and the same sums over rows
    and over columns; only the shape in two dimensions tells them apart.

    Parameters
    ----------
    n, seed : int
        Number of images, the seed.
    side : int
        Height and width in pixels, at least 10.
    amplitude, noise : float
        Standard deviation of the pattern, of 5 × 5 pixels, and of the noise.

    Returns
    -------
    Samples
        ``x`` of shape ``(n, side, side, 1)``, ``y`` 1 for the mirror image.
    """
    high, wide = GLYPH.shape
    at_least(side, 2 * high, "side")
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, noise, (n, side, side))
    y = balanced(rng, n, 2)
    pattern = amplitude * standardised(GLYPH.astype(float))
    for image, label in zip(x, y, strict=True):
        top, left = rng.integers(0, side - high + 1), rng.integers(0, side - wide + 1)
        image[top : top + high, left : left + wide] += pattern[:, ::-1] if label else pattern
    return Samples(x[..., None].astype(np.float32), y)


def digit_order(n: int = 1500, seed: int = 0, width: int = 56, noise: float = 0.15) -> Samples:
    """Make images of handwritten digits in a row; the class says whether the ends ascend.

    Three or four digits of :data:`ALPHABET` stand side by side with gaps of
    random width, so that no digit has a place of its own. The class is 1 where
    the last digit is larger than the first, which are never equal. Reading a
    digit takes local filters; comparing the first with the last takes memory.

    Parameters
    ----------
    n, seed : int
        Number of images, the seed.
    width : int
        Width in pixels, at least 40; the height is 10.
    noise : float
        Standard deviation of the noise, where ink is 1.

    Returns
    -------
    Samples
        ``x`` of shape ``(n, 10, width, 1)``, ``y`` 0 or 1. The digits are drawn
        from the 8 × 8 scans that scikit-learn ships, all of them for every seed.
    """
    at_least(width, 40, "width")
    rng = np.random.default_rng(seed)
    scans = _scans()
    x = rng.normal(0.0, noise, (n, 10, width))
    y = balanced(rng, n, 2)
    for image, label in zip(x, y, strict=True):
        row = _row(rng, int(label))
        free = width - 8 * len(row)
        gaps = np.sort(rng.integers(0, free + 1, len(row)))
        for i, digit in enumerate(row):
            top, left = int(rng.integers(0, 3)), 8 * i + int(gaps[i])
            own = scans[digit]
            image[top : top + 8, left : left + 8] += own[rng.integers(0, len(own))]
    return Samples(x[..., None].astype(np.float32), y)


def _row(rng: np.random.Generator, ascends: int) -> list[int]:
    """Draw three or four digits whose ends ascend or descend."""
    low, high = np.sort(rng.choice(len(ALPHABET), 2, replace=False))
    ends = (low, high) if ascends else (high, low)
    inner = rng.integers(0, len(ALPHABET), int(rng.integers(1, 3)))
    return [ALPHABET[i] for i in (ends[0], *inner, ends[1])]


@functools.cache
def _scans() -> dict[int, Array]:
    """Return the scans of each digit, ink from 0 to 1."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return {digit: bunch.images[bunch.target == digit] / 16.0 for digit in ALPHABET}
