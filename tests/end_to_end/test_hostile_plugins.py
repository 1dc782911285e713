"""A plugin that hangs, exits or takes all memory costs itself alone, and never the budget."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import selector_datasets

HOSTILE = """
import os, time
import numpy as np
from selector import hookimpl
from selector.contract import Categorical, EstimatorArchitecture, Fit, NetworkArchitecture

def evil():
    {evil}

class Hostile(NetworkArchitecture):
    name = "rnn.hostile"
    family = "rnn"
    kinds = ("sequential", "grid", "tabular")
    variable_length = True
    def fit_for(self, profile):
        if {method!r} == "fit_for": evil()
        return Fit(True, "always")
    def space(self, profile):
        if {method!r} == "space": evil()
        return {{"units": Categorical((4, 8))}}
    def portfolio(self, profile):
        if {method!r} == "portfolio": evil()
        return ({{"units": 4}},)
    def build(self, inputs, params, profile):
        if {method!r} == "build": evil()
        import keras
        return keras.layers.GlobalAveragePooling1D()(keras.layers.Dense(4)(inputs.x))
    def adapt(self, model, x, mask):
        if {method!r} == "adapt": evil()

class HostileEstimator(EstimatorArchitecture):
    name = "tabular.hostile"
    family = "tabular"
    kinds = ("sequential", "grid", "tabular")
    def build(self, params, profile):
        from sklearn.dummy import DummyClassifier
        class Evil(DummyClassifier):
            def fit(self, X, y, sample_weight=None):
                if {method!r} == "fit": evil()
                return super().fit(X, y)
        return Evil()

if {method!r} == "import": evil()

@hookimpl
def selector_architectures():
    if {method!r} == "hook": evil()
    return [Hostile(), HostileEstimator()]
"""
SLEEP, EXIT = "time.sleep(1e6)", "os._exit(7)"
MEMORY = "x = [np.ones(2**27) for _ in range(100)]"  # 100 blocks of 1 GiB


def recommend(tmp_path: Path, seconds: float) -> tuple[dict[str, Any], str]:
    train, test = selector_datasets.path("GunPoint"), selector_datasets.path("GunPoint", "test")
    line = [sys.executable, "-m", "selector.cli", "recommend", str(train), "--test", str(test)]
    line += ["--time", str(seconds), "--json", "--quiet", "--out", str(tmp_path / "run")]
    done = subprocess.run(line, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def check(rec: dict[str, Any], seconds: float) -> None:
    assert rec["recommended"]["architecture"] not in ("rnn.hostile", "tabular.hostile")
    assert rec["score"]["value"] > 0.7
    # the budget is the product's promise, not a benchmark: T and three seconds
    assert rec["wall_seconds"] <= seconds + 3.0


CASES = [
    ("import", SLEEP), ("hook", SLEEP), ("fit_for", SLEEP), ("space", SLEEP),
    ("portfolio", SLEEP), ("build", SLEEP), ("adapt", SLEEP), ("fit", SLEEP),
    ("fit", EXIT), ("build", EXIT), ("fit_for", EXIT), ("fit", MEMORY),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [15, 60])
@pytest.mark.parametrize(("method", "evil"), CASES)
def test_a_hostile_plugin_costs_itself_alone(tmp_path, make_plugin, method, evil, seconds):
    make_plugin("zz_hostile", HOSTILE.format(method=method, evil=evil))
    rec, _ = recommend(tmp_path, seconds)
    check(rec, seconds)
    told = json.dumps([rec["failures"], rec["refused"], rec["plugins"]])
    assert "hostile" in told


def test_a_plugin_that_hangs_in_training_is_survived(tmp_path, make_plugin):
    make_plugin("zz_hostile", HOSTILE.format(method="build", evil=SLEEP))
    rec, errors = recommend(tmp_path, 20)
    check(rec, 20)
    assert any("hostile" in f["architecture"] for f in rec["failures"])
    assert "Traceback" not in errors
