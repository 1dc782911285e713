"""``cnn.conv3d``: convolutions over space and time together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selector.contract import (
    Categorical,
    Float,
    Inputs,
    NetworkArchitecture,
    Params,
    Profile,
    Space,
    core_params,
    core_space,
)

LARGEST_SIDE = 32
MOST_STEPS = 32


class Conv3D(NetworkArchitecture):
    """Three-dimensional convolutions and max pooling over a clip.

    A kernel of 3 × 3 × 3 sees a pattern and how it moves. Three blocks are
    each pooled at their end, space in all and time in the last two; then the mean
    over what is left, or one dense layer. Clips of more than 32 frames, or 32
    pixels a side, are averaged down first.

    References
    ----------
    Tran et al., "Learning spatiotemporal features with 3D convolutional
    networks", ICCV 2015.
    """

    name = "cnn.conv3d"
    family = "cnn"
    title = "3-D convolutional network"
    reason = "local patterns and how they move, seen by kernels over space and time"
    kinds = ("sequential-grid",)
    references = (
        "Tran et al.: Learning spatiotemporal features with 3D convolutional networks, ICCV 2015",
    )

    def space(self, profile: Profile) -> Space:
        """Width and head are structural; the rest is cheap to vary."""
        return {
            "width": Categorical((8, 16)),
            "head": Categorical(("mean", "flatten")),
            "dropout": Float(0.0, 0.5),
            **core_space(profile, (1e-3, 2e-2)),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return one that does not care where something moves, then one that does."""
        first = {
            "width": 8,
            "head": "mean",
            "dropout": 0.1,
            **core_params(profile, 5e-3),
        }
        return (first, {**first, "head": "flatten", "dropout": 0.3})

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, height, width, channel)``.
        Output shape
            ``(batch, 4 * width)`` for the mean, ``(batch, 64)`` for a flattened head.
        """
        import keras

        from selector.training import layers

        width, dropout = int(params["width"]), float(params["dropout"])
        x = layers.shrink_clips(inputs.x, MOST_STEPS, LARGEST_SIDE)
        for i, filters in enumerate((width, 2 * width, 4 * width)):
            steps, *sides = x.shape[1:4]
            high, wide = (2 if side >= 4 else 1 for side in sides)
            x = layers.conv3d_block(x, filters, pool=(2 if i and steps >= 4 else 1, high, wide))
        if params["head"] == "mean":
            x = keras.layers.GlobalAveragePooling3D()(x)
            return layers.FastDropout(dropout)(x)
        x = layers.FastDropout(dropout)(keras.layers.Flatten()(x))
        x = keras.layers.Dense(64, activation="relu")(x)
        return layers.FastDropout(dropout)(x)
