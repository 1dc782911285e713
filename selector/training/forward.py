"""What a Keras model puts out, in batches of one size, on any backend."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol

import keras

from selector.contract import Array
from selector.training.plain import PlainForward
from selector.training.preprocess import Prepared


class Forward(Protocol):
    """Outputs of one model, whose weights stay as they are."""

    def start(self, data: Prepared) -> str:
        """Return how the first call would start, see :class:`~selector.contract.TrialResult`."""

    def __call__(self, data: Prepared, head: Callable[[Array], Array] | None = None) -> Array:
        """Return the outputs, shape (n, outputs), or what `head` makes of each batch of them."""


def forward_of(model: Any, batch: int, key: Hashable = None) -> Forward:
    """Return the forward pass of a model.

    Parameters
    ----------
    model : keras.Model
        A functional model.
    batch : int
        Rows of a batch; the last is filled up.
    key : hashable, optional
        See :func:`selector.training.steps.compiled`.
    """
    if keras.backend.backend() != "jax":
        return PlainForward(model, batch)
    from selector.training.steps import JaxForward

    return JaxForward(model, batch, key)
