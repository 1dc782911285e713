"""Traced programs, kept on disk beside what they compile to.

Tracing a network through Keras takes longer than taking its compiled form from
the compilation cache, and has to be done again in each process. A traced
program is therefore stored as StableHLO. What it depends on is its key: the
model's configuration, what its layers hold beside it and beside their weights,
the shapes it is called with, the versions of JAX and Keras, and the source of
every package that a layer comes from.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export

from selector.training import cache as compilation_cache
from selector.training import compiler
from selector.training.layers.dropout import FastDropout
from selector.training.models import configuration, custom_modules

SUFFIX = "-program"


class Program:
    """A function that is compiled for each size of its batches.

    Parameters
    ----------
    function : callable
        What to compile. Its arguments have the same shapes in every call, but
        for the one at `batch`.
    batch : int
        Position of the argument whose length may differ: row numbers.
    key : str or None
        See :func:`key_of`; None where the traced program cannot be kept.
    options : mapping, optional
        See :func:`selector.training.compiler.options`.

    Attributes
    ----------
    seconds : dict of int to float
        What a call takes, by the size of its batch, where somebody measured it.
    traces : int
        How often the function was traced in this process.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        batch: int,
        key: str | None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._function, self._batch, self._key = function, batch, key
        self._options = dict(options or {})
        self._ready: dict[int, Callable[..., Any]] = {}
        self.seconds: dict[int, float] = {}
        self.traces = 0

    def start(self, arguments: tuple[Any, ...]) -> str:
        """Return how a call with these arguments would start.

        Returns
        -------
        {"ready", "stored", "new"}
            Compiled in this process; traced before, so that it is taken from
            the compilation cache; to be traced and compiled.
        """
        if len(arguments[self._batch]) in self._ready:
            return "ready"
        path = self._path(arguments)
        return "stored" if path is not None and path.exists() else "new"

    def __call__(self, *arguments: Any) -> Any:
        """Call the function, compiled."""
        size = len(arguments[self._batch])
        found = self._ready.get(size)
        if found is None:
            found = self._ready[size] = self._prepare(arguments)
        return found(*arguments)

    def _path(self, arguments: tuple[Any, ...]) -> Path | None:
        """Return where the traced program is kept; None where it is not."""
        place = folder() if self._key is not None and jax.default_backend() == "cpu" else None
        if place is None:
            return None
        shapes = str(jax.tree.map(lambda a: (jax.numpy.shape(a), str(a.dtype)), arguments))
        digest = hashlib.sha256(f"{self._key} {shapes}".encode()).hexdigest()
        return place / f"{digest}{SUFFIX}"

    def _prepare(self, arguments: tuple[Any, ...]) -> Callable[..., Any]:
        function, path = jax.jit(self._function), self._path(arguments)
        traced = _read(path) if path is not None else None
        self.traces += traced is None
        if path is not None and traced is None:
            try:
                traced = export.export(function, platforms=("cpu",))(*arguments)
                _write(path, traced)
            except Exception:  # not everything that can be compiled can be exported
                traced = None
        if traced is not None:
            function = jax.jit(traced.call)
        # compiled now: a jitted call would be compiled again once its arguments come from
        # its own results, which are tied to a device
        ready: Callable[..., Any] = compiler.compiled(function.lower(*arguments), self._options)
        return ready


@cache
def folder() -> Path | None:
    """Return where programs are kept: with the compiled ones, or nowhere."""
    return compilation_cache.folder()


def _read(path: Path) -> Any:
    """Return a stored program; None where there is none that can be read."""
    try:
        blob = bytearray(path.read_bytes())
        os.utime(path)  # the cache is pruned by age
        return export.deserialize(blob)
    except Exception:  # cut off or from another version: it is traced again
        return None


def _write(path: Path, traced: Any) -> None:
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    draft.write_bytes(traced.serialize())
    os.replace(draft, path)


def key_of(model: Any, *others: Any) -> str | None:
    """Return a text that changes with all that a model's traced program depends on.

    Parameters
    ----------
    model : keras.Model
        A functional model.
    *others
        What the program depends on beside it, with a stable ``repr``.

    Returns
    -------
    str or None
        None where the model has no complete configuration, or the source of one
        of its layers cannot be found: its program is then not kept.
    """
    try:
        config = configuration(model)
        named = {**config, "config": {k: v for k, v in config["config"].items() if k != "name"}}
        packages = {"selector", *(m.split(".")[0] for m in custom_modules(model))}
        sources = [_source(name) for name in sorted(packages)]
        described = json.dumps(_structure(named))
    except Exception:  # a layer of a plugin that cannot be described
        return None
    held = constants(model)
    return None if held is None else repr((described, sources, _versions(), held, others))


def constants(model: Any) -> str | None:
    """Return a digest of what layers of a model hold beside weights and configuration.

    It is part of a traced program: the mean and variance that Keras's ``Normalization`` learnt
    in ``adapt``, and what a plugin's layer saves in ``save_own_variables`` and is no variable
    of it.

    Returns
    -------
    str or None
        None where a layer does not say.
    """
    digest = hashlib.sha256()
    try:
        for layer in model._flatten_layers():
            for name, values in _constants(layer):
                told = (name, values.shape, str(values.dtype))
                digest.update(repr(told).encode() + values.tobytes())
    except Exception:  # it saves nothing yet, or what is no array
        return None
    return digest.hexdigest()


def _constants(layer: Any) -> list[tuple[str, np.ndarray[Any, Any]]]:
    import keras

    held: dict[str, Any] = {}
    if isinstance(layer, keras.layers.Normalization) and layer.built:
        held = {"mean": layer.mean, "variance": layer.variance}
    if type(layer).save_own_variables.__module__.split(".")[0] != "keras":  # a plugin's own
        saved: dict[str, Any] = {}
        layer.save_own_variables(saved)
        variables = [part for v in layer.variables for part in (v, v.value)]
        own = {id(part) for part in variables}
        held |= {name: values for name, values in saved.items() if id(values) not in own}
    found = [(name, np.asarray(values)) for name, values in sorted(held.items())]
    if any(values.dtype.hasobject for _, values in found):
        raise TypeError(f"{type(layer).__name__} saves what is no array")
    return found


def _structure(node: Any) -> Any:
    """Return a configuration without the values that are arguments of a program."""
    if isinstance(node, list | tuple):
        return [_structure(v) for v in node]
    if not isinstance(node, dict):
        return node
    if node.get("registered_name") == f"selector>{FastDropout.__name__}":
        config = node["config"]  # its rate is a weight, but for whether there is one
        return {**node, "config": [config["name"], config["rate"] > 0]}
    kept = {k: v for k, v in sorted(node.items()) if not k.endswith("_initializer")}
    return {k: _structure(v) for k, v in kept.items()}


@cache
def _versions() -> tuple[str, ...]:
    return tuple(metadata.version(name) for name in ("jax", "jaxlib", "keras", "numpy"))


@cache
def _source(package: str) -> str:
    """Return a digest of the names, sizes and times of a package's source files.

    Raises
    ------
    KeyError, TypeError
        Where the package has not been imported, or has no file.
    """
    root = Path(str(sys.modules[package].__file__))
    if package == "selector":
        root = root.parent / "training" / "__init__.py"
    files: Iterable[Path] = root.parent.rglob("*.py") if root.name == "__init__.py" else [root]
    told = []
    for path in sorted(files):
        state = path.stat()
        told.append((str(path), state.st_size, state.st_mtime_ns))
    return hashlib.sha256(repr(told).encode()).hexdigest()
