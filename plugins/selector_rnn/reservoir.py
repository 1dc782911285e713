"""``rnn.reservoir``: fixed random recurrent features and a closed-form head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selector.contract import (
    Categorical,
    FeatureArchitecture,
    Fit,
    Float,
    Inputs,
    Params,
    Profile,
    Space,
)

MOST_STEPS = 2_000


class Reservoir(FeatureArchitecture):
    """An echo state network: nothing recurrent is trained.

    A random recurrent network with several speeds of forgetting reads the
    series. Its states' mean and standard deviation over time, and the last
    state, are the features; the core solves a linear head on them. That takes
    about a second, and says whether recurrence is of any use here.

    References
    ----------
    Jaeger, "The 'echo state' approach to analysing and training recurrent
    neural networks", GMD report 148 (2001).
    """

    name = "rnn.reservoir"
    family = "rnn"
    title = "Echo state network"
    kinds = ("sequential", "grid")
    variable_length = True
    references = (
        "Jaeger: The echo state approach to analysing and training recurrent neural networks, "
        "GMD report 148, 2001",
        "Jaeger et al.: Optimization and applications of echo state networks with "
        "leaky-integrator neurons, Neural Networks 2007",
    )

    def fit_for(self, profile: Profile) -> Fit:
        """Admit series and images of up to 2,000 steps or rows."""
        fit = super().fit_for(profile)
        if not fit.admitted:
            return fit
        if profile.length > MOST_STEPS:
            return Fit(
                False, f"goes step by step, {MOST_STEPS} at most, and these have {profile.length}"
            )
        return Fit(True, "a fixed random recurrence with a closed-form head: a quick first answer")

    def space(self, profile: Profile) -> Space:
        """Size, directions, and how strongly and how long inputs echo."""
        return {
            "units": Categorical((200, 400)),
            "bidirectional": Categorical((False, True)),
            "spectral_radius": Float(0.5, 1.2),
            "input_scale": Float(0.1, 3.0, log=True),
            "slowest": Float(0.02, 1.0, log=True),
            "normalize": Categorical(("dataset", "sample")),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return both directions with a moderate echo, and one direction with a slow memory."""
        first = {
            "units": 400 if profile.n < 2_000 else 200,
            "bidirectional": True,
            "spectral_radius": 0.9,
            "input_scale": 1.0,
            "slowest": 0.1,
            "normalize": "dataset",
        }
        return (first, {**first, "bidirectional": False, "slowest": 0.03, "spectral_radius": 1.0})

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary, or
            ``(batch, height, width, channel)``.
        Output shape
            ``(batch, 3 * units)``, twice that where bidirectional.
        """
        import keras

        from selector.training import layers

        x, mask = layers.as_series(inputs.x), inputs.mask
        if mask is not None:
            x = layers.ApplyMask()(x, mask=mask)
        recurrent = self._reservoir(params, backwards=False)
        if params["bidirectional"]:
            recurrent = keras.layers.Bidirectional(
                recurrent, backward_layer=self._reservoir(params, backwards=True)
            )
        states, *last = recurrent(x, mask=mask)
        mean = layers.pool(states, mask, "mean")
        deviation = layers.MaskedStdPooling()(states, mask=mask)
        return keras.layers.Concatenate()([mean, deviation, *last])

    def _reservoir(self, params: Params, backwards: bool) -> Any:
        """Return the recurrent layer in one direction: all states, and the last one."""
        import keras

        from selector_rnn.layers import EchoStateCell

        cell = EchoStateCell(
            int(params["units"]),
            spectral_radius=float(params["spectral_radius"]),
            input_scale=float(params["input_scale"]),
            slowest=float(params["slowest"]),
            seed=int(backwards),
        )
        return keras.layers.RNN(
            cell, return_sequences=True, return_state=True, go_backwards=backwards
        )
