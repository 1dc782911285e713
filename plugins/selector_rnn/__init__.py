"""Recurrent architectures, and the tutorial for authors of plugins.

A plugin is an importable module behind an entry point of the group
``selector``. In a package of your own, ``pyproject.toml`` says::

    [project.entry-points.selector]
    my_plugin = "my_plugin"

and ``my_plugin/__init__.py`` looks like this file: one function, named after
a hook and marked with ``hookimpl``, that returns objects. Nothing else is
needed, and the plugins that come with selector have no other door.

Read on in this order:

1. ``recurrent.py``: a trained network. It says what data it is for, which
   parameters it has, which values to try first, and how to build it.
2. ``reservoir.py``: fixed features, for which the core finds the head in
   closed form.
3. ``layers.py``: a Keras layer of one's own, and what it needs so that saved
   models can be loaded again.

This module is loaded before anything heavy is. It must not import Keras, nor
may the modules that it imports at top level: ``build`` is the place for that.
"""

from __future__ import annotations

from collections.abc import Iterable

from selector import hookimpl
from selector.contract import Architecture
from selector_rnn.min_gru import MinGRU
from selector_rnn.recurrent import GRU, LSTM
from selector_rnn.reservoir import Reservoir


@hookimpl
def selector_architectures() -> Iterable[Architecture]:
    """Return the recurrent architectures (instances, not classes)."""
    return [GRU(), LSTM(), MinGRU(), Reservoir()]
