"""Layers for clips, made of two-dimensional convolutions: fast on a CPU, standard when saved."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import keras
from keras import ops

from selector.training.layers.convolve import convolve
from selector.training.layers.normalization import OnePassBatchNormalization

Shape = tuple[int | None, ...]


def conv3d_block(
    x: Any,
    filters: int,
    kernel: Sequence[int] = (3, 3, 3),
    pool: Sequence[int] = (1, 1, 1),
) -> Any:
    """Convolution, max pooling, batch normalisation and ReLU over a clip.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, time, height, width, channel)
        The clip; time, height and width are fixed.
    filters, kernel : int, sequence of int
        As for :class:`keras.layers.Conv3D`, with ``"same"`` padding. A kernel of one
        step in time sees each frame alone.
    pool : sequence of int
        Steps, height and width of a pooling window; ``(1, 1, 1)`` for none.

    Returns
    -------
    keras.KerasTensor, shape (batch, time, height, width, filters)
        Time, height and width divided by `pool`, rounded down.
    """
    x = Conv3DByFrames(filters, tuple(kernel), padding="same", use_bias=False)(x)
    if tuple(pool) != (1, 1, 1):
        x = MaxPool3DByReshape(pool)(x)
    x = OnePassBatchNormalization(momentum=0.9)(x)
    return keras.layers.ReLU()(x)


def shrink_clips(x: Any, steps: int, side: int) -> Any:
    """Average clips down to at most `steps` frames and `side` pixels a side.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, time, height, width, channel)
        The clips; time, height and width are fixed.
    steps, side : int
        The most frames, and the most pixels of height and width.

    Returns
    -------
    keras.KerasTensor
        `x` itself where nothing is too large; each axis is divided by itself.
    """
    window = (-(-x.shape[1] // steps), *(-(-extent // side) for extent in x.shape[2:4]))
    return x if window == (1, 1, 1) else keras.layers.AveragePooling3D(window, padding="same")(x)


@keras.saving.register_keras_serializable(package="selector")
class Conv3DByFrames(keras.layers.Conv3D):  # type: ignore[misc]
    """The function of ``Conv3D`` with ``"same"`` padding, by one convolution over frames.

    Each frame gets the channels of its neighbours in time beside its own, and
    all frames of the batch go through one two-dimensional convolution. XLA's
    own three-dimensional convolution takes three to five times as long on a CPU
    (forward and gradient). The weights are those of the standard layer;
    :func:`selector.training.layers.with_standard_layers` puts it in place.

    Input shape
        ``(batch, time, height, width, channel)``.
    Output shape
        ``(batch, time, height, width, filters)``.
    """

    def call(self, inputs: Any) -> Any:
        """Return the convolution of `inputs`."""
        shape = ops.shape(inputs)
        span, high, wide, channels = self.kernel.shape[:4]
        frames, kernel = inputs, self.kernel[0]
        if span > 1:
            steps, before = shape[1], (span - 1) // 2
            around = ops.pad(inputs, ((0, 0), (before, span - 1 - before), *((0, 0),) * 3))
            frames = ops.concatenate([around[:, i : i + steps] for i in range(span)], axis=-1)
            kernel = ops.reshape(
                ops.transpose(self.kernel, (1, 2, 0, 3, 4)),
                (high, wide, span * channels, self.filters),
            )
        frames = ops.reshape(frames, (-1, *shape[2:4], span * channels))
        out = convolve(frames, kernel, padding="same")
        out = ops.reshape(out, (-1, *shape[1:4], self.filters))
        if self.use_bias:
            out = out + self.bias
        return out if self.activation is None else self.activation(out)


@keras.saving.register_keras_serializable(package="selector")
class MaxPool3DByReshape(keras.layers.Layer):  # type: ignore[misc]
    """Max pooling without overlap: the function of ``MaxPooling3D(pool_size)``.

    See :class:`selector.training.layers.MaxPool2DByReshape`.

    Parameters
    ----------
    pool_size : sequence of int
        Steps, height and width of a window.

    Input shape
        ``(batch, time, height, width, channel)``.
    Output shape
        The same with time, height and width divided, rounded down.
    """

    def __init__(self, pool_size: Sequence[int] = (2, 2, 2), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        span, high, wide = pool_size
        self.pool_size = (int(span), int(high), int(wide))

    def call(self, inputs: Any) -> Any:
        """Return the maximum of each window."""
        shape, channels = ops.shape(inputs), inputs.shape[-1]
        counts = [extent // size for extent, size in zip(shape[1:4], self.pool_size, strict=True)]
        steps, rows, columns = (c * s for c, s in zip(counts, self.pool_size, strict=True))
        cut = inputs[:, :steps, :rows, :columns]
        windows = [part for pair in zip(counts, self.pool_size, strict=True) for part in pair]
        return ops.max(ops.reshape(cut, (-1, *windows, channels)), axis=(2, 4, 6))

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        """Return the shape with time, height and width divided, rounded down."""
        sizes = zip(inputs_shape[1:4], self.pool_size, strict=True)
        divided = [None if extent is None else extent // size for extent, size in sizes]
        return (inputs_shape[0], *divided, inputs_shape[4])

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the layer can be rebuilt."""
        return {**super().get_config(), "pool_size": list(self.pool_size)}


@keras.saving.register_keras_serializable(package="selector")
class ConvLSTM2DByProducts(keras.layers.ConvLSTM2D):  # type: ignore[misc]
    """The function of ``ConvLSTM2D`` with ``"same"`` padding, without a convolution in its loop.

    The standard layer convolves inside a loop, which XLA does many times slower
    on a CPU. Here the inputs of all steps and gates go through one convolution
    before the loop, and a step is one matrix product over the neighbourhoods
    of its state; that also compiles three times faster than a convolution for
    each step written out. The weights are those of the standard layer;
    :func:`selector.training.layers.with_standard_layers` puts it in place.

    Parameters
    ----------
    filters, kernel_size : int
        As for :class:`keras.layers.ConvLSTM2D`; strides, dilation, dropout and masks
        are not supported.

    Input shape
        ``(batch, time, height, width, channel)``; all but batch fixed.
    Output shape
        ``(batch, height, width, filters)``, or a map for each step with
        ``return_sequences``.

    References
    ----------
    Shi et al., "Convolutional LSTM network: a machine learning approach for
    precipitation nowcasting", NeurIPS 2015.
    """

    sums_in_parts = True
    """See :func:`selector.training.compiler.options`."""

    def __init__(self, filters: int, kernel_size: Any = 3, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, **{"padding": "same", **kwargs})

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> Any:
        """Return the last hidden map, or that of every step."""
        cell, filters = self.cell, self.filters
        steps, high, wide, channels = sequences.shape[1:]
        frames = ops.reshape(sequences, (-1, high, wide, channels))
        driven = convolve(frames, cell.kernel, padding="same")
        if cell.bias is not None:
            driven = driven + cell.bias
        driven = ops.reshape(driven, (-1, steps, high, wide, 4 * filters))
        kernel = ops.reshape(cell.recurrent_kernel, (-1, 4 * filters))

        def step(states: Any, gates: Any) -> Any:
            hidden, carry = states
            gates = gates + ops.matmul(self._neighbourhoods(hidden), kernel)
            enter, forget, new, leave = ops.split(gates, 4, axis=-1)
            carry = cell.recurrent_activation(forget) * carry
            carry = carry + cell.recurrent_activation(enter) * cell.activation(new)
            hidden = cell.recurrent_activation(leave) * cell.activation(carry)
            return (hidden, carry), hidden if self.return_sequences else None

        start = ops.zeros_like(driven[:, 0, ..., :filters])
        (hidden, _), maps = ops.scan(step, (start, start), ops.moveaxis(driven, 1, 0))
        return ops.moveaxis(maps, 0, 1) if self.return_sequences else hidden

    def _neighbourhoods(self, maps: Any) -> Any:
        """Return, at each position, all values under the recurrent kernel."""
        high, wide = maps.shape[1:3]
        rows, columns = self.cell.recurrent_kernel.shape[:2]
        around = [((size - 1) // 2, size // 2) for size in (rows, columns)]
        padded = ops.pad(maps, ((0, 0), *around, (0, 0)))
        return ops.concatenate(
            [padded[:, i : i + high, j : j + wide] for i in range(rows) for j in range(columns)],
            axis=-1,
        )

    def count_macs(self, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> int:
        """Return the multiply-adds of one sample: both kernels at every position and step."""
        weights = prod(self.cell.kernel.shape) + prod(self.cell.recurrent_kernel.shape)
        return int(weights * input_shape[0] * prod(output_shape[-3:-1]))
