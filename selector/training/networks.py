"""Training a network: defaults, target scale, engine, loop."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable
from typing import Any

import keras
import numpy as np

from selector.contract import (
    CORE_PARAMS,
    Architecture,
    Array,
    NetworkArchitecture,
    Profile,
    Variable,
    smooths_labels,
)
from selector.training import buckets, cost, models
from selector.training.augment import Shifts
from selector.training.fitted import Fitted, Job, cross_entropy, probabilities
from selector.training.forecast import check_fits, forecast
from selector.training.loop import Loop, Settings, Validation, epoch_cap
from selector.training.plain import PlainEngine
from selector.training.preprocess import Prepared, Preprocessor

LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4
LABEL_SMOOTHING = 0.05


def batch_size(n: int, wanted: Any = None) -> int:
    """Return the batch size for `n` training rows.

    Without `wanted`: ``n / 8`` rounded down to a power of two within 16 to 64,
    so that splits of nearly one size share a compiled step; never more than `n`.
    """
    if wanted is None:
        wanted = np.clip(2 ** int(np.log2(max(n // 8, 1))), 16, 64)
    return max(min(n, int(wanted)), 1)


def structure_key(architecture: Architecture, params: Any, profile: Profile) -> Hashable:
    """Return what a compiled program depends on beside shapes: class, structure, profile."""
    structural = {k: v for k, v in params.items() if k not in CORE_PARAMS}
    text = json.dumps([structural, profile.to_dict()], sort_keys=True, default=str)
    kind = type(architecture)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return architecture.name, kind.__module__, kind.__qualname__, digest


def capacity(n: int) -> int:
    """Return `n` rounded up to an eighth of its power of two, so that shapes stay few."""
    step = max(1 << max(n, 1).bit_length() >> 4, 16)
    return -(-n // step) * step


def prepare_rows(job: Job, preprocessor: Preprocessor) -> tuple[Prepared, Array, Array]:
    """Return the scaled samples that are used, and where training and validation rows are.

    Where the split uses every row, positions are row numbers. Otherwise only
    the rows used are scaled; their number is rounded up with empty samples.
    """
    n = len(job.data.x)
    used = np.sort(np.concatenate([job.train, job.validation]))
    if len(used) == n:
        return preprocessor.transform(job.data.x, job.length), job.train, job.validation
    prepared = preprocessor.transform(job.data.x.take(used), job.length)
    extra = capacity(len(used)) - len(used)

    def grow(values: Any) -> Any:
        return np.concatenate([values, np.zeros((extra, *values.shape[1:]), values.dtype)])

    mask = None if prepared.mask is None else grow(prepared.mask)
    return (
        Prepared(grow(prepared.x), mask),
        np.searchsorted(used, job.train),
        np.searchsorted(used, job.validation),
    )


def preprocessor_for(job: Job) -> Preprocessor:
    """Fit the preprocessor on the training rows."""
    train: Variable = job.data.x.take(job.train)
    return Preprocessor.fit(train, str(job.params.get("normalize") or "dataset"))


def target_scale(y: Array) -> tuple[float, float]:
    """Return mean and deviation of training targets; a constant gets deviation 1."""
    mean, scale = float(np.mean(y)), float(np.std(y))
    return mean, scale if scale > 1e-12 * max(abs(mean), 1e-30) else 1.0


def fit_network(job: Job, architecture: NetworkArchitecture) -> Fitted:
    """Train a network on the training rows and keep its best epoch.

    Raises
    ------
    DeadlineError, NonFiniteError
        See :meth:`selector.training.loop.Loop.run`.
    """
    params = job.params
    preprocessor = preprocessor_for(job)
    data, train, validation = prepare_rows(job, preprocessor)
    job.clock.beat(stage="build")
    shown = train if models.overrides_adapt(architecture) else train[:1]
    built = models.build(
        architecture, params, job.profile, data.take(shown), job.spec.seed,
        models.n_outputs(job.profile),
    )  # fmt: skip
    mean, scale = (0.0, 1.0) if job.classification else target_scale(job.data.y[job.train])
    target = np.zeros(len(data.x))
    target[train] = (job.data.y[job.train] - mean) / scale
    # by all rows, not those of this split, so that search, confirmation and the
    # final fit share one compiled step
    size = min(batch_size(len(job.data.x), params.get("batch_size")), len(train))
    on_jax = keras.backend.backend() == "jax"
    short = buckets.plan(data.mask, train, size) if on_jax else None
    engine = _engine(job, architecture, built, data, target, short)
    settings = Settings(
        batch_size=size,
        learning_rate=float(params.get("learning_rate", LEARNING_RATE)),
        seed=job.spec.seed,
        epochs=job.spec.epochs,
        train_seconds=job.spec.train_seconds,
        fail_on_deadline=job.spec.stage == "confirm" or not job.spec.timed,
        prune_above=job.spec.prune_above,
        groups=None if short is None else short.of[train],
    )
    costs = cost.of_model(built.model, job.length)
    start = engine.start(train[: settings.batch_size])
    expected = _expected(job, costs["macs"], settings, start)
    held_out = (job.data.y[job.validation] - mean) / scale
    guard = Validation(validation, lambda out: _loss(out, held_out, job.classification))
    history = Loop(engine, train, settings, job.clock, guard if len(validation) else None).run()
    outputs = history.outputs
    if outputs is None and len(validation):
        outputs = engine.outputs(validation)

    def finish() -> Any:
        engine.write_back()
        if not job.classification:
            models.fold_target_scale(built, mean, scale)
        return models.final_model(built, job.profile.task)

    return Fitted(
        predictions=_predictions(outputs, mean, scale, job.classification),
        record={**history.record(), **costs, "start": start, "predicted_seconds": expected},
        finish=finish,
        predict_one=lambda: engine.outputs(train[:1], batch=1),
        preprocessor=preprocessor,
        modules=models.custom_modules(built.model),
    )


def _expected(job: Job, macs: int, settings: Settings, start: str) -> float | None:
    """Return the predicted seconds of the trial; None where nothing is known of this machine.

    Raises
    ------
    DeadlineError
        Where the trial could not end in time.
    """
    if job.spec.rates is None:
        return None
    steps = -(-len(job.train) // settings.batch_size)
    expected = forecast(
        job.spec.rates, macs=macs, n_train=len(job.train), start=start,
        epochs=settings.epochs, cap=epoch_cap(steps), train_seconds=settings.train_seconds,
    )  # fmt: skip
    check_fits(expected, job.clock.left)
    return expected.seconds


def _engine(
    job: Job,
    architecture: Architecture,
    built: Any,
    data: Any,
    target: Array,
    short: buckets.Buckets | None,
) -> Any:
    """Return the engine for the Keras backend in use."""
    params, task = job.params, job.profile.task
    decay = float(params.get("weight_decay", WEIGHT_DECAY))
    smoothing = float(params.get("label_smoothing", LABEL_SMOOTHING))
    if not smooths_labels(job.profile):
        smoothing = 0.0
    shifts = None
    if "shift" in params:
        axes, shape = job.data.x.axes, data.x.shape[1:]
        shifts = Shifts(axes, shape, float(params["shift"]), job.spec.seed)
    if keras.backend.backend() != "jax":
        return PlainEngine(built, data, target, task, decay, smoothing, shifts)
    from selector.training.steps import JaxEngine

    key = structure_key(architecture, params, job.profile)
    return JaxEngine(built, data, target, key, task, decay, smoothing, shifts, short)


def _loss(outputs: Array, target: Array, classification: bool) -> float:
    if classification:
        return cross_entropy(outputs, target)
    return float(np.mean(np.square(np.asarray(outputs[:, 0], dtype=np.float64) - target)))


def _predictions(outputs: Array | None, mean: float, scale: float, classification: bool) -> Any:
    if outputs is None:
        return None
    if classification:
        return probabilities(outputs).astype(np.float32)
    return (outputs[:, 0].astype(np.float64) * scale + mean).astype(np.float32)
