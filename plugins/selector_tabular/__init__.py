"""Models of a plain table, also over flattened series and images: "you need neither"."""

from __future__ import annotations

from collections.abc import Iterable

from selector import hookimpl
from selector.contract import Architecture
from selector_tabular.baseline import Baseline
from selector_tabular.linear import Linear
from selector_tabular.mlp import MLP
from selector_tabular.svm import RBFSVM
from selector_tabular.trees import ExtraTrees, HistBoosting


@hookimpl
def selector_architectures() -> Iterable[Architecture]:
    """Return the tabular architectures, the trivial baseline first."""
    return [Baseline(), Linear(), HistBoosting(), ExtraTrees(), RBFSVM(), MLP()]
