"""Running one trial, and fitting the model that is saved."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from selector import tasks
from selector.contract import (
    Architecture,
    Array,
    EstimatorArchitecture,
    FeatureArchitecture,
    NetworkArchitecture,
    Profile,
    TrialResult,
    TrialSpec,
)
from selector.errors import DataError, PluginError
from selector.plugins import describe, type_of
from selector.tasks.arranged import thinned
from selector.training import saved
from selector.training.clock import Clock, DeadlineError, Heartbeat, NonFiniteError, median_seconds
from selector.training.estimators import fit_estimator
from selector.training.fitted import Fitted, Job, TrialData, decides_evenly, even, split_rows

__all__ = ["TrialData", "fit_final", "run_trial"]

_LATENCY_SECONDS = 2.0
"""Latency is measured only with this much time left."""


def run_trial(
    spec: TrialSpec,
    architecture: Architecture,
    profile: Profile,
    data: TrialData,
    split: Array,
    deadline: float | None = None,
    heartbeat: Heartbeat | None = None,
    predictions_path: Path | None = None,
) -> TrialResult:
    """Train one configuration on a split and score it on the validation rows.

    Parameters
    ----------
    spec : TrialSpec
        What to train.
    architecture : Architecture
        The object named by `spec`.
    profile : Profile
        The data's profile.
    data : TrialData
        The development data.
    split : ndarray of int8, shape (n,)
        0 train, 1 validation, 2 unused.
    deadline : float, optional
        Soft deadline, on ``time.monotonic()``; ``spec.seconds`` from now is
        another, and the earlier one holds.
    heartbeat : callable, optional
        Called with keyword arguments (``stage``, or ``epoch`` and ``epochs``) as
        often as there is progress.
    predictions_path : Path, optional
        ``.npy`` file for the validation predictions, float32; its last two
        parts are put into the result.

    Returns
    -------
    TrialResult
        With state ``"failed"`` and a reason where anything in the
        architecture, its training or its scoring raised an error.
    """
    started = time.monotonic()
    result = TrialResult(
        state="failed",
        n_train=int(np.sum(np.asarray(split) == 0)),
        predicted_seconds=spec.expected_seconds,
    )
    try:
        job = _job(spec, profile, data, split, deadline, heartbeat)
        fitted = _fit(job, architecture)
        result = replace(result, **fitted.record)
        result = replace(result, **_score(job, fitted, predictions_path))
        result = replace(result, latency_ms=_latency(job, fitted, type_of(architecture)))
        result = replace(result, state="complete")
    except Exception as error:  # a plugin may raise anything; the study goes on without it
        result = replace(result, **_failure(error))
    return replace(result, seconds=time.monotonic() - started)


def fit_final(
    spec: TrialSpec,
    architecture: Architecture,
    profile: Profile,
    data: TrialData,
    folder: Path,
    deadline: float | None = None,
    heartbeat: Heartbeat | None = None,
    extra: Mapping[str, Any] | None = None,
) -> TrialResult:
    """Fit one configuration on all rows and save it.

    Parameters
    ----------
    spec, architecture, profile, data, deadline, heartbeat
        As for :func:`run_trial`. A network trains ``spec.epochs`` epochs; a
        deadline squeezes its schedule rather than losing it.
    folder : Path
        Gets ``pipeline.json`` and ``model.keras`` or ``model.skops``.
    extra : mapping, optional
        Merged into ``pipeline.json``, for example ``schema``.

    Returns
    -------
    TrialResult
        Without score. Failed where the model could not be fitted, saved or
        loaded again; the folder then holds no ``pipeline.json``.
    """
    started = time.monotonic()
    result = TrialResult(state="failed", n_train=len(data.y))
    try:
        split = np.zeros(len(data.y), np.int8)
        if spec.rows is not None:
            split = thinned(tasks.get(profile.task), data.y, split, spec.rows, spec.seed)
        job = _job(spec, profile, data, split, deadline, heartbeat)
        fitted = _fit(job, architecture)
        result = replace(result, **fitted.record)
        job.clock.beat(stage="save")
        model = fitted.finish()
        saved.save(folder, model, _pipeline(job, architecture, fitted, extra or {}))
        if spec.latency:
            result = replace(result, latency_ms=_latency(job, fitted, type_of(architecture)))
        result = replace(result, state="complete")
    except Exception as error:  # as above
        result = replace(result, **_failure(error))
    return replace(result, seconds=time.monotonic() - started)


def _failure(error: Exception) -> dict[str, Any]:
    """Return the fields of a result that say why there is none."""
    if isinstance(error, DeadlineError):
        return {"state": "failed", "reason": str(error), "stopped": "deadline"}
    non_finite = isinstance(error, NonFiniteError)
    return {"state": "failed", "reason": f"non-finite: {error}" if non_finite else describe(error)}


def _job(
    spec: TrialSpec,
    profile: Profile,
    data: TrialData,
    split: Array,
    deadline: float | None,
    heartbeat: Heartbeat | None,
) -> Job:
    """Check the split and start the clock."""
    limits = [deadline] if deadline is not None else []
    if np.isfinite(spec.seconds) and spec.seconds > 0:
        limits.append(time.monotonic() + spec.seconds)
    train, validation = split_rows(split)
    if len(split) != len(data.y) or len(data.y) != len(data.x):
        raise DataError(
            f"the split has {len(split)} rows, the samples {len(data.x)}, the target {len(data.y)};"
            " all must be equal"
        )
    if not len(train):
        raise DataError("the split has no training row")
    clock = Clock(min(limits) if limits else None, heartbeat)
    return Job(spec, profile, data, train, validation, clock)


def _fit(job: Job, architecture: Architecture) -> Fitted:
    """Fit by the base that the architecture derives from; Keras is imported only for its own."""
    if isinstance(architecture, NetworkArchitecture):
        from selector.training.networks import fit_network

        return fit_network(job, architecture)
    if isinstance(architecture, FeatureArchitecture):
        from selector.training.features import fit_features

        return fit_features(job, architecture)
    if isinstance(architecture, EstimatorArchitecture):
        return fit_estimator(job, architecture)
    raise PluginError(
        f"'{architecture.name}' must derive from NetworkArchitecture, FeatureArchitecture"
        f" or EstimatorArchitecture, not {type(architecture).__mro__[1].__name__} alone"
    )


def _score(job: Job, fitted: Fitted, path: Path | None) -> dict[str, Any]:
    """Score the validation predictions and save them."""
    predictions = fitted.predictions
    if predictions is None:
        raise DataError("the split has no validation row to score on")
    if not np.isfinite(predictions).all():
        raise NonFiniteError("a validation prediction is not finite")
    task = tasks.get(job.profile.task, job.profile.metric)
    y = job.data.y[job.validation]
    loss = float(task.loss(y, predictions))
    if decides_evenly(job.profile):
        predictions = even(predictions, job.profile.counts)
    record: dict[str, Any] = {"score": float(task.score(y, predictions)), "loss": loss}
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, predictions, allow_pickle=False)
        record["predictions"] = "/".join(path.parts[-2:])
    return record


def _latency(job: Job, fitted: Fitted, kind: str) -> float:
    """Return the median milliseconds of one prediction, 0 where it was not measured.

    An estimator's is wherever there is time, so that the search can keep to a limit. A
    network's, and that of fixed features, only where a result will be shown, or there is a
    limit, and there is more time: a program for a single sample has to be compiled for it.
    """
    compiling = float(fitted.record.get("compile_seconds", 0.0))
    if kind != "estimator":
        shown = job.spec.latency or job.spec.stage in {"floor", "confirm"}
        if not shown or job.clock.left < max(_LATENCY_SECONDS, 1.5 * compiling):
            return 0.0
    try:
        return 1000.0 * median_seconds(fitted.predict_one, lambda: job.clock.left)
    except Exception:  # what is scored is not lost for it
        return 0.0


def _pipeline(
    job: Job, architecture: Architecture, fitted: Fitted, extra: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the contents of ``pipeline.json``."""
    profile = job.profile
    shape = profile.shape
    return {
        "format": saved.FORMAT,
        "architecture": architecture.name,
        "family": architecture.family,
        "type": type_of(architecture),
        "params": dict(job.params),
        "seed": job.spec.seed,
        "preprocessor": fitted.preprocessor.to_dict() if fitted.preprocessor else None,
        "task": profile.task,
        "even": list(profile.counts) if decides_evenly(profile) else [],
        "classes": list(profile.classes),
        "n_outputs": profile.n_outputs,
        "axes": list(job.data.x.axes),
        "sample_shape": list(job.data.x.sample_shape),
        "length": job.length,
        "columns": [asdict(column) for column in job.data.x.columns],
        "profile": {
            "name": profile.name,
            "kind": profile.kind,
            "task": profile.task,
            "target": profile.target,
            "n": profile.n,
            "shape": list(shape),
            "lengths": list(profile.lengths),
            "classes": list(profile.classes),
        },
        "modules": fitted.modules,
        "n_train": fitted.rows or len(job.train),
        "versions": {name: metadata.version(name) for name in ("keras", "scikit-learn", "numpy")},
        "schema": None,
        **json.loads(json.dumps(dict(extra))),
    }
