"""Splits that respect how samples hang together: whole groups, or forward in time."""

from __future__ import annotations

import warnings

import numpy as np

from selector.contract import Array
from selector.errors import DataError
from selector.tasks.base import Task, marks

LEAST_OF_CLASS = 3
"""Rows of a rare class that a part of the rows keeps, where it has them."""

FIRST_BLOCKS = 3
"""Blocks that the first forward split trains on; each later one has one more."""

LEAST_SPLITS = 3
"""Forward splits that a comparison needs."""


def holdout(
    task: Task, y: Array, share: float, seed: int, groups: Array | None, order: Array | None
) -> Array:
    """Split one part off: rows at random, whole groups, or the last in order.

    Parameters
    ----------
    task : Task
        Knows how to split rows at random.
    y : ndarray, shape (n,)
        The target.
    share : float
        Share of the rows in that part.
    seed : int
        Seeds the choice.
    groups : ndarray of int, shape (n,), or None
        Samples of one group stay together.
    order : ndarray of float, shape (n,), or None
        The part is the last in this order.

    Returns
    -------
    ndarray of int8, shape (n,)
        0 for training, 1 for the part.
    """
    if order is not None:
        wanted = int(np.clip(round(share * len(y)), 1, len(y) - 1))
        rows = np.argsort(order, kind="stable")
        return marks(len(y), rows[_cut(_changes(order[rows]), len(y) - wanted, wanted / 2) :])
    if groups is not None:
        return _by_group(task, y, groups, max(2, round(1 / share)), seed)[0]
    return task.holdout(y, share, seed)


def search_split(
    task: Task, y: Array, share: float, seed: int, groups: Array | None, order: Array | None
) -> Array:
    """Return a split for the search: as :func:`holdout`, in order up to a place drawn anew.

    Rows after the validation part are marked 2, unused.
    """
    if order is None:
        return holdout(task, y, share, seed, groups, None)
    rows = np.argsort(order, kind="stable")
    n, size = len(y), max(1, round(share * len(y)))
    changes = _changes(order[rows])
    at = max(1, n - size - round(share * n * np.random.default_rng(seed).random()))
    cut = _cut(changes, at, size / 2)
    end = _cut(np.append(changes[changes > cut], n), cut + size, size / 2)
    split = np.full(n, 2, dtype=np.int8)
    split[rows[:cut]], split[rows[cut:end]] = 0, 1
    return split


def _changes(ordered: Array) -> Array:
    """Return where the value changes: what happened at one time stays on one side of a cut."""
    return np.flatnonzero(ordered[1:] != ordered[:-1]) + 1


def _cut(changes: Array, at: int, reach: float) -> int:
    """Return the change next to a place; the place itself where none is within reach."""
    i = int(np.searchsorted(changes, at))
    found = min(changes[max(i - 1, 0) : i + 1].tolist(), key=lambda c: abs(c - at), default=at)
    return found if abs(found - at) <= reach else at


def splitter(
    task: Task,
    y: Array,
    folds: int,
    repeats: int,
    seed: int,
    groups: Array | None,
    order: Array | None,
) -> list[Array]:
    """Split for cross-validation: rows, whole groups, or forward in order.

    Forward, each split trains on all that comes before its validation block
    (Tashman, International Journal of Forecasting 16, 2000: a rolling origin),
    and there are no repeats.
    """
    if order is not None:
        blocks = _blocks(order, FIRST_BLOCKS + folds)
        made = []
        for i in range(FIRST_BLOCKS, len(blocks)):
            split = np.full(len(y), 2, dtype=np.int8)
            split[np.concatenate(blocks[:i])], split[blocks[i]] = 0, 1
            made.append(split)
        return made
    if groups is not None:
        return [
            split
            for repeat in range(repeats)
            for split in _by_group(task, y, groups, folds, seed + repeat)
        ]
    return task.splitter(y, folds, repeats, seed)


def _blocks(order: Array, count: int) -> list[Array]:
    """Return the rows in order, in blocks of about equal size between which the value changes.

    Where one value has more rows than half a block, some of them are on both sides.
    """
    rows = np.argsort(order, kind="stable")
    blocks = np.array_split(rows, count)
    changes = _changes(order[rows])
    places, reach = np.cumsum([len(b) for b in blocks])[:-1].tolist(), len(rows) / count / 2
    cuts = sorted({_cut(changes, at, reach) for at in places})
    return np.split(rows, cuts) if len(cuts) >= FIRST_BLOCKS + LEAST_SPLITS - 1 else blocks


def _by_group(task: Task, y: Array, groups: Array, folds: int, seed: int) -> list[Array]:
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    count = len(np.unique(groups))
    if count < 2:
        raise DataError(
            "all samples are of one group: nothing could be learnt from one group and tried on"
            " another. Name another column with --group, or leave it out."
        )
    folds = min(folds, count)
    if task.name == "classification":
        labels = y.astype(np.int64)
        folds = max(2, min(folds, int(np.bincount(labels).max())))
        cv = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    else:
        labels, cv = y, GroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # a class of few rows is in few parts: no part grows for it
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        parts = list(cv.split(np.zeros((len(y), 1)), labels, groups))
    return [marks(len(y), part) for _, part in parts if len(part)]


def subset(y: Array, count: int, classification: bool, rng: np.random.Generator) -> Array:
    """Return `count` row numbers, sorted; for classification in the classes' shares.

    A rare class keeps :data:`LEAST_OF_CLASS` rows.
    """
    n = len(y)
    if count >= n:
        return np.arange(n)
    if not classification:
        return np.sort(rng.choice(n, count, replace=False))
    order = rng.permutation(n)
    _, codes = np.unique(np.asarray(y)[order], return_inverse=True)
    rank = np.empty(n)
    for code in range(codes.max() + 1):
        members = np.flatnonzero(codes == code)
        rank[members] = (np.arange(len(members)) + 0.5) / len(members)
        rank[members[:LEAST_OF_CLASS]] = -1.0
    return np.sort(order[np.argsort(rank, kind="stable")[:count]])


def thinned(task: Task, y: Array, split: Array, most: int, seed: int) -> Array:
    """Return a split that uses `most` rows at most; the others are marked 2, unused.

    Two thirds of them train and a third validates, as far as the parts have them: where rows
    are many, one that is only predicted costs little. All splits use as many.
    """
    used = int(np.sum(split != 2))
    if used <= most:
        return split
    rng, made = np.random.default_rng(seed), np.full(len(split), 2, dtype=np.int8)
    parts = [np.flatnonzero(split == part) for part in (0, 1)]
    validation = min(len(parts[1]), most // 3)
    for part, rows in enumerate(parts):
        count = max(1, validation if part else most - validation)
        made[rows[subset(y[rows], count, task.name == "classification", rng)]] = part
    return made
