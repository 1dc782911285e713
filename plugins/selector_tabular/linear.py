"""``tabular.linear``: logistic or ridge regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selector.contract import Float, Params, Profile, Space
from selector_tabular.preparing import FlatEstimator, numeric_matrix

MANY_VALUES = 2_000_000


class Linear(FlatEstimator):
    """Logistic regression, or ridge regression, on standardised columns.

    References
    ----------
    Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal
    problems", Technometrics 12 (1970). Cox, "The regression analysis of binary
    sequences", JRSS B 20 (1958).
    """

    name = "tabular.linear"
    title = "Linear model"
    references = (
        "Cox: The regression analysis of binary sequences, JRSS B 1958",
        "Hoerl, Kennard: Ridge regression, Technometrics 1970",
    )

    def space(self, profile: Profile) -> Space:
        """``C``: the inverse strength of the penalty."""
        return {"C": Float(1e-4, 1e2, log=True)}

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return a stronger penalty first where there are more columns than rows."""
        wide = profile.size > profile.n
        values = (0.05, 1.0, 0.005) if wide else (1.0, 0.05)
        return tuple({"C": value} for value in values)

    def build(self, params: Params, profile: Profile) -> Any:
        """Return a pipeline of imputing, encoding, scaling and the linear model."""
        from sklearn.linear_model import LogisticRegression, Ridge
        from sklearn.pipeline import make_pipeline

        strength = float(params["C"])
        model: Any
        if profile.task == "classification":
            loose = profile.n * profile.size > MANY_VALUES
            model = LogisticRegression(C=strength, max_iter=2000, tol=1e-2 if loose else 1e-4)
        else:
            model = Ridge(alpha=1.0 / strength)
        return make_pipeline(numeric_matrix(profile, scale=True), model)
