"""Samples and a target on their way to a file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selector.contract import Array


@dataclass(frozen=True, eq=False)
class Samples:
    """Arrays of a data set.

    Parameters
    ----------
    x : ndarray, shape (n, *sample)
        The samples.
    y : ndarray, shape (n,)
        The target.
    names : tuple of str
        Names of the features of a table; empty for other forms.
    target : str
        Name of the target.
    """

    x: Array
    y: Array
    names: tuple[str, ...] = ()
    target: str = "target"

    @property
    def extension(self) -> str:
        """``.csv`` for a table, ``.npz`` for arrays."""
        return ".csv" if self.names else ".npz"

    def write(self, path: Path) -> None:
        """Write a CSV with a header, or an ``.npz`` with ``X`` and ``y``."""
        if not self.names:
            np.savez_compressed(path, X=self.x, y=self.y)
            return
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow([*self.names, self.target])
            for row, value in zip(self.x.tolist(), self.y.tolist(), strict=True):
                writer.writerow([*row, value])
