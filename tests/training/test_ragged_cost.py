"""Multiply-adds of models for series of any length: those for the longest one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from selector.contract import Column, Profile
from selector.plugins import Registry
from selector.training import cost
from selector.training.models import build
from selector.training.preprocess import Prepared

STEPS, CHANNELS = 722, 3
CASES = [
    ("rnn.gru", {"patch": 4}),
    ("rnn.gru", {"patch": 3, "layers": 2, "bidirectional": True}),
    ("rnn.mingru", {"patch": 4}),
    ("hybrid.conv_gru", {"stride": 8}),
    ("hybrid.gru_fcn", {}),
    ("hybrid.deepconvlstm", {}),
    ("cnn.fcn", {"stride": 4}),
    ("cnn.inception", {"stride": 2}),
    ("cnn.resnet", {}),
]


def profile(ragged: bool) -> Profile:
    return Profile(
        name="made", axes=("time", "channel"), kind="sequential", task="classification",
        target="y", n=40, shape=(None if ragged else STEPS, CHANNELS),
        lengths=(STEPS if not ragged else 300, STEPS, STEPS), n_outputs=2, classes=("u", "v"),
        counts=(20, 20), columns=tuple(Column(f"c{i}") for i in range(CHANNELS)),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_a_ragged_model_costs_what_one_for_the_longest_series_costs(
    name: str, changes: dict[str, object]
) -> None:
    architecture, fixed = Registry().architectures[name], profile(ragged=False)
    params = {**architecture.portfolio(fixed)[0], **changes}
    x = np.zeros((4, STEPS, CHANNELS), "float32")
    counts = []
    for made, mask in ((fixed, None), (profile(ragged=True), np.ones(x.shape[:2], bool))):
        model = build(architecture, params, made, Prepared(x, mask), 0, 2).model
        counts.append(cost.multiply_adds(model, STEPS))
    assert counts[1] == pytest.approx(counts[0], rel=1e-3)


@pytest.mark.usefixtures("numpy_weights")
def test_each_layer_says_what_it_makes_of_an_open_length() -> None:
    x, weights = keras.Input((None, 2)), 5 * 2 * 3

    def count(tensor: object) -> int:
        return cost.multiply_adds(keras.Model(x, tensor), 40) - weights * 40

    first = keras.layers.Conv1D(3, 5, padding="same", use_bias=False)(x)
    assert count(first) == 0
    dense = 3 * 4
    short = keras.layers.MaxPooling1D(4)(first)
    assert count(keras.layers.Dense(4, use_bias=False)(short)) == dense * 10
    longer = keras.layers.UpSampling1D(2)(short)
    assert count(keras.layers.Dense(4, use_bias=False)(longer)) == dense * 20
    both = keras.layers.Add()([short, short])
    assert count(keras.layers.Dense(4, use_bias=False)(both)) == dense * 10
