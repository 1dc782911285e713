"""The backend is chosen before Keras is imported, and its cache is private and bounded."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

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


def test_cache_folder_is_private(fresh):
    folder = backend.cache_folder()
    assert folder is not None
    assert folder.is_relative_to(fresh / "cache" / "selector" / "jax")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    assert backend.cache_folder() == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_cache_of_another_user_is_refused(fresh, monkeypatch):
    assert backend.cache_folder() is not None
    monkeypatch.setattr(os, "getuid", lambda: 123456)
    assert backend.cache_folder() is None


def test_no_cache_where_it_is_off_or_impossible(fresh, monkeypatch):
    monkeypatch.setenv("SELECTOR_CACHE", "off")
    assert backend.cache_folder() is None
    monkeypatch.delenv("SELECTOR_CACHE")
    (fresh / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(fresh / "file"))
    assert backend.cache_folder() is None


def test_prune_deletes_the_oldest(tmp_path):
    for age, name in enumerate("abcd"):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    assert backend.prune(tmp_path, 250) == 200
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_process_fills_the_cache(tmp_path):
    code = (
        "from selector.training import backend; backend.prepare()\n"
        "import jax; jax.jit(lambda x: x * 2 + 1)(1.0).block_until_ready()\n"
        "assert 'keras' not in __import__('sys').modules"
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "SELECTOR_CACHE": "on"}
    env = {k: v for k, v in env.items() if not k.startswith("JAX_COMPILATION")}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    subprocess.run([sys.executable, "-c", code], check=True, env=env, timeout=60)
    assert list(tmp_path.glob("selector/jax/*/*-cache"))
