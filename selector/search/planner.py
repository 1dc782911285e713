"""What to try next: floor, portfolio, search, confirmation.

The planner is the strategy of a run and nothing else: it is asked for the next
trial whenever a worker is idle, told of each trial that ended, and knows the
clock. It runs nothing itself, so the same records always lead to the same
state; that is also how a run is resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from selector.contract import Candidate, Profile, TrialSpec
from selector.search.budget import Budget
from selector.search.confirmation import Confirmation
from selector.search.contenders import (
    FEW_ROWS,
    REPEATS,
    TOO_COSTLY,
    Contender,
    Finalist,
    Planned,
    most_trials,
    planned_trials,
)
from selector.search.lanes import Lanes, lane_of
from selector.search.limits import Limits
from selector.search.pace import Pace
from selector.search.pruning import thresholds
from selector.search.records import Record
from selector.search.splits import MINIMUM_SPLITS, Splits
from selector.search.studies import Studies
from selector.search.workers import LATE

CONFIRM_SHARE = 0.15
"""Share of the core-seconds after the warm-up that goes to confirmation."""

COMPILE_SECONDS = {"network": 8.0, "feature": 5.0, "estimator": 1.5}
"""Allowance for tracing and compiling, on top of the seconds of training."""


Racing = Callable[["Planner"], list[tuple[str, str]]]
"""Return the pairs (architecture, split) to confirm next, in order."""


SAME_SPLIT = 12
"""Sampled trials on one holdout, so that those of a lane can be compared while they train."""

COMPILED_SHARE = 0.15
"""Share of the seconds of networks in the search that compiling takes (:meth:`Pace.compiled_share`)
beyond which no other structure is tried, but for a family's first."""

_NO_LIMITS = Limits()

ENSEMBLE_SHARE = 0.1
"""Share of the budget that is kept for an ensemble at most: it must not shape the verdict."""

FITTING_SHARE = 0.3
"""Share of the budget that is kept for the last fit at most; half on more rows than were compared,
since the fit then takes what it is given."""

SCORING_SHARE = 0.1
"""Share of the budget that is kept for scoring at most: a part of many rows gives a score too."""

FIRST_SECONDS = 1.5
"""Allowance for compiling a family's first network where time is short."""


class Planner:
    """Decides what an idle worker does next.

    Parameters
    ----------
    candidates : iterable of Candidate
        The admitted ones take part.
    profile : Profile
        Of the development rows.
    budget : Budget
        The clock.
    splits : Splits
        Names of splits.
    studies : Studies
        Where configurations come from.
    racing : callable
        The judge's rule for which confirmations come next.
    cores : int
        Number of workers.
    max_trials : int, optional
        Number of search trials (floor, portfolio and search) at most.
    seed : int
        Seeds the trials.
    finals : int
        How often the chosen model is fitted at the end.
    ensemble : bool
        Whether some time is kept for fitting several.
    limits : Limits
        What a model may cost.
    scored : int
        Rows of the test part, on which the chosen model is scored at the end.
    """

    timed = True
    """Whether the clock shapes the plan, and the epochs of its trainings."""

    def __init__(
        self,
        candidates: Iterable[Candidate],
        profile: Profile,
        budget: Budget,
        splits: Splits,
        studies: Studies,
        racing: Racing,
        cores: int,
        max_trials: int | None = None,
        seed: int = 0,
        finals: int = 1,
        ensemble: bool = False,
        limits: Limits = _NO_LIMITS,
        scored: int = 0,
    ) -> None:
        self.profile, self.budget, self.splits, self.studies = profile, budget, splits, studies
        self.cores, self.max_trials, self.seed, self.finals = cores, max_trials, seed, finals
        self.ensemble, self.scored = ensemble, scored
        self.contenders = {
            c.name: Contender(
                c, planned_trials(c, profile.n), most=most_trials(c, profile.n), limits=limits
            )
            for c in candidates
            if c.admitted
        }
        self.lanes = Lanes(self.contenders, profile)
        self._confirmation = Confirmation(splits.n_confirm)
        self.records: list[Record] = []
        self.pace = Pace()
        self.stage = "floor"
        self.slowness = 1.0
        self._racing = racing
        self._floor = [c.candidate.name for c in self._closed_form()]
        if max_trials is not None:  # few trials: each family's first network before them all
            families = {c.candidate.family for c in self.lanes.networks()}
            self._floor = self._floor[: max(1, max_trials - len(families))]
        self._ids = 0
        self._splits_drawn = 0
        self._limit = 0.0
        self._earlier: list[Record] = []

    # ---------------------------------------------------------------- the plan

    def next(self, warm: set[str], built: set[str]) -> tuple[TrialSpec, int | None] | None:
        """Return the next trial for a worker, or None where it has to wait.

        Parameters
        ----------
        warm : set of str
            What the worker has imported: ``"keras"``, ``"sklearn"``.
        built : set of str
            Architectures that it has compiled; they are preferred there.

        Returns
        -------
        tuple of (TrialSpec, int or None), or None
            The trial and its number in the architecture's study.
        """
        if self.stage == "floor":
            for name in self._floor:
                if self._needs(self.contenders[name].candidate) in warm:
                    self._floor.remove(name)
                    return self._search_trial(self.contenders[name], "floor")
            if self._floor and len(warm) < 2:
                return None
            self.stage = "portfolio"
        if "keras" not in warm:
            return None
        if self.stage in ("portfolio", "search"):
            if self._may_search():
                chosen = self.lanes.choose(built, self._spent, not self._compiled_enough())
                if chosen is not None:
                    self.stage = "portfolio" if self.lanes.unseen() else "search"
                    return self._search_trial(chosen, self.stage)
                if any(c.running for c in self.contenders.values()) and not self.finalists:
                    return None
            if self.lanes.first_running() and self.budget.left() >= self.reserve() + 2.0:
                return None  # a family's very first network is worth waiting for
            self.start_confirmation()
        return self._confirm(built) if self.stage == "confirm" else None

    def tell(self, record: Record) -> None:
        """Take note of a trial that ended (also when a run is resumed)."""
        self.records.append(record)
        self.pace.tell(record)
        contender = self.contenders.get(record.spec.architecture)
        if contender is None:
            return
        if record.spec.stage == "confirm":
            self._confirmation.tell(record)
            return
        if record.spec.stage == "final":
            return
        contender.running = max(0, contender.running - 1)
        contender.records.append(record)
        if self.stage == "confirm" and record.ok and self._may_join(record):
            self._confirmation.join(contender)
        if not record.ok and record.result.stopped == "deadline" and contender.retries < 2:
            # the first compile took all its time; the step is kept, so that another try is quick
            contender.retries += 1
            contender.portfolio.insert(0, _planned(record))
            return
        if contender.over_limits and (
            contender.configurations >= TOO_COSTLY or not contender.has_work
        ):
            contender.blocked = contender.over_limits
        failures = sum(not r.ok for r in contender.records)
        if not record.ok and failures >= (2 if contender.best is None else 5):
            contender.block(record.result.reason, late=record.result.stopped == "deadline")

    def _may_join(self, record: Record) -> bool:
        """Whether one whose first score came late can be compared without a loss for the others."""
        each = record.predicted_seconds(self.splits.n_confirm)
        fit = self._final_fit(record.predicted_seconds(self.profile.n), record)
        spare = self.budget.left() - self.reserve()
        return spare > 2.0 * MINIMUM_SPLITS * each + fit

    def replay(self, records: Iterable[Record]) -> None:
        """Restore the state that these records of an earlier process led to."""
        for record in records:
            self._ids = max(self._ids, int(record.spec.id.split("-")[0]) + 1)
            contender = self.contenders.get(record.spec.architecture)
            if contender is not None and record.guilty is not None:
                reason = record.result.reason
                self.crashed(record.spec.architecture, reason, guilty=record.guilty)
            if record.spec.stage == "confirm":
                self._earlier.append(record)
                self.records.append(record)
                self.pace.tell(record)
            if record.spec.stage in ("confirm", "final"):
                continue
            if contender is not None:
                contender.started += 1
                if _planned(record) in contender.portfolio:
                    contender.portfolio.remove(_planned(record))
                if record.spec.architecture in self._floor:
                    self._floor.remove(record.spec.architecture)
                self._splits_drawn += _planned(record)[1] >= REPEATS
            self.tell(record)
        for contender in self.contenders.values():
            contender.forgive()

    def crashed(self, architecture: str, reason: str, *, guilty: bool) -> None:
        """Note that a worker died in a trial.

        An architecture that is guilty and never finished a trial is not tried
        again; any other has a second chance.
        """
        contender = self.contenders[architecture]
        contender.crashes += 1
        if (guilty and contender.best is None) or contender.crashes >= 2:
            contender.block(reason, late=LATE in reason)
            self.finalists.pop(architecture, None)

    @property
    def floor_done(self) -> bool:
        """Whether every closed-form model that is going to be in the floor has been."""
        closed = self._closed_form()
        return self.stage != "floor" and not any(c.running for c in closed)

    @property
    def searched(self) -> int:
        """Number of search trials started."""
        return sum(c.started for c in self.contenders.values())

    def reserve(self) -> float:
        """Seconds to keep for fitting the final model, scoring and probing it, and the report."""
        final, seconds = self._final_seconds(), self.budget.seconds
        if final is None:  # nothing to fit yet: first of all there has to be
            return min(FIRST_SECONDS, 0.2 * seconds)
        fit, score = min(final[0], FITTING_SHARE * seconds), min(final[1], SCORING_SHARE * seconds)
        kept = closing_seconds(seconds) + self.finals * fit + score
        return kept + self.ensemble * min(2.0 * fit, ENSEMBLE_SHARE * seconds)

    def _final_seconds(self) -> tuple[float, float] | None:
        """Return what fitting and scoring the chosen model may take at most; None at first.

        Until it is compared, each lane's best may be chosen: what is kept for it must not
        turn out too little when the search has ended.
        """
        n = self.profile.n
        pool = list(self.finalists.values())
        if pool:
            leader = max(pool, key=lambda f: _mean(f.scores.values()) or f.record.result.score or 0)
            able = [leader, *(f for f in pool if len(f.scores) < MINIMUM_SPLITS)]
            fits = [self._final_fit(f.seconds(n), f.record) for f in able]
            latest = [f.latest for f in able]
        else:
            latest = [c.best for c in self.lanes.champions() if c.best is not None]
            fits = [self._final_fit(r.predicted_seconds(n), r) for r in latest]
        if not latest:
            return None
        return max(fits), max(r.scoring_seconds(self.scored) for r in latest)

    def _final_fit(self, seconds: float, record: Record) -> float:
        """Return what to keep for the last fit of a model that is predicted to take `seconds`.

        Twice as much where its plan was cut short and more may help: what ends the search is then
        used to train for longer. On more rows than were compared it takes what it is given, and
        what is compiled is compiled anew.
        """
        longer = (record.most_epochs or 0) > (record.epochs_to_repeat or 0)
        kept = (2.0 if longer else 1.25) * seconds
        if not self.splits.thinned:
            return kept
        if self.timed:
            kept = min(kept, FITTING_SHARE / 2 * self.budget.seconds)
        compiled = record.type != "estimator"
        return kept + compiled * self.pace.compiling(record.spec.architecture)

    # ----------------------------------------------------------------- search

    def _closed_form(self) -> list[Contender]:
        order = {"estimator": 0, "feature": 1}
        closed = [c for c in self.contenders.values() if c.candidate.type != "network"]
        return sorted(
            closed, key=lambda c: (c.candidate.role != "baseline", order[c.candidate.type])
        )

    @staticmethod
    def _needs(candidate: Candidate) -> str:
        return "sklearn" if candidate.type == "estimator" else "keras"

    def trial_limit(self) -> float:
        """Seconds of training in one network trial, so that each family can be confirmed.

        Fixed when the first network trial is planned: confirmation runs each
        family's best on :data:`MINIMUM_SPLITS` splits for about as long again.
        """
        if not self._limit:
            networks = [c for c in self.lanes.networks() if not c.blocked]
            weights = {c.candidate.family: self.lanes.weight(c) for c in networks}
            seconds = CONFIRM_SHARE * max(1.0, self.budget.left() - 4.0)
            trainings = MINIMUM_SPLITS * max(1.0, sum(weights.values()))
            rounds = max(trainings / self.cores, 1.0)  # more cores do not make one shorter
            self._limit = min(max(seconds / rounds, 0.8), 600.0)
        return self._limit

    def _may_search(self) -> bool:
        if self.max_trials is not None and self.searched >= self.max_trials:
            return False
        spare = self.budget.left() - self.reserve() - self.trial_limit()
        if self.lanes.unseen() and spare > FIRST_SECONDS + self._confirmation_seconds(closed=True):
            return True  # no family goes untried where one trial fits, confirmed or not
        return spare > self._confirmation_seconds()

    def _confirmation_seconds(self, closed: bool = False) -> float:
        """Predicted wall seconds to run the champions-to-be on the first splits.

        With `closed`, of the closed-form models alone.
        """
        n = self.splits.n_confirm
        each = []
        for contender in self.lanes.champions():
            trained = contender.candidate.trained
            if closed and trained:
                continue
            if contender.best is not None:
                each.append(contender.best.predicted_seconds(n))
            elif trained:
                each.append(self.trial_limit() * self.lanes.weight(contender))
        return 1.0 + 1.1 * max(MINIMUM_SPLITS * sum(each) / self.cores, max(each, default=0.0))

    def _spent(self, members: Sequence[Contender]) -> float:
        done = sum(r.result.seconds for c in members for r in c.records)
        return done + sum(c.running for c in members) * self.trial_limit()

    def _compiled_enough(self) -> bool:
        """Whether what is compiled is trained again before more is compiled."""
        return self.timed and self.pace.compiled_share() > COMPILED_SHARE

    def _search_trial(self, contender: Contender, stage: str) -> tuple[TrialSpec, int | None]:
        keep = self._compiled_enough() and contender.may_keep and self.profile.n >= FEW_ROWS
        planned = bool(contender.portfolio) and not keep
        params, index = contender.portfolio.pop(0) if planned else (None, 0)
        given = contender.structure(self.seed, keep) if params is None else params
        number, chosen = self.studies.ask(contender.candidate, given)
        if params is None:
            self._splits_drawn += 1
            index = REPEATS + self._splits_drawn // SAME_SPLIT
        split = self.splits.search(index)
        contender.started += 1
        contender.running += 1
        limit = self.trial_limit()
        seconds = limit + self._compile_seconds(contender)
        spec = self._spec(contender, stage, chosen, split, seconds, train_seconds=limit)
        if contender.candidate.trained and self.profile.n >= FEW_ROWS:
            spec = replace(spec, prune_above=thresholds(self._beside(contender, split)))
        return spec, number

    def _compile_seconds(self, contender: Contender) -> float:
        """Return the allowance for compiling, longer where the machine is slow or busy."""
        return COMPILE_SECONDS[contender.candidate.type] * min(self.slowness, 4.0)

    def _beside(self, contender: Contender, split: str) -> list[Record]:
        """Return the finished trials of a contender's lane on one split."""
        lane = self.lanes.members(lane_of(contender))
        return [r for c in lane for r in c.records if r.spec.split == split]

    def _spec(
        self,
        contender: Contender,
        stage: str,
        params: Mapping[str, Any],
        split: str | None,
        seconds: float,
        epochs: int | None = None,
        train_seconds: float | None = None,
        like: Record | None = None,
    ) -> TrialSpec:
        name = contender.candidate.name
        trial_id = f"{self._ids}-{stage}-{name}"
        # a confirmation's seed belongs to its split, not to the order of dispatch
        drawn = self.splits.confirm.index(split) if stage == "confirm" and split else self._ids
        seed = (self.seed * 1_000_003 + drawn) % 2**31
        self._ids += 1
        kind = contender.candidate.type
        rates = None
        if not self.timed:
            seconds, train_seconds = self.trial_limit(), None
        elif kind == "network":
            rates = self.pace.rates(name, like)
        elif kind == "feature":
            rates = self.pace.feature_rates(name, params)
        return TrialSpec(
            trial_id, stage, name, params, split, seed, seconds, epochs, train_seconds,
            rates=rates,
            expected_seconds=self.pace.seconds(name, params) if kind == "estimator" else None,
            timed=self.timed, latency=contender.limits.latency_ms is not None,
        )  # fmt: skip

    def start_confirmation(self) -> None:
        """Fix the finalists: the best of each family, and every closed-form model."""
        self._fix_finalists(self.cores * (self.budget.left() - self.reserve()))

    def _fix_finalists(self, core_seconds: float) -> None:
        if self.stage == "confirm":
            return
        self.stage = "confirm"
        self._confirmation.start(
            self.lanes.leaders(), core_seconds, self.lanes.champions(), self._earlier
        )

    def _confirm(self, built: set[str]) -> tuple[TrialSpec, int | None] | None:
        spare = self.budget.left() - self.reserve()
        chosen = self._confirmation.next(self._racing(self), spare, built)
        if chosen is None:
            return None
        finalist, split = chosen
        allowance = self._compile_seconds(finalist.contender)
        seconds = min(spare, 1.8 * finalist.seconds(self.splits.n_confirm) + allowance)
        spec = self._spec(
            finalist.contender, "confirm", finalist.record.spec.params, split, seconds,
            finalist.epochs, like=finalist.latest,
        )  # fmt: skip
        return spec, None

    @property
    def finalists(self) -> dict[str, Finalist]:
        """What is compared on the common splits, by name; empty before confirmation."""
        return self._confirmation.finalists

    @property
    def most_splits(self) -> int:
        """Number of common splits that there are, whatever the time."""
        return len(self.splits.confirm)

    @property
    def confirmed(self) -> bool:
        """Whether any model but the trivial baseline has been scored on a common split."""
        return self._confirmation.begun

    def uncompared_families(self) -> list[str]:
        """Return the families that fit the data and were not confirmed, for lack of time."""
        return self._confirmation.uncompared(self.contenders.values())


def closing_seconds(seconds: float) -> float:
    """Return what is kept of a budget for scoring, probes and the report."""
    return min(5.0, 1.5 + 0.1 * seconds)


def _planned(record: Record) -> Planned:
    """Return the configuration of a search trial and the number of its split."""
    return dict(record.spec.params), int(str(record.spec.split).rpartition("-")[2])


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return sum(listed) / len(listed) if listed else None
