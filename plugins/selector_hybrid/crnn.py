"""``hybrid.crnn``: convolutions over an image, then a GRU along its width or height."""

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

LARGEST_SIDE = 40
LARGEST_TIME = 160


class CRNN(NetworkArchitecture):
    """Convolutions and pooling over an image or spectrogram, then a GRU.

    The GRU goes along one axis (`along`), taking all that the convolutions
    found across the other as one step. That axis is pooled once, the other
    twice, so that the sequence stays long enough to have an order. Axes of
    more than 40 pixels (160 along the sequence) are averaged down first.

    References
    ----------
    Shi, Bai and Yao, "An end-to-end trainable neural network for image-based
    sequence recognition and its application to scene text recognition", TPAMI
    39 (2017).
    """

    name = "hybrid.crnn"
    family = "hybrid"
    title = "Convolutional recurrent network"
    reason = "local patterns of an image, read in order along its width or height"
    kinds = ("grid",)
    references = (
        "Shi, Bai, Yao: An end-to-end trainable neural network for image-based sequence "
        "recognition, TPAMI 2017",
    )

    def space(self, profile: Profile) -> Space:
        """Width, units, direction and pooling are structural."""
        return {
            "width": Categorical((16, 32)),
            "units": Categorical((48, 96)),
            "along": Categorical(("height", "width")),
            "bidirectional": Categorical((False, True)),
            "pooling": Categorical(("last", "mean", "attention")),
            "dropout": Float(0.0, 0.5),
            **core_space(profile),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return one along the longer axis; then along the other one."""
        height, width = int(profile.shape[0] or 1), int(profile.shape[1] or 1)
        along = "width" if width > height else "height"
        first = {
            "width": 32 if profile.size <= 400 else 16,
            "units": 96 if profile.size <= 400 else 48,
            "along": along,
            "bidirectional": True,
            "pooling": "last",
            "dropout": 0.4,
            **core_params(profile, 3e-3),
        }
        other = "height" if along == "width" else "width"
        return (first, {**first, "along": other, "pooling": "attention"})

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, height, width, channel)``.
        Output shape
            ``(batch, units)``, twice that where bidirectional.
        """
        import keras

        from selector.training import layers

        x, width = inputs.x, int(params["width"])
        if params["along"] == "width":
            x = keras.layers.Permute((2, 1, 3))(x)
        # From here on the first axis is the one that the GRU goes along.
        shrink = (-(-x.shape[1] // LARGEST_TIME), -(-x.shape[2] // LARGEST_SIDE))
        if shrink != (1, 1):
            x = keras.layers.AveragePooling2D(shrink, padding="same")(x)
        shorter = 2 if x.shape[1] >= 16 else 1
        x = layers.conv2d_block(x, width, pool=(shorter, min(2, x.shape[2])))
        x = layers.conv2d_block(x, 2 * width, pool=(1, min(2, x.shape[2])))
        steps, across, channels = x.shape[1:]
        x = keras.layers.Reshape((steps, across * channels))(x)
        x = layers.FastDropout(float(params["dropout"]) / 2)(x)
        return layers.gru_block(x, None, params)
