"""``cnn.resnet``: residual blocks over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selector.contract import (
    Categorical,
    Inputs,
    NetworkArchitecture,
    Params,
    Profile,
    Space,
    core_params,
    core_space,
)
from selector_cnn.fcn import first_kernel, strides


class ResNet(NetworkArchitecture):
    """Three residual blocks of three convolutions for series of any length.

    Kernels of 8, 5 and 3 steps in each block, around which a shortcut leads;
    then the mean over time. Its receptive field is three times that of
    ``cnn.fcn``. The published filters, 64-128-128, are made narrower so that it
    trains in seconds on one core.

    References
    ----------
    Wang, Yan and Oates, "Time series classification from scratch with deep
    neural networks: a strong baseline", IJCNN 2017. He et al., "Deep residual
    learning for image recognition", CVPR 2016.
    """

    name = "cnn.resnet"
    family = "cnn"
    title = "Residual network"
    reason = "nine convolutions with shortcuts see patterns within wider patterns"
    kinds = ("sequential",)
    variable_length = True
    references = (
        "Wang, Yan, Oates: Time series classification from scratch with deep neural networks, "
        "IJCNN 2017",
        "He et al.: Deep residual learning for image recognition, CVPR 2016",
    )

    def space(self, profile: Profile) -> Space:
        """Width, stride and pooling are structural; the rest is cheap to vary."""
        return {
            "width": Categorical((16, 32)),
            "stride": Categorical(strides(profile.steps)),
            "pooling": Categorical(("mean", "mean+max")),
            **core_space(profile),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return the published network at half its width."""
        return (
            {
                "width": 32,
                "stride": strides(profile.steps)[0],
                "pooling": "mean",
                **core_params(profile, 2e-3),
            },
        )

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary.
        Output shape
            ``(batch, 2 * width)``, twice that for ``"mean+max"``.
        """
        import keras

        from selector.training import layers

        width, stride = int(params["width"]), int(params["stride"])
        kernels = (5, 3, 3) if profile.steps < 16 else (8, 5, 3)
        x, mask = inputs.x, inputs.mask
        for filters in (width, 2 * width, 2 * width):
            short = x
            first = first_kernel(kernels[0], stride)
            y, after = layers.conv_block(x, mask, filters, first, stride=stride)
            y, _ = layers.conv_block(y, after, filters, kernels[1])
            y, _ = layers.conv_block(y, after, filters, kernels[2], activation=False)
            if short.shape[-1] != filters or stride > 1:
                short, _ = layers.conv_block(
                    short, mask, filters, 1, stride=stride, activation=False
                )
            x, mask, stride = keras.layers.ReLU()(keras.layers.Add()([y, short])), after, 1
        return layers.pool(x, mask, str(params["pooling"]))
