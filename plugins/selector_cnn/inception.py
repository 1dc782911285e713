"""``cnn.inception``: parallel convolutions of several widths, stacked."""

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
from selector_cnn.fcn import strides

RESIDUAL_EVERY = 3


class Inception(NetworkArchitecture):
    """Modules of three wide convolutions and a pooling branch, with shortcuts.

    A module narrows its input to a few channels, convolves those with kernels
    of 40, 20 and 10 steps, and adds a branch of sliding maxima. A shortcut
    leads around every third module. The published network has six modules of
    32 filters a branch, and five of them are averaged; here one has three of 16
    by default.

    References
    ----------
    Ismail Fawaz et al., "InceptionTime: finding AlexNet for time series
    classification", Data Mining and Knowledge Discovery 34 (2020).
    """

    name = "cnn.inception"
    family = "cnn"
    title = "Inception network"
    reason = "kernels of several widths find patterns of several lengths"
    kinds = ("sequential",)
    variable_length = True
    references = (
        "Ismail Fawaz et al.: InceptionTime, finding AlexNet for time series classification, "
        "Data Mining and Knowledge Discovery 2020",
    )

    def space(self, profile: Profile) -> Space:
        """Width, depth and stride are structural; the rest is cheap to vary."""
        return {
            "width": Categorical((16, 32)),
            "depth": Categorical((3, 6)),
            "stride": Categorical(strides(profile.steps)),
            **core_space(profile),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return the published network at half its width and depth."""
        return (
            {
                "width": 16,
                "depth": 3,
                "stride": strides(profile.steps)[0],
                **core_params(profile, 3e-3),
            },
        )

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary.
        Output shape
            ``(batch, 4 * width)``.
        """
        import keras

        from selector.training import layers

        width, stride = int(params["width"]), int(params["stride"])
        x, mask = inputs.x, inputs.mask
        if stride > 1:
            x, mask = layers.conv_block(x, mask, 2 * width, 2 * stride, stride=stride)
        kernels = wide_kernels(-(-profile.steps // stride))
        short = x
        for i in range(int(params["depth"])):
            x = self._module(x, mask, width, kernels)
            if i % RESIDUAL_EVERY == RESIDUAL_EVERY - 1:
                short, _ = layers.conv_block(short, mask, 4 * width, 1, activation=False)
                x = short = keras.layers.ReLU()(keras.layers.Add()([x, short]))
        return layers.pool(x, mask, "mean")

    @staticmethod
    def _module(x: Any, mask: Any, width: int, kernels: tuple[int, ...]) -> Any:
        """Return one module's output: ``(batch, time, 4 * width)``, zero at masked steps."""
        import keras

        from selector.training import layers

        def convolution(values: Any, kernel: int) -> Any:
            return layers.FastConv1D(
                width,
                kernel,
                padding="same",
                use_bias=False,
            )(values)

        if mask is not None:
            x = layers.ApplyMask()(x, mask=mask)
        narrow = convolution(x, 1) if x.shape[-1] > 1 else x
        branches = [convolution(narrow, kernel) for kernel in kernels]
        branches.append(convolution(layers.sliding_max(x, mask, 3), 1))
        return layers.normalized(keras.layers.Concatenate()(branches), mask)


def wide_kernels(steps: int) -> tuple[int, int, int]:
    """Return the published kernels, 40, 20 and 10, or for short series shorter ones."""
    widest = min(40, max(steps // 2, 3))
    return (widest, max(widest // 2, 2), max(widest // 4, 1))
