"""What the architectures for images share."""

from __future__ import annotations

from typing import Any

LARGEST_SIDE = 40
"""Images with longer sides are averaged down first."""


def shrunk(x: Any) -> Any:
    """Return images averaged down to sides of at most :data:`LARGEST_SIDE` pixels.

    Parameters
    ----------
    x : keras.KerasTensor, shape (batch, height, width, channel)
    """
    import keras

    shrink = -(-max(x.shape[1:3]) // LARGEST_SIDE)
    if shrink == 1:
        return x
    window = (min(shrink, x.shape[1]), min(shrink, x.shape[2]))
    return keras.layers.AveragePooling2D(window)(x)


def halved(x: Any) -> tuple[int, int]:
    """Return the window that halves an image, as far as it can be halved."""
    return (2 if x.shape[1] >= 4 else 1, 2 if x.shape[2] >= 4 else 1)
