"""Keras layers for architectures: mask-aware, backend-neutral, saved by name.

Import them inside ``build``, never at the top of an entry-point module, since
importing them imports Keras::

    from selector.training import layers

    x, mask = layers.conv_block(inputs.x, inputs.mask, filters=32, kernel=5)
    return layers.pool(x, mask, "mean")

Where an architecture uses ``Dropout``, :class:`FastDropout` does the same and saves
seconds of compilation on JAX. Initialisers need no care: the core has NumPy draw
what the standard ones ask for (:func:`drawn_by_numpy`).

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
    conv2d_block,
    conv_block,
    normalized,
    separable_block,
    sliding_max,
)
from selector.training.layers.convolve import FastConv1D, FastConv2D, convolve
from selector.training.layers.depthwise import (
    DepthwiseConv1DByShifts,
    DepthwiseConv2DByShifts,
    SeparableConv1DByShifts,
    shifted_sum,
)
from selector.training.layers.dropout import FastDropout
from selector.training.layers.initializers import drawn_by_numpy
from selector.training.layers.masking import (
    ApplyMask,
    Patch,
    SubsampleMask,
    TakesMask,
    as_series,
    patch,
)
from selector.training.layers.maxpool import MaxPool1DBySlices, MaxPool2DByReshape
from selector.training.layers.normalization import OnePassBatchNormalization
from selector.training.layers.pooling import (
    LastStep,
    MaskedAttentionPooling,
    MaskedMaxPooling,
    MaskedMeanPooling,
    MaskedStdPooling,
    pool,
)
from selector.training.layers.recurrent import FastGRU, gru_block
from selector.training.layers.standard import with_standard_layers

__all__ = [
    "ApplyMask",
    "Conv3DByFrames",
    "ConvLSTM2DByProducts",
    "DepthwiseConv1DByShifts",
    "DepthwiseConv2DByShifts",
    "FastConv1D",
    "FastConv2D",
    "FastDropout",
    "FastGRU",
    "LastStep",
    "MaskedAttentionPooling",
    "MaskedMaxPooling",
    "MaskedMeanPooling",
    "MaskedStdPooling",
    "MaxPool1DBySlices",
    "MaxPool2DByReshape",
    "MaxPool3DByReshape",
    "OnePassBatchNormalization",
    "Patch",
    "SeparableConv1DByShifts",
    "SubsampleMask",
    "TakesMask",
    "as_series",
    "conv2d_block",
    "conv3d_block",
    "conv_block",
    "convolve",
    "drawn_by_numpy",
    "gru_block",
    "normalized",
    "patch",
    "pool",
    "separable_block",
    "shifted_sum",
    "shrink_clips",
    "sliding_max",
    "with_standard_layers",
]
