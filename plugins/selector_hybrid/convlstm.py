"""``hybrid.convlstm``: a recurrence whose state is an image."""

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
MOST_STEPS = 32
CELLS = 8


class ConvLSTM(NetworkArchitecture):
    """A convolution over each frame, then an LSTM that convolves its state.

    Frames are pooled to at most 8 × 8 cells first. A cell of the state hears of its
    neighbours at every step, so that the layer can follow what moves. Its last map
    is averaged, or flattened where place matters. Clips of more than 32 frames are
    averaged down.

    References
    ----------
    Shi et al., "Convolutional LSTM network: a machine learning approach for
    precipitation nowcasting", NeurIPS 2015.
    """

    name = "hybrid.convlstm"
    family = "hybrid"
    title = "Convolutional LSTM"
    reason = "follows local patterns from frame to frame, in a state that is a map"
    kinds = ("sequential-grid",)
    references = (
        "Shi et al.: Convolutional LSTM network, a machine learning approach for precipitation "
        "nowcasting, NeurIPS 2015",
    )

    def space(self, profile: Profile) -> Space:
        """Return the ranges; filters and head are structural."""
        return {
            "filters": Categorical((8, 16)),
            "head": Categorical(("mean", "flatten")),
            "dropout": Float(0.0, 0.5),
            **core_space(profile, (1e-3, 2e-2)),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return one that averages its last map."""
        first = {
            "filters": 8,
            "head": "mean",
            "dropout": 0.1,
            **core_params(profile, 1e-2),
        }
        return (first,)

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, height, width, channel)``.
        Output shape
            ``(batch, filters)`` for the mean, ``(batch, cells * filters)`` for a
            flattened head.
        """
        import keras

        from selector.training import layers

        filters = int(params["filters"])
        x = layers.shrink_clips(inputs.x, MOST_STEPS, LARGEST_SIDE)
        cells = [-(-side // CELLS) for side in x.shape[2:4]]
        x = layers.conv3d_block(x, filters, (1, 3, 3), (1, *cells))
        x = layers.ConvLSTM2DByProducts(filters)(x)
        if params["head"] == "mean":
            x = keras.layers.GlobalAveragePooling2D()(x)
        else:
            x = keras.layers.Flatten()(x)
        return layers.FastDropout(float(params["dropout"]))(x)
