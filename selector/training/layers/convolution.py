"""Convolution blocks for series and images, and max pooling that is fast on a CPU."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from selector.training.layers.clips import standard_clip_layer
from selector.training.layers.dropout import FastDropout
from selector.training.layers.initializers import GlorotUniform, with_standard_initializers
from selector.training.layers.masking import ApplyMask, SubsampleMask

Shape = tuple[int | None, ...]


def conv_block(
    x: Any,
    mask: Any,
    filters: int,
    kernel: int,
    stride: int = 1,
    dilation: int = 1,
) -> tuple[Any, Any]:
    """Convolution, batch normalisation and ReLU over time, independent of padding.

    Output step ``i`` is centred on input step ``i * stride``. Both ends are
    filled with a fixed number of zeros, so that neither alignment nor values
    depend on how far a batch is padded; statistics for the normalisation
    come from real steps only.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, time, channel)
        The series.
    mask : keras.KerasTensor of bool, shape (batch, time), or None
        True on real steps.
    filters, kernel, stride, dilation : int
        As for :class:`keras.layers.Conv1D`.

    Returns
    -------
    x : keras.KerasTensor, shape (batch, ceil(time / stride), filters)
        Zero at masked steps.
    mask : keras.KerasTensor of bool or None
        Shortened `stride` times.
    """
    if mask is not None:
        x = ApplyMask()(x, mask=mask)
    reach = (kernel - 1) * dilation
    if reach:
        x = keras.layers.ZeroPadding1D((reach // 2, reach - reach // 2))(x)
    x = keras.layers.Conv1D(
        filters,
        kernel,
        strides=stride,
        dilation_rate=dilation,
        use_bias=False,
        kernel_initializer=GlorotUniform(),
    )(x)
    if mask is not None and stride > 1:
        mask = SubsampleMask(stride)(mask)
    x = keras.layers.BatchNormalization(momentum=0.9)(x, mask=mask)
    x = keras.layers.ReLU()(x)
    if mask is not None:
        x = ApplyMask()(x, mask=mask)
    return x, mask


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
    x = keras.layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer=GlorotUniform(),
    )(x)
    if tuple(pool) != (1, 1):
        x = MaxPool2DByReshape(pool)(x)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.layers.ReLU()(x)


@keras.saving.register_keras_serializable(package="selector")
class MaxPool2DByReshape(keras.layers.Layer):  # type: ignore[misc]
    """Max pooling without overlap: the function of ``MaxPooling2D(pool_size)``.

    The image is cut into windows by a reshape and the maximum taken over two
    axes. XLA's gradient of the standard layer is about three times slower on a
    CPU. Rows and columns left over at the lower and right edge are dropped, as
    the standard layer does; :func:`with_standard_layers` puts it in place.

    Parameters
    ----------
    pool_size : tuple of int
        Height and width of a window.

    Input shape
        ``(batch, height, width, channel)``.
    Output shape
        ``(batch, height // pool_size[0], width // pool_size[1], channel)``.
    """

    def __init__(self, pool_size: tuple[int, int] = (2, 2), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size = (int(pool_size[0]), int(pool_size[1]))

    def call(self, inputs: Any) -> Any:
        """Return the maximum of each window."""
        high, wide = self.pool_size
        batch, height, width, channels = ops.shape(inputs)
        rows, columns = height // high, width // wide
        cut = inputs[:, : rows * high, : columns * wide]
        windows = ops.reshape(cut, (batch, rows, high, columns, wide, channels))
        return ops.max(windows, axis=(2, 4))

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        """Return the shape with height and width divided, rounded down."""
        batch, height, width, channels = inputs_shape
        high, wide = self.pool_size
        return (
            batch,
            None if height is None else height // high,
            None if width is None else width // wide,
            channels,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the layer can be rebuilt."""
        return {**super().get_config(), "pool_size": list(self.pool_size)}


def with_standard_layers(model: Any) -> Any:
    """Return a copy of `model` with standard Keras layers where equal ones exist.

    Weights are copied. Meant for saving: the copy predicts the same, but is
    slower to train.

    Parameters
    ----------
    model : keras.Model
        A functional model.

    Returns
    -------
    keras.Model
    """

    def standard(layer: Any) -> Any:
        if isinstance(layer, MaxPool2DByReshape):
            return keras.layers.MaxPooling2D(layer.pool_size, name=layer.name)
        if isinstance(layer, FastDropout):
            return keras.layers.Dropout(layer.rate, name=layer.name)
        config = with_standard_initializers(layer.get_config())
        return standard_clip_layer(layer, config) or layer.__class__.from_config(config)

    copy = keras.models.clone_model(model, clone_function=standard)
    for new, old in zip(copy.weights, model.weights, strict=True):
        new.assign(old)
    return copy
