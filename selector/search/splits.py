"""The splits of a run's development rows, each one file in ``splits/``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from selector.contract import Array

SEARCH_SHARE = 0.25
"""Share of the rows that validate a trial of the search."""

CONFIRM_FOLDS, CONFIRM_REPEATS = 5, 2


class Splits:
    """Makes and keeps splits.

    Search trials are scored on a holdout that is drawn anew for each trial
    number (reshuffling makes the search generalise better: Nagler et al.
    2024); finalists on common splits of a repeated stratified cross-validation
    that is fixed at the start.

    Parameters
    ----------
    folder : Path
        Where the files go.
    task : selector.tasks.Task
        Knows how to split its target.
    y : ndarray, shape (n,)
        Target of the development rows.
    seed : int
        Seeds the splits.
    """

    def __init__(self, folder: Path, task: Any, y: Array, seed: int) -> None:
        self._folder, self._task, self._y, self._seed = folder, task, y, seed
        made = task.splitter(y, CONFIRM_FOLDS, CONFIRM_REPEATS, seed)
        self.confirm: list[str] = [f"confirm-{i}" for i in range(len(made))]
        for name, split in zip(self.confirm, made, strict=True):
            self._write(name, split)
        self.n_confirm = int(np.sum(made[0] == 0))
        self.test_train_ratio = float(np.sum(made[0] == 1) / max(1, self.n_confirm))

    def _write(self, name: str, split: Array) -> None:
        path = self._folder / f"{name}.npy"
        if not path.exists():
            draft = path.with_name(f".{path.name}")
            np.save(draft, np.asarray(split, dtype=np.int8), allow_pickle=False)
            os.replace(draft, path)

    def search(self, index: int) -> str:
        """Return the name of the search's split number `index`, made where it is new."""
        name = f"search-{index}"
        if not (self._folder / f"{name}.npy").exists():
            seed = self._seed * 100_003 + index
            self._write(name, self._task.holdout(self._y, SEARCH_SHARE, seed))
        return name
