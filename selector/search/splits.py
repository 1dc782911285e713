"""The splits of a run's development rows, each one file in ``splits/``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from selector import tasks
from selector.artifact.data import read_data
from selector.artifact.run import write_atomically
from selector.contract import Array, Profile
from selector.tasks import Task, arranged

SEARCH_SHARE = 0.25
"""Share of the rows that validate a trial of the search."""

CONFIRM_FOLDS, CONFIRM_REPEATS = 5, 2

MINIMUM_SPLITS = 3
"""Common splits below which nothing is claimed that is not obvious."""

MADE = "confirm.json"
"""Lists the common splits."""


class Splits:
    """Makes and keeps splits.

    Search trials are scored on holdouts, of which another is drawn every few trials
    (reshuffling makes the search generalise better: Nagler et al. 2024), so that
    those on the same one can be compared; finalists on common splits of a repeated
    stratified cross-validation that is fixed at the start.

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
    groups, order : ndarray, shape (n,), optional
        As in :class:`selector.contract.Dataset`.
    """

    def __init__(
        self,
        folder: Path,
        task: Task,
        y: Array,
        seed: int,
        groups: Array | None = None,
        order: Array | None = None,
    ) -> None:
        self._folder, self._task, self._y, self._seed = folder, task, y, seed
        self._arranged = groups, order
        if not (folder / MADE).exists():
            self._make()
        self.confirm: list[str] = json.loads((folder / MADE).read_text())["confirm"]
        made = [np.load(folder / f"{name}.npy", allow_pickle=False) for name in self.confirm]
        self.n_confirm = int(np.median([np.sum(split == 0) for split in made]))
        rows = float(np.median([np.sum(split == 1) for split in made]))
        self.test_train_ratio = rows / max(1, self.n_confirm)

    @classmethod
    def of_run(cls, run: Path, profile: Profile, seed: int) -> Splits:
        """Return the splits of a run folder, made where they are missing."""
        _, y = read_data(run / "data" / "dev")
        assert y is not None
        rows = [run / "data" / f"{name}.npy" for name in ("groups", "order")]
        arranged = [np.load(r, allow_pickle=False) if r.exists() else None for r in rows]
        task = tasks.get(profile.task, profile.metric)
        return cls(run / "splits", task, y.values, seed, *arranged)

    def _make(self) -> None:
        """Make the common splits; their list is written last, so that it says all are there."""
        made = arranged.splitter(
            self._task, self._y, CONFIRM_FOLDS, CONFIRM_REPEATS, self._seed, *self._arranged
        )
        names = [f"confirm-{i}" for i in range(len(made))]
        for name, split in zip(names, made, strict=True):
            self._write(name, split)
        write_atomically(self._folder / MADE, json.dumps({"confirm": names}))

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
            made = arranged.search_split(self._task, self._y, SEARCH_SHARE, seed, *self._arranged)
            self._write(name, made)
        return name
