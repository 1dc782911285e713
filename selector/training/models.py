"""Building Keras models from architectures: inputs, head, seeds, and the model to save."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np

from selector.contract import (
    Architecture,
    Array,
    FeatureArchitecture,
    Inputs,
    NetworkArchitecture,
    Profile,
)
from selector.errors import PluginError
from selector.training.layers import drawn_by_numpy
from selector.training.preprocess import Prepared

HEAD = "head"
"""Name of the Dense layer that the core puts on the features."""


@dataclass(frozen=True)
class Built:
    """A Keras model and its parts.

    Parameters
    ----------
    inputs : list of keras.KerasTensor
        ``[x]`` or ``[x, mask]``.
    features : keras.Model
        From the inputs to the features ``(batch, features)``.
    model : keras.Model or None
        From the inputs to logits ``(batch, classes)`` or values ``(batch, 1)``;
        None for fixed features before their head is solved.
    """

    inputs: list[Any]
    features: Any
    model: Any = None


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Make weights that are drawn inside reproducible, and leave the generators as they were.

    A Keras initialiser without a seed draws one from Python's ``random`` when
    it is made, and so do the seed generators of Dropout. Unlike
    ``keras.utils.set_random_seed`` this imports no TensorFlow.
    """
    python, legacy = random.getstate(), np.random.get_state()
    random.seed(int(seed))
    np.random.seed(int(seed) % 2**32)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)


def build(
    architecture: NetworkArchitecture | FeatureArchitecture,
    params: Mapping[str, Any],
    profile: Profile,
    train: Prepared,
    seed: int,
    outputs: int | None,
) -> Built:
    """Build the layers, adapt them to the training rows and attach a Dense head.

    Parameters
    ----------
    train : Prepared
        Scaled training rows, or some where nobody adapts; their shape gives that of the input.
    seed : int
        Seeds all weights.
    outputs : int or None
        Units of the head; None for no head (its weights are solved later).

    Raises
    ------
    PluginError
        Where `architecture` does not return features of shape ``(batch, features)``.
    """
    keras.utils.clear_session(free_memory=False)  # the same layer names each time
    with seeded(seed), drawn_by_numpy():
        shape: tuple[int | None, ...] = train.x.shape[1:]
        mask = None
        if train.mask is not None:
            shape = (None, *shape[1:])
            mask = keras.Input((None,), dtype="bool", name="mask")
        x = keras.Input(shape, dtype="float32", name="x")
        inputs = [x] if mask is None else [x, mask]
        features = architecture.build(Inputs(x, mask), params, profile)
        _check_features(architecture, features)
        feature_model = keras.Model(inputs, features)
        if overrides_adapt(architecture):
            architecture.adapt(feature_model, train.x, train.mask)
        if outputs is None:
            return Built(inputs, feature_model)
        head = keras.layers.Dense(outputs, name=HEAD)
        logits = head(features)
        return Built(inputs, feature_model, keras.Model(inputs, logits))


def _check_features(architecture: Architecture, features: Any) -> None:
    shape = getattr(features, "shape", None)
    if shape is None or len(shape) != 2 or shape[1] is None:
        raise PluginError(
            f"build of '{architecture.name}' must return a Keras tensor of shape"
            f" (batch, features), not {shape if shape is not None else type(features).__name__};"
            " pool or flatten the other axes"
        )


def overrides_adapt(architecture: Architecture) -> bool:
    """Whether an architecture looks at the training rows before it is trained."""
    own = getattr(type(architecture), "adapt", None)
    return own not in (NetworkArchitecture.adapt, FeatureArchitecture.adapt, None)


def with_dense(built: Built, kernel: Array, bias: Array) -> Built:
    """Return `built` with a Dense head of the given weights.

    Parameters
    ----------
    kernel : ndarray, shape (features, outputs)
    bias : ndarray, shape (outputs,)
    """
    layer = keras.layers.Dense(kernel.shape[1], kernel_initializer="zeros", name=HEAD)
    logits = layer(built.features.output)
    layer.set_weights([kernel.astype(np.float32), bias.astype(np.float32)])
    return Built(built.inputs, built.features, keras.Model(built.inputs, logits))


def fold_target_scale(built: Built, mean: float, scale: float) -> None:
    """Make the head put out original units: ``value * scale + mean``."""
    layer = built.model.get_layer(HEAD)
    kernel, bias = (keras.ops.convert_to_numpy(v) for v in (layer.kernel, layer.bias))
    layer.set_weights([kernel * scale, bias * scale + mean])


def final_model(built: Built, task: str) -> Any:
    """Return the model to save: class probabilities, or values in original units.

    Layers that exist only for the speed of their gradient are replaced by the
    standard ones.
    """
    from selector.training.layers import with_standard_layers

    outputs = built.model.output
    if task == "classification":
        outputs = keras.layers.Softmax(name="probabilities")(outputs)
    return with_standard_layers(keras.Model(built.inputs, outputs))


def layers_of(model: Any) -> list[Any]:
    """Return all layers of a model, those of models inside it included, in order."""
    found: list[Any] = []
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found.extend(layers_of(layer))
        else:
            found.append(layer)
    return found


_configurations: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def configuration(model: Any) -> Any:
    """Return a model as Keras serialises it, to be read only: made once, since it takes long."""
    if model not in _configurations:
        _configurations[model] = keras.saving.serialize_keras_object(model)
    return _configurations[model]


def custom_modules(model: Any) -> list[str]:
    """Return the modules, other than Keras's own, that must be imported to load `model`.

    Found in the model's configuration, so that a cell inside a layer inside a
    wrapper is found too.
    """
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            module = node.get("module")
            if isinstance(module, str) and "class_name" in node:
                found.add(module)
            for value in node.values():
                walk(value)
        elif isinstance(node, list | tuple):
            for value in node:
                walk(value)

    walk(configuration(model))
    return sorted(m for m in found if m.split(".")[0] not in ("keras", "builtins"))


def n_outputs(profile: Profile) -> int:
    """Return the units of the head: number of classes, or 1."""
    return profile.n_outputs if profile.task == "classification" else 1


def as_inputs(prepared: Prepared) -> list[Any]:
    """Return what a model is called with: ``[x]`` or ``[x, mask]``."""
    return [prepared.x] if prepared.mask is None else [prepared.x, prepared.mask]


def fixed_batches(n: int, size: int) -> Iterator[tuple[Array, int]]:
    """Yield ``(rows, count)``: row numbers in batches of one size.

    The last batch is filled up with its first row; only its first `count` rows count.
    """
    for start in range(0, n, size):
        rows = np.arange(start, min(start + size, n), dtype=np.int32)
        count = len(rows)
        yield np.concatenate([rows, np.full(size - count, start, np.int32)]), count
