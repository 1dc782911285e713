"""Batch normalisation whose statistics are taken in one pass."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

MANY, PARTS = 1 << 17, 256
"""More numbers are added in so many parts first, so that none is lost beside a large sum."""


def added(values: Any, masked: bool = False) -> Any:
    """Return the sum of each channel over all positions.

    Parameters
    ----------
    values : tensor, shape (..., channel)
    masked : bool
        Whether a mask is part of what is summed. All positions are then one axis, where XLA
        would go over rows and steps, or look up row and step of each number for its mask.
    """
    channels = values.shape[-1]
    if masked:
        values = _as_it_is(values)
    values = ops.reshape(values, (-1, channels))
    count = values.shape[0]
    if not masked and isinstance(count, int) and count % 2 == 0:  # XLA adds slices faster
        count //= 2
        values = values[:count] + values[count:]
    if isinstance(count, int) and count > MANY and count % PARTS == 0:
        values = _as_it_is(ops.sum(ops.reshape(values, (PARTS, -1, channels)), axis=0))
    return ops.sum(values, axis=0)


def _as_it_is(values: Any) -> Any:
    """Keep XLA from rewriting these values together with what comes next."""
    if keras.backend.backend() != "jax":
        return values
    import jax

    return jax.lax.optimization_barrier(values)  # type: ignore[no-untyped-call]


def normalized_batch(
    x: Any, gamma: Any, beta: Any, mean: Any, variance: Any, counted: Any, epsilon: float
) -> Any:
    """Return a normalised batch whose statistics are its own.

    Its gradient is given: two sums over the batch, and what they say of the inputs.
    Autodiff of the same one-pass statistics comes to it through each of them, by more
    small loops, all of which are compiled.

    Parameters
    ----------
    x : tensor, shape (..., channel)
    gamma, beta : tensor, shape (channel,)
    mean, variance : tensor, shape (channel,)
        Of the counted positions of `x`; no gradient is asked of them.
    counted : tensor, shape (..., 1), or ()
        For each position the share of the mean that it makes: one over their
        number, or 0 where it is masked.
    epsilon : float
        Added to the variance.

    References
    ----------
    Ioffe and Szegedy, "Batch normalization", ICML 2015, section 3.
    """

    def forward(x: Any, gamma: Any, beta: Any, mean: Any, variance: Any, counted: Any) -> Any:
        inverse = ops.rsqrt(variance + epsilon)

        def gradient(*args: Any, upstream: Any = None) -> tuple[Any, ...]:
            if upstream is None:
                (upstream,) = args
            hat = (x - mean) * inverse
            masked = len(counted.shape) > 0
            of_gamma, of_beta = added(upstream * hat, masked), added(upstream, masked)
            of_x = (gamma * inverse) * (upstream - counted * (of_beta + hat * of_gamma))
            rest = (ops.zeros_like(t) for t in (mean, variance, counted))
            return of_x, of_gamma, of_beta, *rest

        return (x - mean) * (gamma * inverse) + beta, gradient

    return ops.custom_gradient(forward)(x, gamma, beta, mean, variance, counted)


@keras.saving.register_keras_serializable(package="selector")
class OnePassBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """The function of :class:`keras.layers.BatchNormalization` over the last axis.

    Mean and variance come from one pass over the batch, as the first two
    moments about the moving mean, and the gradient takes one more
    (:func:`normalized_batch`): the batch is read half as often, which is what counts
    on a CPU. The weights are those of the standard layer;
    :func:`selector.training.layers.with_standard_layers` puts it in place.

    Input shape
        ``(batch, ..., channel)``, and optionally a mask without the last axis.
    Output shape
        As the input.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the normalised inputs; statistics come from unmasked positions only."""
        x = ops.cast(inputs, "float32")
        channels = (x.shape[-1],)
        gamma = ops.cast(self.gamma, x.dtype) if self.scale else ops.ones(channels, x.dtype)
        beta = ops.cast(self.beta, x.dtype) if self.center else ops.zeros(channels, x.dtype)
        if training and self.trainable:
            mean, variance, counted = self._statistics(ops.stop_gradient(x), mask)
            keep = self.momentum
            self.moving_mean.assign(keep * self.moving_mean + (1 - keep) * mean)
            self.moving_variance.assign(keep * self.moving_variance + (1 - keep) * variance)
            y = normalized_batch(x, gamma, beta, mean, variance, counted, self.epsilon)
        else:
            variance = ops.convert_to_tensor(self.moving_variance)
            scale = ops.rsqrt(variance + self.epsilon) * gamma
            y = x * scale + (beta - self.moving_mean * scale)
        return ops.cast(y, self.compute_dtype)

    def _statistics(self, x: Any, mask: Any) -> tuple[Any, Any, Any]:
        """Return mean and variance over the unmasked positions, and the share of each in them."""
        about = ops.convert_to_tensor(self.moving_mean)
        centred = x - about
        if mask is None:
            share = ops.reciprocal(ops.cast(ops.prod(ops.shape(x)[:-1]), x.dtype))
        else:
            real = ops.expand_dims(mask, -1)
            centred = ops.where(real, centred, ops.zeros_like(centred))
            counted = ops.cast(real, x.dtype)
            share = counted / ops.maximum(ops.sum(counted), 1.0)
        masked = mask is not None
        first = added(centred * share, masked)
        second = added(ops.square(centred) * share, masked)
        variance = ops.maximum(second - ops.square(first), 0.0)
        return about + first, variance, share
