"""The splits of a run's development rows, each one file in ``splits/``."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np

from selector import tasks
from selector.artifact.data import read_data
from selector.artifact.run import RunFolder, write_atomically
from selector.contract import Array, Profile
from selector.options import COUNTED_SECONDS
from selector.tasks import Task, arranged

SEARCH_SHARE = 0.25
"""Share of the rows that validate a trial of the search."""

CONFIRM_FOLDS, CONFIRM_REPEATS = 5, 2

MINIMUM_SPLITS = 3
"""Common splits below which nothing is claimed that is not obvious."""

VALUES_A_SECOND = {
    "sequential": 6_000,
    "tabular": 6_000,
    "grid": 100_000,
    "sequential-grid": 100_000,
}
"""Numbers in the rows of one split, for each second of the budget, by the data's kind: a network
then has time for several epochs of a trial. Of images, whose sides are halved, several times as
many numbers a second are trained on as of series (``python benchmarks/pinning.py``)."""

LEAST_USED = 3000
"""Rows of a split that are worth their time in any case."""

WORTH_LEAVING = 1.5
"""Rows are left out only where there are so many times more than are used."""

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
    most : int, optional
        Rows that a split uses at most. Many rows are compared on a part of them, drawn anew
        for each split; what is recommended is then fitted on all.

    Attributes
    ----------
    thinned : bool
        Whether splits leave rows out.
    n_confirm, n_validation : int
        Rows that a common split trains and validates on.
    test_train_ratio : float
        Rows to validate on for each to train on, before any are left out.
    grouped : bool
        Whether rows hang together: there are half as many groups as rows, or fewer.
    """

    def __init__(
        self,
        folder: Path,
        task: Task,
        y: Array,
        seed: int,
        groups: Array | None = None,
        order: Array | None = None,
        most: int | None = None,
    ) -> None:
        self._folder, self._task, self._y, self._seed = folder, task, y, seed
        self._arranged = groups, order
        self._most = most if most and len(y) > WORTH_LEAVING * most else len(y)
        self.grouped = groups is not None and 2 * len(np.unique(groups)) <= len(y)
        if not (folder / MADE).exists():
            self._make()
        told = json.loads((folder / MADE).read_text())
        self.confirm: list[str] = told["confirm"]
        self._most = told.get("most", len(y))  # a run that is resumed keeps what it began with
        self.thinned = self._most < len(y)
        made = [np.load(folder / f"{name}.npy", allow_pickle=False) for name in self.confirm]
        self.n_confirm, self.n_validation = (
            int(np.median([np.sum(split == part) for split in made])) for part in (0, 1)
        )
        self.test_train_ratio: float = told.get("ratio", self.n_validation / max(1, self.n_confirm))

    @classmethod
    def of_run(cls, run: Path, profile: Profile, seed: int) -> Splits:
        """Return the splits of a run folder, made where they are missing."""
        _, y = read_data(run / "data" / "dev")
        assert y is not None
        rows = [run / "data" / f"{name}.npy" for name in ("groups", "order")]
        groups, order = (np.load(r, allow_pickle=False) if r.exists() else None for r in rows)
        task = tasks.get(profile.task, profile.metric)
        options = RunFolder(run).read("run.json")["options"]
        # counted trials are the same whatever the time
        seconds = COUNTED_SECONDS if options.get("trials") else float(options["time"])
        most = most_rows(profile, seconds)
        return cls(run / "splits", task, y.values, seed, groups, order, most)

    def _make(self) -> None:
        """Make the common splits; their list is written last, so that it says all are there."""
        made = arranged.splitter(
            self._task, self._y, CONFIRM_FOLDS, CONFIRM_REPEATS, self._seed, *self._arranged
        )
        names = [f"confirm-{i}" for i in range(len(made))]
        sizes = np.array([[np.sum(split == part) for part in (0, 1)] for split in made])
        train, validation = np.median(sizes, axis=0)
        for i, (name, split) in enumerate(zip(names, made, strict=True)):
            self._write(name, split, self._seed + i)
        # of the whole parts: rows that are left out make two splits less alike, not more
        content = {"confirm": names, "most": self._most, "ratio": validation / max(1, train)}
        write_atomically(self._folder / MADE, json.dumps(content))

    def _write(self, name: str, split: Array, seed: int) -> None:
        path = self._folder / f"{name}.npy"
        if not path.exists():
            split = arranged.thinned(self._task, self._y, split, self._most, seed)
            draft = path.with_name(f".{path.name}")
            np.save(draft, np.asarray(split, dtype=np.int8), allow_pickle=False)
            os.replace(draft, path)

    def search(self, index: int) -> str:
        """Return the name of the search's split number `index`, made where it is new."""
        name = f"search-{index}"
        if not (self._folder / f"{name}.npy").exists():
            seed = self._seed * 100_003 + index
            made = arranged.search_split(self._task, self._y, SEARCH_SHARE, seed, *self._arranged)
            self._write(name, made, seed)
        return name

    @property
    def notes(self) -> list[str]:
        """Say where models are compared on a part of the rows."""
        if not self.thinned:
            return []
        return [
            f"models are compared on {self.n_confirm} rows at a time of {len(self._y)}, for lack"
            " of time for more; the recommended one is fitted on as many as it has time for"
        ]


def most_rows(profile: Profile, seconds: float) -> int:
    """Return how many rows a split should use, for samples of this size in this budget."""
    steps = profile.lengths[1] if profile.lengths else 1
    each = math.prod(size or steps for size in profile.shape)
    return max(LEAST_USED, round(VALUES_A_SECOND[profile.kind] * seconds / max(each, 1)))
