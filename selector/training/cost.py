"""What a model costs: parameters, bytes and multiply-adds of one prediction, by counting."""

from __future__ import annotations

from math import prod
from typing import Any

import keras

from selector.training.layers.dropout import RATE
from selector.training.models import layers_of


def parameters(model: Any) -> int:
    """Return the number of weights of a Keras model, those not trained included."""
    return int(sum(prod(weight.shape) for weight in model.weights if weight.name != RATE))


def multiply_adds(model: Any, steps: int | None = None) -> int:
    """Count the multiply-adds of one forward pass of a Keras model over one sample.

    Dense and convolution: the kernel once for each output position. Recurrent
    layers: all weights once for each step. A layer with a method
    ``count_macs(input_shape, output_shape)`` answers for itself; any other
    counts its weights once for each output position.

    Parameters
    ----------
    model : keras.Model
        A functional model.
    steps : int, optional
        What to take for a length that the inputs leave open. Behind a stride or a
        patch it is as much shorter as the series are.
    """
    known: dict[int, int] = {}
    return int(sum(_of_layer(layer, steps or 1, known) for layer in layers_of(model)))


def _of_layer(layer: Any, longest: int, known: dict[int, int]) -> int:
    try:
        before, after = layer.input, layer.output
    except (AttributeError, ValueError):  # used more than once, or not at all
        return int(sum(prod(weight.shape) for weight in layer.weights))
    if not layer.weights and not hasattr(layer, "count_macs"):
        return 0
    inputs = _shape(before[0] if isinstance(before, list | tuple) else before, longest, known)
    outputs = _shape(after[0] if isinstance(after, list | tuple) else after, longest, known)
    own = getattr(layer, "count_macs", None)
    if callable(own):
        return int(own(inputs, outputs))
    weights = int(sum(prod(weight.shape) for weight in layer.weights))
    if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional):
        return weights * (inputs[0] if inputs else 1)
    kernel = getattr(layer, "kernel", None)
    if kernel is not None and hasattr(kernel, "shape"):
        return int(prod(kernel.shape)) * prod(outputs[:-1])
    if isinstance(layer, keras.layers.Embedding):
        return 0
    return weights * prod(outputs[:-1])


def _shape(tensor: Any, longest: int, known: dict[int, int]) -> tuple[int, ...]:
    """Return the shape of one sample of a Keras tensor, an open length by :func:`_steps`."""
    shape = (getattr(tensor, "shape", None) or ())[1:]
    steps = _steps(tensor, longest, known) if None in shape else 0
    return tuple(steps if extent is None else int(extent) for extent in shape)


def _steps(tensor: Any, longest: int, known: dict[int, int]) -> int:
    """Return the open length of a tensor where that of the model's inputs is `longest`.

    It follows from that of the first input of the layer that the tensor comes from.
    `known` keeps what was found, by the identity of the tensor.
    """
    if id(tensor) not in known:
        layer, index = tensor._keras_history[:2]
        before = layer._inbound_nodes[index].input_tensors
        known[id(tensor)] = longest
        if before:
            given = _shape(before[0], longest, known)
            known[id(tensor)] = _steps_after(layer, given, tensor.shape.index(None, 1), longest)
    return known[id(tensor)]


def _steps_after(layer: Any, given: tuple[int, ...], axis: int, longest: int) -> int:
    """Return the length that a layer makes of its first input's, by default the same."""
    try:
        steps = layer.compute_output_shape((None, *given))[axis]
    except Exception:  # it takes several inputs, or a plugin's layer does not say
        steps = None
    if isinstance(steps, int):
        return steps
    return given[axis - 1] if axis <= len(given) else longest


def of_model(model: Any, steps: int | None = None) -> dict[str, int]:
    """Return ``params_count``, ``bytes`` (float32) and ``macs`` of a Keras model."""
    count = parameters(model)
    return {"params_count": count, "bytes": 4 * count, "macs": multiply_adds(model, steps)}
