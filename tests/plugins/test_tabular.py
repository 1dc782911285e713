"""The scikit-learn recipes on tables with gaps and categories, series and images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import skops.io
from forms import ARCHITECTURES, MIXED, PROFILES, admitted, profile
from sklearn.datasets import load_digits

from selector.contract import FEATURE_AXES, Column, EstimatorArchitecture
from selector_tabular.preparing import encoded_width, numeric_matrix

ESTIMATORS = [a.name for a in ARCHITECTURES.values() if isinstance(a, EstimatorArchitecture)]
MODELS = [name for name in ESTIMATORS if name != "tabular.baseline"]
TRUSTED = {
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.tree._tree.Tree",
}


def table(n: int = 150, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return a table with gaps whose class follows from a category and a number."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, len(MIXED)))
    x[:, 1] = rng.integers(3, size=n)
    x[:, 3] = rng.integers(2, size=n)
    y = np.where(x[:, 1] == 2, 2, (x[:, 0] > 0).astype(int)).astype(float)
    x[rng.random(x.shape) < 0.02] = np.nan
    return x, y


@pytest.mark.parametrize("name", MODELS)
def test_tables_with_gaps_and_categories(name: str) -> None:
    x, y = table()
    p = replace(PROFILES["table"], n=100, counts=tuple(np.bincount(y[:100].astype(int))))
    for params in ARCHITECTURES[name].portfolio(p):
        model = ARCHITECTURES[name].build(params, p).fit(x[:100], y[:100])
        assert model.score(x[100:], y[100:]) > 0.7
        proba = model.predict_proba(x[100:])
        assert proba.shape == (50, 3)
        np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_cells_never_seen_in_training(name: str) -> None:
    x, y = table()
    x[:, 2] = np.nan  # a column without any value
    x[x[:, 1] == 0, 1] = 1  # a level that no training row has
    p = replace(PROFILES["table"], n=150)
    strange = np.array([[0.0, 0, 1, 0], [np.nan, np.nan, np.nan, np.nan], [9.0, 2, -5, 1]])
    model = ARCHITECTURES[name].build(ARCHITECTURES[name].portfolio(p)[0], p).fit(x, y)
    assert np.isfinite(model.predict_proba(strange)).all()


@pytest.mark.parametrize("name", MODELS)
def test_regression(name: str) -> None:
    x, _ = table()
    y = 3 * np.nan_to_num(x[:, 0]) + 2 * np.nan_to_num(x[:, 1]) + 100
    p = replace(PROFILES["regression table"], n=100)
    model = ARCHITECTURES[name].build(ARCHITECTURES[name].portfolio(p)[0], p)
    assert model.fit(x[:100], y[:100]).score(x[100:], y[100:]) > 0.6


@pytest.mark.parametrize("name", MODELS)
def test_images_flattened(name: str) -> None:
    digits = load_digits()
    x, y = digits.data[:500].astype(float), digits.target[:500].astype(float)
    p = replace(
        PROFILES["small images"],
        n=400,
        n_outputs=10,
        classes=tuple("0123456789"),
        counts=tuple(np.bincount(digits.target[:400])),
    )
    model = ARCHITECTURES[name].build(ARCHITECTURES[name].portfolio(p)[0], p)
    assert model.fit(x[:400], y[:400]).score(x[400:], y[400:]) > 0.8


@pytest.mark.parametrize("name", ESTIMATORS)
def test_files_hold_only_known_types(name: str) -> None:
    x, y = table()
    p = replace(PROFILES["table"], n=150)
    model = ARCHITECTURES[name].build(ARCHITECTURES[name].portfolio(p)[0], p).fit(x, y)
    data = skops.io.dumps(model)
    needed = skops.io.get_untrusted_types(data=data)
    assert set(needed) <= TRUSTED
    loaded = skops.io.loads(data, trusted=needed)
    np.testing.assert_allclose(loaded.predict_proba(x), model.predict_proba(x))


def test_the_baseline_never_looks_at_the_inputs() -> None:
    baseline = ARCHITECTURES["tabular.baseline"]
    assert baseline.role == "baseline"
    y = np.array([0.0, 1, 1, 2])
    model = baseline.build({}, PROFILES["ragged series"]).fit(np.full((4, 1), np.nan), y)
    np.testing.assert_allclose(model.predict_proba(np.zeros((2, 9))), [[0.25, 0.5, 0.25]] * 2)
    mean = baseline.build({}, PROFILES["regression series"]).fit(np.zeros((4, 1)), y)
    np.testing.assert_allclose(mean.predict(np.ones((1, 1))), [1.0])
    assert baseline in [a for p in PROFILES.values() for a in admitted(p)]
    assert all(baseline.fit_for(p).admitted for p in PROFILES.values())


def test_the_machine_asks_for_enough_of_every_class() -> None:
    p = replace(PROFILES["table"], counts=(50, 8, 3))
    fit = ARCHITECTURES["tabular.rbf_svm"].fit_for(p)
    assert not fit.admitted
    assert "rarest has 3" in fit.reason
    assert not ARCHITECTURES["tabular.rbf_svm"].fit_for(replace(p, n=9_000)).admitted


@pytest.mark.parametrize(
    ("n", "trees", "first"),
    [
        (100, (100, 200), 200),
        (20_000, (100, 200), 200),
        (20_001, (99, 198), 99),
        (40_000, (50, 100), 50),
        (10_000_000, (20, 40), 20),
    ],
)
def test_a_forest_of_many_rows_has_fewer_trees(n: int, trees: tuple[int, int], first: int) -> None:
    p = replace(PROFILES["regression table"], n=n)
    forest = ARCHITECTURES["tabular.extra_trees"]
    assert forest.space(p)["n_estimators"].choices == trees
    assert {params["n_estimators"] for params in forest.portfolio(p)} == {first}


def test_levels_count_as_the_columns_that_they_become() -> None:
    levels = tuple(map(str, range(300)))
    columns = (Column("mass"), *(Column(f"c{i}", "categorical", levels) for i in range(5)))
    p = profile(FEATURE_AXES, (6,), n=400, columns=columns)
    x = np.random.default_rng(0).normal(size=(300, 6))
    x[:, 1:] = np.arange(300)[:, None]
    assert numeric_matrix(p, scale=False).fit_transform(x).shape[1] == encoded_width(p) == 1251
    boosting, numeric = ARCHITECTURES["tabular.boosting"], profile(FEATURE_AXES, (1251,), n=400)
    assert boosting.portfolio(p) == boosting.portfolio(numeric)
    assert boosting.space(p)["max_iter"] == boosting.space(numeric)["max_iter"]
    for same in (p, numeric):
        assert boosting.build(boosting.portfolio(p)[0], same)[-1].max_bins == 32
    assert encoded_width(PROFILES["table"]) == 7
    assert encoded_width(PROFILES["series"]) == 150
