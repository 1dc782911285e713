"""selector: which neural architecture fits your data, and the proof.

The public names are imported when they are first used, so that
``import selector`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "recommend": "selector.api",
    "load": "selector.api",
    "Recommendation": "selector.api",
    "SelectorError": "selector.errors",
    "hookimpl": "selector.hookspecs",
}

__all__ = ["Recommendation", "SelectorError", "__version__", "hookimpl", "load", "recommend"]

if TYPE_CHECKING:
    from selector.api import Recommendation, load, recommend
    from selector.errors import SelectorError
    from selector.hookspecs import hookimpl


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'selector' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
