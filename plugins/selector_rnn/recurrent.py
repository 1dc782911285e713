"""``rnn.gru`` and ``rnn.lstm``: trained recurrent networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from selector.contract import (
    Categorical,
    Fit,
    Float,
    Inputs,
    NetworkArchitecture,
    Params,
    Profile,
    Space,
    core_params,
    core_space,
)

LARGEST_FRAME = 4096
"""Most values of a frame of a clip, which is one step."""

MOST_STEPS = 256
"""A recurrent layer goes through a series step by step; longer ones are patched."""


class _Recurrent(NetworkArchitecture):
    """What GRU and LSTM share: everything but the layer.

    Class attributes say what the architecture is for. The default
    ``fit_for`` compares them with the profile of the data.
    """

    family = "rnn"
    kinds = ("sequential", "grid", "sequential-grid")
    # The mask is handed to every layer below, so padding changes nothing.
    # a test of the plugins checks it for every architecture that claims it.
    variable_length = True

    # Name of the layer in ``selector.training.layers`` or ``keras.layers``: a name,
    # since the class itself would need Keras at import time.
    layer: ClassVar[str]

    def fit_for(self, profile: Profile) -> Fit:
        """Admit series, images, and clips of small frames; say why in one sentence.

        Be generous here: the search measures, this only keeps out what cannot work.
        """
        fit = super().fit_for(profile)
        if not fit.admitted:
            return fit
        if profile.kind == "grid":
            return Fit(True, "reads an image row by row, from top to bottom")
        if profile.kind == "sequential-grid":
            frame = profile.size // max(profile.steps, 1)
            if frame > LARGEST_FRAME:
                return Fit(False, f"takes frames of up to {LARGEST_FRAME} values, not {frame}")
            return Fit(True, "reads a clip frame by frame, each as one vector")
        patch = patch_sizes(profile.steps)[0]
        if patch == 1:
            return Fit(True, "carries a state from step to step, so order and lag can matter")
        return Fit(True, f"carries a state over the series, {patch} steps joined into one")

    def space(self, profile: Profile) -> Space:
        """Return the parameters and their ranges.

        Each new value of ``units``, ``layers``, ``bidirectional``, ``pooling``
        or ``patch`` is another compiled program, which costs a second or two:
        so they have few values. What ``core_space`` adds is read by the core
        (learning rate, weight decay, how series are scaled, how far training
        images are shifted) and compiles nothing; nor does another rate of a
        ``FastDropout``, which is an argument of the program.
        """
        return {
            "units": Categorical((32, 64, 96)),
            "layers": Categorical((1, 2)),
            "bidirectional": Categorical((False, True)),
            "pooling": Categorical(("last", "mean", "attention")),
            "patch": Categorical(patch_sizes(profile.length)),
            "dropout": Float(0.0, 0.5),
            **core_space(profile, (1e-3, 2e-2)),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return the configurations to try first, best guess first.

        Every one gives a value for each name of the space. Keep it short: a
        minute buys some forty trials for all architectures together.
        """
        patches = patch_sizes(profile.length)
        pooled = {
            "units": 64,
            "layers": 1,
            "bidirectional": True,
            "pooling": "attention" if profile.kind == "sequential" else "mean",
            # Two directions over a long series cost most, so its steps are joined.
            "patch": max(patches) if profile.length > MOST_STEPS // 4 else 1,
            "dropout": 0.2,
            **core_params(profile, 5e-3),
        }
        # Reads once from start to end and answers from its last state: the
        # classic form, which can keep what it saw for any number of steps.
        final = {**pooled, "bidirectional": False, "pooling": "last", "dropout": 0.0}
        final["patch"] = min(patches)
        return (pooled, final)

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features; the core attaches the head of the task.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary,
            ``(batch, height, width, channel)`` or
            ``(batch, time, height, width, channel)``.
        Output shape
            ``(batch, units)``, twice that where bidirectional.
        """
        # It imports Keras, so it is imported here, in a worker, and not with the plugin.
        from selector.training import layers

        x, mask = layers.as_series(inputs.x), inputs.mask
        if mask is not None:
            x = layers.ApplyMask()(x, mask=mask)
        x, mask = layers.patch(x, mask, int(params["patch"]))
        for i in range(int(params["layers"])):
            is_last = i == int(params["layers"]) - 1
            x = self._layer(params, sequences=not (is_last and params["pooling"] == "last"))(
                x, mask=mask
            )
            x = layers.FastDropout(float(params["dropout"]))(x)
        return x if params["pooling"] == "last" else layers.pool(x, mask, str(params["pooling"]))

    def _layer(self, params: Params, sequences: bool) -> Any:
        """Return one recurrent layer, in both directions where asked for."""
        import keras

        from selector.training import layers

        recurrent = getattr(layers, self.layer, None) or getattr(keras.layers, self.layer)
        layer = recurrent(int(params["units"]), return_sequences=sequences)
        return keras.layers.Bidirectional(layer) if params["bidirectional"] else layer


class GRU(_Recurrent):
    """Gated recurrent units, in one or two directions, over steps, image rows or frames.

    References
    ----------
    Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation", EMNLP 2014.
    """

    name = "rnn.gru"
    title = "Gated recurrent unit"
    layer = "FastGRU"
    references = (
        "Cho et al.: Learning phrase representations using RNN encoder-decoder, EMNLP 2014",
    )


class LSTM(_Recurrent):
    """Long short-term memory, in one or two directions, over steps, image rows or frames.

    References
    ----------
    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9
    (1997).
    """

    name = "rnn.lstm"
    title = "Long short-term memory"
    layer = "LSTM"
    references = ("Hochreiter, Schmidhuber: Long short-term memory, Neural Computation 1997",)


def patch_sizes(steps: int) -> tuple[int, ...]:
    """Return the patch sizes worth trying for series of `steps` steps, the smallest first."""
    shortest = -(-steps // MOST_STEPS)
    if steps <= 32:
        return (1,)
    return (shortest, 4) if shortest < 4 else (shortest, 2 * shortest)
