"""Estimators with classes of a plugin's own package: saved and loaded, or refused at once."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from toys import profile_of, spec_of, split_of, table

from selector.errors import RunError
from selector.training import estimators, saved
from selector.training.fit import fit_final, run_trial

PLUGIN = """
from subprocess import Popen
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from selector import hookimpl
from selector.contract import EstimatorArchitecture

def absolute(x):
    return np.abs(x)

class Squares(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self
    def transform(self, X):
        return np.hstack([X, (X - self.mean_) ** 2])

class Recipe(EstimatorArchitecture):
    name, family, kinds = "own.recipe", "own", ("tabular",)
    def build(self, params, profile):
        own = FunctionTransformer(absolute) if params.get("function") else Squares()
        return make_pipeline(SimpleImputer(), own, LogisticRegression(max_iter=500))

@hookimpl
def selector_architectures():
    return [Recipe()]
"""
LOAD = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[2])
from toys import table
from selector.training import saved
np.save(sys.argv[1] + "/fresh.npy", saved.load(sys.argv[1]).predict(table().x))
"""


@pytest.fixture
def recipe(make_plugin, monkeypatch):
    make_plugin("own_estimators", PLUGIN)
    monkeypatch.setattr(estimators, "_savable", set(), raising=False)
    importlib.invalidate_caches()
    return importlib.import_module("own_estimators").Recipe()


def saved_in(folder, recipe):
    data = table()
    spec = spec_of(recipe, stage="final", split=None)
    result = fit_final(spec, recipe, profile_of(data), data, folder)
    assert result.state == "complete", result.reason
    return data


def test_a_transformer_of_a_plugin_is_saved_and_loaded(recipe, tmp_path):
    folder = tmp_path / "model"
    data = saved_in(folder, recipe)
    toys = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", LOAD, str(folder), toys], check=True)
    np.testing.assert_array_equal(np.load(folder / "fresh.npy"), saved.load(folder).predict(data.x))


def test_a_file_cannot_say_which_packages_to_trust(recipe, tmp_path, monkeypatch):
    saved_in(tmp_path / "model", recipe)
    with pytest.raises(RunError, match=r"own_estimators\.Squares"):
        saved.load(tmp_path / "model", allowed=())
    monkeypatch.setattr(saved, "plugin_packages", lambda: {"selector"})
    path = tmp_path / "model" / saved.PIPELINE
    path.write_text(json.dumps({**json.loads(path.read_text()), "modules": ["own_estimators"]}))
    with pytest.raises(RunError, match=r"own_estimators\.Squares"):
        saved.load(tmp_path / "model")


def test_only_classes_that_a_plugin_defines_are_trusted(recipe):
    own = {"own_estimators"}
    assert saved._is_class_of(own, "own_estimators.Squares")
    for name in ("absolute", "Popen", "np", "missing", "Squares.fit", "missing.Squares"):
        assert not saved._is_class_of(own, f"own_estimators.{name}"), name
    assert not saved._is_class_of(own, "own_estimators_too.Squares")
    assert not saved._is_class_of(own, "subprocess.Popen")
    with pytest.raises(RunError, match=r"selector\.plugins\.Registry"):
        saved._allowed_types(["selector.plugins.Registry"], {"selector", *own})


def test_the_first_trial_says_that_an_estimator_cannot_be_saved(recipe):
    data = table()
    spec = spec_of(recipe, {"function": True})
    result = run_trial(spec, recipe, profile_of(data), data, split_of(80))
    assert result.state == "failed"
    assert "own_estimators.absolute" in result.reason
    assert "may be loaded" in result.reason


def test_whether_an_estimator_can_be_saved_is_asked_once(recipe, monkeypatch):
    asked = []
    monkeypatch.setattr(saved, "check_savable", asked.append)
    data = table()

    def trial():
        result = run_trial(spec_of(recipe), recipe, profile_of(data), data, split_of(80))
        assert result.state == "complete", result.reason

    monkeypatch.setattr(estimators, "LARGEST_CHECKED", 100)
    trial()
    assert not asked
    monkeypatch.undo()
    monkeypatch.setattr(saved, "check_savable", asked.append)
    monkeypatch.setattr(estimators, "_savable", set())
    trial()
    trial()
    assert len(asked) == 1
