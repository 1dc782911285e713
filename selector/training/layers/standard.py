"""Putting Keras's own layers in the place of the fast ones that equal them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from selector.training.layers.clips import (
    Conv3DByFrames,
    ConvLSTM2DByProducts,
    MaxPool3DByReshape,
)
from selector.training.layers.convolve import FastConv1D, FastConv2D
from selector.training.layers.depthwise import (
    DepthwiseConv1DByShifts,
    DepthwiseConv2DByShifts,
    SeparableConv1DByShifts,
)
from selector.training.layers.dropout import RATE, FastDropout
from selector.training.layers.initializers import drawn_by_numpy
from selector.training.layers.maxpool import MaxPool1DBySlices, MaxPool2DByReshape
from selector.training.layers.normalization import OnePassBatchNormalization
from selector.training.layers.recurrent import FastGRU


def _both_directions(config: dict[str, Any]) -> Any:
    """Return a bidirectional layer of standard layers."""
    pair = keras.layers.Bidirectional.from_config(config)
    there, back = (_standard(layer) for layer in (pair.forward_layer, pair.backward_layer))
    return keras.layers.Bidirectional(
        there, merge_mode=pair.merge_mode, backward_layer=back, name=pair.name
    )


STANDARD: dict[type[Any], Callable[[dict[str, Any]], Any]] = {
    MaxPool1DBySlices: lambda config: keras.layers.MaxPooling1D(
        config["pool_size"], strides=1, padding="same", name=config["name"]
    ),
    MaxPool2DByReshape: lambda config: keras.layers.MaxPooling2D(
        tuple(config["pool_size"]), name=config["name"]
    ),
    FastDropout: lambda config: keras.layers.Dropout(config["rate"], name=config["name"]),
    OnePassBatchNormalization: keras.layers.BatchNormalization.from_config,
    DepthwiseConv1DByShifts: keras.layers.DepthwiseConv1D.from_config,
    DepthwiseConv2DByShifts: keras.layers.DepthwiseConv2D.from_config,
    SeparableConv1DByShifts: keras.layers.SeparableConv1D.from_config,
    MaxPool3DByReshape: lambda config: keras.layers.MaxPooling3D(
        tuple(config["pool_size"]), name=config["name"]
    ),
    FastConv1D: keras.layers.Conv1D.from_config,
    FastConv2D: keras.layers.Conv2D.from_config,
    Conv3DByFrames: keras.layers.Conv3D.from_config,
    ConvLSTM2DByProducts: keras.layers.ConvLSTM2D.from_config,
    FastGRU: keras.layers.GRU.from_config,
    keras.layers.Bidirectional: _both_directions,
}
"""For each fast layer, what makes the standard one from its configuration."""


def with_standard_layers(model: Any) -> Any:
    """Return a copy of `model` with standard Keras layers where equal ones exist.

    Weights are copied. Meant for saving: the copy predicts the same, but is
    slower to train.

    Parameters
    ----------
    model : keras.Model
        A functional model.

    Returns
    -------
    keras.Model
    """
    with drawn_by_numpy():
        copy = keras.models.clone_model(model, clone_function=_standard)
    for new, old in zip(_kept(copy), _kept(model), strict=True):
        new.assign(old)
    return copy


def _kept(model: Any) -> list[Any]:
    """Return the weights but for rates of dropout, which may lie inside another layer."""
    return [weight for weight in model.weights if weight.name != RATE]


def _standard(layer: Any) -> Any:
    """Return a new layer like `layer`, of the standard class where there is an equal one."""
    return STANDARD.get(type(layer), type(layer).from_config)(layer.get_config())
