"""``tabular.mlp``: a multilayer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selector.contract import (
    Categorical,
    Fit,
    Float,
    Inputs,
    NetworkArchitecture,
    Params,
    Profile,
    Space,
    smooths_labels,
)
from selector_tabular.preparing import flat_fit


class MLP(NetworkArchitecture):
    """Dense layers over the columns of a table, or over a flattened sample.

    It follows the simplified RealMLP: values are clipped smoothly, layers are
    of one width with SELU, and labels are smoothed.

    References
    ----------
    Holzmüller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned
    MLPs and boosted trees on tabular data", NeurIPS 2024.
    """

    name = "tabular.mlp"
    family = "tabular"
    title = "Multilayer perceptron"
    kinds = ("tabular", "sequential", "grid", "sequential-grid")
    references = (
        "Holzmüller, Grinsztajn, Steinwart: Better by default, strong pre-tuned MLPs and boosted "
        "trees on tabular data, NeurIPS 2024",
    )

    def fit_for(self, profile: Profile) -> Fit:
        """Admit tables, and fixed-size samples of up to 20,000 values."""
        return flat_fit(super().fit_for(profile), profile)

    def space(self, profile: Profile) -> Space:
        """Width and depth are structural; the rest is cheap to vary."""
        return {
            "width": Categorical((64, 128, 256)),
            "layers": Categorical((1, 2, 3)),
            "dropout": Float(0.0, 0.5),
            "learning_rate": Float(5e-4, 2e-2, log=True),
            "weight_decay": Float(1e-5, 1e-1, log=True),
            **({"label_smoothing": Float(0.0, 0.1)} if smooths_labels(profile) else {}),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return three layers as published, narrower for few rows; and one layer."""
        first = {
            "width": 128 if profile.n < 500 else 256,
            "layers": 2 if profile.n < 500 else 3,
            "dropout": 0.15,
            "learning_rate": 3e-3,
            "weight_decay": 1e-2,
            **({"label_smoothing": 0.05} if smooths_labels(profile) else {}),
        }
        return (first, {**first, "layers": 1, "dropout": 0.4})

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, columns)``, or any fixed sample shape, which is flattened.
        Output shape
            ``(batch, width)``.
        """
        import keras

        from selector.training import layers
        from selector_tabular.layers import SmoothClip

        x = inputs.x
        if len(x.shape) > 2:
            x = keras.layers.Flatten()(x)
        x = SmoothClip()(x)
        for _ in range(int(params["layers"])):
            x = keras.layers.Dense(
                int(params["width"]),
                activation="selu",
                kernel_initializer="lecun_normal",
            )(x)
            x = layers.FastDropout(float(params["dropout"]))(x)
        return x
