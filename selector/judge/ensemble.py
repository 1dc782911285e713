"""Which models to average: greedy selection on predictions of rows they were not trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from selector.contract import Array

ROUNDS = 20
"""Models drawn at most, with replacement: weights are multiples of one over their number."""

LEAST_GAIN = 1e-4
"""Share of the loss that further models must take off, so that none is added for nothing."""


def greedy_selection(
    predictions: Sequence[Array], loss: Callable[[Array], float], rounds: int = ROUNDS
) -> list[int]:
    """Choose models, with replacement, whose mean prediction has the least loss.

    Each round draws the model with which the mean of those drawn has the least
    loss, also where that is more than before, since a weight of a third cannot
    be reached without passing a half; then the shortest beginning of the draws
    with (nearly) the least loss is kept.

    Parameters
    ----------
    predictions : sequence of ndarray
        One for each model, all of one shape and for the same rows, none of
        which the model was trained on.
    loss : callable
        Of a prediction, lower is better.
    rounds : int
        Models drawn at most.

    Returns
    -------
    list of int
        How often each model was drawn; all 0 where no loss is finite.

    References
    ----------
    Caruana et al., "Ensemble selection from libraries of models", ICML 2004.
    """
    total: Array | float = 0.0
    drawn: list[int] = []
    reached: list[float] = []
    for count in range(1, rounds + 1):
        losses = [loss((total + p) / count) for p in predictions]
        lowest = min((value for value in losses if np.isfinite(value)), default=None)
        if lowest is None:
            break
        drawn.append(losses.index(lowest))
        reached.append(lowest)
        total = total + predictions[drawn[-1]]
    good_enough = min(reached, default=0.0) + LEAST_GAIN * abs(min(reached, default=0.0))
    kept = next((i + 1 for i, value in enumerate(reached) if value <= good_enough), 0)
    return [drawn[:kept].count(model) for model in range(len(predictions))]
