"""Choosing and setting up the Keras backend before Keras is imported."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import stat
import sys
from importlib import metadata
from pathlib import Path

CACHE_BYTES = 1 << 30
"""Upper bound of the compilation cache in bytes, kept by pruning the oldest entries."""

_MODULES = {"jax": "jax", "tensorflow": "tensorflow", "torch": "torch", "openvino": "openvino"}
_prepared = False


def prepare() -> None:
    """Set the environment for Keras; safe to call more than once, first call wins.

    JAX becomes the backend unless the user chose one with ``KERAS_BACKEND`` or
    in ``keras.json`` (where that backend is installed). With JAX the
    compilation cache is kept in the user's cache folder, unless
    ``SELECTOR_CACHE=off`` or the folder cannot be made or trusted.
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


def cache_folder() -> Path | None:
    """Return the folder of the compilation cache, made if need be; None for no cache.

    Its entries are machine code, so the folder must belong to this user and be
    closed to all others, and it is keyed by host and jaxlib version.
    """
    if os.environ.get("SELECTOR_CACHE", "").lower() in {"off", "0", "no", "false"}:
        return None
    base = os.environ.get("XDG_CACHE_HOME")
    root = Path(base) if base and os.path.isabs(base) else Path.home() / ".cache"
    try:
        version = metadata.version("jaxlib")
    except metadata.PackageNotFoundError:
        return None
    folder = root / "selector" / "jax" / f"{platform.node() or 'host'}-{version}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_private(folder):
            return None
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError:
        return None
    return folder


def _is_private(folder: Path) -> bool:
    """Whether `folder` is this user's own; closes it to others where it is."""
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode):
        return False
    if hasattr(os, "getuid"):
        if state.st_uid != os.getuid():
            return False
        if state.st_mode & 0o077:
            folder.chmod(0o700)
    return True


def prune(folder: Path, limit: int = CACHE_BYTES) -> int:
    """Delete the least recently written entries until `folder` holds at most `limit` bytes.

    Returns
    -------
    int
        Bytes deleted. Files that another process removes meanwhile do not count.
    """
    entries = []
    for path in folder.iterdir():
        try:
            state = path.stat()
        except OSError:
            continue
        entries.append((state.st_mtime, state.st_size, path))
    excess = sum(size for _, size, _ in entries) - limit
    deleted = 0
    for _, size, path in sorted(entries, key=lambda entry: entry[0]):
        if deleted >= excess:
            break
        try:
            path.unlink()
        except OSError:
            continue
        deleted += size
    return deleted


def _use_cache() -> None:
    """Point JAX to the cache, through the environment or, once imported, its settings."""
    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    folder = cache_folder()
    if folder is None:
        return
    prune(folder)
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
