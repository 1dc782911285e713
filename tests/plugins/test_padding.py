"""Padding changes nothing, whatever it holds, in architectures that claim variable length."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from forms import ARCHITECTURES, PROFILES, feature_model, ragged, randomise

from selector.contract import FeatureArchitecture, NetworkArchitecture

EXTRA = 50
pytestmark = pytest.mark.usefixtures("compiled_quickly")
CLAIMING = [
    a.name
    for a in ARCHITECTURES.values()
    if a.variable_length and isinstance(a, NetworkArchitecture | FeatureArchitecture)
]


def padded(x: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the batch with 50 more steps, and arbitrary values at every masked step."""
    rng = np.random.default_rng(1)
    longer = np.pad(x, ((0, 0), (0, EXTRA), (0, 0)))
    longer_mask = np.pad(mask, ((0, 0), (0, EXTRA)))
    arbitrary = rng.normal(size=longer.shape) * 1e4
    arbitrary[::3, -EXTRA:] = np.nan
    return np.where(longer_mask[..., None], longer, arbitrary).astype("float32"), longer_mask


def probabilities(model: keras.Model, x: Any, mask: Any, head: np.ndarray) -> np.ndarray:
    logits = model.predict_on_batch([x, mask]) @ head
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_all_families_claim_variable_length() -> None:
    assert {name.split(".")[0] for name in CLAIMING} == {"rnn", "cnn", "hybrid"}


@pytest.mark.parametrize("form", ["ragged series", "long ragged series"])
@pytest.mark.parametrize("name", CLAIMING)
def test_padding_changes_no_probability(name: str, form: str) -> None:
    architecture, p = ARCHITECTURES[name], PROFILES[form]
    x, mask = ragged(p, 6)
    longer, longer_mask = padded(x, mask)
    portfolio = architecture.portfolio(p)
    for params in portfolio if form == "ragged series" else portfolio[:1]:
        keras.utils.set_random_seed(3)
        model = feature_model(architecture, params, p)
        architecture.adapt(model, x, mask)
        randomise(model)
        width = model.output.shape[1]
        head = np.random.default_rng(2).normal(size=(width, 3)) / np.sqrt(width)
        plain = probabilities(model, x, mask, head)
        np.testing.assert_allclose(
            probabilities(model, longer, longer_mask, head), plain, atol=1e-5
        )
        assert np.abs(plain - plain.mean(axis=0)).max() > 1e-4, "the features say nothing"


@pytest.mark.parametrize("name", CLAIMING)
def test_padding_changes_nothing_in_training(name: str) -> None:
    architecture, p = ARCHITECTURES[name], PROFILES["ragged series"]
    x, mask = ragged(p, 6)
    params = {**architecture.portfolio(p)[0]}
    if "dropout" in params:
        params["dropout"] = 0.0
    model = feature_model(architecture, params, p)
    architecture.adapt(model, x, mask)
    start = [keras.ops.convert_to_numpy(w.value) for w in model.weights]
    results = []
    for inputs in ([x, mask], list(padded(x, mask))):
        model.set_weights(start)
        features = np.asarray(model(inputs, training=True))
        results.append((features, [keras.ops.convert_to_numpy(w.value) for w in model.weights]))
    np.testing.assert_allclose(results[1][0], results[0][0], atol=2e-5)
    for before, after in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(after, before, atol=2e-5)


@pytest.mark.parametrize("name", CLAIMING)
def test_biases_and_scales_see_no_padding(name: str) -> None:
    architecture, p = ARCHITECTURES[name], PROFILES["ragged series"]
    x, mask = ragged(p, 6)
    params = architecture.portfolio(p)[0]
    weights = []
    for sample in ((x, mask), padded(x, mask)):
        keras.utils.set_random_seed(3)
        model = feature_model(architecture, params, p)
        architecture.adapt(model, *sample)
        weights.append([keras.ops.convert_to_numpy(w.value) for w in model.weights])
    for before, after in zip(*weights, strict=True):
        np.testing.assert_allclose(after, before, atol=1e-6)
