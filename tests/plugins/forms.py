"""Profiles of every form of data, all built-in architectures, and models from them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

import selector_cnn
import selector_hybrid
import selector_rnn
import selector_tabular
from selector.contract import (
    CLIP_AXES,
    FEATURE_AXES,
    IMAGE_AXES,
    KIND_OF_AXES,
    SERIES_AXES,
    Architecture,
    Column,
    Inputs,
    Params,
    Profile,
)
from selector.training import layers

PLUGINS = (selector_rnn, selector_cnn, selector_hybrid, selector_tabular)
ARCHITECTURES: dict[str, Architecture] = {
    a.name: a for plugin in PLUGINS for a in plugin.selector_architectures()
}
MIXED = (
    Column("mass"),
    Column("island", "categorical", ("a", "b", "c")),
    Column("length"),
    Column("sex", "categorical", ("f", "m")),
)


def profile(
    axes: tuple[str, ...],
    shape: tuple[int | None, ...],
    n: int = 60,
    task: str = "classification",
    lengths: tuple[int, ...] = (),
    columns: tuple[Column, ...] = (),
) -> Profile:
    classes = ("no", "yes", "perhaps") if task == "classification" else ()
    if axes[0] == "time" and not lengths:
        lengths = (int(shape[0] or 0),) * 3
    return Profile(
        name="made",
        axes=axes,
        kind=KIND_OF_AXES[axes],
        task=task,
        target="y",
        n=n,
        shape=shape,
        lengths=lengths,
        n_outputs=len(classes) or 1,
        classes=classes,
        counts=(n // 3,) * len(classes),
        columns=columns or tuple(Column(f"c{i}") for i in range(int(shape[-1] or 1))),
    )


PROFILES = {
    "short series": profile(SERIES_AXES, (7, 1)),
    "series": profile(SERIES_AXES, (150, 1)),
    "long series": profile(SERIES_AXES, (361, 1)),
    "very long series": profile(SERIES_AXES, (1500, 2)),
    "multivariate series": profile(SERIES_AXES, (100, 6)),
    "ragged series": profile(SERIES_AXES, (None, 3), lengths=(4, 20, 29)),
    "long ragged series": profile(SERIES_AXES, (None, 1), lengths=(29, 100, 361)),
    "small images": profile(IMAGE_AXES, (8, 8, 1), n=1437),
    "images": profile(IMAGE_AXES, (28, 28, 1), n=800),
    "colour images": profile(IMAGE_AXES, (32, 32, 3), n=500),
    "spectrograms": profile(IMAGE_AXES, (40, 101, 1), n=500),
    "strips": profile(IMAGE_AXES, (2, 9, 1)),
    "clips": profile(CLIP_AXES, (10, 16, 16, 1), n=500),
    "small clips": profile(CLIP_AXES, (4, 6, 5, 2)),
    "large clips": profile(CLIP_AXES, (40, 48, 64, 3)),
    "table": profile(FEATURE_AXES, (4,), columns=MIXED),
    "wide table": profile(FEATURE_AXES, (784,), n=500),
    "regression table": profile(FEATURE_AXES, (4,), task="regression", columns=MIXED),
    "regression series": profile(SERIES_AXES, (30, 2), task="regression"),
}


def admitted(p: Profile, trained: bool | None = None) -> list[Architecture]:
    return [
        a for a in ARCHITECTURES.values() if a.fit_for(p).admitted and trained in (None, a.trained)
    ]


def feature_model(architecture: Any, params: Params, p: Profile) -> keras.Model:
    """Return the model from the inputs to the features, as the core makes it."""
    width = 7 if p.kind == "tabular" and p.size < 10 else p.shape[-1]
    x = keras.Input((*p.shape[:-1], width))
    mask = keras.Input((None,), dtype="bool") if p.variable_length else None
    with layers.drawn_by_numpy():
        features = architecture.build(Inputs(x, mask), params, p)
    return keras.Model([x] if mask is None else [x, mask], features)


def ragged(p: Profile, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch ``(x, mask)`` of series of different lengths, zero where padded."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(p.lengths[0], p.lengths[2] + 1, size=n)
    lengths[0], lengths[1] = p.lengths[2], 1
    mask = np.arange(p.lengths[2])[None] < lengths[:, None]
    x = rng.normal(size=(*mask.shape, p.channels)).astype("float32")
    return np.where(mask[..., None], x, 0).astype("float32"), mask


def randomise(model: keras.Model, seed: int = 0) -> None:
    """Give batch normalisation statistics and scales that are not the trivial ones."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.gamma.assign(rng.uniform(0.5, 1.5, shape))
            layer.beta.assign(rng.normal(size=shape) * 0.3)
            layer.moving_mean.assign(rng.normal(size=shape) * 0.1)
            layer.moving_variance.assign(rng.uniform(0.5, 1.5, shape))
