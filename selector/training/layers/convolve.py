"""Convolutions that XLA computes at the speed of the processor, gradient and all.

XLA's convolution on a CPU is fast for most shapes and many times slower for
some (``python benchmarks/convolutions.py``):

- a kernel with more taps than there are positions: XLA then convolves the
  kernel with the input. Padding that is written out keeps it from that;
- the gradient of a kernel of one tap: a convolution with such a kernel is a
  matrix product, and written as one;
- the gradient of a kernel over very many positions: it is added up over parts
  of the batch.

Weights, configuration and function of the layers are those of Keras;
:func:`selector.training.layers.with_standard_layers` puts Keras's in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import keras
from keras import ops

PART_POSITIONS, PART_SAMPLES = 8000, 8
"""Positions and samples of a part of a batch, at least."""
MOST_PARTS = 8
"""Each is compiled on its own."""
LEAST_WEIGHTS = 2000
"""Weights of a kernel whose gradient is added up over parts, at least."""


def convolve(
    x: Any,
    kernel: Any,
    strides: Sequence[int] = (1,),
    padding: str = "valid",
    dilations: Sequence[int] = (1,),
) -> Any:
    """Return the convolution of series or images, as :func:`keras.ops.conv` does.

    Where XLA is no slower, on another processor, with more axes or where a size is
    not known, Keras's own does the work.

    Parameters
    ----------
    x : tensor, shape (batch, *space, channel)
        Series or images.
    kernel : tensor, shape (*size, channel, filter)
        Its axes of space are those of `x`.
    strides, dilations : sequence of int
        One for each axis of space, or one for all.
    padding : {"valid", "same"}
        As in Keras.

    Returns
    -------
    tensor, shape (batch, *new_space, filter)
    """
    kernel = ops.convert_to_tensor(kernel)
    x = ops.convert_to_tensor(x, dtype=kernel.dtype)
    axes = len(kernel.shape) - 2
    strides = tuple(strides) * (axes if len(strides) == 1 else 1)
    dilations = tuple(dilations) * (axes if len(dilations) == 1 else 1)
    if prod(kernel.shape[:-2]) == 1:
        return _by_product(x, kernel, strides)
    if axes < 3 and _on_a_cpu() and all(isinstance(n, int) for n in x.shape):
        return _by_xla(x, kernel, strides, padding, dilations)
    return ops.conv(x, kernel, strides, padding, "channels_last", dilations)


def _on_a_cpu() -> bool:
    """Whether XLA compiles for the processor."""
    if keras.backend.backend() != "jax":
        return False
    import jax

    return bool(jax.default_backend() == "cpu")


def _by_product(x: Any, kernel: Any, strides: tuple[int, ...]) -> Any:
    """Return the convolution with a kernel of one tap."""
    if set(strides) != {1}:
        x = x[(slice(None), *(slice(None, None, s) for s in strides))]
    shape = ops.shape(x)
    rows = ops.reshape(x, (-1, shape[-1]))
    product = ops.matmul(rows, ops.reshape(kernel, kernel.shape[-2:]))
    return ops.reshape(product, (-1, *shape[1:-1], kernel.shape[-1]))


def _by_xla(
    x: Any, kernel: Any, strides: tuple[int, ...], padding: str, dilations: tuple[int, ...]
) -> Any:
    import jax
    from jax import lax

    size, space = kernel.shape[:-2], x.shape[1:-1]
    reach = [(k - 1) * d for k, d in zip(size, dilations, strict=True)]
    wide = [r + 1 for r in reach]
    ends = lax.padtype_to_pads(space, wide, strides, padding.upper())
    named = {1: ("NHC", "HIO", "NHC"), 2: ("NHWC", "HWIO", "NHWC")}[len(size)]

    def convolved(values: Any, weights: Any, ends: Any = ends) -> Any:
        return lax.conv_general_dilated(
            values, weights, strides, ends, rhs_dilation=dilations, dimension_numbers=named
        )

    def of_weights(weights: Any, values: Any, upstream: Any) -> Any:
        return jax.vjp(lambda w: convolved(values, w), weights)[1](upstream)[0]

    def written_out(values: Any, weights: Any, ends: Any) -> Any:
        around = ops.pad(values, [(0, 0), *ends, (0, 0)])
        # XLA would take the padding back
        around = lax.optimization_barrier(around)  # type: ignore[no-untyped-call]
        return convolved(around, weights, [(0, 0)] * len(size))

    new = jax.eval_shape(convolved, x, kernel).shape[1:-1]
    few = prod(new) < prod(size)
    parts = _parts(x.shape[0], prod(new)) if prod(kernel.shape) >= LEAST_WEIGHTS else 1
    if not prod(new) or (not few and parts == 1):
        return ops.conv(x, kernel, strides, padding, "channels_last", dilations)

    @jax.custom_vjp
    def function(values: Any, weights: Any) -> Any:
        return written_out(values, weights, ends) if few else convolved(values, weights)

    def gradient(seen: Any, upstream: Any) -> tuple[Any, Any]:
        values, weights = seen
        if few and set(strides) == {1}:
            turned = ops.flip(weights, tuple(range(len(size))))
            turned = ops.swapaxes(turned, -1, -2)
            others = [(r - a, r - b) for r, (a, b) in zip(reach, ends, strict=True)]
            of_values = written_out(upstream, turned, others)
        else:
            (of_values,) = jax.vjp(lambda v: convolved(v, weights), values)[1](upstream)
        pairs = zip(ops.split(values, parts), ops.split(upstream, parts), strict=True)
        return of_values, sum(of_weights(weights, *pair) for pair in pairs)

    function.defvjp(
        lambda values, weights: (function(values, weights), (values, weights)), gradient
    )
    return function(x, kernel)


def _parts(batch: int, positions: int) -> int:
    """Return in how many equal parts of a batch the gradient of a kernel is added up."""
    most = min(batch // PART_SAMPLES, batch * positions // PART_POSITIONS, MOST_PARTS)
    return next((n for n in range(most, 1, -1) if batch % n == 0), 1)


class _Fast:
    """What the layers here share."""

    def call(self: Any, inputs: Any) -> Any:
        """Return the convolution of `inputs`."""
        if self.data_format != "channels_last" or self.groups != 1 or self.padding == "causal":
            return super().call(inputs)  # type: ignore[misc]
        outputs = convolve(inputs, self.kernel, self.strides, self.padding, self.dilation_rate)
        if self.use_bias:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)


@keras.saving.register_keras_serializable(package="selector")
class FastConv1D(_Fast, keras.layers.Conv1D):  # type: ignore[misc]
    """The function of :class:`keras.layers.Conv1D`, see :func:`convolve`.

    Takes the same arguments. Causal padding, groups and ``"channels_first"`` are
    computed as Keras does.

    Input shape
        ``(batch, time, channel)``.
    Output shape
        ``(batch, new_time, filters)``.
    """


@keras.saving.register_keras_serializable(package="selector")
class FastConv2D(_Fast, keras.layers.Conv2D):  # type: ignore[misc]
    """The function of :class:`keras.layers.Conv2D`, see :func:`convolve`.

    Takes the same arguments. Groups and ``"channels_first"`` are computed as Keras
    does.

    Input shape
        ``(batch, height, width, channel)``.
    Output shape
        ``(batch, new_height, new_width, filters)``.
    """
