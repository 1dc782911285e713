"""What the architectures for images share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from selector.contract import (
    Categorical,
    Float,
    NetworkArchitecture,
    Params,
    Profile,
    Space,
    core_params,
    core_space,
)

LARGEST_SIDE = 40
"""Images with longer sides are averaged down first."""


def shrunk(x: Any) -> Any:
    """Return images averaged down to sides of at most :data:`LARGEST_SIDE` pixels, each by itself.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, height, width, channel)
    """
    import keras

    window = tuple(-(-side // LARGEST_SIDE) for side in x.shape[1:3])
    return x if window == (1, 1) else keras.layers.AveragePooling2D(window, padding="same")(x)


def halved(x: Any) -> tuple[int, int]:
    """Return the window that halves an image, as far as it can be halved."""
    return (2 if x.shape[1] >= 4 else 1, 2 if x.shape[2] >= 4 else 1)


class ImageNetwork(NetworkArchitecture):
    """A network for images of which only the width is structural.

    Class attributes
    ----------------
    widths : tuple of int
        Filters of the first convolution; the first of them is tried first.
    """

    family = "cnn"
    kinds = ("grid",)
    widths: ClassVar[tuple[int, ...]]

    def space(self, profile: Profile) -> Space:
        """Width is structural; the rest is cheap to vary."""
        return {
            "width": Categorical(self.widths),
            "dropout": Float(0.0, 0.5),
            **core_space(profile, (1e-3, 2e-2)),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return the narrowest network."""
        core = core_params(profile, 5e-3, weight_decay=1e-3)
        return ({"width": self.widths[0], "dropout": 0.1, **core},)
