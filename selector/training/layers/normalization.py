"""Batch normalisation whose statistics are taken in one pass."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def scaled(x: Any, scale: Any, offset: Any) -> Any:
    """Return ``x * scale + offset``; both gradients are summed while `x` is read once.

    Parameters
    ----------
    x : tensor, shape (..., channel)
    scale, offset : tensor, shape (channel,)
    """

    def forward(values: Any, factor: Any, term: Any) -> tuple[Any, Any]:
        def gradient(*args: Any, upstream: Any = None) -> tuple[Any, Any, Any]:
            if upstream is None:
                (upstream,) = args
            of_scale, of_offset = _sums(upstream, values)
            return upstream * factor, of_scale, of_offset

        return values * factor + term, gradient

    return ops.custom_gradient(forward)(x, scale, offset)


def _sums(upstream: Any, values: Any) -> tuple[Any, Any]:
    """Return the sums over all positions of the products, and of `upstream` alone."""
    shape = (-1, values.shape[-1])
    given, values = ops.reshape(upstream, shape), ops.reshape(values, shape)
    products = given * values
    count = given.shape[0]
    if isinstance(count, int) and count % 2 == 0:  # XLA adds slices faster than it sums
        half = count // 2
        given, products = given[:half] + given[half:], products[:half] + products[half:]
    return ops.sum(products, axis=0), ops.sum(given, axis=0)


@keras.saving.register_keras_serializable(package="selector")
class OnePassBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """The function of :class:`keras.layers.BatchNormalization` over the last axis.

    Mean and variance come from one pass over the batch, as the first two
    moments about the moving mean, and scale and offset are folded into one
    multiplication and one addition for each value, whose gradients are summed in
    one pass as well. The batch is then read half as often, which is what counts on a
    CPU. The weights are those of
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
        return ops.cast(scaled(x, scale, offset), self.compute_dtype)

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
