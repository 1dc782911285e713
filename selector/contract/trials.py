"""What is asked of a worker, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from selector.contract.space import Params


@dataclass(frozen=True)
class TrialSpec:
    """One configuration to train and score on one split.

    Parameters
    ----------
    id : str
        Unique in the run.
    stage : {"floor", "portfolio", "search", "confirm", "final"}
        Which stage asked for it.
    architecture : str
        Its name.
    params : mapping
        A value for each name in its space.
    split : str or None
        Name of the split, None for all development data (``"final"``).
    seed : int
        Seeds weights, order of batches and dropout.
    seconds : float
        Soft limit in seconds from the start of the trial.
    epochs : int or None
        Planned epochs of a network; None lets the step loop plan them from
        the measured time of an epoch and `train_seconds`, and stop early.
    train_seconds : float or None
        Seconds for training alone, after compilation; None for what is left
        of `seconds`.
    rates : mapping or None
        What the run has learned about speed. Of a network see
        :class:`selector.training.forecast.Rates`; one that cannot end in time is
        then not started. Of fixed features see
        :class:`selector.training.forecast.FeatureRates`.
    expected_seconds : float or None
        Predicted seconds of an estimator's trial.
    prune_above : mapping of str to float
        Validation losses by share of the planned epochs (``"0.25"``): a network
        whose best loss by then is higher is given up. From earlier trials on
        the same split.
    timed : bool
        Whether the clock may shape the training. Where it may not, a network
        trains the epochs that its number of steps calls for, and a deadline
        fails the trial.
    latency : bool
        Whether to measure what one prediction takes, because there is a limit to it.
    rows : int or None
        Rows that the last fit uses at most; None for all.
    """

    id: str
    stage: str
    architecture: str
    params: Params
    split: str | None
    seed: int
    seconds: float
    epochs: int | None = None
    train_seconds: float | None = None
    rates: Mapping[str, Any] | None = None
    expected_seconds: float | None = None
    prune_above: Mapping[str, float] = field(default_factory=dict)
    timed: bool = True
    latency: bool = False
    rows: int | None = None


@dataclass(frozen=True)
class TrialResult:
    """What came of a trial.

    Parameters
    ----------
    state : {"complete", "failed"}
        Whether there is a score.
    reason : str
        Why it failed; empty otherwise.
    score : float or None
        The task's metric on the validation part (accuracy, or R²).
    loss : float or None
        Mean cross-entropy, or mean squared error over the target's variance.
    fit_seconds, seconds : float
        Seconds spent fitting, once it is compiled, and in all (with compilation and scoring).
    compile_seconds : float
        Seconds from the start of a trial to a network's first step, or to the first
        fixed features: scaling the data, building, tracing, compiling.
    start : {"new", "stored", "ready", ""}
        How the first step of a network, or the program of fixed features, came
        about: traced and compiled; taken from the
        compilation cache; there already, from an earlier trial of the worker.
    predicted_seconds : float or None
        What `seconds` were expected to be before the trial was started; None
        before there was anything to learn from.
    epochs, best_epoch, planned_epochs : int
        Epochs trained, the one whose weights were scored, and those that the
        schedule was made for; 0 for models without epochs.
    epoch_seconds : float
        Median seconds of an epoch after compilation.
    stopped : str
        Why training ended: ``"planned"``, ``"early"`` (no improvement over
        the patience), ``"pruned"`` (worse than earlier trials on the same
        split), ``"deadline"``, or ``""``.
    improving : bool
        Whether the validation loss was still falling when training ended.
    rungs : mapping of str to float
        Best validation loss by shares of the planned epochs, and at the ``"end"``.
    n_train : int
        Number of rows trained on.
    params_count, bytes, macs : int
        Parameters, size in bytes (float32 weights or serialised estimator) and
        multiply-adds of one prediction (0 where unknown).
    latency_ms : float
        Median milliseconds to predict one sample (0 where not measured).
    predictions : str or None
        File, in the run folder, with the validation predictions: class
        probabilities ``(n, k)`` or values ``(n,)``, in the order of the split's
        validation rows.
    """

    state: str
    reason: str = ""
    score: float | None = None
    loss: float | None = None
    fit_seconds: float = 0.0
    seconds: float = 0.0
    epochs: int = 0
    best_epoch: int = 0
    epoch_seconds: float = 0.0
    stopped: str = ""
    improving: bool = False
    n_train: int = 0
    params_count: int = 0
    bytes: int = 0
    macs: int = 0
    latency_ms: float = 0.0
    predictions: str | None = None
    compile_seconds: float = 0.0
    start: str = ""
    predicted_seconds: float | None = None
    planned_epochs: int = 0
    rungs: Mapping[str, float] = field(default_factory=dict)
