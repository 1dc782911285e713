"""Dropout whose random numbers cost next to nothing."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from selector.training.layers.masking import Shape, TakesMask

# Odd constants of the finaliser of MurmurHash3 and of Knuth's multiplicative
# hash, as signed 32-bit numbers: their products wrap around.
GOLDEN = 0x9E3779B9 - (1 << 32)
FIRST = 0x85EBCA6B - (1 << 32)
SECOND = 0xC2B2AE35 - (1 << 32)

RATE = "dropout_rate"
"""Name of the weight that holds the rate."""


def _folded(values: Any, places: int) -> Any:
    """Return 32-bit numbers xor themselves shifted right, with zeros shifted in."""
    kept = ops.convert_to_tensor((1 << (32 - places)) - 1, dtype="int32")
    return ops.bitwise_xor(values, ops.bitwise_and(ops.right_shift(values, places), kept))


def _mixed(values: Any) -> Any:
    """Return 32-bit numbers scrambled so that near inputs have unrelated outputs."""
    for places, factor in ((16, FIRST), (13, SECOND)):
        values = ops.multiply(_folded(values, places), ops.convert_to_tensor(factor, dtype="int32"))
    return _folded(values, 16)


@keras.saving.register_keras_serializable(package="selector")
class FastDropout(TakesMask):
    """Dropout with hashed counters for random numbers.

    It drops as :class:`keras.layers.Dropout` does, which it is in a saved
    model (see :func:`with_standard_layers`). On JAX, the standard generator
    takes 0.2 to 0.8 s to compile for each shape, and up to half the time of a
    training step of a small network; the hash takes 2% of that.

    Parameters
    ----------
    rate : float
        Share of the values that are set to zero, at least 0 and below 1. At 0
        no random number is drawn; every other rate is the same compiled program.

    Input shape
        Any.
    Output shape
        That of the input.

    References
    ----------
    Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 15 (2014).
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = float(rate)
        self.seed_generator = keras.random.SeedGenerator()
        # a weight, so that another rate is the same compiled program
        self.share = self.add_weight(
            name=RATE, initializer=keras.initializers.Constant(self.rate), trainable=False
        )
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return `inputs`, in training with a share of them dropped."""
        if not training or self.rate == 0:
            return inputs
        key = _mixed(ops.cast(self.seed_generator.next(), "int32"))
        shape = ops.shape(inputs)
        count = 1
        for extent in shape:
            count = count * extent
        counter = ops.multiply(
            ops.arange(count, dtype="int32"), ops.convert_to_tensor(GOLDEN, dtype="int32")
        )
        draws = _mixed(ops.bitwise_xor(_mixed(ops.bitwise_xor(counter, key[0])), key[1]))
        share = ops.convert_to_tensor(self.share)
        threshold = ops.cast(share * float(1 << 32) - float(1 << 31), "int32")
        kept = ops.reshape(draws >= threshold, shape)
        return ops.where(kept, inputs / (1.0 - share), ops.zeros_like(inputs))

    def count_macs(self, input_shape: Shape, output_shape: Shape) -> int:
        """Return 0: nothing is multiplied in a prediction."""
        return 0

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which the layer can be rebuilt."""
        return {**super().get_config(), "rate": self.rate}
