"""How long a network will take, from its multiply-adds and what the run has learned so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selector.training.clock import DeadlineError


@dataclass(frozen=True)
class Rates:
    """What earlier trials of a run say about the speed of this machine.

    Parameters
    ----------
    seconds_per_mac : float
        Seconds of training for each multiply-add of one forward pass, for each
        sample and epoch; backward pass, optimizer and validation included.
    start_seconds : mapping of str to float
        From the start of a trial to its first step, by how that step starts, see
        :class:`~selector.contract.TrialResult`.
    scoring_seconds : float
        From the last step to the end of the trial.
    share : float
        Share of the planned epochs that is trained before early stopping.
    own : bool
        Whether the speed is that of the same architecture.
    """

    seconds_per_mac: float
    start_seconds: Mapping[str, float]
    scoring_seconds: float
    share: float = 1.0
    own: bool = True


@dataclass(frozen=True)
class FeatureRates:
    """What earlier trials of a run say about how long fixed features take.

    Parameters
    ----------
    start_seconds : mapping of str to float
        From the start of a trial to its first features, by how their program starts.
    work_seconds : float
        What a trial of the configuration most alike took after that.
    work : int
        Its multiply-adds of one sample times its training rows.
    """

    start_seconds: Mapping[str, float]
    work_seconds: float
    work: int

    def seconds(self, macs: int, n_train: int, start: str) -> float:
        """Return the predicted seconds of a trial.

        Parameters
        ----------
        macs : int
            Multiply-adds of one sample.
        n_train : int
            Training rows.
        start : {"new", "stored", "ready", ""}
            How the program starts.
        """
        growth = macs * n_train / self.work if self.work else 1.0
        return self.start_seconds.get(start, 0.0) + self.work_seconds * growth


DOUBT = {True: 2.0, False: 10.0}
"""How many times less than forecast a trial may take; architectures differ by as much in speed."""


@dataclass(frozen=True)
class Forecast:
    """A trial's predicted seconds.

    Parameters
    ----------
    start_seconds : float
        Until the first step.
    epoch_seconds : float
        One epoch.
    seconds : float
        The whole trial.
    own : bool
        Whether it rests on trials of the same architecture.
    """

    start_seconds: float
    epoch_seconds: float
    seconds: float
    own: bool = True


def forecast(
    rates: Mapping[str, Any],
    *,
    macs: int,
    n_train: int,
    start: str,
    epochs: int | None,
    cap: int,
    train_seconds: float | None,
) -> Forecast:
    """Predict a trial before its network is compiled.

    Parameters
    ----------
    rates : mapping
        The fields of :class:`Rates`.
    macs : int
        Multiply-adds of one forward pass of one sample.
    n_train : int
        Training rows.
    start : {"new", "stored", "ready"}
        How the first step starts.
    epochs : int or None
        Epochs where they are fixed; None where the step loop plans them.
    cap : int
        The most epochs that the step loop plans.
    train_seconds : float or None
        Seconds of training that a plan may take.
    """
    known = Rates(**rates)
    epoch = known.seconds_per_mac * macs * n_train
    if epochs is None:
        planned = float(cap)
        if train_seconds is not None and epoch > 0:
            planned = min(planned, max(1.0, train_seconds / epoch))
        planned *= known.share
    else:
        planned = float(epochs)
    before = known.start_seconds[start]
    return Forecast(before, epoch, before + planned * epoch + known.scoring_seconds, known.own)


def check_fits(expected: Forecast, left: float) -> None:
    """Refuse a trial that could not make an epoch in the seconds left.

    Raises
    ------
    DeadlineError
        Where a fraction (see :data:`DOUBT`) of what is expected until the end of the
        first epoch is more than `left`; a forecast is an estimate.
    """
    least = expected.start_seconds + expected.epoch_seconds
    if least / DOUBT[expected.own] > left:
        raise DeadlineError(
            f"deadline: some {least:.1f} s are needed to compile and train one epoch, and"
            f" {left:.1f} s are left; not started"
        )
