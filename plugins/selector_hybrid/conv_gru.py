"""``hybrid.conv_gru``: a strided convolutional front-end into a GRU."""

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

MOST_STEPS = 128
STAGES = {
    1: (1, 1),
    2: (2, 1),
    4: (2, 2),
    8: (4, 2),
    16: (4, 4),
    32: (8, 4),
    64: (8, 8),
}


class ConvGRU(NetworkArchitecture):
    """Two strided convolutions shorten a series, a GRU reads what they found.

    The convolutions respond to local patterns, and the recurrence to their
    order and distance. Of more than 48 steps the GRU takes half or fewer, which
    makes it as many times faster than one over the raw series.

    References
    ----------
    Ordóñez and Roggen, "Deep convolutional and LSTM recurrent neural networks
    for multimodal wearable activity recognition", Sensors 16 (2016).
    """

    name = "hybrid.conv_gru"
    family = "hybrid"
    title = "Convolutions into a GRU"
    reason = "local patterns whose order or distance may matter"
    kinds = ("sequential",)
    variable_length = True
    references = (
        "Ordóñez, Roggen: Deep convolutional and LSTM recurrent neural networks for multimodal "
        "wearable activity recognition, Sensors 2016",
    )

    def space(self, profile: Profile) -> Space:
        """Return the ranges; filters, stride, units, directions and pooling are structural."""
        return {
            "filters": Categorical((32, 48)),
            "stride": Categorical(strides(profile.steps)),
            "units": Categorical((32, 64)),
            "bidirectional": Categorical((False, True)),
            "pooling": Categorical(("last", "mean", "attention")),
            "dropout": Float(0.0, 0.5),
            **core_space(profile),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return both directions with a mean, and one direction answering from its last state."""
        choices = strides(profile.steps)
        first = {
            "filters": 32,
            "stride": choices[0],
            "units": 64,
            "bidirectional": True,
            "pooling": "mean",
            "dropout": 0.2,
            **core_params(profile, 3e-3),
        }
        last = {**first, "bidirectional": False, "pooling": "last", "dropout": 0.0}
        return (first, last)

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary.
        Output shape
            ``(batch, units)``, twice that where bidirectional.
        """
        from selector.training import layers

        filters = int(params["filters"])
        early, late = STAGES[int(params["stride"])]
        x, mask = inputs.x, inputs.mask
        x, mask = layers.conv_block(x, mask, filters, max(7, 2 * early + 1), stride=early)
        x, mask = layers.conv_block(x, mask, filters, max(5, 2 * late + 1), stride=late)
        return layers.gru_block(x, mask, params)


def strides(steps: int) -> tuple[int, ...]:
    """Return total strides worth trying for series of `steps` steps, the usual one first."""
    if steps <= 12:
        return (1,)
    if steps <= 48:
        return (1, 2)
    usual = 4
    while steps > MOST_STEPS * usual and usual < max(STAGES):
        usual *= 2
    return (usual, usual // 2)
