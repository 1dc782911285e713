"""The pace of this machine, learned from the trials of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from statistics import median
from typing import Any

from selector.contract import CORE_PARAMS, Params
from selector.search.records import Record
from selector.training.forecast import FeatureRates, Rates

START_SECONDS = {"new": 1.25, "stored": 0.2, "ready": 0.1}
"""Assumed until there is a trial that tells."""
COMPILING_RATIO = 7.0
"""About how many times longer tracing and compiling takes than taking a step from the cache, by the
``compile_seconds`` of the same networks in runs with an empty and a filled one."""

SCORING_SECONDS = 0.1
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

    def rates(self, architecture: str, like: Record | None = None) -> dict[str, Any] | None:
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
                start_seconds={
                    start: self._starting(architecture, start) for start in START_SECONDS
                },
                scoring_seconds=_median(map(_scoring, own or known)) or SCORING_SECONDS,
                share=_median(map(_share, own)) or _median(map(_share, known)) or 1.0,
                own=bool(speed or own),
            )
        )

    def compiling(self, architecture: str) -> float:
        """Return the seconds that a first step of a new shape is expected to wait for."""
        return self._starting(architecture, "new")

    def _starting(self, architecture: str, start: str) -> float:
        """Return the seconds of such a start: the architecture's, else any network's."""
        groups = (self._networks, self._others)
        own = [r for group in groups for r in group.get(architecture, [])]
        known = [r for records in self._networks.values() for r in records]
        return _start(own, start) or _start(known, start) or START_SECONDS[start]

    def compiled_share(self) -> float:
        """Return the share of the seconds of networks in the search that compiling takes.

        A structure that was found compiled counts what compiling it would have taken: a run
        with a filled cache tries about as many of them as one with an empty cache, and
        trains them more often, in place of compiling others.
        """
        trials = [r for records in self._networks.values() for r in records]
        trials = [r for r in trials if r.spec.stage != "confirm"]
        training = sum(r.result.seconds - r.result.compile_seconds for r in trials)
        compiling, seen = 0.0, {_structure(r) for r in trials if r.result.start == "new"}
        for record in trials:
            seconds, structure = record.result.compile_seconds, _structure(record)
            if structure not in seen and record.result.start == "stored":
                ready = self._starting(record.spec.architecture, "ready")
                seconds += (COMPILING_RATIO - 1.0) * max(seconds - ready, 0.0)
            seen.add(structure)
            compiling += seconds
        total = training + compiling
        return compiling / total if total else 0.0

    def seconds(self, architecture: str, params: Params) -> float | None:
        """Return what an estimator's trial is expected to take; None before its first."""
        alike = self._alike(architecture, params)
        return None if alike is None else alike.result.seconds

    def feature_rates(self, architecture: str, params: Params) -> dict[str, Any] | None:
        """Return the fields of :class:`~selector.training.forecast.FeatureRates`.

        None before the architecture's first trial.
        """
        alike = self._alike(architecture, params)
        if alike is None:
            return None
        own = {r.result.start: r.result.compile_seconds for r in self._others[architecture]}
        others = [r for records in self._others.values() for r in records if r.type == "feature"]
        result = alike.result
        return asdict(
            FeatureRates(
                start_seconds={
                    start: _start(others, start) or assumed
                    for start, assumed in START_SECONDS.items()
                }
                | own,
                work_seconds=max(result.seconds - result.compile_seconds, 0.0),
                work=result.macs * result.n_train,
            )
        )

    def _alike(self, architecture: str, params: Params) -> Record | None:
        """Return the latest trial of those that agree with `params` in the most values.

        The first of a kind have compiled or imported.
        """
        known = self._others.get(architecture, [])
        agree = [sum(r.spec.params.get(k) == v for k, v in params.items()) for r in known]
        latest = max(range(len(known)), key=lambda i: (agree[i], i), default=None)
        return None if latest is None else known[latest]


def _median(values: Iterable[float | None]) -> float:
    """Return the median of the values that are known; 0 where none is."""
    known = [v for v in values if v]
    return float(median(known)) if known else 0.0


def _structure(record: Record) -> tuple[str, Any]:
    """Return what a trial's compiled program depends on beside the data, as far as it shows.

    What the core reads and real numbers are taken for its arguments.
    """
    chosen = record.spec.params.items()
    kept = {k: v for k, v in chosen if k not in CORE_PARAMS and not isinstance(v, float)}
    return record.spec.architecture, tuple(sorted(kept.items()))


def _speed(record: Record) -> float | None:
    result = record.result
    work = result.macs * result.n_train * result.epochs
    if result.epochs == 1 and result.stopped == "deadline":  # not a whole one
        return result.epoch_seconds / work if work else None
    return result.fit_seconds / work if work else None


def _start(records: Iterable[Record], start: str) -> float:
    return _median(r.result.compile_seconds for r in records if r.result.start == start)


def _scoring(record: Record) -> float:
    result = record.result
    return max(result.seconds - result.compile_seconds - result.fit_seconds, 0.0)


def _share(record: Record) -> float | None:
    planned = record.result.planned_epochs
    return record.result.epochs / planned if planned and record.spec.epochs is None else None
