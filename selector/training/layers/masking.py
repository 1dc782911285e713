"""Series and their masks on the way through a network: layout, zeroing, striding, patching."""

from __future__ import annotations

from math import prod
from typing import Any

import keras
from keras import ops

Shape = tuple[int | None, ...]


def ceil_div(length: int | None, size: int) -> int | None:
    """Return ``length / size`` rounded up; None for a length that is not known."""
    return None if length is None else -(-length // size)


class TakesMask(keras.layers.Layer):  # type: ignore[misc]
    """Base of layers that are given a mask and pass none on.

    Keras hands the mask of a layer's input to its output by itself where
    ``supports_masking`` is set, and warns where it is not. Here masks travel
    as tensors of their own, so the output carries none.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: the output carries no mask."""
        return None


@keras.saving.register_keras_serializable(package="selector")
class ApplyMask(TakesMask):
    """Set masked steps to zero, or to `value`, whatever they hold (NaN too).

    Parameters
    ----------
    value : float
        What masked steps get.

    Input shape
        ``(batch, time, channel)`` and a mask ``(batch, time)``, True on real steps.
    Output shape
        ``(batch, time, channel)``.
    """

    def __init__(self, value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value = float(value)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return `inputs` with `value` where `mask` is False."""
        if mask is None:
            return inputs
        return ops.where(ops.expand_dims(mask, -1), inputs, ops.full_like(inputs, self.value))

    def compute_output_shape(self, inputs_shape: Shape, mask_shape: Shape | None = None) -> Shape:
        """Return the shape of the input."""
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the layer can be rebuilt."""
        return {**super().get_config(), "value": self.value}


@keras.saving.register_keras_serializable(package="selector")
class SubsampleMask(keras.layers.Layer):  # type: ignore[misc]
    """Keep every `stride`-th step of a mask, beginning with the first.

    It is the mask that goes with a strided :func:`conv_block` or a
    :class:`Patch`: an output step is real where the first input step that it
    stands for is.

    Input shape
        ``(batch, time)``, bool.
    Output shape
        ``(batch, ceil(time / stride))``, bool.
    """

    def __init__(self, stride: int, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "bool")
        super().__init__(**kwargs)
        self.stride = stride

    def call(self, inputs: Any) -> Any:
        """Return every `stride`-th column."""
        return inputs[:, :: self.stride]

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        """Return ``(batch, ceil(time / stride))``."""
        return (inputs_shape[0], ceil_div(inputs_shape[1], self.stride))

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the layer can be rebuilt."""
        return {**super().get_config(), "stride": self.stride}


@keras.saving.register_keras_serializable(package="selector")
class Patch(TakesMask):
    """Join each `size` consecutive steps into one, as channels.

    It shortens a long series for a recurrent layer without losing a value. A
    last patch that is not full is filled with zeros; so are masked steps.

    Input shape
        ``(batch, time, channel)`` and, where lengths vary, a mask ``(batch, time)``.
    Output shape
        ``(batch, ceil(time / size), size * channel)``.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the patches of `inputs`, in order."""
        if mask is not None:
            inputs = ops.where(ops.expand_dims(mask, -1), inputs, ops.zeros_like(inputs))
        batch, steps, channels = ops.shape(inputs)
        missing = -steps % self.size
        padded = ops.pad(inputs, [[0, 0], [0, missing], [0, 0]])
        return ops.reshape(
            padded, (batch, (steps + missing) // self.size, self.size * int(channels))
        )

    def compute_output_shape(self, inputs_shape: Shape, mask_shape: Shape | None = None) -> Shape:
        """Return ``(batch, ceil(time / size), size * channel)``."""
        batch, steps, channels = inputs_shape
        assert channels is not None
        return (batch, ceil_div(steps, self.size), self.size * channels)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the layer can be rebuilt."""
        return {**super().get_config(), "size": self.size}


def as_series(x: Any) -> Any:
    """Read an image as the series of its rows, and a clip as that of its frames.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, time, channel), (batch, height, width, channel) \
        or (batch, time, height, width, channel)
        Samples of any of these forms; a series stays as it is.

    Returns
    -------
    keras.KerasTensor, shape (batch, length, channel)
        All values of a row, or of a frame, are the channels of one step.
    """
    if len(x.shape) == 3:
        return x
    return keras.layers.Reshape((x.shape[1], prod(x.shape[2:])))(x)


def patch(x: Any, mask: Any, size: int) -> tuple[Any, Any]:
    """Shorten a series `size` times by :class:`Patch`, and its mask with it.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, time, channel)
        The series.
    mask : keras.KerasTensor of bool, shape (batch, time), or None
        True on real steps.
    size : int
        Steps in a patch; 1 leaves everything as it is.

    Returns
    -------
    x : keras.KerasTensor, shape (batch, ceil(time / size), size * channel)
    mask : keras.KerasTensor of bool or None
        A patch is real where its first step is.
    """
    if size == 1:
        return x, mask
    if mask is None:
        return Patch(size)(x), None
    return Patch(size)(x, mask=mask), SubsampleMask(size)(mask)
