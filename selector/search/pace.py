"""The pace of this machine, learned from the trials of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from statistics import median

from selector.search.records import Record
from selector.training.forecast import Rates

COMPILE_SECONDS, REUSE_SECONDS, SCORING_SECONDS = 2.0, 0.2, 0.1
"""Assumed of a network until there is a trial that tells."""


class Pace:
    """What multiply-adds, compilation and closed-form fits have cost so far.

    Architectures differ in how well they use a processor, so each has its own
    rate; one that was not tried yet is given the median of the others.
    """

    def __init__(self) -> None:
        self._networks: dict[str, list[Record]] = {}
        self._others: dict[str, list[Record]] = {}

    def tell(self, record: Record) -> None:
        """Learn from a finished trial; one that failed teaches nothing."""
        if record.ok:
            group = self._networks if record.type == "network" else self._others
            group.setdefault(record.spec.architecture, []).append(record)

    def rates(self, architecture: str, like: Record | None = None) -> dict[str, float] | None:
        """Return the fields of :class:`~selector.training.forecast.Rates` for a network.

        Parameters
        ----------
        architecture : str
            Its name.
        like : Record, optional
            A finished trial of the very configuration, whose own rate is taken.

        Returns
        -------
        dict or None
            None before any network was trained.
        """
        known = [r for records in self._networks.values() for r in records]
        if not known:
            return None
        own = self._networks.get(architecture) or []
        speed = _speed(like) if like is not None else None
        return asdict(
            Rates(
                seconds_per_mac=speed or _median(map(_speed, own)) or _median(map(_speed, known)),
                compile_seconds=_start(own, True) or _start(known, True) or COMPILE_SECONDS,
                reuse_seconds=_start(own, False) or _start(known, False) or REUSE_SECONDS,
                scoring_seconds=_median(map(_scoring, own or known)) or SCORING_SECONDS,
                share=_median(map(_share, own)) or _median(map(_share, known)) or 1.0,
            )
        )

    def seconds(self, architecture: str) -> float | None:
        """Return the usual seconds of a closed-form model's trial; None before its first."""
        return _median(r.result.seconds for r in self._others.get(architecture, ())) or None


def _median(values: Iterable[float | None]) -> float:
    """Return the median of the values that are known; 0 where none is."""
    known = [v for v in values if v]
    return float(median(known)) if known else 0.0


def _speed(record: Record) -> float | None:
    result = record.result
    work = result.macs * result.n_train * result.epochs
    return result.fit_seconds / work if work else None


def _start(records: Iterable[Record], compiled: bool) -> float:
    return _median(r.result.compile_seconds for r in records if r.result.compiled is compiled)


def _scoring(record: Record) -> float:
    result = record.result
    return max(result.seconds - result.compile_seconds - result.fit_seconds, 0.0)


def _share(record: Record) -> float | None:
    planned = record.result.planned_epochs
    return record.result.epochs / planned if planned and record.spec.epochs is None else None
