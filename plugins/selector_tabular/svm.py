"""``tabular.rbf_svm``: a support vector machine with a Gaussian kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selector.contract import Fit, Float, Params, Profile, Space
from selector_tabular.preparing import FlatEstimator, numeric_matrix

MOST_ROWS = 3_000
FOLDS = 3
FEWEST_OF_A_CLASS = 8


class RBFSVM(FlatEstimator):
    """A support vector machine with a Gaussian kernel, calibrated.

    Its time grows with the square of the rows, so it is for small data. Class
    probabilities come from a sigmoid fitted to out-of-fold decision values.

    References
    ----------
    Cortes and Vapnik, "Support-vector networks", Machine Learning 20 (1995).
    Platt, "Probabilistic outputs for support vector machines", 1999.
    """

    name = "tabular.rbf_svm"
    title = "Support vector machine"
    references = (
        "Cortes, Vapnik: Support-vector networks, Machine Learning 1995",
        "Platt: Probabilistic outputs for support vector machines, 1999",
    )

    def fit_for(self, profile: Profile) -> Fit:
        """Admit small data whose every class has enough rows to calibrate on."""
        fit = super().fit_for(profile)
        if not fit.admitted:
            return fit
        if profile.n > MOST_ROWS:
            return Fit(False, f"takes up to {MOST_ROWS} rows, and there are {profile.n}")
        rarest = min(profile.counts, default=FEWEST_OF_A_CLASS)
        if profile.task == "classification" and rarest < FEWEST_OF_A_CLASS:
            return Fit(
                False,
                f"calibration needs {FEWEST_OF_A_CLASS} rows of each class, "
                f"and the rarest has {rarest}",
            )
        return fit

    def space(self, profile: Profile) -> Space:
        """``C``, and the kernel's width relative to the number of columns."""
        return {"C": Float(0.1, 100.0, log=True), "gamma": Float(0.05, 5.0, log=True)}

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return the usual kernel width, and half of it with a weaker penalty."""
        if profile.task == "classification":
            return ({"C": 5.0, "gamma": 1.0}, {"C": 20.0, "gamma": 0.3})
        return ({"C": 1.0, "gamma": 0.3}, {"C": 5.0, "gamma": 0.1})

    def build(self, params: Params, profile: Profile) -> Any:
        """Return a pipeline of imputing, encoding, scaling and the machine."""
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.compose import TransformedTargetRegressor
        from sklearn.model_selection import StratifiedKFold
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC, SVR

        gamma = float(params["gamma"]) / max(profile.size, 1)
        prepare = numeric_matrix(profile, scale=True)
        if profile.task == "classification":
            machine = make_pipeline(prepare, SVC(C=float(params["C"]), gamma=gamma))
            folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
            return CalibratedClassifierCV(machine, method="sigmoid", cv=folds, ensemble=False)
        machine = make_pipeline(prepare, SVR(C=float(params["C"]), gamma=gamma))
        return TransformedTargetRegressor(machine, transformer=StandardScaler())
