"""What the second half of the training rows brought: the same model, fitted without it.

A learning curve of two points (Cortes et al., "Learning curves: asymptotic values and
rate of convergence", NIPS 1993), on the validation rows of one common split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from selector.artifact.data import read_data
from selector.artifact.final import CLOSING_SECONDS, FinalModel
from selector.contract import Array
from selector.search.contenders import Finalist
from selector.search.records import Record
from selector.tasks.arranged import subset

HALF = "half"
"""Name of the split."""

FEWEST_ROWS = 20
"""Training rows below which half of them say nothing."""

MARGIN = 1.5
"""So many times what the confirmation took has to be left."""


def second_half(final: FinalModel, chosen: Mapping[str, Any]) -> dict[str, Any] | None:
    """Fit the recommended model on half of a common split's training rows, and score it.

    Networks make as many steps as on all of them.

    Parameters
    ----------
    final : FinalModel
        Knows the run, its workers, its clock and its finalists.
    chosen : mapping
        What is recommended: ``architecture``, ``family`` and ``params``.

    Returns
    -------
    dict or None
        ``rows`` and ``scores`` (of half and of all), ``error`` (half the width of the 95%
        interval of their difference, rows paired), ``n`` validation rows, ``metric``; None
        where there is no time, or nothing to compare with.
    """
    entry = final.planner.finalists.get(chosen["architecture"])
    record = _confirmed(entry, chosen["params"])
    if record is None or record.result.n_train < FEWEST_ROWS:
        return None
    spare, needed = final.budget.left() - CLOSING_SECONDS, MARGIN * record.result.seconds + 0.5
    if spare < needed:
        return None
    run = final.run.path
    whole = np.load(run / "splits" / f"{record.spec.split}.npy", allow_pickle=False)
    target = read_data(run / "data" / "dev")[1]
    assert target is not None
    y, classification = target.values, final.task.name == "classification"
    half = halved(whole, y, classification, final.seed)
    np.save(run / "splits" / f"{HALF}.npy", half)
    epochs = record.spec.epochs and 2 * record.spec.epochs
    spec = replace(
        record.spec, id=f"{HALF}-{record.spec.architecture}", split=HALF, epochs=epochs,
        seconds=spare, rates=None, expected_seconds=None, latency=False,
    )  # fmt: skip
    answer = final.runner.call({"op": "learn", "spec": asdict(spec)}, spare, patience=0.5)
    if answer["state"] != "complete":
        return None
    # what was left out is predicted too, so that all shapes are as they were
    known = whole[half == 1] == 1
    parts = [np.load(run / p, allow_pickle=False)
             for p in (answer["predictions"], str(record.result.predictions))]  # fmt: skip
    return {
        "architecture": chosen["architecture"],
        "rows": [int((half == 0).sum()), int((whole == 0).sum())],
        **compared(final, y[whole == 1], parts[0][known], parts[1]),
    }


def _confirmed(entry: Finalist | None, params: Mapping[str, Any]) -> Record | None:
    """Return a confirmation of the very configuration."""
    for record in entry.records if entry is not None else ():
        if dict(record.spec.params) == dict(params) and record.result.predictions:
            return record
    return None


def halved(split: Array, y: Array, classification: bool, seed: int) -> Array:
    """Return a split of which half the training rows validate, classes in their shares."""
    rows, made = np.flatnonzero(split == 0), np.array(split)
    kept = subset(y[rows], len(rows) // 2, classification, np.random.default_rng(seed))
    made[rows] = 1
    made[rows[kept]] = 0
    return made


def compared(final: FinalModel, y: Array, half: Array, whole: Array) -> dict[str, Any]:
    """Return the scores of two sets of predictions of the same rows, and what is told of them."""
    from selector.training.fitted import decides_evenly
    from selector.training.probes import row_scores

    evenly = decides_evenly(final.planner.profile)
    scores = [row_scores(final.task, evenly=evenly)(y, p) for p in (half, whole)]
    gain = np.asarray(scores[1] - scores[0], dtype=np.float64)
    error = 1.96 * float(gain.std(ddof=1)) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
    usual = {"classification": "accuracy", "regression": "r2"}[final.task.name]
    return {
        "scores": [float(s.mean()) for s in scores],
        "error": float(error),
        "n": len(y),
        "metric": "balanced_accuracy" if evenly else usual,
    }
