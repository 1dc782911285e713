"""``cnn.fcn``: three convolutions over time and global pooling."""

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

STEPS_AT_ONCE = 320


class FCN(NetworkArchitecture):
    """Fully convolutional network for series of any length.

    Three blocks of convolution, batch normalisation and ReLU, then the mean
    (and maximum) over time. It finds local patterns wherever they occur, and
    does not know where. The published filters, 128-256-128, are made narrower
    so that it trains in seconds on one core.

    References
    ----------
    Wang, Yan and Oates, "Time series classification from scratch with deep
    neural networks: a strong baseline", IJCNN 2017.
    """

    name = "cnn.fcn"
    family = "cnn"
    title = "Fully convolutional network"
    reason = "local patterns anywhere in a series are what convolutions find"
    kinds = ("sequential",)
    variable_length = True
    references = (
        "Wang, Yan, Oates: Time series classification from scratch with deep neural networks, "
        "IJCNN 2017",
    )

    def space(self, profile: Profile) -> Space:
        """Width, kernels, pooling and stride are structural; the rest is cheap to vary."""
        return {
            "width": Categorical((32, 48, 64)),
            "kernel": Categorical((5,) if profile.steps < 16 else (8, 16)),
            "stride": Categorical(strides(profile.steps)),
            "pooling": Categorical(("mean", "mean+max")),
            "dropout": Float(0.0, 0.5),
            **core_space(profile),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return a moderate network, one with sharper pooling, and one with wide kernels."""
        first = {
            "width": 48,
            "kernel": 5 if profile.steps < 16 else 8,
            "stride": strides(profile.steps)[0],
            "pooling": "mean",
            "dropout": 0.0,
            **core_params(profile, 3e-3),
        }
        sharp = {**first, "pooling": "mean+max", "dropout": 0.2}
        if profile.steps < 16:
            return (first, sharp)
        return (first, sharp, {**first, "kernel": 16, "normalize": "sample", "width": 32})

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary.
        Output shape
            ``(batch, width)``, twice that for ``"mean+max"``.
        """
        from selector.training import layers

        width, stride = int(params["width"]), int(params["stride"])
        kernel = first_kernel(int(params["kernel"]), stride)
        x, mask = inputs.x, inputs.mask
        x, mask = layers.conv_block(x, mask, width, kernel, stride=stride)
        x, mask = layers.conv_block(x, mask, 2 * width, 5)
        x, mask = layers.conv_block(x, mask, width, 3)
        x = layers.pool(x, mask, str(params["pooling"]))
        return layers.FastDropout(float(params["dropout"]))(x)


def first_kernel(kernel: int, stride: int) -> int:
    """Return the length of a first kernel that skips no step: it reaches over two strides."""
    return max(kernel, 2 * stride)


def strides(steps: int) -> tuple[int, ...]:
    """Return strides of the first convolution, the usual one first."""
    needed = 1
    while steps > STEPS_AT_ONCE * needed:
        needed *= 2
    return (needed,) if needed == 1 else (needed, 2 * needed)
