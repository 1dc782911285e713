"""The backend is chosen before Keras is imported."""

from __future__ import annotations

import json
import os

import pytest

from selector.training import backend


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """Nothing chosen: no setting, no keras.json, not prepared."""
    names = ("KERAS_BACKEND", "SELECTOR_CACHE", "JAX_COMPILATION_CACHE_DIR")
    for name in names:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(backend, "_prepared", False)
    monkeypatch.setattr(backend, "_use_cache", lambda: None)
    return tmp_path


def configure(folder, name):
    (folder / "keras").mkdir()
    (folder / "keras" / "keras.json").write_text(json.dumps({"backend": name}))


def test_jax_where_nothing_was_chosen(fresh):
    backend.prepare()
    assert os.environ["KERAS_BACKEND"] == "jax"


def test_the_environment_is_respected(fresh, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    backend.prepare()
    assert os.environ["KERAS_BACKEND"] == "torch"


def test_keras_json_is_respected_where_its_backend_is_installed(fresh, monkeypatch):
    configure(fresh, "torch")
    monkeypatch.setattr(backend.importlib.util, "find_spec", lambda name: object())
    backend.prepare()
    assert "KERAS_BACKEND" not in os.environ


def test_a_backend_that_is_not_installed_was_not_chosen(fresh, monkeypatch):
    configure(fresh, "tensorflow")
    monkeypatch.setattr(backend.importlib.util, "find_spec", lambda name: None)
    backend.prepare()
    assert os.environ["KERAS_BACKEND"] == "jax"
