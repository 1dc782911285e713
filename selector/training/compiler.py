"""What XLA's CPU compiler is asked for, by what a model is made of.

Three of its options were found to pay for some models and to cost others
(``python benchmarks/compiler.py``). None changes what is computed but for
rounding.
"""

from __future__ import annotations

from typing import Any

import jax
import keras

from selector.training.layers import MaskedAttentionPooling, MaxPool1DBySlices
from selector.training.models import layers_of

FUSED_LOOPS = "xla_cpu_use_fusion_emitters"
"""Loops over fused operations are optimised as a whole, which takes time to compile."""

SUMS = "xla_cpu_experimental_ynn_fusion_type"
"""What a library of kernels computes in place of loops."""

LEFT_OUT = "xla_disable_hlo_passes"
"""A pass of the compiler that is left out."""

SUMS_OF_SUMS = "tree_reduction_rewriter"
"""The pass that makes two or three of every long sum: the result is more precise, but they are
compiled one by one, and what is to be added is written out first. Where many numbers are added
in training, layers do it in parts (``selector.training.layers.normalization.added``)."""


def options(model: Any) -> dict[str, Any]:
    """Return the options that pay for a Keras model.

    Sums over images (gradients of biases and of normalisation) go to the
    library. Loops are left unfused where most of the work is in the products of recurrent
    cells and convolutions anyway, and for layers that ask for it by an attribute
    ``plain_loops``; not where a layer is unknown, or takes the maximum of a sliding
    window, which is a loop and nothing else. Sums are left whole but over images, and
    where a layer asks for plain loops.

    Parameters
    ----------
    model : keras.Model
        A functional model.
    """
    layers = layers_of(model)
    kinds = {kind for kind in map(_kind, layers) if kind}
    plain = any(getattr(layer, "plain_loops", False) for layer in layers)
    found: dict[str, Any] = {}
    if "grid" in kinds:
        found[SUMS] = "LIBRARY_FUSION_TYPE_REDUCE"
    elif not plain:
        found[LEFT_OUT] = SUMS_OF_SUMS
    if plain or (kinds and kinds <= {"series", "grid", "recurrent"}):
        found[FUSED_LOOPS] = False
    return found


def _kind(layer: Any) -> str:
    """Return what a layer is; empty for those that go with any."""
    inner = layer.forward_layer if isinstance(layer, keras.layers.Bidirectional) else layer
    if isinstance(inner, keras.layers.RNN):
        return "recurrent"
    if isinstance(inner, keras.layers.Conv1D):
        return "series"
    if isinstance(inner, keras.layers.Conv2D | keras.layers.Conv3D):
        return "grid"
    pools = keras.layers.MaxPooling1D | keras.layers.MaxPooling2D | keras.layers.MaxPooling3D
    if isinstance(inner, MaxPool1DBySlices | pools):
        return "sliding"
    if type(inner).__module__.split(".")[0] not in ("keras", "selector"):
        return "other"
    light = keras.layers.Dense | keras.layers.BatchNormalization | MaskedAttentionPooling
    return "other" if inner.trainable_weights and not isinstance(inner, light) else ""


def compiled(lowered: Any, wanted: dict[str, Any]) -> Any:
    """Compile a lowered function with options, or without those that XLA does not know."""
    try:
        return lowered.compile(compiler_options=wanted or None)
    except jax.errors.JaxRuntimeError:
        if not wanted:
            raise
        return lowered.compile()
