"""``rnn.mingru``: a recurrence whose gates do not look at the state."""

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
from selector_rnn.recurrent import MOST_STEPS, patch_sizes


class MinGRU(NetworkArchitecture):
    """Stacked minGRU blocks over steps or image rows.

    Each block normalises, runs the recurrence and adds its input. Gates and
    candidates are functions of the input alone: training is faster than with
    a GRU, and a state cannot decide what is done with the next input, so that
    one block cannot count or track a state; what it says of a lag, it can.

    References
    ----------
    Feng, Tung, Ahmed, Bengio and Hajimirsadeghi, "Were RNNs all we needed?",
    arXiv 2410.01201, 2024.
    """

    name = "rnn.mingru"
    family = "rnn"
    title = "Minimal gated recurrent unit"
    reason = "a light recurrence: remembers over long lags, and trains fast"
    kinds = ("sequential", "grid")
    variable_length = True
    references = ("Feng et al.: Were RNNs all we needed?, arXiv 2410.01201, 2024",)

    def space(self, profile: Profile) -> Space:
        """Return the ranges; units, directions, pooling and patch are structural."""
        return {
            "units": Categorical((64, 96)),
            "layers": Categorical((2,)),
            "bidirectional": Categorical((False, True)),
            "pooling": Categorical(("last", "mean", "attention")),
            "patch": Categorical(patch_sizes(profile.length)),
            "dropout": Float(0.0, 0.5),
            **core_space(profile, (1e-3, 3e-2)),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return both directions with a pooling over time; and one that answers at the end."""
        steps = profile.length
        pooled = {
            "units": 64,
            "layers": 2,
            "bidirectional": True,
            "pooling": "attention" if profile.kind == "sequential" else "mean",
            "patch": max(patch_sizes(steps)) if steps > MOST_STEPS // 4 else 1,
            "dropout": 0.2,
            **core_params(profile, 1e-2),
        }
        final = {**pooled, "bidirectional": False, "pooling": "last", "dropout": 0.0}
        return (pooled, {**final, "patch": min(patch_sizes(steps))})

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary, or
            ``(batch, height, width, channel)``.
        Output shape
            ``(batch, units)``.
        """
        import keras

        from selector.training import layers
        from selector_rnn.min_gru_layer import MinGRU as Recurrence

        x, mask, units = layers.as_series(inputs.x), inputs.mask, int(params["units"])
        if mask is not None:
            x = layers.ApplyMask()(x, mask=mask)
        x, mask = layers.patch(x, mask, int(params["patch"]))
        memory = max(profile.length // int(params["patch"]), 2)
        x = keras.layers.Dense(units)(x)
        for _ in range(int(params["layers"])):
            block = keras.layers.LayerNormalization()(x)
            block = Recurrence(units, bool(params["bidirectional"]), memory)(block, mask=mask)
            block = keras.layers.Dense(units, activation="gelu")(block)
            block = layers.FastDropout(float(params["dropout"]))(block)
            x = keras.layers.Add()([x, block])
        x = layers.pool(x, mask, str(params["pooling"]))
        return keras.layers.LayerNormalization()(x)
