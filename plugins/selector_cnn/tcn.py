"""``cnn.tcn``: causal, dilated, residual convolutions."""

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
from selector_cnn.fcn import strides

KERNEL = 4
MOST_LEVELS = 7


class TCN(NetworkArchitecture):
    """Temporal convolutional network: the last step sees the whole series.

    Each level is a residual block of two causal convolutions of which a step
    sees only itself and earlier ones. The dilation doubles from level to level,
    up to as many levels as it takes to look back over the series, seven at
    most. Batch normalisation stands in for the published weight normalisation.

    References
    ----------
    Bai, Kolter and Koltun, "An empirical evaluation of generic convolutional
    and recurrent networks for sequence modeling", arXiv:1803.01271 (2018).
    """

    name = "cnn.tcn"
    family = "cnn"
    title = "Temporal convolutional network"
    reason = "dilated convolutions look back over the whole series"
    kinds = ("sequential",)
    variable_length = True
    references = (
        "Bai, Kolter, Koltun: An empirical evaluation of generic convolutional and recurrent "
        "networks for sequence modeling, arXiv:1803.01271, 2018",
    )

    def space(self, profile: Profile) -> Space:
        """Width, stride and pooling are structural; the rest is cheap to vary."""
        return {
            "width": Categorical((16, 32)),
            "stride": Categorical(strides(profile.steps)),
            "pooling": Categorical(("last", "mean")),
            "dropout": Float(0.0, 0.5),
            **core_space(profile),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return a network that is read at its last step, and one read at all steps."""
        first = {
            "width": 32,
            "stride": strides(profile.steps)[0],
            "pooling": "last",
            "dropout": 0.0,
            **core_params(profile, 2e-3),
        }
        return (first, {**first, "pooling": "mean"})

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary.
        Output shape
            ``(batch, width)``.
        """
        import keras

        from selector.training import layers

        width, stride = int(params["width"]), int(params["stride"])
        x, mask = inputs.x, inputs.mask
        if stride > 1:
            x, mask = layers.conv_block(x, mask, width, 2 * stride, stride=stride)
        for level in range(levels(-(-profile.steps // stride))):
            dilation, y = 2**level, x
            for last in (False, True):
                y, _ = layers.conv_block(
                    y, mask, width, KERNEL, dilation=dilation, causal=True, activation=not last
                )
                y = layers.FastDropout(float(params["dropout"]))(y)
            if x.shape[-1] != width:
                x, _ = layers.conv_block(x, mask, width, 1, activation=False)
            x = keras.layers.ReLU()(keras.layers.Add()([x, y]))
        return layers.pool(x, mask, str(params["pooling"]))


def levels(steps: int) -> int:
    """Return how many levels it takes for the last step to see the first, from 2 to 7."""
    count = 2
    while count < MOST_LEVELS and 1 + 2 * (KERNEL - 1) * (2**count - 1) < steps:
        count += 1
    return count
