"""Keras layers for architectures: mask-aware, backend-neutral, saved by name.

Import them inside ``build``, never at the top of an entry-point module, since
importing them imports Keras::

    from selector.training import layers

    x, mask = layers.conv_block(inputs.x, inputs.mask, filters=32, kernel=5)
    return layers.pool(x, mask, "mean")

Where an architecture uses ``Dropout``, ``Dense``, ``GRU`` …, :class:`FastDropout`
and the initialisers of this package (``kernel_initializer=layers.GlorotUniform()``)
do the same as the standard ones, and save seconds of compilation on JAX.

Masks are always passed explicitly. Whatever stands at a masked step, and
however many masked steps follow the real ones, changes nothing.
"""

from __future__ import annotations

from selector.training.layers.clips import (
    Conv3DByFrames,
    ConvLSTM2DByProducts,
    MaxPool3DByReshape,
    conv3d_block,
    shrink_clips,
)
from selector.training.layers.convolution import (
    MaxPool2DByReshape,
    conv2d_block,
    conv_block,
    with_standard_layers,
)
from selector.training.layers.dropout import FastDropout
from selector.training.layers.initializers import GlorotUniform, LecunNormal, Orthogonal
from selector.training.layers.masking import ApplyMask, Patch, SubsampleMask, TakesMask, patch
from selector.training.layers.pooling import (
    LastStep,
    MaskedAttentionPooling,
    MaskedMaxPooling,
    MaskedMeanPooling,
    MaskedStdPooling,
    pool,
)

__all__ = [
    "ApplyMask",
    "Conv3DByFrames",
    "ConvLSTM2DByProducts",
    "FastDropout",
    "GlorotUniform",
    "LastStep",
    "LecunNormal",
    "MaskedAttentionPooling",
    "MaskedMaxPooling",
    "MaskedMeanPooling",
    "MaskedStdPooling",
    "MaxPool2DByReshape",
    "MaxPool3DByReshape",
    "Orthogonal",
    "Patch",
    "SubsampleMask",
    "TakesMask",
    "conv2d_block",
    "conv3d_block",
    "conv_block",
    "patch",
    "pool",
    "shrink_clips",
    "with_standard_layers",
]
