"""Length buckets: series of like length train together, padded no further than they need.

Each length is another compiled program, so there are few, and none where the
padding that they save would not be worth compiling them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from selector.contract import Array

MOST = 4
"""Lengths to which series are padded, at most: the longest, and three shorter ones."""

LEAST_STEPS = 200_000
"""Padded steps that an epoch must be spared for each program that is compiled."""

GRAIN = 8
"""Lengths are multiples of so many steps, as that of the longest is."""


@dataclass(frozen=True)
class Buckets:
    """The lengths to which series are padded, and which of them each series gets.

    Parameters
    ----------
    lengths : tuple of int
        Ascending; the last is that of the padded data.
    of : ndarray of int, shape (n,)
        For each series the position in `lengths`.
    """

    lengths: tuple[int, ...]
    of: Array

    def length(self, rows: Array) -> int:
        """Return the length of a batch whose series are all of one bucket."""
        return self.lengths[int(self.of[rows[0]])]


def plan(mask: Array | None, rows: Array, batch: int) -> Buckets | None:
    """Choose buckets for the training rows; None where one length is as good.

    Lengths are added one after the other, each where it spares most.

    Parameters
    ----------
    mask : ndarray of bool, shape (n, time), or None
        True on real steps, of all samples.
    rows : ndarray of int
        The training rows.
    batch : int
        Samples in a step; a bucket holds four batches at least.
    """
    if mask is None:
        return None
    ends = np.where(mask.any(axis=1), mask.shape[1] - np.argmax(mask[:, ::-1], axis=1), 1)
    grained = np.minimum(-(-ends // GRAIN) * GRAIN, mask.shape[1])
    trained = grained[rows]
    chosen = [mask.shape[1]]
    while len(chosen) < MOST:
        padded = _padded(trained, chosen)
        spared = {
            length: int(padded.sum() - _padded(trained, sorted([*chosen, length])).sum())
            for length in np.unique(trained).tolist()
            if length not in chosen and _enough(trained, sorted([*chosen, length]), 4 * batch)
        }
        best = max(spared, key=lambda length: spared[length], default=None)
        if best is None or spared[best] < LEAST_STEPS:
            break
        chosen = sorted([*chosen, best])
    if len(chosen) == 1:
        return None
    return Buckets(tuple(chosen), np.searchsorted(chosen, grained))


def _padded(lengths: Array, chosen: list[int]) -> Array:
    """Return the length that each series is padded to."""
    return np.asarray(chosen)[np.searchsorted(chosen, lengths)]


def _enough(lengths: Array, chosen: list[int], least: int) -> bool:
    counts = np.bincount(np.searchsorted(chosen, lengths), minlength=len(chosen))
    return bool(counts.min() >= least)
