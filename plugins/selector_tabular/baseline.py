"""``tabular.baseline``: what can be said without looking at the inputs."""

from __future__ import annotations

from typing import Any

from selector.contract import EstimatorArchitecture, Fit, Params, Profile


class Baseline(EstimatorArchitecture):
    """The share of each class in training, or the mean of the target.

    Every model must beat it. It never looks at the inputs, so it takes data
    of any kind and any length.
    """

    name = "tabular.baseline"
    family = "tabular"
    title = "Trivial baseline"
    kinds = ("tabular", "sequential", "grid", "sequential-grid")
    variable_length = True
    role = "baseline"

    def fit_for(self, profile: Profile) -> Fit:
        """Admit everything."""
        fit = super().fit_for(profile)
        return Fit(True, "what every model must beat") if fit.admitted else fit

    def build(self, params: Params, profile: Profile) -> Any:
        """Return scikit-learn's dummy estimator."""
        from sklearn.dummy import DummyClassifier, DummyRegressor

        if profile.task == "classification":
            return DummyClassifier(strategy="prior")
        return DummyRegressor(strategy="mean")
