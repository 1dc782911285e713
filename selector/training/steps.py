"""Compiled steps on JAX, kept between trials of the same shape.

A step is compiled once for an architecture, its structural parameters, the
shape of the data and the batch size. Learning rate, weight decay and label
smoothing are arguments of the compiled program. A later trial of the same
shape brings fresh weights and uses the step that is there.

All trainable weights travel as one flat vector: the optimizer is then a few
kernels whatever the number of layers, which compiles a quarter to a third
faster and is called with fewer arguments.

Data stays on the device; a step gets row numbers and gathers inside the
program. Steps are called from Python: XLA's CPU backend leaves its fast
convolution inside a loop.
"""

from __future__ import annotations

import copy
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from selector.contract import Array
from selector.training import compiler
from selector.training.augment import Shifts, shift
from selector.training.buckets import Buckets
from selector.training.forward import Forward
from selector.training.loop import BETA_1, BETA_2, CLIP_NORM, EPSILON
from selector.training.models import Built
from selector.training.plain import in_batches
from selector.training.preprocess import Prepared
from selector.training.programs import Program, constants, key_of

CAPACITY = 16
"""Compiled steps kept."""

LANES = 256
"""The flat vector is a multiple of so many numbers, which are added side by side."""


@dataclass
class Compiled:
    """A compiled step and forward pass.

    `decayed` is 1 for weights that decay and 0 for others, in the order of the
    flat vector; None for a model that is not trained.
    """

    step: Program
    forward: Program
    signature: tuple[Any, ...]
    decayed: Any


_cache: OrderedDict[Hashable, Compiled] = OrderedDict()


def clear() -> None:
    """Forget all compiled steps."""
    _cache.clear()


def compiled(
    key: Hashable,
    shape: Hashable,
    model: Any,
    task: str,
    shifted: tuple[int, ...] = (),
    length: int | None = None,
) -> Compiled:
    """Return the compiled step of a model, from the cache where it is there.

    Parameters
    ----------
    key : hashable
        Tells models apart whose configuration does not, see
        :func:`selector.training.programs.key_of`; None: such a model's step is not kept.
    shape : hashable
        What the program depends on beside the model.
    model : keras.Model
        A model of the architecture; kept for tracing where the step is new.
    task : {"classification", "regression", ""}
        Which loss; empty for a model that is not trained.
    shifted : tuple of int
        Axes of a batch that are shifted at random in training.
    length : int, optional
        Steps of a series that training looks at; the others must be padding.
    """
    described = key_of(model, task, shifted, length)
    held = constants(model) if described is None and key is not None else None
    if described is None and held is None:
        return _compile(model, task, shifted, length, None)
    place = (described or (key, task, shifted, length, held), shape)
    entry = _cache.get(place)
    if entry is None or entry.signature != _signature(model):
        entry = _cache[place] = _compile(model, task, shifted, length, described)
    _cache.move_to_end(place)
    while len(_cache) > CAPACITY:
        _cache.popitem(last=False)
    return entry


def _signature(model: Any) -> tuple[Any, ...]:
    def describe(variables: Any) -> tuple[Any, ...]:
        return tuple((tuple(v.shape), str(v.dtype)) for v in variables)

    return describe(model.trainable_variables), describe(model.non_trainable_variables)


def _values(model: Any) -> tuple[Any, list[Any]]:
    """Return the trainable weights as one vector, and the other variables' values.

    Joined by NumPy: JAX would compile a small program for each shape of weight.
    """
    flat = jnp.asarray(flatten([np.asarray(v.value) for v in model.trainable_variables], np))
    return flat, [v.value for v in model.non_trainable_variables]


def _compile(
    model: Any, task: str, shifted: tuple[int, ...], length: int | None, key: str | None
) -> Compiled:
    shapes = [tuple(v.shape) for v in model.trainable_variables]

    def gather(x: Any, mask: Any, rows: Any) -> list[Any]:
        return [x[rows]] if mask is None else [x[rows], mask[rows]]

    def loss_of(weights: Any, fixed: Any, inputs: Any, target: Any, smoothing: Any) -> Any:
        outputs, fixed, extra = model.stateless_call(
            weights, fixed, _argument(inputs), training=True, return_losses=True
        )
        total = mean_loss(outputs, target, smoothing, task)
        for term in extra:
            total = total + term
        return total, fixed

    def step(
        state: Any, decayed: Any, x: Any, mask: Any, y: Any, rows: Any, hyper: Any, offsets: Any
    ) -> Any:
        flat, fixed, first, second = state
        inputs = [values[:, :length] for values in gather(x, mask, rows)]
        if shifted:
            real = inputs[1] if mask is not None else None
            inputs[0] = shift(inputs[0], real, offsets, shifted, jnp)
        (loss, fixed), gradients = jax.value_and_grad(loss_of, has_aux=True)(
            unflatten(flat, shapes), fixed, inputs, y[rows], hyper[2]
        )
        flat, first, second = adamw(flat, flatten(gradients), first, second, decayed, hyper)
        return (flat, fixed, first, second), loss

    def forward(flat: Any, fixed: Any, x: Any, mask: Any, rows: Any) -> Any:
        inputs = _argument(gather(x, mask, rows))
        return model.stateless_call(unflatten(flat, shapes), fixed, inputs, training=False)[0]

    options = compiler.options(model)
    decayed = None
    if task:
        decays = [np.full(shape, len(shape) >= 2, np.float32) for shape in shapes]
        decayed = jnp.asarray(flatten(decays, np))
    return Compiled(
        Program(step, 5, key and f"step {key}", options),
        Program(forward, 4, key and f"forward {key}", options),
        _signature(model),
        decayed,
    )


def flatten(values: list[Any], library: Any = jnp) -> Any:
    """Return arrays as one vector, filled up with zeros to a multiple of :data:`LANES`."""
    size = sum(int(np.prod(v.shape)) for v in values)
    parts = [library.ravel(v) for v in values]
    return library.concatenate([*parts, library.zeros(-size % LANES, np.float32)])


def unflatten(flat: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
    """Return the arrays of a flat vector."""
    cuts = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()
    parts = jnp.split(flat, cuts)[:-1]
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _argument(inputs: list[Any]) -> Any:
    return inputs[0] if len(inputs) == 1 else inputs


def mean_loss(outputs: Any, target: Any, smoothing: Any, task: str) -> Any:
    """Return the mean smoothed cross-entropy of logits, or the mean squared error."""
    if task != "classification":
        return jnp.mean(jnp.square(outputs[:, 0] - target))
    return _cross_entropy(outputs, target, smoothing)


@jax.custom_vjp
def _cross_entropy(logits: Any, target: Any, smoothing: Any) -> Any:
    """Return the mean smoothed cross-entropy.

    Its gradient is given, and classes are compared with their numbers in place of being
    gathered: autodiff makes more loops of it, and each is compiled on its own.
    """
    return _cross_entropy_forward(logits, target, smoothing)[0]


def _cross_entropy_forward(logits: Any, target: Any, smoothing: Any) -> tuple[Any, Any]:
    classes = logits.shape[-1]
    hit = target[:, None] == jnp.arange(classes)
    wanted = jnp.where(hit, 1 - smoothing, 0.0) + smoothing / classes
    centred = logits - logits.max(axis=-1, keepdims=True)
    powers = jnp.exp(centred)
    total = powers.sum(axis=-1, keepdims=True)
    loss = (jnp.log(total[:, 0]).sum() - (wanted * centred).sum()) / len(logits)
    return loss, ((powers / total - wanted) / len(logits)).astype(logits.dtype)


def _cross_entropy_backward(slope: Any, upstream: Any) -> tuple[Any, None, None]:
    return slope * upstream, None, None


_cross_entropy.defvjp(_cross_entropy_forward, _cross_entropy_backward)


def adamw(
    weights: Any, gradient: Any, first: Any, second: Any, decayed: Any, hyper: Any
) -> tuple[Any, Any, Any]:
    """Make one AdamW step on flat vectors; return weights, first and second moments.

    The gradient is clipped to a global norm of 1; only weights with two or more
    axes decay, so no bias and no scale of a normalisation.

    Parameters
    ----------
    decayed : array
        1 where a weight decays, else 0.
    hyper : array, shape (5,)
        Learning rate, weight decay, label smoothing, and the bias corrections
        ``1 / (1 - beta**t)`` of the two moments.

    References
    ----------
    Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019.
    """
    # else the parts are joined anew for each use of the gradient
    gradient = jax.lax.optimization_barrier(gradient)  # type: ignore[no-untyped-call]
    lanes = jnp.square(gradient).reshape(-1, LANES).sum(axis=0)  # sums of numbers side by side
    norm = jnp.sqrt(lanes.sum())
    gradient = gradient * (CLIP_NORM / jnp.maximum(norm, CLIP_NORM))
    first = BETA_1 * first + (1 - BETA_1) * gradient
    second = BETA_2 * second + (1 - BETA_2) * jnp.square(gradient)
    update = (first * hyper[3]) / (jnp.sqrt(second * hyper[4]) + EPSILON)
    return weights - hyper[0] * (update + hyper[1] * decayed * weights), first, second


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
    shifts : Shifts or None
        Moves the samples of each batch.
    buckets : Buckets or None
        Cuts the padding of batches whose series are all of one bucket.
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
        shifts: Shifts | None = None,
        buckets: Buckets | None = None,
    ) -> None:
        self.model = built.model
        self._shifts, self._buckets = shifts, buckets
        shape = (data.x.shape, data.mask is not None)
        shifted = shifts.axes if shifts is not None else ()
        self.compiled = compiled(key, shape, built.model, task, shifted)
        shorter = buckets.lengths[:-1] if buckets is not None else ()
        self._shorter = {
            length: compiled(key, shape, built.model, task, shifted, length).step
            for length in shorter
        }
        self._x = jnp.asarray(data.x)
        self._mask = None if data.mask is None else jnp.asarray(data.mask)
        kind = np.int32 if task == "classification" else np.float32
        self._y = jnp.asarray(np.asarray(target).astype(kind))
        flat, fixed = _values(built.model)
        zeros = jnp.asarray(np.zeros(flat.shape, np.float32))
        self._state = (flat, fixed, zeros, zeros)
        self._constants = (weight_decay, label_smoothing)
        self._count = 0

    def _hyper(self, learning_rate: float) -> Array:
        corrections = (1 / (1 - beta ** max(self._count, 1)) for beta in (BETA_1, BETA_2))
        return np.array([learning_rate, *self._constants, *corrections], dtype=np.float32)

    def _arguments(self, rows: Array, learning_rate: float, shifts: Shifts | None) -> Any:
        decayed, hyper = self.compiled.decayed, self._hyper(learning_rate)
        offsets = shifts.draw(len(rows)) if shifts is not None else None
        return self._state, decayed, self._x, self._mask, self._y, rows, hyper, offsets

    def _call(self, rows: Array, learning_rate: float) -> Any:
        return self._step(rows)(*self._arguments(rows, learning_rate, self._shifts))

    def _step(self, rows: Array) -> Program:
        """Return the program for a batch: that of its bucket."""
        if self._buckets is None:
            return self.compiled.step
        return self._shorter.get(self._buckets.length(rows), self.compiled.step)

    def start(self, rows: Array) -> str:
        """Return how the first step on batches like `rows` would start."""
        rows = np.asarray(rows, dtype=np.int32)  # as in training: their type is part of a program
        unseen = copy.deepcopy(self._shifts)  # draws none of theirs
        return self._step(rows).start(self._arguments(rows, 0.0, unseen))

    def step(self, rows: Array, learning_rate: float) -> Any:
        """Dispatch one step."""
        self._count += 1
        self._state, loss = self._call(rows, learning_rate)
        return loss

    def wait(self, loss: Any) -> float:
        """Return a loss as a float."""
        return float(loss)

    def warm(self, rows: Array) -> float:
        """Compile, then time steps whose result is thrown away; what was timed is known."""
        program = self._step(rows)
        if len(rows) in program.seconds:
            return program.seconds[len(rows)]
        self._count = 1
        shifts, self._shifts = self._shifts, copy.deepcopy(self._shifts)  # draws none of theirs
        self.wait(self._call(rows, 0.0)[1])
        times: list[float] = []
        while len(times) < 5 and sum(times) < 0.05:
            started = time.perf_counter()
            self.wait(self._call(rows, 0.0)[1])
            times.append(time.perf_counter() - started)
        self._count, self._shifts = 0, shifts
        program.seconds[len(rows)] = float(np.median(times))
        return program.seconds[len(rows)]

    def took(self, rows: Array, seconds: float) -> None:
        """Note what a step on batches like `rows` took in training, for later trials."""
        self._step(rows).seconds[len(rows)] = seconds

    def outputs(self, rows: Array, batch: int | None = None) -> Array:
        """Return logits or values, computed in batches of one size."""
        rows = np.asarray(rows, dtype=np.int32)
        flat, fixed = self._state[:2]
        return in_batches(
            lambda inside: self.compiled.forward(flat, fixed, self._x, self._mask, rows[inside]),
            len(rows),
            batch or evaluation_batch(len(rows)),
        )

    def snapshot(self) -> Any:
        """Return the weights; arrays on the device never change in place."""
        return self._state[:2]

    def restore(self, snapshot: Any) -> None:
        """Put weights back."""
        self._state = (*snapshot, *self._state[2:])

    def write_back(self) -> None:
        """Put the present weights into the Keras model."""
        flat, fixed = self._state[:2]
        variables = self.model.trainable_variables
        trainable = unflatten(flat, [tuple(v.shape) for v in variables])
        for variable, value in zip(variables, trainable, strict=True):
            variable.assign(value)
        for variable, value in zip(self.model.non_trainable_variables, fixed, strict=True):
            variable.assign(value)


class JaxForward(Forward):
    """A model's outputs by a compiled program.

    Parameters
    ----------
    model, batch
        See :class:`selector.training.forward.Forward`.
    key : hashable
        See :func:`compiled`.
    """

    def __init__(self, model: Any, batch: int, key: Hashable) -> None:
        super().__init__(model, batch)
        self._key = key
        self._rows = np.arange(batch, dtype=np.int32)
        self._weights: Any = None
        self._programs: dict[Hashable, Program] = {}

    def start(self, data: Prepared) -> str:
        """Return how the first call would start: "ready", "stored" or "new"."""
        rows = np.zeros(self._batch, dtype=np.int32)
        return self._program(data).start(self._arguments(data, rows))

    def _of_rows(self, data: Prepared) -> Callable[[Array], Any]:
        program = self._program(data)
        return lambda rows: program(*self._arguments(data, rows))

    def _program(self, data: Prepared) -> Program:
        shape = (data.x.shape[1:], data.mask is not None)
        if shape not in self._programs:
            place = ("forward", shape, self._batch)
            self._programs[shape] = compiled(self._key, place, self._model, "").forward
        return self._programs[shape]

    def _arguments(self, data: Prepared, rows: Array) -> Any:
        if self._weights is None:
            self._weights = _values(self._model)
        mask = None if data.mask is None else data.mask[rows]
        return *self._weights, data.x[rows], mask, self._rows
