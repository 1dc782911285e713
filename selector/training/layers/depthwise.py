"""Depthwise and separable convolutions as sums of shifted, scaled copies.

XLA's own depthwise convolution takes ten to a hundred times as long on a CPU as
the arithmetic in it. Here the output is the sum over the taps of a kernel of
the input, shifted and multiplied by one weight a channel. The layers are those
of Keras in weights, configuration and function;
:func:`selector.training.layers.with_standard_layers` puts Keras's in place.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import keras
from keras import ops

Shape = tuple[int | None, ...]

FOLDS = 8
"""Parts of a batch that are added up before a gradient is summed."""


def _padded(x: Any, reach: list[int], strides: tuple[int, ...], padding: str) -> Any:
    """Return `x` with the zeros of ``"same"`` padding; `reach` is a kernel's extent less one."""
    if padding != "same":
        return x
    extents = ops.shape(x)[1:-1]
    missing = [
        max((-(-n // s) - 1) * s + r + 1 - n, 0)
        for n, s, r in zip(extents, strides, reach, strict=True)
    ]
    return ops.pad(x, [[0, 0], *[[m // 2, m - m // 2] for m in missing], [0, 0]])


def shifted_sum(
    x: Any,
    kernel: Any,
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    padding: str = "valid",
) -> Any:
    """Return the depthwise convolution of `x` over one or two axes.

    Parameters
    ----------
    x : tensor, shape (batch, *space, channel)
        A series or an image; the sizes in space must be known.
    kernel : tensor, shape (*kernel_size, channel)
        One weight for each tap and channel.
    strides, dilations : tuple of int
        One for each axis of space.
    padding : {"valid", "same"}
        As in Keras.

    Returns
    -------
    tensor, shape (batch, *new_space, channel)
    """
    size = tuple(int(n) for n in kernel.shape[:-1])
    reach = [(k - 1) * d for k, d in zip(size, dilations, strict=True)]
    taps = list(product(*(range(k) for k in size)))
    x = _padded(x, reach, strides, padding)
    space = [int(n) for n in ops.shape(x)[1:-1]]
    steps = [(n - r - 1) // s + 1 for n, r, s in zip(space, reach, strides, strict=True)]

    def seen(values: Any, tap: tuple[int, ...]) -> Any:
        """Return what a tap sees at each output position."""
        cut = [
            slice(t * d, t * d + (n - 1) * s + 1, s)
            for t, d, n, s in zip(tap, dilations, steps, strides, strict=True)
        ]
        return values[(slice(None), *cut)]

    def weighted(values: Any, weights: Any) -> Any:
        total = seen(values, taps[0]) * weights[taps[0]]
        for tap in taps[1:]:
            total = total + seen(values, tap) * weights[tap]
        return total

    def gradient_of_inputs(upstream: Any, weights: Any) -> Any:
        # Read backwards: each position sums what it gave to the outputs. Strides
        # are undone by zeros in between.
        for axis, s in enumerate(strides, start=1):
            if s > 1:
                shape = list(ops.shape(upstream))
                apart = ops.expand_dims(upstream, axis + 1)
                apart = ops.pad(apart, [[0, s - 1] if a == axis + 1 else [0, 0] for a in
                                        range(len(shape) + 1)])  # fmt: skip
                shape[axis] = shape[axis] * s
                upstream = ops.reshape(apart, shape)
        extents = ops.shape(upstream)[1:-1]
        spread = ops.pad(
            upstream,
            [[0, 0], *[[r, max(n - e, 0)] for r, n, e in
                       zip(reach, space, extents, strict=True)], [0, 0]],
        )  # fmt: skip
        total = None
        for tap in taps:
            cut = [
                slice(r - t * d, r - t * d + n)
                for r, t, d, n in zip(reach, tap, dilations, space, strict=True)
            ]
            part = spread[(slice(None), *cut)] * weights[tap]
            total = part if total is None else total + part
        return total

    def gradient_of_kernel(upstream: Any, values: Any) -> Any:
        # XLA reduces value by value, but adds slices of a batch in vectors: so the
        # batch is folded first, and the taps are reduced side by side. Unfolded,
        # the products would also be too large to stay in any cache.
        batch = ops.shape(values)[0]
        folds = min(FOLDS, batch) if isinstance(batch, int) else 1
        if folds > 1 and batch % folds:
            missing = [[0, -batch % folds], *[[0, 0]] * (len(upstream.shape) - 1)]
            upstream, values = ops.pad(upstream, missing), ops.pad(values, missing)
            batch += -batch % folds
        rows = batch // folds
        parts = [slice(i * rows, (i + 1) * rows) for i in range(folds)]
        channels = int(kernel.shape[-1])
        products = []
        for tap in taps:
            given = seen(values, tap)
            total = given[parts[0]] * upstream[parts[0]]
            for part in parts[1:]:
                total = total + given[part] * upstream[part]
            products.append(ops.reshape(total, (-1, channels)))
        return ops.reshape(ops.sum(ops.concatenate(products, axis=1), axis=0), kernel.shape)

    def convolved(values: Any, weights: Any) -> tuple[Any, Any]:
        def gradient(*args: Any, upstream: Any = None) -> tuple[Any, Any]:
            if upstream is None:
                (upstream,) = args
            return gradient_of_inputs(upstream, weights), gradient_of_kernel(upstream, values)

        return weighted(values, weights), gradient

    return ops.custom_gradient(convolved)(x, ops.convert_to_tensor(kernel))


class _ByShifts:
    """What the layers here share: whether shifts can do the work, and its extent."""

    sums_in_parts = True
    """See :func:`selector.training.compiler.options`."""

    data_format: str
    depth_multiplier: int
    kernel_size: tuple[int, ...]

    def _shifted(self, inputs: Any, kernel: Any) -> Any:
        """Return the depthwise part, without bias."""
        strides, dilations = self.strides, self.dilation_rate  # type: ignore[attr-defined]
        if self.data_format != "channels_last" or self.depth_multiplier != 1:
            return ops.depthwise_conv(
                inputs, kernel, strides, self.padding, self.data_format, dilations  # type: ignore[attr-defined]
            )  # fmt: skip
        return shifted_sum(inputs, kernel[..., 0], strides, dilations, self.padding)  # type: ignore[attr-defined]

    def _finished(self, outputs: Any) -> Any:
        """Return `outputs` with bias and activation."""
        if self.use_bias:  # type: ignore[attr-defined]
            axis = 1 if self.data_format == "channels_first" else -1
            shape = [1] * len(outputs.shape)
            shape[axis] = outputs.shape[axis]
            outputs = outputs + ops.reshape(self.bias, shape)  # type: ignore[attr-defined]
        activation = self.activation  # type: ignore[attr-defined]
        return outputs if activation is None else activation(outputs)


@keras.saving.register_keras_serializable(package="selector")
class DepthwiseConv1DByShifts(_ByShifts, keras.layers.DepthwiseConv1D):  # type: ignore[misc]
    """The function of :class:`keras.layers.DepthwiseConv1D`, by shifted copies.

    Takes the same arguments. A `depth_multiplier` other than 1 and
    ``"channels_first"`` are computed as Keras does.

    Input shape
        ``(batch, time, channel)``.
    Output shape
        ``(batch, new_time, channel * depth_multiplier)``.
    """

    def call(self, inputs: Any) -> Any:
        """Return the convolved series."""
        return self._finished(self._shifted(inputs, self.kernel))

    def count_macs(self, inputs: Shape, outputs: Shape) -> int:
        """Return the multiply-adds of one sample: each tap once for each output value."""
        return prod(self.kernel_size) * prod(int(n or 1) for n in outputs)


@keras.saving.register_keras_serializable(package="selector")
class DepthwiseConv2DByShifts(_ByShifts, keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """The function of :class:`keras.layers.DepthwiseConv2D`, by shifted copies.

    Takes the same arguments. A `depth_multiplier` other than 1 and
    ``"channels_first"`` are computed as Keras does.

    Input shape
        ``(batch, height, width, channel)``.
    Output shape
        ``(batch, new_height, new_width, channel * depth_multiplier)``.
    """

    def call(self, inputs: Any) -> Any:
        """Return the convolved image."""
        return self._finished(self._shifted(inputs, self.kernel))

    def count_macs(self, inputs: Shape, outputs: Shape) -> int:
        """Return the multiply-adds of one sample: each tap once for each output value."""
        return prod(self.kernel_size) * prod(int(n or 1) for n in outputs)


@keras.saving.register_keras_serializable(package="selector")
class SeparableConv1DByShifts(_ByShifts, keras.layers.SeparableConv1D):  # type: ignore[misc]
    """The function of :class:`keras.layers.SeparableConv1D`, its first half by shifted copies.

    Takes the same arguments. A `depth_multiplier` other than 1 and
    ``"channels_first"`` are computed as Keras does.

    Input shape
        ``(batch, time, channel)``.
    Output shape
        ``(batch, new_time, filters)``.

    References
    ----------
    Chollet, "Xception: deep learning with depthwise separable convolutions",
    CVPR 2017.
    """

    def call(self, inputs: Any) -> Any:
        """Return the convolved series."""
        if self.data_format != "channels_last" or self.depth_multiplier != 1:
            return super().call(inputs)
        depthwise = self._shifted(inputs, self.depthwise_kernel)
        return self._finished(ops.matmul(depthwise, self.pointwise_kernel[0]))

    def count_macs(self, inputs: Shape, outputs: Shape) -> int:
        """Return the multiply-adds of one sample: the taps, then a matrix for each step."""
        wide = int(inputs[-1] or 1) * self.depth_multiplier
        return prod(int(n or 1) for n in outputs[:-1]) * wide * (
            prod(self.kernel_size) + int(outputs[-1] or 1)
        )  # fmt: skip
