"""Max pooling of series and images whose gradient is fast on a CPU."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from selector.training.layers.masking import Shape

LOWEST = -1e9


@keras.saving.register_keras_serializable(package="selector")
class MaxPool1DBySlices(keras.layers.Layer):  # type: ignore[misc]
    """Maximum over a sliding window: ``MaxPooling1D(pool_size, strides=1, padding="same")``.

    The maximum of `pool_size` shifted copies; of equal values the first gets
    the gradient, as in the standard layer, whose gradient is several times
    slower on a CPU. :func:`with_standard_layers` puts that in place. It reads
    padded steps as they are: see
    :func:`selector.training.layers.sliding_max` for series with a mask.

    Parameters
    ----------
    pool_size : int
        Steps in a window.

    Input shape
        ``(batch, time, channel)``.
    Output shape
        ``(batch, time, channel)``.
    """

    def __init__(self, pool_size: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size = int(pool_size)

    def call(self, inputs: Any) -> Any:
        """Return the maximum around each step."""
        before = (self.pool_size - 1) // 2
        ends = [[0, 0], [before, self.pool_size - 1 - before], [0, 0]]
        steps = ops.shape(inputs)[1]
        padded = ops.pad(inputs, ends, constant_values=float("-inf"))
        highest = padded[:, :steps]
        for i in range(1, self.pool_size):
            other = padded[:, i : i + steps]
            # a choice has a cheaper gradient than a maximum, which shares it between equals
            highest = ops.where(highest >= other, highest, other)
        return highest

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the layer can be rebuilt."""
        return {**super().get_config(), "pool_size": self.pool_size}


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
