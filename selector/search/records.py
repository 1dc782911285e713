"""Trial records: what was asked, what came of it, and what it predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from selector.contract import TrialResult, TrialSpec

LOSS_WEIGHT = 0.05
"""Share of the loss in a trial's value: it orders trials of equal accuracy."""

CUT_SHARE = 0.7
"""Share of its time that a plan takes which the time ended, and not the number of its steps."""

SETTLED_SHARE = 0.8
"""Share of its planned epochs up to which the best of a training lies that had enough of them."""

SETTLED_EPOCHS = 10
"""Epochs of a plan that can tell as much, at least."""

LONGER = 3
"""How many times longer than in the search a model is trained at the end, at most."""

ENOUGH_EPOCHS = 12
"""Epochs that are enough where each sees the same samples, which longer training learns by heart;
images that are shifted at random differ in each."""

OVERHEAD_SECONDS = {"network": 0.5, "feature": 0.3, "estimator": 0.05}
"""Seconds of a trial that are not spent fitting, once its step is compiled."""


@dataclass(frozen=True)
class Record:
    """One finished trial.

    Parameters
    ----------
    spec : TrialSpec
        What was asked.
    result : TrialResult
        What came of it.
    family, type : str
        Of the architecture.
    number : int or None
        Trial number in the architecture's study, None outside it.
    worker : int
        Index of the worker that ran it.
    elapsed : float
        Seconds from the start of the run to the end of the trial.
    guilty : bool or None
        None where the worker lived on; else whether the trial is to blame for
        its end (a signal that nobody here sent blames nobody).
    """

    spec: TrialSpec
    result: TrialResult
    family: str
    type: str
    number: int | None = None
    worker: int = 0
    elapsed: float = 0.0
    guilty: bool | None = None

    @property
    def ok(self) -> bool:
        """Whether there is a score."""
        return self.result.state == "complete" and self.result.score is not None

    @property
    def value(self) -> float | None:
        """What the search maximises: the score, with the loss to order ties."""
        if not self.ok or self.result.score is None:
            return None
        loss = self.result.loss if self.result.loss is not None else 1.0
        return float(self.result.score - LOSS_WEIGHT * min(max(loss, 0.0), 3.0))

    @property
    def epochs_to_repeat(self) -> int | None:
        """Epochs to train this configuration for where nothing is peeked at."""
        if self.type != "network" or not self.result.epochs:
            return None
        # stopped early: the whole of what was trained, patience and all, since a schedule
        # that anneals to zero over it ends better than one cut at the best epoch
        return self.result.epochs

    @property
    def cut_short(self) -> bool:
        """Whether its plan was as long as the time for one trial, so that more may help.

        Not where the last fifth of ten epochs or more brought no better validation loss.
        """
        limit, result = self.spec.train_seconds, self.result
        if result.stopped != "planned" or limit is None:
            return False
        last = SETTLED_SHARE * result.planned_epochs
        settled = result.planned_epochs >= SETTLED_EPOCHS and result.best_epoch <= last
        return not settled and result.fit_seconds > CUT_SHARE * limit

    @property
    def most_epochs(self) -> int | None:
        """Epochs to train this configuration for at most where it is saved.

        More than in the search where the time had ended its plan, and no epoch is like the
        one before, or they were few.
        """
        searched = self.epochs_to_repeat
        if searched is None or not self.cut_short:
            return searched
        longer = LONGER * searched
        if not self.spec.params.get("shift"):
            longer = min(longer, ENOUGH_EPOCHS)
        return max(searched, longer)

    def predicted_seconds(self, n_train: int, epochs: int | None = None) -> float:
        """Predict the seconds that this configuration takes on `n_train` rows."""
        growth = n_train / max(self.result.n_train, 1)
        overhead = OVERHEAD_SECONDS[self.type]
        if self.type == "network":
            epochs = epochs or self.epochs_to_repeat or 1
            return overhead + epochs * self.result.epoch_seconds * growth
        return overhead + self.result.fit_seconds * growth

    def scoring_seconds(self, rows: int) -> float:
        """Predict the seconds that predicting `rows` takes.

        A pass forward is a third of a training step; what fixed features cost is the
        features.
        """
        result = self.result
        once = {"network": 0.5 * result.epoch_seconds, "feature": result.fit_seconds}
        return once.get(self.type, 0.1 * result.fit_seconds) * rows / max(result.n_train, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """Rebuild a record from :meth:`to_dict`; unknown fields are ignored."""
        values = _known(cls, data)
        values["spec"] = TrialSpec(**_known(TrialSpec, data["spec"]))
        values["result"] = result_from_dict(data["result"])
        return cls(**values)


def result_from_dict(data: Mapping[str, Any]) -> TrialResult:
    """Rebuild a :class:`TrialResult`; unknown fields are ignored."""
    return TrialResult(**_known(TrialResult, data))


def _known(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    return {f.name: data[f.name] for f in fields(kind) if f.name in data}


def failed(reason: str, seconds: float = 0.0) -> TrialResult:
    """Return the result of a trial that gave none."""
    return TrialResult(state="failed", reason=reason, seconds=seconds)
