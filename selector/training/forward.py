"""What a Keras model puts out, in batches of one size, on any backend."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import keras

from selector.contract import Array
from selector.training.models import as_inputs
from selector.training.plain import in_batches
from selector.training.preprocess import Prepared


class Forward:
    """Outputs of one model, whose weights stay as they are, as Keras computes them.

    Parameters
    ----------
    model : keras.Model
        A functional model.
    batch : int
        Rows of a batch; the last is filled up.
    """

    def __init__(self, model: Any, batch: int) -> None:
        self._model, self._batch = model, batch

    def start(self, data: Prepared) -> str:
        """Return how the first call would start, see :class:`~selector.contract.TrialResult`."""
        return ""

    def __call__(self, data: Prepared, head: Callable[[Array], Array] | None = None) -> Array:
        """Return the outputs, shape (n, outputs), or what `head` makes of each batch of them."""
        return in_batches(self._of_rows(data), len(data.x), self._batch, head)

    def _of_rows(self, data: Prepared) -> Callable[[Array], Any]:
        """Return the function from row numbers of one batch to its outputs."""
        inputs = as_inputs(data)

        def outputs(rows: Array) -> Any:
            chosen = [part[rows] for part in inputs]
            return self._model.predict_on_batch(chosen[0] if len(chosen) == 1 else chosen)

        return outputs


def forward_of(model: Any, batch: int, key: Hashable = None) -> Forward:
    """Return the forward pass of a model, compiled where the backend is JAX.

    Parameters
    ----------
    model, batch
        See :class:`Forward`.
    key : hashable, optional
        See :func:`selector.training.steps.compiled`.
    """
    if keras.backend.backend() != "jax":
        return Forward(model, batch)
    from selector.training.steps import JaxForward

    return JaxForward(model, batch, key)
