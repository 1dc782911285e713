"""``hybrid.deepconvlstm``: four convolutions along time, then two layers of LSTM."""

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
from selector_hybrid.conv_gru import STAGES, strides


class DeepConvLSTM(NetworkArchitecture):
    """Deep convolutions without pooling into stacked LSTM layers.

    As published for wearable sensors, but narrower (64 filters and 128 units
    there), with batch normalisation, and with strides in the first two
    convolutions where series are long, so that it trains in seconds.

    References
    ----------
    Ordóñez and Roggen, "Deep convolutional and LSTM recurrent neural networks
    for multimodal wearable activity recognition", Sensors 16 (2016).
    """

    name = "hybrid.deepconvlstm"
    family = "hybrid"
    title = "Deep convolutions into LSTMs"
    reason = "deep local patterns, whose order two layers of LSTM read"
    kinds = ("sequential",)
    variable_length = True
    references = (
        "Ordóñez, Roggen: Deep convolutional and LSTM recurrent neural networks for multimodal "
        "wearable activity recognition, Sensors 2016",
    )

    def space(self, profile: Profile) -> Space:
        """Return the ranges; filters, stride, units and pooling are structural."""
        return {
            "filters": Categorical((24, 32)),
            "stride": Categorical(strides(profile.steps)),
            "units": Categorical((48, 64)),
            "pooling": Categorical(("last", "mean")),
            "dropout": Float(0.0, 0.5),
            **core_space(profile),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return one network that answers at the end, as published."""
        return (
            {
                "filters": 32,
                "stride": strides(profile.steps)[0],
                "units": 48,
                "pooling": "last",
                "dropout": 0.2,
                **core_params(profile, 5e-3),
            },
        )

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary.
        Output shape
            ``(batch, units)``.
        """
        import keras

        from selector.training import layers

        x, mask, filters = inputs.x, inputs.mask, int(params["filters"])
        for stride in (*STAGES[int(params["stride"])], 1, 1):
            x, mask = layers.conv_block(x, mask, filters, max(5, 2 * stride + 1), stride=stride)
        last = params["pooling"] == "last"
        for sequences in (True, not last):
            x = layers.FastDropout(float(params["dropout"]))(x)
            x = keras.layers.LSTM(
                int(params["units"]),
                return_sequences=sequences,
            )(x, mask=mask)
        return x if last else layers.pool(x, mask, "mean")
