"""The hooks a plugin may implement; each only registers objects.

A plugin is a module (or object) behind an entry point of the group
``selector``::

    [project.entry-points.selector]
    my_plugin = "my_plugin"

with functions marked by ``selector.hookimpl``. The module must not import
Keras at top level: it is loaded before anything heavy is.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from selector.contract import Architecture, Reader

GROUP = "selector"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def selector_architectures() -> Iterable[Architecture]:  # type: ignore[empty-body]
    """Return the architectures that this plugin offers (instances)."""


@hookspec
def selector_readers() -> Iterable[Reader]:  # type: ignore[empty-body]
    """Return the readers that this plugin offers (instances).

    They are asked after the built-in ones, and only where none of those
    recognises the source.
    """
