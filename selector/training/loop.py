"""The step loop: planned epochs, warm-up and cosine, early stopping, the best epoch kept.

It drives an :class:`Engine`, which does one step on the device:
:class:`selector.training.steps.JaxEngine` or
:class:`selector.training.plain.PlainEngine`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np

from selector.contract import Array
from selector.training.clock import Clock, DeadlineError, NonFiniteError

WARM_UP = 0.05
"""Share of the steps over which the learning rate rises to its peak."""
PATIENCE = 0.3
"""Share of the planned epochs without a better validation loss before training stops."""
TARGET_STEPS = 1500
MIN_EPOCHS, MAX_EPOCHS = 20, 200
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
CLIP_NORM = 1.0
"""Largest global norm of a gradient."""
RUNGS = ("0.25", "0.5")
"""Shares of the planned epochs at which trials on one split are compared."""
END = "end"
"""Beside these, the end of the training."""
EVALUATION_SHARE = 0.2
"""Validation may take this share of the time of training."""


class Engine(Protocol):
    """One network, its data and its optimizer on one device."""

    def start(self, rows: Array) -> str:
        """Return how the first step starts, see :class:`~selector.contract.TrialResult`."""

    def step(self, rows: Array, learning_rate: float) -> Any:
        """Make one step on the samples `rows`; return the loss, which may still be computing."""

    def wait(self, loss: Any) -> float:
        """Wait for a loss and return it."""

    def warm(self, rows: Array) -> float:
        """Compile for batches like `rows` and return the seconds of one step; change no weight.

        Where earlier trials used the same compiled step, what it took then.
        """

    def took(self, rows: Array, seconds: float) -> None:
        """Take note of what a step on batches like `rows` took in training."""

    def outputs(self, rows: Array) -> Array:
        """Return logits or values of the samples `rows`, shape (n, outputs)."""

    def snapshot(self) -> Any:
        """Return the present weights, for :meth:`restore`."""

    def restore(self, snapshot: Any) -> None:
        """Put weights back."""


@dataclass(frozen=True)
class Settings:
    """How to train.

    Parameters
    ----------
    batch_size : int
        Samples in a step.
    learning_rate : float
        The peak.
    seed : int
        Seeds the order of batches.
    epochs : int or None
        Train exactly so many; None to plan them from the time left.
    train_seconds : float or None
        Seconds after compilation that a plan may take; None for all that is left.
    prune_above : mapping of str to float
        Losses by share of the planned epochs (:data:`RUNGS`) above which
        training is given up.
    groups : ndarray of int or None
        A number for each training sample: a batch takes those of one number.
    fail_on_deadline : bool
        Whether a training that the deadline cuts short is an error; otherwise
        the plan and the schedule are fitted to the time, and what there is counts.
    """

    batch_size: int
    learning_rate: float
    seed: int
    epochs: int | None = None
    train_seconds: float | None = None
    fail_on_deadline: bool = False
    prune_above: Mapping[str, float] = field(default_factory=dict)
    groups: Array | None = None


@dataclass(frozen=True)
class Validation:
    """Rows that say when to stop.

    Parameters
    ----------
    rows : ndarray of int
        Positions of the samples.
    loss : callable
        Maps outputs ``(n, outputs)`` to the mean loss.
    """

    rows: Array
    loss: Callable[[Array], float]


@dataclass
class History:
    """What happened, with the fields of :class:`~selector.contract.TrialResult`.

    `outputs` holds the validation outputs of the best epoch, where a
    validation was given; `losses` the (epoch, validation loss) pairs.
    """

    epochs: int = 0
    planned_epochs: int = 0
    best_epoch: int = 0
    epoch_seconds: float = 0.0
    compile_seconds: float = 0.0
    stopped: str = ""
    improving: bool = False
    fit_seconds: float = 0.0
    rungs: dict[str, float] = field(default_factory=dict)
    outputs: Array | None = None
    losses: list[tuple[int, float]] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return the fields that a trial's result shares."""
        hidden = ("outputs", "losses")
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in hidden}


def schedule(progress: float) -> float:
    """Return the share of the peak learning rate at `progress` in [0, 1].

    Linear warm-up over 5% of the steps, then half a cosine to zero.

    References
    ----------
    Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.
    """
    if progress < WARM_UP:
        return max(progress / WARM_UP, 0.02)
    rest = min((progress - WARM_UP) / (1 - WARM_UP), 1.0)
    return 0.5 * (1 + math.cos(math.pi * rest))


def epoch_cap(steps_per_epoch: int) -> int:
    """Return the most epochs worth planning: some 1500 steps, within 20 to 200 epochs."""
    return int(np.clip(round(TARGET_STEPS / steps_per_epoch), MIN_EPOCHS, MAX_EPOCHS))


def batches(
    rows: Array, size: int, rng: np.random.Generator, groups: Array | None = None
) -> Iterator[Array]:
    """Yield the rows of one epoch in random order, in batches of exactly `size`.

    The last batch wraps around to the beginning of the epoch's order.

    Parameters
    ----------
    groups : ndarray of int, optional
        A number for each of `rows`: those of a batch are of one group, and the
        batches of all groups come in random order.
    """
    if groups is not None:
        parts = [batches(rows[groups == g], size, rng) for g in np.unique(groups)]
        every = [batch for part in parts for batch in part]
        for i in rng.permutation(len(every)):
            yield every[i]
        return
    order = rng.permutation(rows).astype(np.int32)
    count = -(-len(order) // size)
    wrapped = np.resize(order, count * size)
    for start in range(0, len(wrapped), size):
        yield wrapped[start : start + size]


def still_improving(losses: list[float]) -> bool:
    """Whether the smoothed loss fell by more than 1% over the last fifth of training.

    Smoothed by the mean over a tenth of the evaluations. A fall of less than
    half a percent of the first loss does not count.
    """
    if len(losses) < 5:
        return len(losses) > 1 and losses[-1] < losses[0] * 0.99
    width = max(len(losses) // 10, 1)
    smooth = np.convolve(losses, np.ones(width) / width, mode="valid")
    cut = max(len(smooth) - max(len(smooth) // 5, 1), 1)
    before, after = float(smooth[:cut].min()), float(smooth[cut:].min())
    return before - after > max(0.01 * abs(before), 5e-3 * abs(losses[0]))


class Loop:
    """Trains one network.

    Parameters
    ----------
    engine : Engine
        The network.
    rows : ndarray of int
        Positions of the training samples.
    settings : Settings
        How to train.
    clock : Clock
        Its deadline, less what scoring needs, ends the training.
    validation : Validation, optional
        Without it, or with `settings.epochs` given, nothing is looked at during
        training and the last weights stay.
    """

    def __init__(
        self,
        engine: Engine,
        rows: Array,
        settings: Settings,
        clock: Clock,
        validation: Validation | None = None,
    ) -> None:
        self.engine = engine
        self.rows = np.asarray(rows)
        self.settings = settings
        self.clock = clock
        self.validation = validation if settings.epochs is None else None
        self._scored = 0 if validation is None else len(validation.rows)
        self.steps = sum(1 for _ in self._batches(np.random.default_rng(0)))
        self.history = History()
        self._rng = np.random.default_rng(settings.seed)
        self._best = (math.inf, None)  # loss, weights
        self._reserve = 0.0
        self._times: list[float] = []
        self._made = 0

    def run(self) -> History:
        """Train, and leave the weights that count in the engine.

        Raises
        ------
        DeadlineError
            Where the deadline passed before the first step or, with
            `fail_on_deadline`, before the last.
        NonFiniteError
            Where the loss became infinite or not a number.
        """
        planned, every = self._plan()
        self._started = time.monotonic()
        self._budget = self.clock.left - self._reserve
        if self._budget <= 0:
            raise DeadlineError("deadline: no time was left to train after compiling")
        history = self.history
        history.planned_epochs, history.compile_seconds = planned, self.clock.elapsed
        history.stopped = "planned"
        for epoch in range(1, planned + 1):
            whole = self._epoch(epoch, planned)
            history.epochs = epoch
            if not whole:
                history.stopped = "deadline"
                break
            if self.validation and (epoch % every == 0 or epoch == planned):
                self._evaluate(epoch)
                if self._pruned(epoch / planned):
                    history.stopped = "pruned"
                    break
                if epoch - history.best_epoch >= max(PATIENCE * planned, 5 * every, MIN_EPOCHS):
                    history.stopped = "early"
                    break
        self._finish(planned)
        return history

    def _batches(self, rng: np.random.Generator) -> Iterator[Array]:
        return batches(self.rows, self.settings.batch_size, rng, self.settings.groups)

    def _warm(self) -> float:
        """Compile, and return the seconds of an epoch's steps."""
        self.clock.beat(stage="compile")
        groups = self.settings.groups
        if groups is None:
            first = next(self._batches(np.random.default_rng(0)))
            return self.engine.warm(first) * self.steps
        seconds = 0.0
        for group in np.unique(groups):
            rows, size = self.rows[groups == group], self.settings.batch_size
            first = next(batches(rows, size, np.random.default_rng(0)))
            seconds += self.engine.warm(first) * -(-len(rows) // size)
        return seconds

    def _plan(self) -> tuple[int, int]:
        """Compile, measure a step and an evaluation; return epochs and evaluations' interval."""
        epoch_seconds = self._warm()
        step_seconds = epoch_seconds / self.steps
        evaluation = 0.0
        if self.validation:
            self.engine.outputs(self.validation.rows)  # compiles
            started = time.perf_counter()
            self.engine.outputs(self.validation.rows)
            evaluation = time.perf_counter() - started
        if not self.validation:  # they are predicted once, when training has ended
            evaluation = 0.5 * self._scored / self.settings.batch_size * step_seconds
        self._reserve = 2 * evaluation + 2 * step_seconds
        if self.settings.epochs is not None:
            return self.settings.epochs, 1
        most = epoch_cap(self.steps)
        if self.settings.fail_on_deadline:
            return most, 1
        every = max(math.ceil(evaluation / (EVALUATION_SHARE * max(epoch_seconds, 1e-9))), 1)
        seconds = max(self.clock.left - self._reserve, 0.0) * 0.9
        if self.settings.train_seconds is not None:
            seconds = min(seconds, self.settings.train_seconds)

        def fitting(every: int) -> int:
            if not math.isfinite(self.clock.left):
                return most
            return int(np.clip(seconds / (epoch_seconds + evaluation / every), 1, most))

        every = min(every, max(fitting(every) // 20, 1))  # a short plan looks more often
        return fitting(every), every

    def _epoch(self, epoch: int, planned: int) -> bool:
        """Train one epoch; return False where the deadline cut it short."""
        started = time.monotonic()
        total = planned * self.steps
        pending, losses, whole = None, [], True
        for i, rows in enumerate(self._batches(self._rng)):
            progress = ((epoch - 1) * self.steps + i) / total
            elapsed = time.monotonic() - self._started
            if self.clock.left <= self._reserve and (epoch > 1 or i > 0):
                whole = False
                break
            if not self.settings.fail_on_deadline:
                progress = max(progress, elapsed / self._budget)
            loss = self.engine.step(rows, self.settings.learning_rate * schedule(progress))
            if pending is not None:
                losses.append(self.engine.wait(pending))
            pending = loss
            self._made += 1
            self.clock.beat(epoch=epoch, epochs=planned)
        if pending is not None:
            losses.append(self.engine.wait(pending))
        if not np.isfinite(losses).all():
            raise NonFiniteError(
                f"the training loss was no longer finite in epoch {epoch};"
                " try a lower learning rate"
            )
        if whole:
            self._times.append(time.monotonic() - started)
        return whole

    def _evaluate(self, epoch: int) -> None:
        """Score the validation rows, and keep the weights where they are the best so far."""
        assert self.validation is not None
        outputs = self.engine.outputs(self.validation.rows)
        loss = self.validation.loss(outputs)
        loss = loss if math.isfinite(loss) else math.inf
        self.history.losses.append((epoch, loss))
        if loss < self._best[0]:
            self._best = (loss, self.engine.snapshot())
            self.history.best_epoch = epoch
            self.history.outputs = outputs

    def _pruned(self, progress: float) -> bool:
        """Note the best loss at a rung that was reached; say whether it is too high."""
        best = self._best[0]
        reached = [r for r in RUNGS if r not in self.history.rungs and progress >= float(r)]
        if math.isfinite(best):
            self.history.rungs |= dict.fromkeys(reached, best)
        return any(best > self.settings.prune_above.get(rung, math.inf) for rung in reached)

    def _finish(self, planned: int) -> None:
        history = self.history
        history.fit_seconds = time.monotonic() - self._started
        # where the first epoch was cut short, what a whole one would have taken
        whole = history.fit_seconds * self.steps / max(self._made, 1)
        history.epoch_seconds = float(np.median(self._times)) if self._times else whole
        if self._times and self.settings.groups is None:
            first = self.rows[: self.settings.batch_size]
            self.engine.took(first, history.epoch_seconds / self.steps)
        cut = history.stopped == "deadline"
        if cut and self.settings.fail_on_deadline:
            raise DeadlineError(f"deadline: {len(self._times)} of {planned} epochs were trained")
        if self.validation is None:
            history.best_epoch = history.epochs
            return
        if cut and (not history.losses or history.losses[-1][0] < history.epochs):
            self._evaluate(history.epochs)
        if math.isfinite(self._best[0]):
            history.rungs[END] = self._best[0]
        if self._best[1] is None:
            raise NonFiniteError("the validation loss was never finite; try a lower learning rate")
        self.engine.restore(self._best[1])
        history.improving = still_improving([loss for _, loss in history.losses])
