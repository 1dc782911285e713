"""Fixtures of the whole suite: caches in a temporary folder, plugins made on the spot."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture
def numpy_weights() -> Iterator[None]:
    """Let NumPy draw initial weights, as wherever the core builds a model: nothing to compile."""
    from selector.training import layers

    with layers.drawn_by_numpy():
        yield


@pytest.fixture
def compiled_quickly() -> Iterator[None]:
    """Leave out most of the compiler's optimizations, where a test asks what a layer computes."""
    import jax

    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture
def make_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Return a function that installs a plugin: a module and its entry point, on the path."""
    room = tmp_path / "installed-plugins"
    room.mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(room), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(str(room))
    made: list[str] = []

    def install(name: str, source: str) -> Path:
        (room / f"{name}.py").write_text(textwrap.dedent(source))
        info = room / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[selector]\n{name} = {name}\n")
        made.append(name)
        return room

    yield install
    for name in made:
        sys.modules.pop(name, None)
