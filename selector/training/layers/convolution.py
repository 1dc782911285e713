"""Convolution blocks for series and images."""

from __future__ import annotations

from typing import Any

import keras

from selector.training.layers.convolve import FastConv1D, FastConv2D
from selector.training.layers.depthwise import SeparableConv1DByShifts
from selector.training.layers.masking import ApplyMask, SubsampleMask
from selector.training.layers.maxpool import LOWEST, MaxPool1DBySlices, MaxPool2DByReshape
from selector.training.layers.normalization import OnePassBatchNormalization


def conv_block(
    x: Any,
    mask: Any,
    filters: int,
    kernel: int,
    stride: int = 1,
    dilation: int = 1,
    causal: bool = False,
    activation: bool = True,
) -> tuple[Any, Any]:
    """Convolution, batch normalisation and ReLU over time, independent of padding.

    Output step ``i`` is centred on input step ``i * stride``, or ends there.
    Both ends are filled with a fixed number of zeros, so that neither alignment
    nor values depend on how far a batch is padded; statistics for the
    normalisation come from real steps only.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, time, channel)
        The series.
    mask : keras.KerasTensor of bool, shape (batch, time), or None
        True on real steps.
    filters, kernel, stride, dilation : int
        As for :class:`keras.layers.Conv1D`.
    causal : bool
        Whether a step sees itself and earlier steps only.
    activation : bool
        Whether a ReLU follows.

    Returns
    -------
    x : keras.KerasTensor, shape (batch, ceil(time / stride), filters)
        Zero at masked steps.
    mask : keras.KerasTensor of bool or None
        Shortened `stride` times.
    """
    layer = FastConv1D(filters, kernel, strides=stride, dilation_rate=dilation, use_bias=False)
    return _convolved(layer, x, mask, causal, activation)


def separable_block(
    x: Any,
    mask: Any,
    filters: int,
    kernel: int,
    stride: int = 1,
    dilation: int = 1,
    activation: bool = True,
) -> tuple[Any, Any]:
    """Return what :func:`conv_block` returns, with a depthwise separable convolution.

    Each channel is convolved by itself, then a matrix mixes the channels: for
    wide kernels a small share of the weights and of the arithmetic.
    """
    layer = SeparableConv1DByShifts(
        filters, kernel, strides=stride, dilation_rate=dilation, use_bias=False
    )
    return _convolved(layer, x, mask, False, activation)


def _convolved(layer: Any, x: Any, mask: Any, causal: bool, activation: bool) -> tuple[Any, Any]:
    """Return what a convolution makes of a series, normalised, and the mask of its steps."""
    (kernel,), (stride,), (dilation,) = layer.kernel_size, layer.strides, layer.dilation_rate
    x = layer(_filled(x, mask, (kernel - 1) * dilation, causal))
    if mask is not None and stride > 1:
        mask = SubsampleMask(stride)(mask)
    return normalized(x, mask, activation), mask


def _filled(x: Any, mask: Any, reach: int, causal: bool) -> Any:
    """Return a series with `reach` zeros around it, or before it, and zero at masked steps."""
    if mask is not None:
        x = ApplyMask()(x, mask=mask)
    if not reach:
        return x
    ends = (reach, 0) if causal else (reach // 2, reach - reach // 2)
    return keras.layers.ZeroPadding1D(ends)(x)


def normalized(x: Any, mask: Any, activation: bool = True) -> Any:
    """Batch normalisation and, where `activation` says so, a ReLU; zero at masked steps.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, time, channel)
        The series.
    mask : keras.KerasTensor of bool, shape (batch, time), or None
        True on real steps.
    """
    x = OnePassBatchNormalization(momentum=0.9)(x, mask=mask)
    if activation:
        x = keras.layers.ReLU()(x)
    return x if mask is None else ApplyMask()(x, mask=mask)


def sliding_max(x: Any, mask: Any, size: int = 3) -> Any:
    """Return the maximum over real steps among the `size` steps around each step.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, time, channel)
        The series.
    mask : keras.KerasTensor of bool, shape (batch, time), or None
        True on real steps; others never are the maximum.

    Returns
    -------
    keras.KerasTensor, shape (batch, time, channel)
        Zero at masked steps.
    """
    if mask is None:
        return MaxPool1DBySlices(size)(x)
    x = MaxPool1DBySlices(size)(ApplyMask(LOWEST)(x, mask=mask))
    return ApplyMask()(x, mask=mask)


def conv2d_block(
    x: Any, filters: int, kernel: int = 3, stride: int = 1, pool: tuple[int, int] = (1, 1)
) -> Any:
    """Convolution, max pooling, batch normalisation and ReLU over an image.

    Pooling comes before the normalisation, which then has a quarter of the
    values to go through: with 32 filters on 28 × 28 images that makes a training
    step several times faster on a CPU.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, height, width, channel)
        The image.
    filters, kernel, stride : int
        As for :class:`keras.layers.Conv2D`, with ``"same"`` padding.
    pool : tuple of int
        Height and width of a pooling window; ``(1, 1)`` for none.

    Returns
    -------
    keras.KerasTensor, shape (batch, height, width, filters)
        Height and width divided by `stride`, rounded up, then by `pool`,
        rounded down.
    """
    x = FastConv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
    )(x)
    if tuple(pool) != (1, 1):
        x = MaxPool2DByReshape(pool)(x)
    x = OnePassBatchNormalization(momentum=0.9)(x)
    return keras.layers.ReLU()(x)
