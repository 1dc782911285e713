"""A plan that counts trials in place of seconds, so that it can be repeated bit for bit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from selector.contract import TrialSpec
from selector.search.contenders import Contender
from selector.search.planner import Planner
from selector.search.records import Record

GENERATION = 4
"""Trials that are planned together, whatever the number of workers."""

ROUNDS = 5
"""Common splits on which finalists are compared at most: one cross-validation."""

Asked = tuple[TrialSpec, int | None]


class CountedPlanner(Planner):
    """Decides by counts and scores alone; takes the arguments of :class:`Planner`.

    Trials are planned in generations of :data:`GENERATION`: the next is
    planned when all of one have ended, and they are told in the order in which
    they were planned, so that neither speed nor the number of workers shapes
    the run. Networks train the epochs that their number of steps calls for.
    Only where the time ends before the trials do is the result another.
    """

    timed = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: list[Asked] = []
        self._running: set[str] = set()
        self._ended: list[Record] = []

    def next(self, warm: set[str], built: set[str]) -> Asked | None:
        """Return the next trial of the generation, or None until all of it have ended."""
        if not {"keras", "sklearn"} <= warm:
            return None
        if not self._waiting and not self._running:
            self._waiting = self._generation(warm)
        if not self._waiting:
            return None
        asked = self._waiting.pop(0)
        self._running.add(asked[0].id)
        return asked

    def _generation(self, warm: set[str]) -> list[Asked]:
        planned: list[Asked] = []
        while len(planned) < GENERATION:
            if planned and self.stage != "confirm" and not self._may_search():
                break  # finalists are chosen when the last of the search have ended
            asked = super().next(warm, set())
            if asked is None:
                break
            planned.append(asked)
        return planned

    def tell(self, record: Record) -> None:
        """Take note of a trial; the plan learns of it when its generation is complete."""
        if record.spec.id not in self._running:
            super().tell(record)
            return
        self._running.discard(record.spec.id)
        self._ended.append(record)
        if not self._running and not self._waiting:
            self._learn()

    def _learn(self) -> None:
        ended, self._ended = sorted(self._ended, key=lambda r: _number(r.spec.id)), []
        for record in ended:
            super().tell(record)

    def replay(self, records: Iterable[Record]) -> None:
        """Restore the state of an earlier process, in the order in which trials were planned."""
        super().replay(sorted(records, key=lambda r: _number(r.spec.id)))

    def trial_limit(self) -> float:
        """Return the seconds that a trial may take: all there are."""
        return max(1.0, self.budget.left() - self.reserve())

    def _may_search(self) -> bool:
        return self.max_trials is None or self.searched < self.max_trials

    def _spent(self, members: Sequence[Contender]) -> float:
        return float(sum(c.started for c in members))

    @property
    def most_splits(self) -> int:
        """Number of common splits that there are, whatever the time."""
        return min(ROUNDS, super().most_splits)

    def start_confirmation(self) -> None:
        """Fix the finalists, with the epochs that the search gave them.

        Where the run ends within a generation, what has ended of it counts.
        """
        if self._running or self._waiting:
            self._running, self._waiting = set(), []
            self._learn()
        self._fix_finalists(float("inf"))

    def _confirm(self, built: set[str]) -> Asked | None:
        pairs = [(n, s) for n, s in self._racing(self) if s in self.splits.confirm[:ROUNDS]]
        chosen = self._confirmation.next(pairs, float("inf"), built)
        if chosen is None:
            return None
        finalist, split = chosen
        params = finalist.record.spec.params
        epochs = finalist.epochs
        return self._spec(finalist.contender, "confirm", params, split, 0.0, epochs=epochs), None


def _number(trial_id: str) -> int:
    return int(trial_id.split("-")[0])
