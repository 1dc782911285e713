"""A linear head solved in closed form: ridge with exact leave-one-out choice and calibration."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from selector.contract import Array

ALPHAS = np.logspace(-3, 5, 17)
"""Ridge penalties tried, on standardised features."""
FEWEST_ROWS = 200
"""Rows that are used whatever they take."""
MAX_ROWS = 4000
"""Rows used at most where there are more features than rows."""
REACHED = 0.8
"""Share of the speed of a matrix product that solving is expected to reach."""
PASSES = 1500
"""Operations of that speed for each feature of each row, and for each value of the rows'
eigenvectors: standardising, and choosing the penalty, go over the memory and compute little."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """A solved head: ``features @ kernel + bias`` gives logits, or values.

    Parameters
    ----------
    kernel : ndarray of float64, shape (features, outputs)
    bias : ndarray of float64, shape (outputs,)
    alpha : float
        The penalty chosen.
    temperature : float
        What the scores were divided by; 1 for regression.
    loo : ndarray of float64, shape (rows, outputs)
        Leave-one-out scores (before the temperature), or predictions.
    """

    kernel: Matrix
    bias: Matrix
    alpha: float
    temperature: float
    loo: Matrix


@dataclass(frozen=True)
class Spectrum:
    """Eigendecomposition of the smaller Gram matrix of standardised features.

    Parameters
    ----------
    left : ndarray, shape (n, r)
        Eigenvectors of ``X X'``; zero eigenvalues may be missing.
    values : ndarray, shape (r,)
        Eigenvalues, not negative.
    right : ndarray, shape (p, r), or None
        Eigenvectors of ``X' X``; None where the larger side was not needed.
    """

    left: Matrix
    values: Matrix
    right: Matrix | None


def rows_within(n: int, p: int, seconds: float) -> int:
    """Return how many of `n` rows with `p` features can be solved in `seconds`.

    As many as are more than the features, otherwise at most 4000; fewer where
    the smaller Gram matrix and its eigenvectors would take longer.
    """
    rows = n if p < n else min(n, MAX_ROWS)
    while rows > FEWEST_ROWS and operations(rows, p) > REACHED * speed() * seconds:
        rows = max(int(rows * 0.9), FEWEST_ROWS)
        rows = rows if p < rows else min(rows, MAX_ROWS)
    return rows


def operations(n: int, p: int) -> float:
    """Return the floating-point operations of solving `n` rows of `p` features.

    More rows than features are gone through a second time, for the
    eigenvectors of their side.
    """
    small = min(n, p)
    products = 2.0 if n <= p else 4.0
    return PASSES * n * (p + small) + products * n * p * small + 12.0 * small**3


@cache
def speed() -> float:
    """Return the floating-point operations a second of a matrix product, measured once."""
    factor = np.ones((400, 400))
    times = []
    for _ in range(3):
        started = time.perf_counter()
        factor @ factor
        times.append(time.perf_counter() - started)
    return 2.0 * 400**3 / max(min(times), 1e-9)


def standardise(features: Array) -> tuple[Matrix, Matrix, Matrix]:
    """Return ``(standardised, mean, scale)``; a constant feature becomes 0, with scale infinite."""
    x = np.asarray(features, dtype=np.float64)
    mean = x.mean(axis=0)
    x = x - mean
    scale = np.sqrt(np.mean(np.square(x), axis=0))
    constant = scale <= 1e-6 * np.maximum(np.abs(mean), 1e-6)
    scale = np.where(constant, np.inf, scale)
    x /= scale
    return x, mean, scale


def decompose(x: Matrix) -> Spectrum:
    """Decompose centred features by the Gram matrix of the smaller side."""
    n, p = x.shape
    if n <= p:
        values, left = np.linalg.eigh(x @ x.T)
        return Spectrum(left, np.maximum(values, 0.0), None)
    values, right = np.linalg.eigh(x.T @ x)
    values = np.maximum(values, 0.0)
    kept = values > values.max(initial=0.0) * 1e-13
    values, right = values[kept], right[:, kept]
    return Spectrum((x @ right) / np.sqrt(values), values, right)


def leave_one_out(spectrum: Spectrum, y: Matrix, alpha: float) -> Matrix:
    """Return exact leave-one-out predictions of ridge with an unpenalised intercept.

    Parameters
    ----------
    spectrum : Spectrum
        Of centred features.
    y : ndarray, shape (n, outputs)
        Targets, not centred.
    alpha : float
        The penalty.

    Notes
    -----
    ``y_i - loo_i = (y_i - fit_i) / (1 - h_i)``, where ``h`` is the diagonal of
    the hat matrix, intercept included (Allen's PRESS). Features stay
    standardised by all rows.
    """
    n = len(y)
    mean = y.mean(axis=0)
    shrink = spectrum.values / (spectrum.values + alpha)
    fit = mean + spectrum.left @ (shrink[:, None] * (spectrum.left.T @ (y - mean)))
    leverage = 1.0 / n + np.square(spectrum.left) @ shrink
    loo: Matrix = y - (y - fit) / np.maximum(1.0 - leverage, 1e-10)[:, None]
    return loo


def weights(spectrum: Spectrum, x: Matrix, y: Matrix, alpha: float) -> Matrix:
    """Return the ridge weights ``(p, outputs)`` for centred features."""
    centred = y - y.mean(axis=0)
    inverse = 1.0 / (spectrum.values + alpha)[:, None]
    found: Matrix
    if spectrum.right is None:
        found = x.T @ (spectrum.left @ (inverse * (spectrum.left.T @ centred)))
    else:
        found = spectrum.right @ (inverse * (spectrum.right.T @ (x.T @ centred)))
    return found


def solve(features: Array, y: Array, classes: int = 0) -> Head:
    """Fit the head on training rows.

    Parameters
    ----------
    features : ndarray, shape (n, p)
        Training rows only.
    y : ndarray, shape (n,)
        Class indices, or values.
    classes : int
        Number of classes; 0 for regression.

    Returns
    -------
    Head
        Standardisation and temperature are folded into kernel and bias.

    Notes
    -----
    Classification fits one ridge regression a class on targets of ±1. The
    penalty with the best leave-one-out accuracy is taken, ties by the
    leave-one-out cross-entropy; the scores' temperature is fitted on
    leave-one-out scores, against targets smoothed by ``1 / (n + 2)`` so that
    separable data does not drive it to zero. Regression takes the penalty with
    the least leave-one-out squared error.

    References
    ----------
    Allen, "The relationship between variable selection and data augmentation
    and a method for prediction", Technometrics, 1974. Rifkin & Lippert, "Notes
    on regularized least squares", MIT, 2007. Guo et al., "On calibration of
    modern neural networks", ICML 2017. Platt, "Probabilistic outputs for
    support vector machines", 1999. Dempster et al., "MiniRocket", KDD 2021
    (ridge on standardised features).
    """
    x, mean, scale = standardise(features)
    spectrum = decompose(x)
    targets = np.asarray(y, dtype=np.float64)[:, None]
    if classes:
        targets = np.where(np.asarray(y)[:, None] == np.arange(classes), 1.0, -1.0)
    alpha, temperature, loo = _choose(spectrum, targets, np.asarray(y), bool(classes))
    kernel = weights(spectrum, x, targets, alpha) / scale[:, None] / temperature
    bias = targets.mean(axis=0) / temperature - mean @ kernel
    return Head(kernel, bias, alpha, temperature, loo)


def _choose(
    spectrum: Spectrum, targets: Matrix, y: Array, classification: bool
) -> tuple[float, float, Matrix]:
    """Return the penalty, the temperature and the leave-one-out predictions."""
    predictions = [leave_one_out(spectrum, targets, alpha) for alpha in ALPHAS]
    if not classification:
        errors = [np.mean(np.square(loo - targets)) for loo in predictions]
        best = int(np.argmin(errors))
        return float(ALPHAS[best]), 1.0, predictions[best]
    codes = y.astype(int)
    hits = [int(np.sum(loo.argmax(axis=1) == codes)) for loo in predictions]
    tied = [i for i, count in enumerate(hits) if count == max(hits)]
    fitted = {i: fit_temperature(predictions[i], codes) for i in tied}
    best = min(tied, key=lambda i: fitted[i][1])
    return float(ALPHAS[best]), fitted[best][0], predictions[best]


def fit_temperature(scores: Matrix, y: Array) -> tuple[float, float]:
    """Return the temperature that minimises the smoothed cross-entropy, and that minimum.

    Parameters
    ----------
    scores : ndarray, shape (n, classes)
        Held-out scores.
    y : ndarray of int, shape (n,)
        Class indices.
    """
    from scipy.optimize import minimize_scalar

    n, classes = scores.shape
    smooth = 1.0 / (n + 2)
    hit = scores[np.arange(n), y]
    mixed = (1 - smooth) * hit + smooth * (scores.sum(axis=1) - hit) / max(classes - 1, 1)
    top = scores.max(axis=1)

    def entropy(log_temperature: float) -> float:
        t = np.exp(log_temperature)
        norm = np.log(np.exp((scores - top[:, None]) / t).sum(axis=1)) + top / t
        return float(np.mean(norm - mixed / t))

    found = minimize_scalar(entropy, bounds=(np.log(1e-2), np.log(1e2)), method="bounded")
    return float(np.exp(found.x)), float(found.fun)
