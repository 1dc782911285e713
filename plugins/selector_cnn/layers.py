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
MIXED_ABOVE = 4
"""Channels up to which one product of all channels and taps is as fast as two steps."""
LOWEST = -1e30
ENDS = np.float32(LOWEST) * np.stack(
    [np.ones(84, np.float32), np.arange(84) % 2, 1 - np.arange(84) % 2]
).astype("float32")
"""Weights of the columns that say what is not counted: masked, and two kinds of ends."""
UNROLLED = 8
ROW_STEPS = 1200
"""Steps of all series that are gone through at once."""
GROUP_VALUES = 4_000_000
"""Outputs of kernels that are held at once."""

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

    sums_in_parts = True
    """See :func:`selector.training.compiler.options`."""

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
        if mask is not None:
            inputs = ops.where(ops.expand_dims(mask, -1), inputs, ops.zeros_like(inputs))
        batch, steps = ops.shape(inputs)[:2]
        rows = _rows_at_once(batch, steps)
        if not isinstance(batch, int) or rows == batch:  # unknown while TensorFlow traces
            return self._features(inputs, mask, rows)
        # A few series at a time: what lies between stays in the processor's cache.
        split = (batch // rows, rows, steps)
        inputs = ops.reshape(inputs, (*split, inputs.shape[-1]))
        if mask is None:
            parts = ops.map(lambda x: self._features(x, None, rows), inputs)
        else:
            pairs = (inputs, ops.reshape(mask, split))
            parts = ops.map(lambda pair: self._features(pair[0], pair[1], rows), pairs)
        return ops.reshape(parts, (batch, len(KERNELS) * sum(f for _, f in self.dilations)))

    def _features(self, inputs: Any, mask: Any, rows: Any) -> Any:
        """Return the features of some series, dilations with as many biases together."""
        steps = ops.shape(inputs)[1]
        if mask is None:
            mask = ops.ones((1, steps), dtype="bool")
        most = len(self.dilations)
        if isinstance(rows, int) and isinstance(steps, int):
            most = max(GROUP_VALUES // (rows * steps * len(KERNELS)), 1)
        parts: dict[int, Any] = {}
        for count in sorted({f for _, f in self.dilations}):
            group = [i for i, (_, f) in enumerate(self.dilations) if f == count]
            for start in range(0, len(group), most):
                chosen = group[start : start + most]
                shares = self._shares(inputs, mask, chosen)
                parts |= {index: shares[:, n] for n, index in enumerate(chosen)}
        shape = (ops.shape(inputs)[0], -1)
        return ops.concatenate([ops.reshape(parts[i], shape) for i in sorted(parts)], axis=1)

    def _shares(self, inputs: Any, mask: Any, chosen: list[int]) -> Any:
        """Return the features of dilations of one count: ``(batch, dilations, 84, biases)``."""
        batch, steps = ops.shape(inputs)[:2]
        mask = ops.expand_dims(mask, 1)
        length = ops.sum(ops.cast(mask, "int32"), axis=2, keepdims=True)
        reach = ops.convert_to_tensor(
            [[self.dilations[i][0] * (KERNEL_LENGTH // 2)] for i in chosen], dtype="int32"
        )
        step = ops.arange(steps, dtype="int32")
        inside = (step >= reach) & (step < length - reach)
        inside = ops.where(length > 2 * reach, inside, mask)
        even = (np.arange(len(KERNELS)) + np.array(chosen)[:, None]) % 2 == 0
        total = ops.cast(length, "float32")
        everywhere = ops.full_like(total, self.length) if self.share_of == "longest" else total
        within = ops.sum(ops.cast(inside, "float32"), axis=2, keepdims=True)
        weights = 1.0 / ops.maximum(ops.where(even, everywhere, within), 1.0)
        values = self._responses(inputs, mask, inside, chosen)
        # Eight steps are added up at once: the time goes with what is written.
        shape = (batch, len(chosen), UNROLLED, -1, 1, len(KERNELS))
        values = ops.reshape(values, shape)
        biases = ops.stack([self.biases[i].value for i in chosen])
        biases = ops.transpose(biases, (0, 2, 1))[:, None]
        above = ops.cast(values[:, :, 0] > biases, "float32")
        for n in range(1, UNROLLED):
            above = above + ops.cast(values[:, :, n] > biases, "float32")
        counts = ops.transpose(ops.sum(above, axis=2), (0, 1, 3, 2))
        return counts * ops.expand_dims(weights, -1)

    def _responses(self, inputs: Any, mask: Any, inside: Any, chosen: list[int]) -> Any:
        """Return outputs ``(batch, dilations, time, 84)``, lowest where they are not counted.

        Three columns say which steps are masked, and which lie at the ends
        of a series for a dilation of even or of odd number: their weights
        carry the outputs below every bias. Time is filled up to a multiple of
        eight steps.
        """
        missing = -ops.shape(inputs)[1] % UNROLLED
        odd = ops.convert_to_tensor(np.array(chosen)[:, None] % 2 == 1)
        ends = mask & ops.logical_not(inside)
        masked = ops.logical_not(mask | inside)
        outside = ops.stack([masked, ends & ops.logical_not(odd), ends & odd], axis=-1)
        outside = ops.pad(
            ops.cast(outside, "float32"),
            [[0, 0], [0, 0], [0, missing], [0, 0]],
            constant_values=1.0,
        )
        if int(inputs.shape[-1]) > MIXED_ABOVE:
            return self._mixed(inputs, chosen) + ops.matmul(outside, ENDS)
        return self._gathered(inputs, outside, chosen)

    def _mixed(self, inputs: Any, chosen: list[int]) -> Any:
        """Return the kernels' outputs, by nine shifted copies of every kernel's sum of channels."""
        steps, outputs = ops.shape(inputs)[1], []
        missing = -steps % UNROLLED
        for index in chosen:
            dilation = self.dilations[index][0]
            reach = dilation * (KERNEL_LENGTH // 2)
            mixed = ops.matmul(inputs, self.subsets[index].value)
            mixed = ops.pad(mixed, [[0, 0], [reach, reach + missing], [0, 0]])
            starts = dilation * np.arange(KERNEL_LENGTH)
            copies = [mixed[:, int(start) : int(start) + steps + missing] for start in starts]
            outputs.append(sum(ops.multiply(c, k) for c, k in zip(copies, KERNELS.T, strict=True)))
        return ops.stack(outputs, axis=1)

    def _gathered(self, inputs: Any, outside: Any, chosen: list[int]) -> Any:
        """Return the outputs by one product with nine gathered copies, and `outside`."""
        batch, steps = ops.shape(inputs)[:2]
        missing, channels = -steps % UNROLLED, int(inputs.shape[-1])
        dilations = np.array([self.dilations[i][0] for i in chosen])
        reach = int(dilations.max()) * (KERNEL_LENGTH // 2)
        around = ops.pad(inputs, [[0, 0], [reach, reach + missing], [0, 0]])
        taps = reach + np.outer(dilations, np.arange(KERNEL_LENGTH) - KERNEL_LENGTH // 2)
        step = ops.arange(steps + missing, dtype="int32")
        where = ops.reshape(step, (-1, 1)) + ops.convert_to_tensor(taps[:, None], dtype="int32")
        shape = (batch, len(chosen), steps + missing, -1)
        columns = ops.reshape(ops.take(around, where, axis=1), shape)
        columns = ops.concatenate([columns, ops.broadcast_to(outside, (*shape[:3], 3))], axis=-1)
        if channels == 1:
            return ops.matmul(columns, np.concatenate([KERNELS.T, ENDS]))
        kernels, products = np.repeat(KERNELS.T, channels, axis=0), []
        for n, index in enumerate(chosen):
            subset = ops.tile(self.subsets[index], (KERNEL_LENGTH, 1))
            weights = ops.concatenate([ops.multiply(kernels, subset), ENDS], axis=0)
            products.append(ops.matmul(columns[:, n], weights))
        return ops.stack(products, axis=1)

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
        taps = KERNEL_LENGTH + channels if channels > MIXED_ABOVE else KERNEL_LENGTH * channels
        convolutions = len(self.dilations) * taps * len(KERNELS)
        comparisons = len(KERNELS) * sum(count for _, count in self.dilations)
        return steps * (convolutions + comparisons)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the layer can be rebuilt."""
        names = ("features", "length", "seed", "share_of")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _rows_at_once(batch: Any, steps: Any) -> Any:
    """Return how many series to go through at once: a divisor of `batch`, where it is known."""
    if not isinstance(batch, int) or not isinstance(steps, int):
        return batch
    most = max(ROW_STEPS // max(steps, 1), 1)
    return max(n for n in range(1, min(most, batch) + 1) if batch % n == 0) if batch else batch


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
