"""Fitting a scikit-learn recipe over a plain matrix."""

from __future__ import annotations

import pickle
import time
from typing import Any

import numpy as np

from selector.contract import Array, EstimatorArchitecture
from selector.errors import PluginError
from selector.training import saved
from selector.training.fitted import Fitted, Job
from selector.training.preprocess import matrix

LARGEST_CHECKED = 2**24
"""Bytes up to which a fitted estimator is tried for whether it can be saved."""
TESTED = "selector_tabular"
"""The package whose estimators are known to be savable: to try costs a worker 0.4 s."""
_savable: set[str] = set()
"""Names of the architectures that were found savable in this process."""


def seed_estimator(estimator: Any, seed: int) -> None:
    """Set every ``random_state``, nested ones too, and keep to one core."""
    for name, value in estimator.get_params(deep=True).items():
        last = name.rpartition("__")[2]
        if last == "random_state":
            estimator.set_params(**{name: seed % 2**32})
        elif last == "n_jobs" and value not in (None, 1):
            estimator.set_params(**{name: 1})


def predict(estimator: Any, x: Array, classes: int) -> Array:
    """Return probabilities ``(n, classes)``, or values ``(n,)`` where `classes` is 0.

    A class that was not in the training rows gets probability 0.

    Raises
    ------
    PluginError
        Where a classifier has no ``predict_proba``.
    """
    if not classes:
        return np.asarray(estimator.predict(x), dtype=np.float64).reshape(-1)
    if not hasattr(estimator, "predict_proba"):
        raise PluginError(
            f"a classifier must offer predict_proba, and {type(estimator).__name__} does not;"
            " wrap it in sklearn.calibration.CalibratedClassifierCV"
        )
    given = np.asarray(estimator.predict_proba(x), dtype=np.float64)
    whole = np.zeros((len(x), classes))
    whole[:, np.asarray(estimator.classes_).astype(int)] = given
    return whole


def fit_estimator(job: Job, architecture: EstimatorArchitecture) -> Fitted:
    """Fit the estimator on the training rows and predict the validation rows.

    One that claims variable length gets ragged series padded with NaN.

    Raises
    ------
    DataError
        Where samples differ in length and the architecture does not claim it.
    RunError
        Where the estimator could not be saved.
    """

    def x(rows: Array) -> Array:
        length = job.length if architecture.variable_length else None
        return matrix(job.data.x.take(rows), length)

    y = np.asarray(job.data.y)[job.train]
    classes = job.profile.n_outputs if job.classification else 0
    estimator = architecture.build(job.params, job.profile)
    seed_estimator(estimator, job.spec.seed)
    job.clock.beat(stage="fit")
    started = time.monotonic()
    estimator.fit(x(job.train), y.astype(np.int64) if classes else y)
    fit_seconds = time.monotonic() - started
    predictions, costs = None, cost_of(estimator)
    if len(job.validation):  # a trial; a last fit is saved in any case
        _check_once(architecture, estimator, costs["bytes"])
        job.clock.beat(stage="score")
        predictions = predict(estimator, x(job.validation), classes).astype(np.float32)
    one = x(job.train[:1])
    return Fitted(
        predictions=predictions,
        record={"fit_seconds": fit_seconds, **costs},
        finish=lambda: estimator,
        predict_one=lambda: predict(estimator, one, classes),
    )


def _check_once(architecture: EstimatorArchitecture, estimator: Any, size: int) -> None:
    """Raise where an estimator cannot be saved; only until one of its architecture can.

    So the first trial says it, and not the last fit. One of more than
    :data:`LARGEST_CHECKED` bytes is not tried.
    """
    shipped = type(architecture).__module__.partition(".")[0] == TESTED
    if shipped or architecture.name in _savable or size > LARGEST_CHECKED:
        return
    saved.check_savable(estimator)
    _savable.add(architecture.name)


def cost_of(estimator: Any) -> dict[str, int]:
    """Return ``params_count``, ``bytes`` and ``macs`` of a fitted scikit-learn estimator.

    Coefficients count as parameters and once as multiply-adds; a tree counts
    its nodes as parameters and its depth as multiply-adds. What cannot be
    counted is 0; bytes are those of the serialised object.
    """
    count = macs = 0
    for part in _parts(estimator):
        if hasattr(part, "tree_"):
            count += int(part.tree_.node_count)
            macs += int(part.tree_.max_depth)
        elif hasattr(part, "nodes"):
            count += len(part.nodes)
            macs += int(part.get_max_depth())
        else:
            size = int(np.size(getattr(part, "coef_", ())))
            count += size + int(np.size(getattr(part, "intercept_", ()))) if size else 0
            macs += size
    size = len(pickle.dumps(estimator, protocol=5))  # measured, never loaded
    return {"params_count": count, "bytes": size, "macs": macs}


def _parts(estimator: Any) -> list[Any]:
    """Return the estimator and those fitted inside it: steps, trees, predictors."""
    found = [estimator]
    children: list[Any] = []
    if hasattr(estimator, "steps"):
        children += [step for _, step in estimator.steps]
    for name in ("estimators_", "_predictors"):
        children += np.ravel(np.asarray(getattr(estimator, name, ()), dtype=object)).tolist()
    for name in ("best_estimator_", "estimator_", "regressor_"):
        if hasattr(estimator, name):
            children.append(getattr(estimator, name))
    for child in children:
        if not isinstance(child, str) and child is not None:
            found += _parts(child)
    return found
