"""``hybrid.gru_fcn``: a GRU over the steps beside a fully convolutional network."""

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
from selector_hybrid.conv_gru import MOST_STEPS


class GRUFCN(NetworkArchitecture):
    """Two branches that read the same series, joined before the head.

    A GRU goes over the steps, of which several are joined into one in long
    series, and gives its last state; three convolutions give their mean over
    time. The published network transposes the series, so that its recurrent
    branch sees one step that holds all values; here it is a recurrence over
    time. Filters, 128-256-128 in the paper, are fewer.

    References
    ----------
    Karim, Majumdar, Darabi and Chen, "LSTM fully convolutional networks for
    time series classification", IEEE Access 6 (2018).
    """

    name = "hybrid.gru_fcn"
    family = "hybrid"
    title = "GRU beside convolutions"
    reason = "local patterns and order, each read by a branch of its own"
    kinds = ("sequential",)
    variable_length = True
    references = (
        "Karim, Majumdar, Darabi, Chen: LSTM fully convolutional networks for time series "
        "classification, IEEE Access 2018",
    )

    def space(self, profile: Profile) -> Space:
        """Return the ranges; width, units and patch are structural."""
        return {
            "width": Categorical((32, 48)),
            "units": Categorical((32, 64)),
            "patch": Categorical(_patches(profile.steps)),
            "dropout": Float(0.0, 0.5),
            **core_space(profile),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return one network of moderate size."""
        return (
            {
                "width": 32,
                "units": 64,
                "patch": _patches(profile.steps)[0],
                "dropout": 0.2,
                **core_params(profile, 3e-3),
            },
        )

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary.
        Output shape
            ``(batch, units + width)``.
        """
        import keras

        from selector.training import layers

        x, mask, width = inputs.x, inputs.mask, int(params["width"])
        if mask is not None:
            x = layers.ApplyMask()(x, mask=mask)
        steps, real = layers.patch(x, mask, int(params["patch"]))
        state = layers.FastGRU(int(params["units"]))(steps, mask=real)
        state = layers.FastDropout(float(params["dropout"]))(state)
        stride = -(-profile.steps // CONVOLVED_STEPS)
        x, mask = layers.conv_block(x, mask, width, max(8, 2 * stride), stride=stride)
        x, mask = layers.conv_block(x, mask, 2 * width, 5)
        x, mask = layers.conv_block(x, mask, width, 3)
        return keras.layers.Concatenate()([state, layers.pool(x, mask, "mean")])


CONVOLVED_STEPS = 256
"""The convolutions go over this many steps at most; longer series are strided."""


def _patches(steps: int) -> tuple[int, ...]:
    """Return how many steps are joined into one for the GRU, the usual number first."""
    if steps <= 32:
        return (1,)
    usual = max(-(-steps // MOST_STEPS), 2)
    return (usual, 2 * usual)
