"""Pooling over the real steps of a series: mean, deviation, maximum, attention, last."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from selector.errors import OptionError, did_you_mean
from selector.training.layers.masking import TakesMask

Shape = tuple[int | None, ...]
POOLINGS = ("mean", "max", "mean+max", "attention", "last")
LOWEST = -1e9


class _OverTime(TakesMask):
    """Base of layers from ``(batch, time, channel)`` to ``(batch, channel)``."""

    def compute_output_shape(self, inputs_shape: Shape, mask_shape: Shape | None = None) -> Shape:
        """Return ``(batch, channel)``."""
        return (inputs_shape[0], inputs_shape[-1])


def _zeroed(inputs: Any, mask: Any) -> Any:
    """Return `inputs` with zeros at masked steps."""
    return ops.where(ops.expand_dims(mask, -1), inputs, ops.zeros_like(inputs))


def _masked_mean(inputs: Any, mask: Any) -> Any:
    """Return the mean over real steps; zero for a series without any."""
    if mask is None:
        return ops.mean(inputs, axis=1)
    count = ops.sum(ops.cast(mask, inputs.dtype), axis=1, keepdims=True)
    return ops.sum(_zeroed(inputs, mask), axis=1) / ops.maximum(count, 1.0)


@keras.saving.register_keras_serializable(package="selector")
class MaskedMeanPooling(_OverTime):
    """Mean over the real steps; zero for a series that has none.

    Input shape
        ``(batch, time, channel)`` and a mask ``(batch, time)``, or None.
    Output shape
        ``(batch, channel)``.
    """

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mean of `inputs` over time."""
        return _masked_mean(inputs, mask)


@keras.saving.register_keras_serializable(package="selector")
class MaskedStdPooling(_OverTime):
    """Standard deviation over the real steps.

    Keras's epsilon is added to the variance, so that the root has a gradient:
    a constant series gives its square root, and so does one without real steps.

    Input shape
        ``(batch, time, channel)`` and a mask ``(batch, time)``, or None.
    Output shape
        ``(batch, channel)``.
    """

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the standard deviation of `inputs` over time."""
        centred = inputs - ops.expand_dims(_masked_mean(inputs, mask), 1)
        return ops.sqrt(_masked_mean(ops.square(centred), mask) + keras.config.epsilon())


@keras.saving.register_keras_serializable(package="selector")
class MaskedMaxPooling(_OverTime):
    """Maximum over the real steps; zero for a series that has none.

    Input shape
        ``(batch, time, channel)`` and a mask ``(batch, time)``, or None.
    Output shape
        ``(batch, channel)``.
    """

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the maximum of `inputs` over time."""
        if mask is None:
            return ops.max(inputs, axis=1)
        real = ops.expand_dims(mask, -1)
        highest = ops.max(ops.where(real, inputs, LOWEST * ops.ones_like(inputs)), axis=1)
        return ops.where(ops.any(real, axis=1), highest, ops.zeros_like(highest))


@keras.saving.register_keras_serializable(package="selector")
class LastStep(_OverTime):
    """The values at the last real step; zeros for a series that has none.

    Real steps are expected to come first, padding after them.

    Input shape
        ``(batch, time, channel)`` and a mask ``(batch, time)``, or None.
    Output shape
        ``(batch, channel)``.
    """

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return `inputs` at the last real step of each sample."""
        if mask is None:
            return inputs[:, -1]
        length = ops.sum(ops.cast(mask, "int32"), axis=1)
        index = ops.reshape(ops.maximum(length - 1, 0), (-1, 1, 1))
        last = ops.squeeze(ops.take_along_axis(inputs, index, axis=1), axis=1)
        return ops.where(ops.expand_dims(length, -1) > 0, last, ops.zeros_like(last))


@keras.saving.register_keras_serializable(package="selector")
class MaskedAttentionPooling(_OverTime):
    """Mean over the real steps, weighted by learnt additive attention.

    Parameters
    ----------
    units : int
        Size of the hidden layer that scores a step.

    Input shape
        ``(batch, time, channel)`` and a mask ``(batch, time)``, or None.
    Output shape
        ``(batch, channel)``.

    References
    ----------
    Yang et al., "Hierarchical attention networks for document
    classification", NAACL 2016.
    """

    def __init__(self, units: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, inputs_shape: Shape, mask_shape: Shape | None = None) -> None:
        """Create the weights that score a step."""
        shape = (inputs_shape[-1], self.units)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.context = self.add_weight(
            name="context", shape=(self.units, 1), initializer="glorot_uniform"
        )
        super().build(inputs_shape)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the weighted mean of `inputs` over time."""
        if mask is not None:
            inputs = _zeroed(inputs, mask)
        hidden = ops.tanh(ops.matmul(inputs, self.kernel) + self.bias)
        score = ops.matmul(hidden, self.context)
        if mask is not None:
            score = ops.where(ops.expand_dims(mask, -1), score, LOWEST * ops.ones_like(score))
        return ops.sum(ops.softmax(score, axis=1) * inputs, axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the layer can be rebuilt."""
        return {**super().get_config(), "units": self.units}


def pool(x: Any, mask: Any, pooling: str) -> Any:
    """Pool a sequence over its real steps.

    Standard Keras layers are used where no mask is needed and they are equal.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, time, channel)
        The sequence.
    mask : keras.KerasTensor of bool, shape (batch, time), or None
        True on real steps.
    pooling : {"mean", "max", "mean+max", "attention", "last"}
        How to pool.

    Returns
    -------
    keras.KerasTensor, shape (batch, channel)
        ``(batch, 2 * channel)`` for ``"mean+max"``.

    Raises
    ------
    selector.errors.OptionError
        For any other `pooling`.
    """
    if pooling == "mean+max":
        parts = [pool(x, mask, "mean"), pool(x, mask, "max")]
        return keras.layers.Concatenate()(parts)
    if pooling == "attention":
        return MaskedAttentionPooling()(x, mask=mask)
    if pooling == "last":
        return LastStep()(x, mask=mask)
    if pooling == "mean":
        if mask is None:
            return keras.layers.GlobalAveragePooling1D()(x)
        return MaskedMeanPooling()(x, mask=mask)
    if pooling == "max":
        if mask is None:
            return keras.layers.GlobalMaxPooling1D()(x)
        return MaskedMaxPooling()(x, mask=mask)
    raise OptionError(
        f"pooling must be one of {', '.join(POOLINGS)}, not {pooling!r}."
        + did_you_mean(str(pooling), POOLINGS)
    )
