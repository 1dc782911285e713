"""What XLA's CPU compiler is asked for, by what a model is made of.

Some of its options pay for every model, three others pay for some and cost
others (``python benchmarks/compiler.py``). None changes what is computed but
for rounding.
"""

from __future__ import annotations

from typing import Any

import jax
import keras

from selector.training.models import layers_of

FUSED_LOOPS = "xla_cpu_use_fusion_emitters"
"""Loops over fused operations are optimised as a whole, which takes time to compile."""

QUICK: dict[str, Any] = {
    "xla_backend_optimization_level": 1,
    "xla_cpu_parallel_codegen_split_count": 1,
    "xla_cpu_prefer_vector_width": 512,
}
"""What pays for every model: LLVM's first level of optimisation in place of its third, one part
to compile in place of 32 (a worker has one core), and vectors as wide as the processor has.
That LLVM unrolls no loop is told to XLA at its start (:data:`selector.training.backend.XLA_FLAGS`).
"""

SUMS = "xla_cpu_experimental_ynn_fusion_type"
"""What a library of kernels computes in place of loops."""

LEFT_OUT = "xla_disable_hlo_passes"
"""A pass of the compiler that is left out."""

SUMS_OF_SUMS = "tree_reduction_rewriter"
"""The pass that makes two or three of every long sum: the result is more precise, but they are
compiled one by one, and what is to be added is written out first. Where many numbers are added
in training, layers do it in parts (``selector.training.layers.normalization.added``)."""

IMAGE_LAYERS = keras.layers.Conv2D | keras.layers.Conv3D


def options(model: Any) -> dict[str, Any]:
    """Return the options that pay for a Keras model.

    Loops are not optimised as fused ones, which halves the time to compile and costs a tenth
    of a step at most, but where a layer asks for it by an attribute ``fused_loops``. Sums over
    images (gradients of biases and of normalisation) go to the library; others are left whole,
    but where a layer has an attribute ``sums_in_parts``.

    Parameters
    ----------
    model : keras.Model
        A functional model.
    """
    layers = layers_of(model)
    found = dict(QUICK)
    if not any(getattr(layer, "fused_loops", False) for layer in layers):
        found[FUSED_LOOPS] = False
    if any(isinstance(layer, IMAGE_LAYERS) for layer in layers):
        found[SUMS] = "LIBRARY_FUSION_TYPE_REDUCE"
    elif not any(getattr(layer, "sums_in_parts", False) for layer in layers):
        found[LEFT_OUT] = SUMS_OF_SUMS
    return found


def compiled(lowered: Any, wanted: dict[str, Any]) -> Any:
    """Compile a lowered function with options, or without those that XLA does not know."""
    try:
        return lowered.compile(compiler_options=wanted or None)
    except jax.errors.JaxRuntimeError:
        if not wanted:
            raise
        return lowered.compile()
