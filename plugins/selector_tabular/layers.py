"""A layer for tables with outliers."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

LIMIT = 3.0


@keras.saving.register_keras_serializable(package="selector_tabular")
class SmoothClip(keras.layers.Layer):  # type: ignore[misc]
    """Squash values smoothly into (-3, 3): ``x / sqrt(1 + (x / 3)²)``.

    Input shape
        Any.
    Output shape
        That of the input.

    References
    ----------
    Holzmüller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned
    MLPs and boosted trees on tabular data", NeurIPS 2024.
    """

    def call(self, inputs: Any) -> Any:
        """Return the squashed values."""
        return inputs / ops.sqrt(1.0 + ops.square(inputs / LIMIT))

    def compute_output_shape(self, inputs_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return inputs_shape
