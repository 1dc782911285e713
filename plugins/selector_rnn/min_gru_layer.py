"""The recurrence of minGRU as a Keras layer: gates that see the input alone."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from selector.training import layers

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="selector_rnn")
class MinGRU(layers.TakesMask):
    """Gated averages ``h_t = (1 - z_t) h_{t-1} + z_t c_t`` of functions of the input.

    ``z_t = sigmoid(W x_t + b)`` and ``c_t = V x_t`` do not depend on the state,
    so both are one matrix product over all steps, and what goes from step to
    step is a multiplication and an addition for each unit. Gates start at
    rates from a half to one over `memory`: some units forget at once, others
    remember a whole series. A masked step leaves the state as it is.

    The state is found step after step. On one core that takes less time
    than a parallel prefix sum and compiles six times faster; by shifted
    slices it is ten times slower.

    Parameters
    ----------
    units : int
        Number of units, of both directions together.
    bidirectional : bool
        Whether the second half of the units reads from the end. Both halves
        share one loop.
    memory : int
        Steps that the slowest unit remembers at first.

    Input shape
        ``(batch, time, channel)`` and, where lengths vary, a mask ``(batch, time)``.
    Output shape
        ``(batch, time, units)``.

    References
    ----------
    Feng, Tung, Ahmed, Bengio and Hajimirsadeghi, "Were RNNs all we needed?",
    arXiv 2410.01201, 2024. Tallec and Ollivier, "Can recurrent neural networks
    warp time?", ICLR 2018 (gates that start at many rates).
    """

    def __init__(
        self, units: int, bidirectional: bool = False, memory: int = 64, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.bidirectional = bidirectional
        self.memory = memory

    def build(self, inputs_shape: Shape, mask_shape: Shape | None = None) -> None:
        """Create the weights of gates and candidates."""
        shape = (int(inputs_shape[-1] or 1), self.units)
        rates = np.geomspace(1.0, max(self.memory, 2) - 1.0, -(-self.units // self._directions))
        bias = np.tile(-np.log(rates), self._directions)[: self.units].astype("float32")
        self.gate_kernel = self.add_weight(
            name="gate_kernel", shape=shape, initializer="glorot_uniform"
        )
        self.kernel = self.add_weight(name="kernel", shape=shape)
        self.gate_bias = self.add_weight(
            name="gate_bias", shape=(self.units,), initializer=lambda *_, **__: ops.array(bias)
        )
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        super().build(inputs_shape)

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the state after each step."""
        if mask is not None:
            inputs = ops.where(ops.expand_dims(mask, -1), inputs, ops.zeros_like(inputs))
        gate = ops.sigmoid(ops.matmul(inputs, self.gate_kernel) + self.gate_bias)
        if mask is not None:
            gate = ops.where(ops.expand_dims(mask, -1), gate, ops.zeros_like(gate))
        added = gate * (ops.matmul(inputs, self.kernel) + self.bias)
        half = -(-self.units // 2) if self.bidirectional else self.units
        # Reading a series backwards meets its padding first, where nothing is added to zero.
        kept = _reversed_after(1.0 - gate, half)
        return _reversed_after(linear_scan(kept, _reversed_after(added, half)), half)

    def compute_output_shape(self, inputs_shape: Shape, mask_shape: Shape | None = None) -> Shape:
        """Return ``(batch, time, units)``."""
        return (*inputs_shape[:2], self.units)

    def count_macs(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> int:
        """Return the multiply-adds of one sample: two products and the recurrence."""
        return int(inputs[0] * self.units * (2 * inputs[1] + 2))

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the layer can be rebuilt."""
        names = ("units", "bidirectional", "memory")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def linear_scan(kept: Any, added: Any) -> Any:
    """Return ``h_t = kept_t * h_{t-1} + added_t`` along the second axis, from ``h_0 = 0``.

    Parameters
    ----------
    kept, added : tensor, shape (batch, time, units)

    Returns
    -------
    tensor, shape (batch, time, units)
    """

    def step(state: Any, now: Any) -> Any:
        state = now[0] * state + now[1]
        return state, state

    by_time = (ops.swapaxes(kept, 0, 1), ops.swapaxes(added, 0, 1))
    return ops.swapaxes(ops.scan(step, ops.zeros_like(added[:, 0]), by_time)[1], 0, 1)


def _reversed_after(values: Any, count: int) -> Any:
    """Return `values` with time reversed in all units from number `count` on."""
    if count >= values.shape[-1]:
        return values
    return ops.concatenate([values[..., :count], ops.flip(values[..., count:], axis=1)], axis=-1)
