"""Batch normalisation whose statistics are taken in one pass."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="selector")
class OnePassBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """The function of :class:`keras.layers.BatchNormalization` over the last axis.

    Mean and variance come from one pass over the batch, as the first two
    moments about the moving mean, and scale and offset are folded into one
    multiplication and one addition for each value. The gradient then reads the
    batch half as often, which is what counts on a CPU. The weights are those of
    the standard layer; :func:`selector.training.layers.with_standard_layers`
    puts it in place.

    Input shape
        ``(batch, ..., channel)``, and optionally a mask without the last axis.
    Output shape
        As the input.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the normalised inputs; statistics come from unmasked positions only."""
        x = ops.cast(inputs, "float32")
        if training and self.trainable:
            mean, variance = self._statistics(x, mask)
            keep = self.momentum
            self.moving_mean.assign(keep * self.moving_mean + (1 - keep) * mean)
            self.moving_variance.assign(keep * self.moving_variance + (1 - keep) * variance)
        else:
            mean = ops.convert_to_tensor(self.moving_mean)
            variance = ops.convert_to_tensor(self.moving_variance)
        scale = ops.rsqrt(variance + self.epsilon)
        if self.scale:
            scale = scale * self.gamma
        offset = -mean * scale
        if self.center:
            offset = offset + self.beta
        return ops.cast(x * scale + offset, self.compute_dtype)

    def _statistics(self, x: Any, mask: Any) -> tuple[Any, Any]:
        """Return mean and variance of each channel over the unmasked positions."""
        about = ops.stop_gradient(ops.convert_to_tensor(self.moving_mean))
        axes = tuple(range(len(x.shape) - 1))
        centred = x - about
        if mask is None:
            first, second = ops.mean(centred, axes), ops.mean(ops.square(centred), axes)
        else:
            centred = ops.where(ops.expand_dims(mask, -1), centred, ops.zeros_like(centred))
            total = ops.maximum(ops.sum(ops.cast(mask, x.dtype)), 1.0)
            first = ops.sum(centred, axes) / total
            second = ops.sum(ops.square(centred), axes) / total
        variance = ops.maximum(second - ops.square(first), 0.0)
        return about + first, variance
