"""Fixed features with a head solved in closed form."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from selector.contract import Array, FeatureArchitecture
from selector.tasks.arranged import subset
from selector.training import closed_form, cost, models
from selector.training.clock import DeadlineError, NonFiniteError
from selector.training.fitted import Fitted, Job, probabilities
from selector.training.forecast import FeatureRates
from selector.training.forward import Forward, forward_of
from selector.training.networks import prepare_rows, preprocessor_for, structure_key

BATCH = 64
SOLVING_SHARE = 0.6
"""Share of the time left, before features are computed, that solving the head may take."""
COMPUTING_SHARE = 0.6
"""Share of the time left that computing the features may take, where rows are many."""
MANY_BATCHES = 16
"""Batches of training rows from which on one is timed first."""
FEATURE_BYTES = 400_000_000
"""Bytes that the features of the training rows may take; beyond it rows are left out."""


def fit_features(job: Job, architecture: FeatureArchitecture) -> Fitted:
    """Compute features, solve the head on the training rows, predict the validation rows.

    Raises
    ------
    DeadlineError
        Where the deadline passed before the head could be solved.
    NonFiniteError
        Where a training row's features are not finite.
    """
    preprocessor = preprocessor_for(job)
    data, train, validation = prepare_rows(job, preprocessor)
    y = job.data.y[job.train]
    rng = np.random.default_rng(job.spec.seed)
    job.clock.beat(stage="build")
    built = models.build(
        architecture, job.params, job.profile, data.take(train), job.spec.seed, None
    )
    width = int(built.features.output.shape[1])
    key = structure_key(architecture, job.params, job.profile)
    forward = forward_of(built.features, BATCH, key)
    start = forward.start(data)
    if start != "ready":
        forward(data.take(train[:1]))  # compiles
    compiled = job.clock.elapsed
    each = _row_seconds(job, forward, data, train)
    chosen = _affordable(job, width, each, rng)
    features = forward(data.take(train[chosen]))
    if not np.isfinite(features).all():
        raise NonFiniteError(f"'{architecture.name}' gives features that are not finite")
    if job.clock.left <= 0:
        raise DeadlineError("deadline: no time was left to solve the head")
    started = time.monotonic()
    job.clock.beat(stage="solve")
    classes = models.n_outputs(job.profile) if job.classification else 0
    head = closed_form.solve(features, y[chosen], classes)
    whole = models.with_dense(built, head.kernel, head.bias)
    costs = cost.of_model(whole.model, job.length)
    record = {
        "compile_seconds": compiled, "fit_seconds": job.clock.elapsed - compiled, "stopped": "",
        "start": start, "predicted_seconds": _expected(job, costs["macs"], start), **costs,
    }  # fmt: skip
    job.clock.beat(stage="score", solve_seconds=time.monotonic() - started)
    outputs = None
    if len(validation):
        kernel, bias = head.kernel.astype(np.float32), head.bias.astype(np.float32)
        rows = data.take(validation)
        outputs = forward(rows, lambda part: part @ kernel + bias)
    one, alone = data.take(train[:1]), forward_of(built.features, 1, key)
    return Fitted(
        predictions=_predictions(outputs, job.classification),
        record=record,
        finish=lambda: models.final_model(whole, job.profile.task),
        predict_one=lambda: alone(one),
        preprocessor=preprocessor,
        modules=models.custom_modules(whole.model),
        rows=len(chosen),
    )


def _expected(job: Job, macs: int, start: str) -> float | None:
    """Return what the trial was expected to take, by what was known before it began."""
    if job.spec.rates is None:
        return None
    return FeatureRates(**job.spec.rates).seconds(macs, len(job.train), start)


def _row_seconds(job: Job, forward: Forward, data: Any, train: Array) -> float:
    """Return the seconds that one row's features take; 0 where rows are too few to matter."""
    if len(train) < MANY_BATCHES * BATCH or not job.spec.timed:
        return 0.0
    started = time.monotonic()
    forward(data.take(train[:BATCH]))
    return (time.monotonic() - started) / BATCH


def _affordable(job: Job, width: int, each: float, rng: np.random.Generator) -> Any:
    """Choose the training rows whose features fit in memory, and there is time for.

    For computing them at `each` seconds a row, beside those of the rows to be predicted,
    and for solving them.
    """
    n, seconds = len(job.train), max(job.clock.left, 0.0) if job.spec.timed else math.inf
    count = min(n, max(FEATURE_BYTES // (4 * width), 200))
    count = closed_form.rows_within(count, width, math.inf)
    solving = SOLVING_SHARE * seconds
    if each and math.isfinite(seconds):
        seconds -= each * len(job.validation)
        count = min(count, max(int(COMPUTING_SHARE * seconds / each), BATCH))
        solving = min(solving, 0.9 * (seconds - each * count))
    count = closed_form.rows_within(count, width, solving)
    return subset(job.data.y[job.train], count, job.classification, rng)


def _predictions(outputs: Any, classification: bool) -> Any:
    if outputs is None:
        return None
    if classification:
        return probabilities(outputs).astype(np.float32)
    return outputs[:, 0].astype(np.float32)
