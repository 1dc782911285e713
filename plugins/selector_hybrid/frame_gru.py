"""``hybrid.frame_gru``: a convolutional network over each frame, a GRU over the frames."""

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

LARGEST_SIDE = 32
MOST_STEPS = 128
CELLS = 4


class FrameGRU(NetworkArchitecture):
    """Every frame of a clip goes through one small convolutional network, then a GRU.

    Two blocks of 3 × 3 convolutions are pooled until at most 4 × 4 cells are
    left, so that where something is stays known; the GRU reads them in order.

    References
    ----------
    Donahue et al., "Long-term recurrent convolutional networks for visual
    recognition and description", CVPR 2015.
    """

    name = "hybrid.frame_gru"
    family = "hybrid"
    title = "Convolutions over frames into a GRU"
    reason = "what is in each frame, and the order in which frames follow"
    kinds = ("sequential-grid",)
    references = (
        "Donahue et al.: Long-term recurrent convolutional networks for visual recognition and "
        "description, CVPR 2015",
    )

    def space(self, profile: Profile) -> Space:
        """Width, units, directions and pooling are structural."""
        return {
            "width": Categorical((8, 16)),
            "units": Categorical((64, 96)),
            "bidirectional": Categorical((False, True)),
            "pooling": Categorical(("last", "mean")),
            "dropout": Float(0.0, 0.5),
            **core_space(profile, (1e-3, 2e-2)),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return both directions with a mean, and one direction answering from its last state."""
        first = {
            "width": 8,
            "units": 64,
            "bidirectional": True,
            "pooling": "mean",
            "dropout": 0.1,
            **core_params(profile, 5e-3, weight_decay=1e-3),
        }
        return (first, {**first, "bidirectional": False, "pooling": "last"})

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, height, width, channel)``.
        Output shape
            ``(batch, units)``, twice that where bidirectional.
        """
        import keras

        from selector.training import layers

        width = int(params["width"])
        x = layers.shrink_clips(inputs.x, MOST_STEPS, LARGEST_SIDE)
        for filters in (width, 2 * width):
            high, wide = (2 if side > CELLS else 1 for side in x.shape[2:4])
            x = layers.conv3d_block(x, filters, (1, 3, 3), (1, high, wide))
        left = [-(-side // CELLS) for side in x.shape[2:4]]
        if max(left) > 1:
            x = layers.MaxPool3DByReshape((1, *left))(x)
        steps, high, wide, channels = x.shape[1:]
        x = keras.layers.Reshape((steps, high * wide * channels))(x)
        x = layers.FastDropout(float(params["dropout"]))(x)
        return layers.gru_block(x, None, params)
