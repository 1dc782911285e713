"""The same training through Keras's own calls, for backends other than JAX."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from selector.contract import Array
from selector.training.augment import Shifts, shift
from selector.training.loop import BETA_1, BETA_2, CLIP_NORM, EPSILON
from selector.training.models import Built, as_inputs, fixed_batches
from selector.training.preprocess import Prepared


class PlainEngine:
    """A compiled Keras model; see :class:`selector.training.loop.Engine`.

    Parameters
    ----------
    built : Built
        The model with its initial weights, trained in place.
    data : Prepared
        All samples, for training and validation.
    target : ndarray, shape (n,)
        Class indices, or standardised values.
    task : str
        Which loss.
    weight_decay, label_smoothing : float
        Weights with fewer than two axes do not decay.
    shifts : Shifts or None
        Moves the samples of each batch.
    """

    def __init__(
        self,
        built: Built,
        data: Prepared,
        target: Array,
        task: str,
        weight_decay: float = 0.0,
        label_smoothing: float = 0.0,
        shifts: Shifts | None = None,
    ) -> None:
        self.model = built.model
        self._shifts = shifts
        self._inputs = as_inputs(data)
        target = np.asarray(target)
        if task == "classification":
            classes = self.model.output.shape[-1]
            self._y = np.eye(classes, dtype=np.float32)[target.astype(int)]
            loss: Any = keras.losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=label_smoothing
            )
        else:
            self._y = target.astype(np.float32)[:, None]
            loss = keras.losses.MeanSquaredError()
        optimizer = keras.optimizers.AdamW(
            learning_rate=0.0,
            weight_decay=weight_decay,
            beta_1=BETA_1,
            beta_2=BETA_2,
            epsilon=EPSILON,
            global_clipnorm=CLIP_NORM,
        )
        flat = [v for v in self.model.trainable_variables if len(v.shape) < 2]
        if flat:
            optimizer.exclude_from_weight_decay(var_list=flat)
        self.model.compile(optimizer=optimizer, loss=loss)
        optimizer.build(self.model.trainable_variables)

    def _batch(self, rows: Array) -> Any:
        parts = [part[rows] for part in self._inputs]
        return parts[0] if len(parts) == 1 else parts

    def start(self, rows: Array) -> str:
        """Return how the first step starts: these backends compile each model anew."""
        return "new"

    def step(self, rows: Array, learning_rate: float) -> Any:
        """Make one step."""
        self.model.optimizer.learning_rate = learning_rate
        self.model.reset_metrics()  # or the loss would be a running mean
        parts = [part[rows] for part in self._inputs]
        if self._shifts is not None:
            mask = parts[1] if len(parts) > 1 else None
            offsets = self._shifts.draw(len(rows))
            parts[0] = shift(parts[0], mask, offsets, self._shifts.axes)
        return self.model.train_on_batch(parts[0] if len(parts) == 1 else parts, self._y[rows])

    def wait(self, loss: Any) -> float:
        """Return a loss as a float."""
        return float(np.ravel(loss)[0])

    def warm(self, rows: Array) -> float:
        """Compile, time one step, and put weights and moments back."""
        before = self.snapshot()
        moments = [np.array(keras.ops.convert_to_numpy(v)) for v in self.model.optimizer.variables]
        self.wait(self.step(rows, 0.0))
        started = time.perf_counter()
        self.wait(self.step(rows, 0.0))
        seconds = time.perf_counter() - started
        self.restore(before)
        for variable, value in zip(self.model.optimizer.variables, moments, strict=True):
            variable.assign(value)
        return seconds

    def took(self, rows: Array, seconds: float) -> None:
        """Note nothing: no later trial shares this model's step."""

    def outputs(self, rows: Array, batch: int | None = None) -> Array:
        """Return logits or values, computed in batches of one size."""
        rows = np.asarray(rows)
        return in_batches(
            lambda inside: self.model.predict_on_batch(self._batch(rows[inside])),
            len(rows),
            batch or 64,
        )

    def snapshot(self) -> Any:
        """Return a copy of all variables, seed states included."""
        return [np.array(keras.ops.convert_to_numpy(v)) for v in self.model.variables]

    def restore(self, snapshot: Any) -> None:
        """Put variables back."""
        for variable, value in zip(self.model.variables, snapshot, strict=True):
            variable.assign(value)

    def write_back(self) -> None:
        """Do nothing: the model was trained in place."""


def in_batches(
    call: Callable[[Array], Any],
    n: int,
    batch: int,
    head: Callable[[Array], Array] | None = None,
) -> Array:
    """Return what `call` gives for `n` rows, in batches of one size.

    Each batch is written to its place at once: features are wide, and a list of
    them would be there twice when it is joined.

    Parameters
    ----------
    call : callable
        From row numbers to outputs.
    n, batch : int
        Rows, and rows in a batch; the last is filled up.
    head : callable, optional
        Applied to the outputs of each batch; only what it gives is kept. It
        always gets whole batches, so that a row alone gives the same bits.

    Returns
    -------
    ndarray, shape (n, outputs)
    """
    out: Array | None = None
    for rows, count in fixed_batches(n, batch):
        values = np.asarray(call(rows))
        if head is not None:
            values = head(values)
        if out is None:
            out = np.empty((n, *values.shape[1:]), values.dtype)
        out[rows[:count]] = values[:count]
    assert out is not None
    return out
