"""``cnn.minirocket``: fixed convolutional features and a closed-form head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selector.contract import (
    Array,
    Categorical,
    FeatureArchitecture,
    Fit,
    Inputs,
    Params,
    Profile,
    Space,
)

LARGEST_SIZE = 50_000
TAPS = 9


class MiniRocket(FeatureArchitecture):
    """Shares of steps at which fixed dilated kernels exceed biases from the data.

    Series are taken as they are. An image is read as a series of its rows,
    whose channels are the pixels of a row.

    References
    ----------
    Dempster, Schmidt and Webb, "MiniRocket: a very fast (almost) deterministic
    transform for time series classification", KDD 2021.
    """

    name = "cnn.minirocket"
    family = "cnn"
    title = "MiniRocket"
    kinds = ("sequential", "grid")
    variable_length = True
    references = (
        "Dempster, Schmidt, Webb: MiniRocket, a very fast (almost) deterministic transform for "
        "time series classification, KDD 2021",
    )

    def fit_for(self, profile: Profile) -> Fit:
        """Admit series and images of up to 50,000 values a sample."""
        fit = super().fit_for(profile)
        if not fit.admitted:
            return fit
        if profile.size > LARGEST_SIZE:
            return Fit(
                False,
                f"takes samples of up to {LARGEST_SIZE} values, and these have {profile.size}",
            )
        if profile.kind == "grid":
            return Fit(True, "fixed kernels over the rows of an image, with a closed-form head")
        return Fit(True, "fixed kernels at many scales, with a closed-form head: strong and fast")

    def space(self, profile: Profile) -> Space:
        """Return ranges for the number of features, the scaling, and what counts are divided by."""
        return {
            "features": Categorical((2520, 5040, 9996)),
            "normalize": Categorical(("dataset", "sample")),
            "share_of": Categorical(
                ("series", "longest") if profile.variable_length else ("series",)
            ),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return the published number of features, or fewer where there is much to go through."""
        # A kernel takes nine multiply-adds a step, and one for each channel but the first.
        steps = max(profile.length, 1)
        work = profile.n * (profile.size + (TAPS - 1) * steps) // TAPS
        features = 9996 if work <= 250_000 else 5040 if work <= 1_000_000 else 2520
        first = {"features": features, "normalize": "dataset", "share_of": "series"}
        second = {**first, "normalize": "sample"}
        if profile.variable_length:
            return (first, {**first, "share_of": "longest"}, second)
        return (first, second)

    def build(self, inputs: Inputs, params: Params, profile: Profile) -> Any:
        """Return the features.

        Input shape
            ``(batch, time, channel)`` and a mask where lengths vary, or
            ``(batch, height, width, channel)``.
        Output shape
            ``(batch, features // 84 * 84)``.
        """
        from selector.training import layers
        from selector_cnn.layers import MiniRocketTransform

        return MiniRocketTransform(
            features=int(params["features"]),
            length=profile.length,
            share_of=str(params["share_of"]),
        )(layers.as_series(inputs.x), mask=inputs.mask)

    def adapt(self, model: Any, x: Array, mask: Array | None) -> None:
        """Set the biases from quantiles on training samples."""
        from selector_cnn.layers import MiniRocketTransform

        series = x.reshape(len(x), x.shape[1], -1)
        for layer in model.layers:
            if isinstance(layer, MiniRocketTransform):
                layer.adapt(series, mask)
