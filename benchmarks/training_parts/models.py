"""The models that are timed: selector's architectures, in forms that stock layers can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from selector.contract import (
    CLIP_AXES,
    FEATURE_AXES,
    IMAGE_AXES,
    KIND_OF_AXES,
    SERIES_AXES,
    Profile,
)

SERIES, IMAGE, CLIP, TABLE = (128, 3), (28, 28, 1), (10, 16, 16, 1), (32,)
AXES = {1: FEATURE_AXES, 2: SERIES_AXES, 3: IMAGE_AXES, 4: CLIP_AXES}
CLASSES = 4


@dataclass(frozen=True)
class Timed:
    """One model: an architecture, parameters that differ from its first ones, a sample's shape."""

    name: str
    architecture: str
    shape: tuple[int, ...]
    params: Mapping[str, Any] = field(default_factory=dict)


_RECURRENT = {"patch": 1, "pooling": "mean", "dropout": 0.0}

MODELS = (
    Timed("MLP", "tabular.mlp", TABLE),
    Timed("GRU", "rnn.gru", SERIES, {**_RECURRENT, "bidirectional": False}),
    Timed("LSTM", "rnn.lstm", SERIES, {**_RECURRENT, "bidirectional": False}),
    Timed("BiGRU", "rnn.gru", SERIES, {**_RECURRENT, "bidirectional": True, "units": 32}),
    Timed("FCN", "cnn.fcn", SERIES, {"pooling": "mean"}),
    Timed("ResNet-1D", "cnn.resnet", SERIES),
    Timed("LITE", "cnn.lite", SERIES),
    Timed("Inception", "cnn.inception", SERIES),
    Timed("TCN", "cnn.tcn", SERIES, {"pooling": "mean"}),
    Timed("conv-GRU", "hybrid.conv_gru", SERIES),
    Timed("convnet-2D", "cnn.convnet", IMAGE),
    Timed("ResNet-2D", "cnn.resnet2d", IMAGE),
    Timed("CRNN", "hybrid.crnn", IMAGE, {"pooling": "mean"}),
    Timed("frame-CNN+GRU", "hybrid.frame_gru", CLIP),
)


def profile(shape: tuple[int, ...], rows: int) -> Profile:
    """Return the profile of invented data."""
    axes = AXES[len(shape)]
    return Profile(
        name="timed", axes=axes, kind=KIND_OF_AXES[axes], task="classification", target="y",
        n=rows, shape=shape, lengths=(shape[0],) * 3 if axes[0] == "time" else (),
        n_outputs=CLASSES, classes=tuple("abcd"), counts=(rows // CLASSES,) * CLASSES,
    )  # fmt: skip


def data(shape: tuple[int, ...], rows: int) -> tuple[Any, Any]:
    """Return random samples whose class shifts their mean a little."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % CLASSES
    x = rng.normal(size=(rows, *shape)) + 0.1 * y.reshape(-1, *[1] * len(shape))
    return x.astype(np.float32), y.astype(np.int32)
