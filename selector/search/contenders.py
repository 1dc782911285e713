"""Who takes part: an admitted candidate with its trials, and a configuration to be confirmed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from selector.contract import Candidate, Params, TrialResult
from selector.search.limits import Limits
from selector.search.records import Record
from selector.search.space import drawn_structure, structural
from selector.search.splits import SEARCH_SHARE

PATIENCE = 10
"""Search trials of one architecture without a better value, after which it rests."""

FEW_ROWS = 100
"""Rows below which one validation part is too small to choose between configurations by."""

TOO_COSTLY = 2
"""Configurations over a limit, and none within, after which an architecture rests."""

DRAWN_ALIKE = 16
"""Trials of an architecture before which each new structure is the same in every run of a seed."""

REPEATS = 3
"""Search splits on which a network's configuration is tried where rows are few."""

Planned = tuple[Mapping[str, Any], int]
"""A configuration to try, and the number of the search split to try it on."""


def planned_trials(candidate: Candidate, n: int) -> list[Planned]:
    """Return a candidate's first trials: its portfolio, on few rows on several splits."""
    rounds = REPEATS if candidate.trained and n < FEW_ROWS else 1
    return [(dict(p), split) for split in range(rounds) for p in candidate.portfolio]


def most_trials(candidate: Candidate, n: int) -> int:
    """Return how many trials of one architecture are worth making on `n` rows.

    The best of many on few rows is chosen by noise, and then generalises worse
    than a default would (arXiv 2506.19540): below :data:`FEW_ROWS` a
    closed-form model keeps its first configuration, and a network those of its
    portfolio, each on :data:`REPEATS` splits.
    """
    if n >= FEW_ROWS:
        return 4 + n // 16
    return len(planned_trials(candidate, n)) if candidate.trained else 1


@dataclass
class Contender:
    """An admitted candidate and how it has fared."""

    candidate: Candidate
    portfolio: list[Planned]
    records: list[Record] = field(default_factory=list)
    started: int = 0
    running: int = 0
    crashes: int = 0
    retries: int = 0
    most: int = 1000
    blocked: str = ""
    late: bool = False
    """Whether it is blocked for lack of time alone."""
    limits: Limits = field(default_factory=Limits)

    def _may_lead(self, record: Record) -> bool:
        pruned = record.result.stopped == "pruned"
        return not pruned and not self.too_costly(record.result)

    def too_costly(self, result: TrialResult) -> str:
        """Return which limit a model of this architecture exceeds; empty where none."""
        return "" if self.candidate.role == "baseline" else self.limits.exceeded(result)

    def block(self, reason: str, *, late: bool = False) -> None:
        """Try it no more in this run; `late` where it only lacked time."""
        self.blocked, self.late = reason, late

    def forgive(self) -> None:
        """Begin again with one that only lacked time: a run that is resumed has more of it."""
        if not self.late:
            return
        self.blocked, self.late, self.retries, self.crashes = "", False, 0, 0
        self.records = [r for r in self.records if r.ok]
        first: Planned = (dict(self.candidate.portfolio[0]), 0)
        if first not in self.portfolio:
            self.portfolio.insert(0, first)
        self.started = min(self.started, self.most - 1)

    @property
    def configurations(self) -> int:
        """Number of different configurations that were tried."""
        return len({tuple(sorted(r.spec.params.items())) for r in self.records})

    @property
    def over_limits(self) -> str:
        """The limit that the latest model exceeds, where all did; empty otherwise."""
        reasons = [self.too_costly(r.result) for r in self.records if r.ok]
        return reasons[-1] if reasons and all(reasons) else ""

    def _leading(self) -> list[Record]:
        """Return the finished trials of the best configuration: the highest mean value.

        Configurations are compared on the splits that all of them were tried on, where
        there are any. A sampled one takes the place of the portfolio's best only where it is
        better by more than one standard error of their difference: it is the best of several,
        on another split.
        """
        tried: dict[tuple[Any, ...], list[Record]] = {}
        for record in self.records:
            if record.value is not None and self._may_lead(record):
                tried.setdefault(tuple(sorted(record.spec.params.items())), []).append(record)
        splits = [{r.spec.split for r in records} for records in tried.values()]
        common = set.intersection(*splits) if splits else set()
        shared = [
            [r for r in records if not common or r.spec.split in common]
            for records in tried.values()
        ]
        best = max(shared, key=_mean_value, default=[])
        first = max(filter(self._planned, shared), key=_mean_value, default=best)
        if best and _mean_value(best) > _mean_value(first) + _chance(first[0]):
            return best
        return first

    def _planned(self, records: list[Record]) -> bool:
        """Whether these are trials of a configuration of the portfolio."""
        return any(records[0].spec.params == params for params in self.candidate.portfolio)

    @property
    def best(self) -> Record | None:
        """A finished search trial of the best configuration: that with the median epochs."""
        records = sorted(self._leading(), key=lambda r: r.result.epochs)
        return records[len(records) // 2] if records else None

    @property
    def best_value(self) -> float:
        """Mean value of the best configuration over its splits; minus infinity without one."""
        leading = self._leading()
        return _mean_value(leading) if leading else -math.inf

    @property
    def stale(self) -> int:
        """Number of its latest search trials that brought no better value."""
        best, since = float("-inf"), 0
        for record in self.records:
            if record.value is not None and record.value > best + 1e-4:
                best, since = record.value, 0
            else:
                since += 1
        return since

    def structure(self, seed: int, keep: bool = False) -> Params:
        """Return what a sampled configuration takes as given, and does not leave to the study.

        A network keeps the structure of the best one so far, but for every fourth: what is new
        has to be compiled, and a learning rate tells as much as another width. The first new
        structures are drawn by `seed` alone, so that a later run on data of these shapes finds
        them compiled. With `keep` the structure always stays.
        """
        kind, best = self.candidate.type, self.best
        if kind == "estimator":
            return {}
        sampled = self.started - len(self.candidate.portfolio)
        if kind == "network" and best is not None and (keep or sampled % 4 != 3):
            return {name: best.spec.params[name] for name in structural(self.candidate.space)}
        if self.started >= DRAWN_ALIKE:
            return {}
        return drawn_structure(self.candidate.space, f"{seed} {self.candidate.name} {self.started}")

    @property
    def may_keep(self) -> bool:
        """Whether it is a network whose best structure another configuration can keep."""
        return (
            self.candidate.type == "network"
            and self.best is not None
            and bool(self.candidate.space)
        )

    @property
    def has_work(self) -> bool:
        """Whether another search trial of it might tell something new."""
        if self.blocked or self.started - self.retries >= self.most:
            return False
        return bool(self.portfolio) or (bool(self.candidate.space) and self.stale < PATIENCE)


@dataclass
class Finalist:
    """A configuration that is compared on the common splits."""

    contender: Contender
    record: Record
    epochs: int | None
    scores: dict[str, float] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    running: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Name of the architecture."""
        return self.contender.candidate.name

    @property
    def latest(self) -> Record:
        """Its most recent trial, with the latency that was measured last: not all measure it."""
        trials = [self.record, *self.records]
        timed = (r.result.latency_ms for r in reversed(trials) if r.result.latency_ms)
        result = trials[-1].result
        latency = result.latency_ms or next(timed, 0.0)
        return replace(trials[-1], result=replace(result, latency_ms=latency))

    def longest(self) -> int | None:
        """Return the most epochs that the saved model may train.

        Those that were compared, or those of the search where the comparison had time for
        fewer; more where the search's were what its time allowed, see
        :attr:`~selector.search.records.Record.most_epochs`.
        """
        if self.epochs is None:
            return None
        return max(self.epochs, self.record.most_epochs or self.epochs)

    def seconds(self, n_train: int) -> float:
        """Predicted seconds on `n_train` rows, from its most recent trial."""
        return self.latest.predicted_seconds(n_train, self.epochs)


def _mean_value(records: Sequence[Record]) -> float:
    return fmean(r.value or 0.0 for r in records)


def _chance(record: Record) -> float:
    """Return the standard error of the difference of two scores like this one, on its split.

    That of two shares of rows, which for R² is of the right order; 0 for scores that are none.
    """
    score = record.result.score or 0.0
    rows = record.result.n_train * SEARCH_SHARE / (1.0 - SEARCH_SHARE)
    return math.sqrt(2.0 * max(score * (1.0 - score), 0.0) / max(rows, 1.0))
