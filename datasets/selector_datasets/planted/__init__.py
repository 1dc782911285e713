"""Generators of data whose right answer is known.

Recurrent networks should win on ``last_command`` and ``state_tracking``, which
need a memory of any length; convolutional ones on ``local_motif`` and
``motif_2d``, which need a detector that does not care where; hybrids on
``motif_order`` and ``digit_order``, which need both; either of these on the clips
of ``moving_shapes``; trees on ``thresholds`` and
``thresholds_permuted``, whose columns have no order. On ``adding`` networks of
either kind should tie. In ``noise`` there is nothing to be learnt, in
``weak_signal`` very little. The cards say why; ``benchmarks/truth_reference.py``
measures whether it is so.

Every generator takes the number of samples and a seed. Another seed gives fresh
samples of the same distribution, in any number.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from selector.errors import OptionError, did_you_mean
from selector_datasets.files import Samples
from selector_datasets.planted.cards import CARDS
from selector_datasets.planted.clips import moving_shapes
from selector_datasets.planted.images import digit_order, motif_2d
from selector_datasets.planted.limits import noise, weak_signal
from selector_datasets.planted.parts import at_least
from selector_datasets.planted.series import (
    adding,
    last_command,
    local_motif,
    motif_order,
    state_tracking,
)
from selector_datasets.planted.tables import thresholds, thresholds_permuted

__all__ = ["CARDS", "GENERATORS", "VERSION", "generate"]

VERSION = 1
"""Raised when a generator changes what it makes."""

GENERATORS: dict[str, Callable[..., Samples]] = {
    "last_command": last_command,
    "state_tracking": state_tracking,
    "local_motif": local_motif,
    "motif_2d": motif_2d,
    "motif_order": motif_order,
    "digit_order": digit_order,
    "moving_shapes": moving_shapes,
    "thresholds": thresholds,
    "thresholds_permuted": thresholds_permuted,
    "adding": adding,
    "noise": noise,
    "weak_signal": weak_signal,
}


def generate(name: str, **options: Any) -> Samples:
    """Run the generator `name` with its options.

    Raises
    ------
    OptionError
        For an option that the generator does not have, or a value not allowed.
    """
    generator = GENERATORS[name]
    allowed = list(inspect.signature(generator).parameters)
    for option in options:
        if option not in allowed:
            raise OptionError(
                f"'{name}' has no option '{option}'.{did_you_mean(option, allowed)} "
                f"It has {', '.join(allowed)}."
            )
    at_least(int(options.get("n", CARDS[name]["n_train"])), 4, "n")
    at_least(int(options.get("seed", 0)), 0, "seed")
    return generator(**options)
