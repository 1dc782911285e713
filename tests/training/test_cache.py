"""The compilation cache is private and bounded, can be looked at, and is hit."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from selector.cli import app
from selector.training import cache


@pytest.fixture
def room(monkeypatch, tmp_path):
    """A cache folder of its own, not there yet."""
    for name in ("SELECTOR_CACHE", "JAX_COMPILATION_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_the_folder_is_private(room):
    place = cache.folder()
    assert place is not None
    assert place.is_relative_to(room / "cache" / "selector" / "jax")
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    place.chmod(0o755)
    assert cache.folder() == place
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_the_folder_of_another_user_is_refused(room, monkeypatch):
    assert cache.folder() is not None
    monkeypatch.setattr(os, "getuid", lambda: 123456)
    assert cache.folder() is None


def test_no_cache_where_it_is_off_or_impossible(room, monkeypatch):
    monkeypatch.setenv("SELECTOR_CACHE", "off")
    assert cache.folder() is None
    monkeypatch.delenv("SELECTOR_CACHE")
    (room / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(room / "file"))
    assert cache.folder() is None


def test_prune_deletes_the_oldest(tmp_path):
    for age, name in enumerate("abcd"):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    assert cache.prune(tmp_path, 250) == 200
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_process_fills_the_cache_and_the_next_one_hits_it(room):
    code = (
        "from selector.training import backend, cache; backend.prepare(); cache.watch()\n"
        "import jax; jax.jit(lambda x: x * 2 + 1)(1.0).block_until_ready()\n"
        "assert 'keras' not in __import__('sys').modules\n"
        "print(cache.counts())"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    line = [sys.executable, "-c", code]
    told = [
        subprocess.run(line, check=True, env=env, timeout=60, capture_output=True, text=True)
        for _ in range(2)
    ]
    assert "'hits': 0" in told[0].stdout
    assert "'misses': 0" in told[1].stdout
    place = cache.folder()
    assert place is not None
    assert cache.contents(place)["entries"] > 0


def test_the_command_tells_what_is_there_and_deletes_it(room, monkeypatch):
    monkeypatch.setattr(cache, "reloads", lambda: True)
    place = cache.folder()
    assert place is not None
    (place / "x-cache").write_bytes(bytes(1 << 20))
    told = CliRunner().invoke(app, ["cache", "info"])
    assert told.exit_code == 0
    assert str(place) in told.stdout.replace("\n", "")
    assert "entries  1" in told.stdout
    assert "reloads  yes" in told.stdout
    assert "1.0 MiB" in CliRunner().invoke(app, ["cache", "clear"]).stdout
    assert not list(place.iterdir())


def test_the_command_says_that_there_is_none(room, monkeypatch):
    monkeypatch.setenv("SELECTOR_CACHE", "off")
    assert "no cache" in CliRunner().invoke(app, ["cache", "info"]).stdout
