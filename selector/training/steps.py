"""Compiled steps on JAX, kept between trials of the same shape.

A step is compiled once for an architecture, its structural parameters, the
shape of the data and the batch size. Learning rate, weight decay and label
smoothing are arguments of the compiled program. A later trial of the same
shape brings fresh weights and uses the step that is there.

Data stays on the device; a step gets row numbers and gathers inside the
program. Steps are called from Python: XLA's CPU backend leaves its fast
convolution inside a loop.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from selector.contract import Array
from selector.training.loop import BETA_1, BETA_2, CLIP_NORM, EPSILON
from selector.training.models import Built, fixed_batches
from selector.training.preprocess import Prepared

CAPACITY = 16
"""Compiled steps kept."""


@dataclass
class Compiled:
    """A compiled step and forward pass; `traces` counts how often each was traced."""

    step: Callable[..., Any]
    forward: Callable[..., Any]
    signature: tuple[Any, ...]
    traces: dict[str, int]


_cache: OrderedDict[Hashable, Compiled] = OrderedDict()


def clear() -> None:
    """Forget all compiled steps."""
    _cache.clear()


def compiled(key: Hashable, model: Any, task: str) -> Compiled:
    """Return the compiled step for `key`, from the cache where the model fits it.

    Parameters
    ----------
    key : hashable
        What the program depends on beside the variables' shapes.
    model : keras.Model
        A model of the architecture; kept for tracing where the step is new.
    task : {"classification", "regression"}
        Which loss.
    """
    entry = _cache.get(key)
    if entry is None or entry.signature != _signature(model):
        entry = _cache[key] = _compile(model, task)
    _cache.move_to_end(key)
    while len(_cache) > CAPACITY:
        _cache.popitem(last=False)
    return entry


def _signature(model: Any) -> tuple[Any, ...]:
    def describe(variables: Any) -> tuple[Any, ...]:
        return tuple((tuple(v.shape), str(v.dtype)) for v in variables)

    return describe(model.trainable_variables), describe(model.non_trainable_variables)


def _compile(model: Any, task: str) -> Compiled:
    traces = {"step": 0, "forward": 0}
    decayed = [len(v.shape) >= 2 for v in model.trainable_variables]

    def gather(x: Any, mask: Any, rows: Any) -> list[Any]:
        return [x[rows]] if mask is None else [x[rows], mask[rows]]

    def loss_of(trainable: Any, fixed: Any, inputs: Any, target: Any, smoothing: Any) -> Any:
        outputs, fixed, extra = model.stateless_call(
            trainable, fixed, _argument(inputs), training=True, return_losses=True
        )
        total = mean_loss(outputs, target, smoothing, task)
        for term in extra:
            total = total + term
        return total, fixed

    def step(state: Any, x: Any, mask: Any, y: Any, rows: Any, hyper: Any) -> Any:
        traces["step"] += 1
        trainable, fixed, first, second = state
        (loss, fixed), gradients = jax.value_and_grad(loss_of, has_aux=True)(
            trainable, fixed, gather(x, mask, rows), y[rows], hyper[2]
        )
        trainable, first, second = adamw(trainable, gradients, first, second, hyper, decayed)
        return (trainable, fixed, first, second), loss

    def forward(trainable: Any, fixed: Any, x: Any, mask: Any, rows: Any) -> Any:
        traces["forward"] += 1
        inputs = _argument(gather(x, mask, rows))
        return model.stateless_call(trainable, fixed, inputs, training=False)[0]

    return Compiled(jax.jit(step), jax.jit(forward), _signature(model), traces)


def _argument(inputs: list[Any]) -> Any:
    return inputs[0] if len(inputs) == 1 else inputs


def mean_loss(outputs: Any, target: Any, smoothing: Any, task: str) -> Any:
    """Return the mean smoothed cross-entropy of logits, or the mean squared error."""
    if task != "classification":
        return jnp.mean(jnp.square(outputs[:, 0] - target))
    log_p = jax.nn.log_softmax(outputs, axis=-1)
    hit = jnp.take_along_axis(log_p, target[:, None], axis=-1)[:, 0]
    return -jnp.mean((1 - smoothing) * hit + smoothing * jnp.mean(log_p, axis=-1))


def adamw(
    weights: list[Any],
    gradients: list[Any],
    first: list[Any],
    second: list[Any],
    hyper: Any,
    decayed: list[bool],
) -> tuple[list[Any], list[Any], list[Any]]:
    """Make one AdamW step; return weights, first and second moments.

    Gradients are clipped to a global norm of 1; only weights with two or more
    axes decay, so no bias and no scale of a normalisation.

    Parameters
    ----------
    hyper : array, shape (5,)
        Learning rate, weight decay, label smoothing, and the bias corrections
        ``1 - beta**t`` of the two moments.

    References
    ----------
    Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019.
    """
    rate, decay, correct_1, correct_2 = hyper[0], hyper[1], hyper[3], hyper[4]
    norm = jnp.sqrt(sum((jnp.sum(jnp.square(g)) for g in gradients), jnp.float32(0)))
    factor = CLIP_NORM / jnp.maximum(norm, CLIP_NORM)
    new: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    for w, g, m, v, shrink in zip(weights, gradients, first, second, decayed, strict=True):
        g = g * factor
        m = BETA_1 * m + (1 - BETA_1) * g
        v = BETA_2 * v + (1 - BETA_2) * jnp.square(g)
        update = (m / correct_1) / (jnp.sqrt(v / correct_2) + EPSILON)
        if shrink:
            update = update + decay * w
        for values, value in zip(new, (w - rate * update, m, v), strict=True):
            values.append(value)
    return new


def evaluation_batch(n: int) -> int:
    """Return the batch size for `n` rows: a power of two from 16 to 128."""
    return int(min(128, max(16, 2 ** int(np.ceil(np.log2(max(n, 1)))))))


class JaxEngine:
    """A network that trains by compiled steps; see :class:`selector.training.loop.Engine`.

    Parameters
    ----------
    built : Built
        The model with its initial weights; :meth:`write_back` puts the trained
        ones there.
    data : Prepared
        All samples, for training and validation.
    target : ndarray, shape (n,)
        Class indices, or standardised values.
    key : hashable
        See :func:`compiled`; the shape of `data` is added.
    task : str
        Which loss.
    weight_decay, label_smoothing : float
        Arguments of the step.
    """

    def __init__(
        self,
        built: Built,
        data: Prepared,
        target: Array,
        key: Hashable,
        task: str,
        weight_decay: float = 0.0,
        label_smoothing: float = 0.0,
    ) -> None:
        self.model = built.model
        shape = (data.x.shape, data.mask is not None)
        self.compiled = compiled((key, shape, task), built.model, task)
        self._x = jnp.asarray(data.x)
        self._mask = None if data.mask is None else jnp.asarray(data.mask)
        kind = np.int32 if task == "classification" else np.float32
        self._y = jnp.asarray(np.asarray(target).astype(kind))
        trainable = [v.value for v in built.model.trainable_variables]
        fixed = [v.value for v in built.model.non_trainable_variables]
        zeros = [jnp.zeros_like(v) for v in trainable]
        self._state = (trainable, fixed, zeros, zeros)
        self._constants = (weight_decay, label_smoothing)
        self._count = 0

    def _hyper(self, learning_rate: float) -> Array:
        t = self._count
        return np.array(
            [learning_rate, *self._constants, 1 - BETA_1**t, 1 - BETA_2**t], dtype=np.float32
        )

    def _call(self, rows: Array, learning_rate: float) -> Any:
        return self.compiled.step(
            self._state, self._x, self._mask, self._y, rows, self._hyper(learning_rate)
        )

    def step(self, rows: Array, learning_rate: float) -> Any:
        """Dispatch one step."""
        self._count += 1
        self._state, loss = self._call(rows, learning_rate)
        return loss

    def wait(self, loss: Any) -> float:
        """Return a loss as a float."""
        return float(loss)

    def warm(self, rows: Array) -> float:
        """Compile, then time steps whose result is thrown away."""
        self._count = 1
        self.wait(self._call(rows, 0.0)[1])
        times: list[float] = []
        while len(times) < 5 and sum(times) < 0.05:
            started = time.perf_counter()
            self.wait(self._call(rows, 0.0)[1])
            times.append(time.perf_counter() - started)
        self._count = 0
        return float(np.median(times))

    def outputs(self, rows: Array, batch: int | None = None) -> Array:
        """Return logits or values, computed in batches of one size."""
        rows = np.asarray(rows, dtype=np.int32)
        trainable, fixed = self._state[:2]
        parts = []
        for inside, count in fixed_batches(len(rows), batch or evaluation_batch(len(rows))):
            values = self.compiled.forward(trainable, fixed, self._x, self._mask, rows[inside])
            parts.append(np.asarray(values)[:count])
        return np.concatenate(parts)

    def snapshot(self) -> Any:
        """Return the weights; arrays on the device never change in place."""
        return self._state[:2]

    def restore(self, snapshot: Any) -> None:
        """Put weights back."""
        self._state = (*snapshot, *self._state[2:])

    def write_back(self) -> None:
        """Put the present weights into the Keras model."""
        trainable, fixed = self._state[:2]
        for variable, value in zip(self.model.trainable_variables, trainable, strict=True):
            variable.assign(value)
        for variable, value in zip(self.model.non_trainable_variables, fixed, strict=True):
            variable.assign(value)


def forward_batches(model: Any, key: Hashable, data: Prepared, batch: int) -> Array:
    """Return what a Keras model puts out for `data`, in compiled batches of one size.

    Parameters
    ----------
    model : keras.Model
        Any model over the inputs of `data`.
    key : hashable
        See :func:`compiled`.
    batch : int
        Rows in a batch; the last is filled up.

    Returns
    -------
    ndarray, shape (n, outputs)
    """
    shape = (data.x.shape[1:], data.mask is not None)
    entry = compiled(("forward", key, shape, batch), model, "")
    trainable = [v.value for v in model.trainable_variables]
    fixed = [v.value for v in model.non_trainable_variables]
    every = np.arange(batch, dtype=np.int32)
    parts = []
    for rows, count in fixed_batches(len(data.x), batch):
        mask = None if data.mask is None else data.mask[rows]
        values = entry.forward(trainable, fixed, data.x[rows], mask, every)
        parts.append(np.asarray(values)[:count])
    return np.concatenate(parts)
