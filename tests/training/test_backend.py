"""The backend is chosen before Keras is imported."""

from __future__ import annotations

import json
import os

import pytest

from selector.training import backend


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """Nothing chosen: no setting, no keras.json, not prepared."""
    names = ("KERAS_BACKEND", "SELECTOR_CACHE", "JAX_COMPILATION_CACHE_DIR", "XLA_FLAGS")
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


@pytest.mark.parametrize("theirs", ["", "--xla_cpu_enable_fast_math=false"])
def test_flags_of_the_user_come_after_ours(fresh, monkeypatch, theirs):
    monkeypatch.setenv("XLA_FLAGS", theirs)
    backend.prepare()
    assert os.environ["XLA_FLAGS"].split() == [backend.XLA_FLAGS, *theirs.split()]


@pytest.mark.parametrize(
    "theirs", ["--xla_backend_extra_options=", "/etc/flags.txt", backend.XLA_FLAGS]
)
def test_what_the_user_said_of_such_flags_stays(fresh, monkeypatch, theirs):
    monkeypatch.setenv("XLA_FLAGS", theirs)
    backend.prepare()
    assert os.environ["XLA_FLAGS"] == theirs


def test_another_backend_gets_no_flags(fresh, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    backend.prepare()
    assert "XLA_FLAGS" not in os.environ
