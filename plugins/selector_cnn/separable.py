"""``cnn.separable``: depthwise separable convolutions over time."""

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

LEAST_STEPS = 12


class Separable(NetworkArchitecture):
    """Depthwise separable convolutions with shortcuts, shortening the series.

    An ordinary convolution is followed by blocks in which each channel is
    convolved by itself and a matrix then mixes the channels. Every other block
    takes every second step and doubles the channels; around the blocks between
    lead shortcuts.

    References
    ----------
    Howard et al., "MobileNets: efficient convolutional neural networks for
    mobile vision applications", arXiv:1704.04861 (2017). Chollet, "Xception:
    deep learning with depthwise separable convolutions", CVPR 2017.
    """

    name = "cnn.separable"
    family = "cnn"
    title = "Depthwise separable network"
    reason = "separable convolutions find local patterns with little arithmetic"
    kinds = ("sequential",)
    variable_length = True
    references = (
        "Howard et al.: MobileNets, efficient convolutional neural networks for mobile vision "
        "applications, arXiv:1704.04861, 2017",
        "Chollet: Xception, deep learning with depthwise separable convolutions, CVPR 2017",
    )

    def space(self, profile: Profile) -> Space:
        """Width, kernel, stride and pooling are structural; the rest is cheap to vary."""
        return {
            "width": Categorical((32, 48)),
            "kernel": Categorical((3,) if profile.steps < 16 else (5, 9)),
            "stride": Categorical(strides(profile.steps)),
            "pooling": Categorical(("mean", "mean+max")),
            **core_space(profile),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return a narrow network with wide kernels."""
        return (
            {
                "width": 32,
                "kernel": 3 if profile.steps < 16 else 9,
                "stride": strides(profile.steps)[0],
                "pooling": "mean",
                **core_params(profile, 3e-3),
            },
        )

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary.
        Output shape
            ``(batch, 4 * width)``, twice that for ``"mean+max"``.
        """
        import keras

        from selector.training import layers

        width, kernel = int(params["width"]), int(params["kernel"])
        stride = int(params["stride"])
        first = first_kernel(kernel, stride)
        x, mask = layers.conv_block(inputs.x, inputs.mask, width, first, stride=stride)
        steps = -(-profile.steps // stride)
        for _ in range(2):
            y, _ = layers.separable_block(x, mask, width, kernel, activation=False)
            x = keras.layers.ReLU()(keras.layers.Add()([x, y]))
            shorter = 2 if steps >= LEAST_STEPS else 1
            width, steps = 2 * width, -(-steps // shorter)
            x, mask = layers.separable_block(x, mask, width, kernel, stride=shorter)
        return layers.pool(x, mask, str(params["pooling"]))
