"""What the second half of the training rows brought: the same model, fitted without it.

A learning curve of two points (Cortes et al., "Learning curves: asymptotic values and
rate of convergence", NIPS 1993), on the validation rows of one common split.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from selector.artifact.final import CLOSING_SECONDS, FinalModel, target_of
from selector.contract import Array
from selector.search.contenders import Finalist
from selector.search.records import Record
from selector.tasks.arranged import subset
from selector.training.closed_form import MAX_ROWS
from selector.training.probes import by_rows, paired

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
        where there is no time, or nothing to compare with, or samples hang together in groups.
    """
    record = _confirmed(final.planner.finalists.get(chosen["architecture"]), chosen["params"])
    if record is None or final.planner.splits.grouped:  # half of the rows is not half the groups
        return None
    most = MAX_ROWS if record.type == "feature" else math.inf  # of more, some are left out
    if not FEWEST_ROWS <= record.result.n_train <= most:
        return None
    took = record.result.seconds
    spare = min(final.budget.left() - CLOSING_SECONDS, 2.0 * MARGIN * took + 2.0)
    if spare < MARGIN * took + 0.5:
        return None
    try:
        return _measured(final, record, spare)
    except (OSError, ValueError):  # predictions of an earlier process that are not all there
        return None


def _measured(final: FinalModel, record: Record, spare: float) -> dict[str, Any] | None:
    """Fit on half of the rows within `spare` seconds, and compare; None where that fails."""
    run = final.run.path
    on_all = np.load(run / str(record.result.predictions), allow_pickle=False)
    whole = np.load(run / "splits" / f"{record.spec.split}.npy", allow_pickle=False)
    y, classification = target_of(final.run), final.task.name == "classification"
    half = halved(whole, y, classification, final.seed)
    np.save(run / "splits" / f"{HALF}.npy", half)
    epochs = record.spec.epochs and 2 * record.spec.epochs
    spec = replace(
        record.spec, id=f"{HALF}-{record.spec.architecture}", split=HALF, epochs=epochs,
        seconds=spare, rates=None, expected_seconds=None, latency=False,
    )  # fmt: skip
    answer = final.runner.call({"op": "trial", "spec": asdict(spec)}, spare, patience=0.5)
    if answer["state"] != "complete":
        return None
    # what was left out is predicted too, so that all shapes are as they were
    known = whole[half == 1] == 1
    on_half = np.load(run / answer["predictions"], allow_pickle=False)[known]
    metric, row_scores = by_rows(final.planner.profile)
    own, scores = (row_scores(y[whole == 1], p) for p in (on_all, on_half))
    told = paired(own, scores)
    return {
        "architecture": record.spec.architecture,
        "rows": [int((half == 0).sum()), int((whole == 0).sum())],
        "scores": [told["score"], float(own.mean())],
        **{name: told[name] for name in ("error", "n")},
        "metric": metric,
    }


def _confirmed(entry: Finalist | None, params: Mapping[str, Any]) -> Record | None:
    """Return a confirmation of the very configuration, the one on the most rows."""
    known = [
        r
        for r in (entry.records if entry is not None else ())
        if dict(r.spec.params) == dict(params) and r.result.predictions
    ]
    return max(known, key=lambda r: r.result.n_train, default=None)


def halved(split: Array, y: Array, classification: bool, seed: int) -> Array:
    """Return a split of which half the training rows validate, classes in their shares."""
    rows, made = np.flatnonzero(split == 0), np.array(split)
    kept = subset(y[rows], len(rows) // 2, classification, np.random.default_rng(seed))
    made[rows] = 1
    made[rows[kept]] = 0
    return made
