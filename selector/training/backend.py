"""Choosing and setting up the Keras backend before Keras is imported."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

from selector.training import cache

_MODULES = {"jax": "jax", "tensorflow": "tensorflow", "torch": "torch", "openvino": "openvino"}
_prepared = False

XLA_FLAGS = "--xla_backend_extra_options=xla_cpu_disable_loop_unrolling"
"""Loops that LLVM unrolls take longer to compile and run no faster
(``python benchmarks/compiler.py``). XLA takes this from its environment alone."""


def prepare() -> None:
    """Set the environment for Keras; safe to call more than once, first call wins.

    JAX becomes the backend unless the user chose one with ``KERAS_BACKEND`` or
    in ``keras.json`` (where that backend is installed). With JAX the
    compilation cache is kept in the user's cache folder, unless
    ``SELECTOR_CACHE=off`` or the folder cannot be made or trusted, and :data:`XLA_FLAGS`
    are put before the user's, for this process and those that it starts; not where the user
    has given such options or named a file of flags.
    """
    global _prepared
    if _prepared:
        return
    _prepared = True
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not os.environ.get("KERAS_BACKEND") and _configured_backend() is None:
        os.environ["KERAS_BACKEND"] = "jax"
    if (os.environ.get("KERAS_BACKEND") or _configured_backend()) == "jax":
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        theirs = os.environ.get("XLA_FLAGS", "").strip()
        if XLA_FLAGS.partition("=")[0] not in theirs and theirs[:1] in ("", "-"):
            os.environ["XLA_FLAGS"] = f"{XLA_FLAGS} {theirs}".strip()
        _use_cache()


def _configured_backend() -> str | None:
    """Return the backend named in ``keras.json`` where it is installed.

    Keras itself writes that file with its own default on first import, so an
    entry for a backend that is not there is nobody's choice.
    """
    home = os.environ.get("KERAS_HOME") or str(Path.home() / ".keras")
    try:
        chosen = json.loads((Path(home) / "keras.json").read_text()).get("backend")
    except (OSError, ValueError, AttributeError):
        return None
    module = _MODULES.get(str(chosen))
    return str(chosen) if module and importlib.util.find_spec(module) else None


def _use_cache() -> None:
    """Point JAX to the cache, through the environment or, once imported, its settings."""
    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    folder = cache.folder()
    if folder is None:
        return
    cache.prune(folder)
    settings = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    if "jax" in sys.modules:
        import jax

        for name, value in settings.items():
            jax.config.update(name, value)  # type: ignore[no-untyped-call]
        return
    for name, value in settings.items():
        os.environ[name.upper()] = str(value)
