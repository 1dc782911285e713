"""``tabular.boosting`` and ``tabular.extra_trees``: ensembles of trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selector.contract import Categorical, Float, Int, Params, Profile, Space
from selector_tabular.preparing import FlatEstimator, encoded_width, numeric_matrix

WIDE = 200
MOST_TREES = 200
FEWEST_TREES = 20
TREES_TIMES_ROWS = 2_000_000
"""Trees times rows that a forest of many rows begins with."""


class HistBoosting(FlatEstimator):
    """Gradient boosting of trees on binned columns.

    Wide data gets
    fewer bins and a random share of the columns at each split, since finding a
    split costs columns times bins, for each class.

    References
    ----------
    Friedman, "Greedy function approximation: a gradient boosting machine",
    Annals of Statistics 29 (2001). Ke et al., "LightGBM", NeurIPS 2017.
    """

    name = "tabular.boosting"
    title = "Histogram gradient boosting"
    references = (
        "Friedman: Greedy function approximation, Annals of Statistics 2001",
        "Ke et al.: LightGBM, NeurIPS 2017",
    )

    def space(self, profile: Profile) -> Space:
        """Shrinkage, rounds, and what a tree may grow to."""
        return {
            "learning_rate": Float(0.02, 0.3, log=True),
            "max_iter": Categorical(_rounds(profile)),
            "max_leaf_nodes": Int(3, 31),
            "min_samples_leaf": Int(1, 40, log=True),
            "l2_regularization": Float(1e-3, 10.0, log=True),
            "max_features": Categorical((0.1, 0.3, 1.0)),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return shallow trees for few rows, deeper ones for many."""
        rounds, width = _rounds(profile), encoded_width(profile)
        first = {
            "learning_rate": 0.1,
            "max_iter": rounds[1],
            "max_leaf_nodes": 7 if profile.n < 1000 else 31,
            "min_samples_leaf": max(min(profile.n // 50, 20), 2),
            "l2_regularization": 0.1,
            "max_features": 0.1 if width > WIDE else 0.3 if width > 20 else 1.0,
        }
        return (first, {**first, "max_leaf_nodes": 3, "learning_rate": 0.2})

    def build(self, params: Params, profile: Profile) -> Any:
        """Return a pipeline of imputing, encoding and boosting."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
        from sklearn.pipeline import make_pipeline

        classification = profile.task == "classification"
        kind = HistGradientBoostingClassifier if classification else HistGradientBoostingRegressor
        boosting = kind(
            learning_rate=float(params["learning_rate"]),
            max_iter=int(params["max_iter"]),
            max_leaf_nodes=int(params["max_leaf_nodes"]),
            min_samples_leaf=int(params["min_samples_leaf"]),
            l2_regularization=float(params["l2_regularization"]),
            max_features=float(params["max_features"]),
            max_bins=32 if encoded_width(profile) > WIDE else 255,
            categorical_features=None,
            early_stopping=False,
            random_state=0,
        )
        return make_pipeline(numeric_matrix(profile, scale=False), boosting)


class ExtraTrees(FlatEstimator):
    """Extremely randomised trees, averaged.

    References
    ----------
    Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning
    63 (2006).
    """

    name = "tabular.extra_trees"
    title = "Extremely randomised trees"
    references = ("Geurts, Ernst, Wehenkel: Extremely randomized trees, Machine Learning 2006",)

    def space(self, profile: Profile) -> Space:
        """Return ranges for the number of trees, columns tried at a split, and size of a leaf."""
        return {
            "n_estimators": Categorical(_trees(profile)),
            "max_features": Categorical(("sqrt", 0.3, 1.0)),
            "min_samples_leaf": Int(1, 10, log=True),
        }

    def portfolio(self, profile: Profile) -> Sequence[Params]:
        """Return the usual forest; for regression, more columns and larger leaves."""
        few, many = _trees(profile)
        trees = many if profile.n * profile.n_outputs <= 20_000 else few
        first = {"n_estimators": trees, "max_features": "sqrt", "min_samples_leaf": 1}
        if profile.task == "classification":
            return (first, {**first, "min_samples_leaf": 3})
        return ({**first, "max_features": 0.3, "min_samples_leaf": 3}, first)

    def build(self, params: Params, profile: Profile) -> Any:
        """Return a pipeline of imputing, encoding and the trees."""
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
        from sklearn.pipeline import make_pipeline

        classification = profile.task == "classification"
        trees = (ExtraTreesClassifier if classification else ExtraTreesRegressor)(
            n_estimators=int(params["n_estimators"]),
            max_features=params["max_features"],
            min_samples_leaf=int(params["min_samples_leaf"]),
            n_jobs=1,
            random_state=0,
        )
        return make_pipeline(numeric_matrix(profile, scale=False), trees)


def _trees(profile: Profile) -> tuple[int, int]:
    """Return two numbers of trees, fewer where there are many rows; the second is twice as many."""
    few = min(max(TREES_TIMES_ROWS // max(profile.n, 1), FEWEST_TREES), MOST_TREES // 2)
    return few, 2 * few


def _rounds(profile: Profile) -> tuple[int, int, int]:
    """Return numbers of boosting rounds, fewer where a round grows many or wide trees."""
    work = profile.n_outputs * min(encoded_width(profile), 10 * WIDE)
    if work > 5_000:
        return (15, 30, 60)
    if work > 500:
        return (30, 60, 120)
    return (50, 100, 200)
