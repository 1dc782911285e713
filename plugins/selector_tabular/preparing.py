"""What the tabular estimators share: admission, and columns made numeric."""

from __future__ import annotations

from typing import Any

from selector.contract import EstimatorArchitecture, Fit, Profile

LARGEST_SIZE = 20_000
MOST_LEVELS = 250


def flat_fit(fit: Fit, profile: Profile, size: int = LARGEST_SIZE) -> Fit:
    """Refuse samples too large to flatten; say what flattening means for the others.

    Parameters
    ----------
    fit : Fit
        The answer of :meth:`selector.contract.Architecture.fit_for`.
    profile : Profile
        The data.
    size : int
        The most values that a sample may have.
    """
    if not fit.admitted:
        return fit
    if profile.size > size:
        return Fit(False, f"takes samples of up to {size} values, and these have {profile.size}")
    if profile.kind == "tabular":
        return Fit(True, "made for columns in any order")
    return Fit(True, "takes every value as a column of its own: shows whether order is needed")


class FlatEstimator(EstimatorArchitecture):
    """An estimator over a table, or over samples of one size, flattened."""

    family = "tabular"
    kinds = ("tabular", "sequential", "grid", "sequential-grid")

    def fit_for(self, profile: Profile) -> Fit:
        """Admit tables, and fixed-size samples of up to 20,000 values."""
        return flat_fit(super().fit_for(profile), profile)


def categorical_positions(profile: Profile) -> list[int]:
    """Return the positions of categorical columns; none for series and images."""
    if profile.kind != "tabular":
        return []
    return [i for i, column in enumerate(profile.columns) if column.type == "categorical"]


def encoded_width(profile: Profile) -> int:
    """Return the number of columns that :func:`numeric_matrix` makes, without indicators."""
    categorical = categorical_positions(profile)
    levels = sum(min(len(profile.columns[i].levels), MOST_LEVELS) for i in categorical)
    return profile.size - len(categorical) + levels


def numeric_matrix(profile: Profile, scale: bool) -> Any:
    """Return a transformer that fills gaps and encodes categories.

    Parameters
    ----------
    profile : Profile
        The data; its columns say which are categorical.
    scale : bool
        Whether numeric columns are standardised.

    Returns
    -------
    sklearn.compose.ColumnTransformer or sklearn.pipeline.Pipeline
        Numeric gaps become the median, with an indicator; categories are
        one-hot, those beyond the 250 most frequent as one column. A category
        never seen becomes that column, or zeros.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    impute = SimpleImputer(
        strategy="median", keep_empty_features=True, add_indicator=profile.kind == "tabular"
    )
    numeric = make_pipeline(impute, StandardScaler()) if scale else impute
    categorical = categorical_positions(profile)
    if not categorical:
        return numeric
    encode = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=MOST_LEVELS,
        sparse_output=False,
    )
    others = [i for i in range(len(profile.columns)) if i not in set(categorical)]
    return ColumnTransformer(
        [("numeric", numeric, others), ("categorical", encode, categorical)],
        sparse_threshold=0.0,
    )
