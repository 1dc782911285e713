"""What XLA's CPU compiler is asked for, by what a model is made of.

Some of its options pay for every model, two go with what is summed
(``python benchmarks/compiler.py``). None changes what is computed but for
rounding.
"""

from __future__ import annotations

import re
from typing import Any

import jax
import keras

from selector.training.models import layers_of

QUICK: dict[str, Any] = {
    "xla_backend_optimization_level": 1,
    "xla_cpu_parallel_codegen_split_count": 1,
    "xla_cpu_prefer_vector_width": 512,
    "xla_cpu_use_fusion_emitters": False,
}
"""What pays for every model: LLVM's first level of optimisation in place of its third, one part
to compile in place of 32 (nearly all workers have one core), vectors as wide as the processor
has, and loops that are not optimised as fused ones, which saves most of all and makes some steps
longer. That LLVM unrolls no loop is told to XLA at its start
(:data:`selector.training.backend.XLA_FLAGS`).
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
"""Layers after which sums go to the library."""

_unknown: set[str] = set()


def options(model: Any) -> dict[str, Any]:
    """Return the options that pay for a Keras model; none but on a CPU.

    Sums in a network of image layers (gradients of biases and of normalisation) go to the
    library. In others they are left whole, but where a layer has an attribute ``sums_in_parts``.

    Parameters
    ----------
    model : keras.Model
        A functional model.
    """
    if jax.default_backend() != "cpu":
        return {}
    layers = layers_of(model)
    if any(isinstance(layer, IMAGE_LAYERS) for layer in layers):
        return {**QUICK, SUMS: "LIBRARY_FUSION_TYPE_REDUCE"}
    if any(getattr(layer, "sums_in_parts", False) for layer in layers):
        return dict(QUICK)
    return {**QUICK, LEFT_OUT: SUMS_OF_SUMS}


def compiled(lowered: Any, wanted: dict[str, Any]) -> Any:
    """Compile a lowered function with options, without those that XLA does not know."""
    known = {name: value for name, value in wanted.items() if name not in _unknown}
    try:
        return lowered.compile(compiler_options=known or None)
    except jax.errors.JaxRuntimeError as error:
        refused = re.search(r"No such compile option: '(\w+)'", str(error))
        if refused is None or refused[1] not in known:
            raise
        _unknown.add(refused[1])
        return compiled(lowered, known)
