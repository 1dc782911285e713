"""The MiniRocket transform as a Keras layer."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from selector.training import layers

KERNEL_LENGTH = 9
KERNELS = np.array(
    [[2.0 if j in c else -1.0 for j in range(KERNEL_LENGTH)] for c in combinations(range(9), 3)],
    dtype=np.float32,
)
"""The 84 kernels of length 9 with three weights of 2 and six of -1."""
MAX_DILATIONS = 32
MAX_CHANNELS = 9
CHUNK_VALUES = 16_000_000
BATCH = 64

Shape = tuple[int | None, ...]
Floats = npt.NDArray[np.float32]


def dilations_for(length: int, features: int) -> list[tuple[int, int]]:
    """Return the dilations for series of `length` steps, with biases per kernel.

    Dilations grow exponentially from 1 to the largest at which a kernel still
    fits into the series.

    Parameters
    ----------
    length : int
        Steps of a series.
    features : int
        Number of features asked for; rounded down to a multiple of 84.

    Returns
    -------
    list of (dilation, biases)
        The biases add up to ``features // 84``.
    """
    per_kernel = max(features // len(KERNELS), 1)
    exponents = min(per_kernel, MAX_DILATIONS)
    reach = max((length - 1) / (KERNEL_LENGTH - 1), 1.0)
    spread = np.logspace(0, np.log2(reach), exponents, base=2).astype(int)
    dilations, counts = np.unique(spread, return_counts=True)
    biases = counts * per_kernel // exponents
    for i in range(per_kernel - int(biases.sum())):
        biases[i % len(biases)] += 1
    return [(int(d), int(b)) for d, b in zip(dilations, biases, strict=True)]


def channel_subsets(channels: int, seed: list[int]) -> Floats:
    """Return, for each kernel, the random channels that it sums: 0/1, ``(channels, 84)``."""
    rng = np.random.default_rng(seed)
    chosen = np.zeros((channels, len(KERNELS)), dtype=np.float32)
    most = np.log2(min(channels, MAX_CHANNELS) + 1)
    for kernel in range(len(KERNELS)):
        size = int(2 ** rng.uniform(0, most))
        chosen[rng.choice(channels, size=size, replace=False), kernel] = 1
    return chosen


@keras.saving.register_keras_serializable(package="selector_cnn")
class MiniRocketTransform(layers.TakesMask):
    """Shares of steps at which 84 dilated kernels exceed their biases.

    Nothing in it is trained: kernels and channel subsets are fixed, biases are
    set by :meth:`adapt` to quantiles of the kernels' outputs on training
    series. Half of the kernels count over all steps of a series, half only
    over those where the kernel lies inside it. Masked steps are never counted.

    Parameters
    ----------
    features : int
        Number of features, rounded down to a multiple of 84.
    length : int
        Steps of the longest series; the dilations follow from it.
    seed : int
        Draws the channels, and in :meth:`adapt` the series.
    share_of : {"series", "longest"}
        What the count over all steps of a series is divided by: the series'
        own length, or `length`, which lets the features tell long series from
        short ones.

    Input shape
        ``(batch, time, channel)`` and, where lengths vary, a mask ``(batch, time)``.
    Output shape
        ``(batch, features // 84 * 84)``.

    References
    ----------
    Dempster, Schmidt and Webb, "MiniRocket: a very fast (almost) deterministic
    transform for time series classification", KDD 2021.
    """

    def __init__(
        self,
        features: int,
        length: int,
        seed: int = 0,
        share_of: str = "series",
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("trainable", False)
        super().__init__(**kwargs)
        self.features = features
        self.length = length
        self.seed = seed
        self.share_of = share_of
        self.dilations = dilations_for(length, features)

    def build(self, inputs_shape: Shape, mask_shape: Shape | None = None) -> None:
        """Create biases and channel subsets, none of them trainable."""
        channels = int(inputs_shape[-1] or 1)
        self.biases, self.subsets = [], []
        for i, (dilation, count) in enumerate(self.dilations):
            self.biases.append(
                self.add_weight(
                    name=f"biases_{dilation}",
                    shape=(len(KERNELS), count),
                    initializer="zeros",
                    trainable=False,
                )
            )
            chosen = self.add_weight(
                name=f"channels_{dilation}",
                shape=(channels, len(KERNELS)),
                initializer="ones",
                trainable=False,
            )
            if channels > 1:
                chosen.assign(channel_subsets(channels, [self.seed, i]))
            self.subsets.append(chosen)
        super().build(inputs_shape)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the proportion of positive values for each kernel and bias."""
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], dtype="bool")[:1]
        else:
            inputs = ops.where(ops.expand_dims(mask, -1), inputs, ops.zeros_like(inputs))
        length = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
        step = ops.expand_dims(ops.arange(ops.shape(inputs)[1]), 0)
        parts = []
        for i, (dilation, _) in enumerate(self.dilations):
            reach = dilation * (KERNEL_LENGTH // 2)
            inside = (step >= reach) & (step < length - reach)
            inside = ops.where(length > 2 * reach, inside, mask)
            counted = ops.where(
                self._everywhere(i), ops.expand_dims(mask, -1), ops.expand_dims(inside, -1)
            )
            parts.append(self._shares(inputs, i, counted))
        return ops.concatenate(parts, axis=1)

    @staticmethod
    def _everywhere(index: int) -> Any:
        """Return which kernels count over all steps of a series: ``(84,)``."""
        return ops.convert_to_tensor((np.arange(len(KERNELS)) + index) % 2 == 0)

    def _weights(self, index: int, counted: Any) -> Any:
        """Return what a counted step adds to each share: ``(batch or 1, 84, 1)``."""
        total = ops.sum(ops.cast(counted, "float32"), axis=1)
        if self.share_of == "longest":
            total = ops.where(self._everywhere(index), float(self.length), total)
        return ops.expand_dims(1.0 / ops.maximum(total, 1.0), -1)

    def _shares(self, inputs: Any, index: int, counted: Any) -> Any:
        """Return the features of one dilation: ``(batch, 84 * biases)``."""
        dilation, count = self.dilations[index]
        kernels = ops.convert_to_tensor(np.ascontiguousarray(KERNELS.T[:, None, :]))
        kernels = kernels * ops.expand_dims(self.subsets[index], 0)
        outputs = ops.conv(inputs, kernels, padding="same", dilation_rate=dilation)
        outputs = ops.where(counted, outputs, -np.inf)
        weights = self._weights(index, counted)
        ones = ops.ones(ops.shape(inputs)[1:2], dtype="float32")
        chunk = max(CHUNK_VALUES // (BATCH * self.length * len(KERNELS)), 1)
        parts = []
        for start in range(0, count, chunk):
            bias = self.biases[index][:, start : start + chunk]
            above = ops.cast(ops.expand_dims(outputs, -1) > bias, "float32")
            parts.append(ops.einsum("btkf,t->bkf", above, ones) * weights)
        shares = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
        return ops.reshape(shares, (ops.shape(inputs)[0], len(KERNELS) * count))

    def adapt(self, x: npt.NDArray[Any], mask: npt.NDArray[Any] | None = None) -> None:
        """Set the biases from training series.

        Each kernel and dilation takes one random series, and for biases the
        quantiles of its output there at a low-discrepancy sequence of levels.

        Parameters
        ----------
        x : ndarray, shape (n, time, channel)
            Training series.
        mask : ndarray of bool, shape (n, time), or None
            True on real steps; others are ignored.
        """
        rng = np.random.default_rng([self.seed, 1])
        drawn = 0
        for i, (dilation, count) in enumerate(self.dilations):
            rows = rng.integers(len(x), size=len(KERNELS))
            lengths = np.full(len(rows), x.shape[1])
            series = np.asarray(x[rows], dtype=np.float32)
            if mask is not None:
                lengths = np.maximum(mask[rows].sum(axis=1), 1)
                series = np.where(mask[rows][..., None], series, np.float32(0))
            chosen = ops.convert_to_numpy(self.subsets[i].value)
            outputs = _responses(np.einsum("ktc,ck->kt", series, chosen), dilation)
            order = np.arange(drawn + 1, drawn + 1 + len(KERNELS) * count)
            levels = (order * (np.sqrt(5) + 1) / 2 % 1).reshape(len(KERNELS), count)
            drawn += len(order)
            self.biases[i].assign(_quantiles(outputs, lengths, levels))

    def compute_output_shape(self, inputs_shape: Shape, mask_shape: Shape | None = None) -> Shape:
        """Return ``(batch, features)``."""
        return (inputs_shape[0], len(KERNELS) * sum(count for _, count in self.dilations))

    def count_macs(self, inputs: Shape, outputs: Shape) -> int:
        """Return the multiply-adds of one sample: convolutions, and a comparison for each bias."""
        steps, channels = int(inputs[0] or 1), int(inputs[1] or 1)
        convolutions = len(self.dilations) * KERNEL_LENGTH * channels * len(KERNELS)
        comparisons = len(KERNELS) * sum(count for _, count in self.dilations)
        return steps * (convolutions + comparisons)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the layer can be rebuilt."""
        names = ("features", "length", "seed", "share_of")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _responses(series: Floats, dilation: int) -> Floats:
    """Return the output of kernel k on row k, padded with zeros: ``(84, time)``."""
    reach = dilation * (KERNEL_LENGTH // 2)
    padded = np.pad(series, ((0, 0), (reach, reach)))
    steps = series.shape[1]
    outputs = np.zeros_like(series)
    for j in range(KERNEL_LENGTH):
        outputs += KERNELS[:, j : j + 1] * padded[:, j * dilation : j * dilation + steps]
    return outputs


def _quantiles(
    outputs: Floats, lengths: npt.NDArray[Any], levels: npt.NDArray[np.float64]
) -> Floats:
    """Return, row by row, the quantiles of the first `lengths` values, interpolated."""
    real = np.arange(outputs.shape[1])[None, :] < lengths[:, None]
    ordered = np.sort(np.where(real, outputs, np.inf), axis=1)
    position = levels * (lengths[:, None] - 1)
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, lengths[:, None] - 1)
    share = position - below
    low = np.take_along_axis(ordered, below, axis=1)
    high = np.take_along_axis(ordered, above, axis=1)
    return np.asarray(low * (1 - share) + high * share, dtype=np.float32)
