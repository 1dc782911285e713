"""Errors: one root, each subclass also of the built-in it specialises.

Every message says what was wrong, what is allowed, what was received and what
to try. The command line prints it on one line and ends with exit code 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SelectorError(Exception):
    """Root of all errors that selector raises on purpose."""


class DataError(SelectorError, ValueError):
    """The data cannot be used as it is."""


class SourceNotFoundError(SelectorError, FileNotFoundError):
    """There is no file, folder or run of that name."""

    def __str__(self) -> str:
        return " ".join(str(a) for a in self.args)


class OptionError(SelectorError, ValueError):
    """An option or argument has a value that is not allowed."""


class PluginError(SelectorError, RuntimeError):
    """A plugin that the user named cannot be used."""


class RunError(SelectorError, RuntimeError):
    """A run folder cannot be used, or a run ended without a result."""


class MissingDependencyError(SelectorError, ImportError):
    """An optional library is needed for this and not installed."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known word, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""
