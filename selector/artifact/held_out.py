"""The finalists' predictions of rows that their fits had not seen, from the run folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from selector.artifact.data import read_data
from selector.contract import Array
from selector.search.contenders import Finalist


def held_out(run: Path, finalists: Sequence[Finalist]) -> tuple[Array, Array, list[Array]]:
    """Return what finalists predict for the validation rows of the splits common to all.

    Parameters
    ----------
    run : Path
        The run folder.
    finalists : sequence of Finalist
        One at least.

    Returns
    -------
    rows : ndarray of int, shape (m,)
        Which development row each prediction is of.
    y : ndarray, shape (m,)
        Its target.
    predictions : list of ndarray, shape (m, k) or (m,)
        One for each finalist.
    """
    splits = sorted(set.intersection(*(set(f.scores) for f in finalists)))
    _, y = read_data(run / "data" / "dev")
    assert y is not None
    marks = [np.load(run / "splits" / f"{s}.npy", allow_pickle=False) for s in splits]
    rows = np.concatenate([np.flatnonzero(m == 1) for m in marks])
    predictions = []
    for finalist in finalists:
        files = {r.spec.split: str(r.result.predictions) for r in finalist.records}
        parts = [np.load(run / files[s], allow_pickle=False) for s in splits]
        predictions.append(np.concatenate(parts).astype(np.float64))
    return rows, y.values[rows], predictions
