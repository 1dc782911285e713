"""Initial weights drawn by NumPy: the standard distributions, without compiling anything.

On JAX, Keras's initialisers compile a program for each shape of weight, 0.2 to
0.8 s each (an orthogonal one up to 2 s): more than training takes on small
data. Wherever the core builds, copies or loads a model it lets NumPy draw in
their place, so that architectures use the standard initialisers, and models
of other authors start as fast.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

Shape = tuple[int, ...]


def fans(shape: Shape) -> tuple[int, int]:
    """Return the number of inputs and outputs of a unit with weights of `shape`."""
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    field = int(np.prod(shape[:-2], dtype=int))
    return int(shape[-2]) * field, int(shape[-1]) * field


def variance_scaling(shape: Shape, scale: float, mode: str, distribution: str, seed: int) -> Any:
    """Return weights whose variance follows from the number of inputs or outputs.

    Parameters
    ----------
    shape : tuple of int
        The last two axes are inputs and outputs, those before them the field.
    scale, mode, distribution
        As for ``keras.initializers.VarianceScaling``.
    seed : int
        Of the generator.

    Returns
    -------
    ndarray of float64

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", AISTATS 2010. LeCun et al., "Efficient
    BackProp", 1998. He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    fan_in, fan_out = fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out}.get(mode, (fan_in + fan_out) / 2)
    deviation = np.sqrt(scale / max(fan, 1.0))
    rng = np.random.default_rng(seed)
    if distribution == "uniform":
        limit = np.sqrt(3.0) * deviation
        return rng.uniform(-limit, limit, size=shape)
    values = rng.normal(size=shape)
    if distribution == "truncated_normal":
        while (beyond := np.abs(values) > 2).any():
            values[beyond] = rng.normal(size=int(beyond.sum()))
        deviation /= 0.87962566103423978  # that of a standard normal cut at 2
    return values * deviation


def orthogonal(shape: Shape, gain: float, seed: int) -> Any:
    """Return a random matrix with orthonormal rows or columns, times `gain`.

    References
    ----------
    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", ICLR 2014.
    """
    rows, columns = int(np.prod(shape[:-1], dtype=int)), int(shape[-1])
    draws = np.random.default_rng(seed).normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draws)
    q = q * np.sign(np.diag(r))
    return gain * (q if rows >= columns else q.T).reshape(shape)


def _scaled(init: Any, shape: Shape) -> Any:
    if init.input_axes is not None or init.output_axes is not None:
        return None
    return variance_scaling(shape, init.scale, init.mode, init.distribution, init.seed)


def _orthogonal(init: Any, shape: Shape) -> Any:
    return orthogonal(shape, init.gain, init.seed) if len(shape) > 1 else None


_DRAWN: dict[type[Any], Callable[[Any, Shape], Any]] = {
    keras.initializers.VarianceScaling: _scaled,
    keras.initializers.Orthogonal: _orthogonal,
}
"""What NumPy draws for an initialiser; None where Keras has to."""


@contextmanager
def drawn_by_numpy() -> Iterator[None]:
    """Within this context, let NumPy draw what Keras's initialisers ask for.

    Glorot's, LeCun's, He's and orthogonal weights have the standard
    distributions, by another generator. Other initialisers are left alone.
    """
    kept = {kind: kind.__call__ for kind in _DRAWN}
    for kind, draw in _DRAWN.items():
        kind.__call__ = _by_numpy(kept[kind], draw)
    try:
        yield
    finally:
        for kind, call in kept.items():
            kind.__call__ = call


def _by_numpy(call: Callable[..., Any], draw: Callable[[Any, Shape], Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def drawn(init: Any, shape: Shape, dtype: Any = None, **options: Any) -> Any:
        values = draw(init, tuple(shape)) if isinstance(init.seed, int) else None
        if values is None:
            return call(init, shape, dtype=dtype, **options)
        return keras.ops.convert_to_tensor(values.astype("float32"), dtype=dtype)

    return drawn
