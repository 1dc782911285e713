"""Random shifts of training samples: along time, or along height and width.

The offsets are drawn by NumPy outside the compiled step and are an argument of
it, so that a step with and without augmentation is one program.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from selector.contract import Array

SHIFTED = ("height", "width")


class Shifts:
    """Draws the offsets of a training.

    Parameters
    ----------
    axes : tuple of str
        The axes of one sample: height and width are shifted, else time.
    shape : tuple of int
        The shape of one sample.
    share : float
        The largest offset, as a share of an axis (for series of different
        lengths of the padded length); 0 for none.
    seed : int
        Seeds the offsets.
    """

    def __init__(
        self, axes: tuple[str, ...], shape: tuple[int, ...], share: float, seed: int
    ) -> None:
        named = [name for name in axes if name in SHIFTED] or [n for n in axes if n == "time"]
        self.axes = tuple(axes.index(name) + 1 for name in named)
        extents = np.array([shape[axis - 1] for axis in self.axes])
        self._reach = np.round(share * extents).astype(int) if share else 0 * extents
        self._rng = np.random.default_rng([seed, 2])

    def draw(self, n: int) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Return offsets for `n` samples, shape (n, axes), uniform on both sides."""
        size = (n, len(self.axes))
        return self._rng.integers(-self._reach, self._reach + 1, size=size, dtype=np.int32)


def shift(x: Any, mask: Any, offsets: Any, axes: tuple[int, ...], xp: Any = np) -> Any:
    """Return samples moved by their offsets; what moves in repeats the edge.

    Parameters
    ----------
    x : array, shape (n, *sample)
        Samples.
    mask : array of bool, shape (n, time), or None
        True on real steps: a series repeats its own last step.
    offsets : array of int, shape (n, len(axes))
        By how many steps or pixels to move each sample along each axis.
    axes : tuple of int
        Axes of `x`.
    xp : module
        ``numpy`` or ``jax.numpy``.
    """
    for k, axis in enumerate(axes):
        last: Array | int = x.shape[axis] - 1
        if mask is not None and axis == 1:
            last = xp.maximum(mask.sum(1), 1)[:, None] - 1
        index = xp.clip(xp.arange(x.shape[axis])[None] - offsets[:, k : k + 1], 0, last)
        shape = [1] * x.ndim
        shape[0], shape[axis] = index.shape
        x = xp.take_along_axis(x, index.reshape(shape), axis=axis)
    return x
