"""The compilation cache: where it is, what it holds, whether it works.

JAX keeps compiled programs in a folder and reloads them in later processes; a
second run on the same data then starts to train in a fraction of the time.
"""

from __future__ import annotations

import os
import platform
import stat
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

MOST_BYTES = 1 << 30
"""Upper bound in bytes, kept by deleting what was written least recently."""

_HITS, _MISSES = "/jax/compilation_cache/cache_hits", "/jax/compilation_cache/cache_misses"
_counts = {_HITS: 0, _MISSES: 0}
_watching = False


def watch() -> None:
    """Begin to count hits and misses in this process; JAX must be the backend."""
    global _watching
    if _watching:
        return
    _watching = True
    import jax

    def listen(event: str, **_: Any) -> None:
        if event in _counts:
            _counts[event] += 1

    jax.monitoring.register_event_listener(listen)


def counts() -> dict[str, int]:
    """Return the ``hits`` and ``misses`` counted since :func:`watch`."""
    return {"hits": _counts[_HITS], "misses": _counts[_MISSES]}


def contents(place: Path) -> dict[str, int]:
    """Return the number of ``entries`` and the ``bytes`` in a cache folder."""
    sizes = [p.stat().st_size for p in place.iterdir() if p.name.endswith(("-cache", "-program"))]
    return {"entries": len(sizes), "bytes": sum(sizes)}


def clear(place: Path) -> int:
    """Delete every entry and return the bytes that were freed."""
    return prune(place, 0)


def reloads() -> bool:
    """Whether this machine takes a compiled program back from disk.

    Compiles a small program in one process and asks for it in another, with an
    empty cache of their own. On some processors every entry is rejected, and
    the cache then only costs time.
    """
    with tempfile.TemporaryDirectory() as place:
        environment = {
            **os.environ,
            "JAX_PLATFORMS": "cpu",
            "JAX_COMPILATION_CACHE_DIR": place,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        line = [sys.executable, "-P", "-c", _PROBE]
        told = [
            subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
            for _ in range(2)
        ][1]
    return told.returncode == 0 and int(told.stdout.split()[-1]) > 0


_PROBE = """
from selector.training import cache
cache.watch()
import jax
jax.jit(lambda x: (x @ x).sum())(jax.numpy.ones((8, 8))).block_until_ready()
print(cache.counts()["hits"])
"""


def folder() -> Path | None:
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
    place = root / "selector" / "jax" / f"{platform.node() or 'host'}-{version}"
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_private(place):
            return None
        probe = place / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError:
        return None
    return place


def _is_private(place: Path) -> bool:
    """Whether `place` is this user's own; closes it to others where it is."""
    state = place.lstat()
    if not stat.S_ISDIR(state.st_mode):
        return False
    if hasattr(os, "getuid"):
        if state.st_uid != os.getuid():
            return False
        if state.st_mode & 0o077:
            place.chmod(0o700)
    return True


def prune(place: Path, limit: int = MOST_BYTES) -> int:
    """Delete the least recently written entries until `place` holds at most `limit` bytes.

    Returns
    -------
    int
        Bytes deleted. Files that another process removes meanwhile do not count.
    """
    entries = []
    for path in place.iterdir():
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
