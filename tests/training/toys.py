"""Tiny architectures and data for the training tests."""

from __future__ import annotations

import numpy as np

from selector.contract import (
    Column,
    EstimatorArchitecture,
    FeatureArchitecture,
    NetworkArchitecture,
    Profile,
    TrialSpec,
    Variable,
)
from selector.training.fitted import TrialData


class ToyConv(NetworkArchitecture):
    name = "toy.conv"
    family = "toy"
    kinds = ("sequential",)
    variable_length = True

    def build(self, inputs, params, profile):
        import keras

        from selector.training import layers

        x, mask = layers.conv_block(
            inputs.x, inputs.mask, filters=params.get("filters", 8), kernel=5
        )
        x = keras.layers.Dropout(0.1)(x)
        return layers.pool(x, mask, "mean")


class ToyMLP(NetworkArchitecture):
    name = "toy.mlp"
    family = "toy"
    kinds = ("tabular", "grid")

    def build(self, inputs, params, profile):
        import keras

        x = keras.layers.Flatten()(inputs.x)
        return keras.layers.Dense(params.get("units", 16), activation="relu")(x)


class ToyFeatures(FeatureArchitecture):
    """Random projections whose biases come from the training rows."""

    name = "toy.features"
    family = "toy"
    kinds = ("sequential", "tabular")
    variable_length = True

    def build(self, inputs, params, profile):
        import keras

        from selector.training import layers

        x = inputs.x
        if len(x.shape) == 3:
            x = keras.layers.Conv1D(params.get("width", 32), 5, padding="same", name="random")(x)
            return layers.pool(keras.layers.ReLU()(x), inputs.mask, "mean")
        return keras.layers.Dense(params.get("width", 32), activation="relu", name="random")(x)

    def adapt(self, model, x, mask):
        layer = model.get_layer("random")
        layer.bias.assign(np.full(layer.bias.shape, -0.1 * float(np.std(x))))


class ToyForest(EstimatorArchitecture):
    name = "toy.forest"
    family = "tabular"
    kinds = ("tabular", "sequential")

    def build(self, params, profile):
        from sklearn.ensemble import (
            HistGradientBoostingClassifier,
            HistGradientBoostingRegressor,
        )

        made = (
            HistGradientBoostingClassifier
            if profile.task == "classification"
            else HistGradientBoostingRegressor
        )
        return made(max_iter=10)


class ToyLinear(EstimatorArchitecture):
    name = "toy.linear"
    family = "tabular"
    kinds = ("tabular",)

    def build(self, params, profile):
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())


def series(n=60, steps=24, ragged=False, seed=0):
    """Two classes: a bump upwards or downwards somewhere in noise."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    lengths = rng.integers(steps // 2, steps + 1, n) if ragged else np.full(n, steps)
    parts = []
    for label, length in zip(y, lengths, strict=True):
        one = rng.normal(0, 0.4, (length, 2)).astype(np.float32)
        at = rng.integers(0, length - 6)
        one[at : at + 5, 0] += 3.0 if label else -3.0
        parts.append(one)
    columns = (Column("a"), Column("b"))
    if ragged:
        x = Variable(("time", "channel"), np.concatenate(parts), columns, lengths.astype(np.int64))
    else:
        x = Variable(("time", "channel"), np.stack(parts), columns)
    return TrialData(x, y.astype(float))


def table(n=80, seed=0, classification=True):
    """Four columns, one categorical, with gaps."""
    rng = np.random.default_rng(seed)
    values = rng.normal(10, 3, (n, 4))
    values[:, 3] = rng.integers(0, 3, n)
    signal = values[:, 0] - values[:, 1] + 2 * (values[:, 3] == 1)
    values[rng.random(n) < 0.1, 2] = np.nan
    y = (signal > 0).astype(float) if classification else 100 + 10 * signal
    columns = (
        Column("p"),
        Column("q"),
        Column("r"),
        Column("s", "categorical", ("red", "green", "blue"), "string"),
    )
    return TrialData(Variable(("feature",), values, columns), y)


def profile_of(data, classification=True):
    x = data.x
    kinds = {1: "tabular", 2: "sequential", 3: "grid"}
    lengths = ()
    if "time" in x.axes:
        every = x.lengths if x.lengths is not None else np.full(len(x), x.values.shape[1])
        lengths = (int(every.min()), int(np.median(every)), int(every.max()))
    return Profile(
        name="toy",
        axes=x.axes,
        kind=kinds[len(x.axes)],
        task="classification" if classification else "regression",
        target="y",
        n=len(x),
        shape=x.sample_shape,
        lengths=lengths,
        n_outputs=2 if classification else 1,
        classes=("no", "yes") if classification else (),
        columns=x.columns,
    )


def spec_of(architecture, params=None, **changes):
    given = {"stage": "search", "split": "a", "seed": 3, "seconds": 60.0, "epochs": None}
    given.update(changes)
    return TrialSpec(id="t", architecture=architecture.name, params=params or {}, **given)


def split_of(n, every=4):
    return (np.arange(n) % every == every - 1).astype(np.int8)


class ToyDummy(EstimatorArchitecture):
    name = "toy.dummy"
    family = "tabular"
    kinds = ("tabular", "sequential")
    variable_length = True
    role = "baseline"

    def build(self, params, profile):
        from sklearn.dummy import DummyClassifier

        return DummyClassifier(strategy="prior")
