"""``cnn.convnet``: a small convolutional network for images."""

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
from selector_cnn.images import halved, shrunk


class ConvNet(NetworkArchitecture):
    """Convolutions and 2 × 2 max pooling, then one dense layer.

    Each of two blocks is one or two 3 × 3 convolutions with batch normalisation
    and ReLU, pooled at its end; the second block has twice the filters. Images of more
    than 40 pixels a side are averaged down first.

    References
    ----------
    LeCun et al., "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86 (1998). Ioffe and Szegedy, "Batch
    normalization", ICML 2015.
    """

    name = "cnn.convnet"
    family = "cnn"
    title = "Small convolutional network"
    reason = "neighbouring pixels are what two-dimensional convolutions read"
    kinds = ("grid",)
    references = (
        "LeCun et al.: Gradient-based learning applied to document recognition, Proc. IEEE 1998",
        "Ioffe, Szegedy: Batch normalization, ICML 2015",
    )

    def space(self, profile: Profile) -> Space:
        """Width, depth and head are structural; the rest is cheap to vary."""
        return {
            "width": Categorical((16, 32)),
            "convolutions": Categorical((1, 2)),
            "head": Categorical(("flatten", "mean")),
            "dropout": Float(0.0, 0.5),
            **core_space(profile),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return the classic network, and a deeper, narrower one."""
        first = {
            "width": 32 if profile.size <= 1200 else 16,
            "convolutions": 1,
            "head": "flatten",
            "dropout": 0.5,
            **core_params(profile, 2e-3),
        }
        return (first, {**first, "width": 16, "convolutions": 2, "dropout": 0.25})

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, height, width, channel)``.
        Output shape
            ``(batch, 128)`` for a flattened head, ``(batch, 2 * width)`` for the mean.
        """
        import keras

        from selector.training import layers

        x, width = shrunk(inputs.x), int(params["width"])
        convolutions = int(params["convolutions"])
        for filters in (width, 2 * width):
            windows = halved(x)
            for i in range(convolutions):
                pool = windows if i == convolutions - 1 else (1, 1)
                x = layers.conv2d_block(x, filters, pool=pool)
        if params["head"] == "mean":
            x = keras.layers.GlobalAveragePooling2D()(x)
            return layers.FastDropout(float(params["dropout"]) / 2)(x)
        x = keras.layers.Flatten()(x)
        x = layers.FastDropout(float(params["dropout"]) / 2)(x)
        x = keras.layers.Dense(128, activation="relu")(x)
        return layers.FastDropout(float(params["dropout"]))(x)
