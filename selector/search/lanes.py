"""Lanes: what shares the time of the search, and whose turn it is.

A lane is a family's networks, or its closed-form models.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from selector.contract import Profile
from selector.search.contenders import FEW_ROWS, Contender

Lane = tuple[str, bool]
"""A family, and whether its models are trained."""

TRIALS_EACH = 2
"""Trials of each architecture of a lane before the next one joins."""

FEW_NETWORKS = 2
"""Networks of a family that join below :data:`~selector.search.contenders.FEW_ROWS` rows."""

STILL_IMPROVING = 1.5
"""Factor of a lane's share while its best training ended before it had stopped improving."""


def lane_of(contender: Contender) -> Lane:
    """Return what a contender shares its time with."""
    return contender.candidate.family, contender.candidate.trained


class Lanes:
    """The contenders by lane, and weighted fair shares of the core-seconds between them.

    Parameters
    ----------
    contenders : mapping of str to Contender
        By name; looked at anew each time.
    profile : Profile
        Of the development rows.
    """

    def __init__(self, contenders: Mapping[str, Contender], profile: Profile) -> None:
        self.contenders, self.profile = contenders, profile

    def members(self, lane: Lane) -> list[Contender]:
        """Return the contenders of a lane."""
        return [c for c in self.contenders.values() if lane_of(c) == lane]

    def networks(self) -> list[Contender]:
        """Return the contenders that are trained."""
        return [c for c in self.contenders.values() if c.candidate.trained]

    def unseen(self) -> list[Contender]:
        """Return the networks that may open for a family of which none was started yet."""
        begun = {c.candidate.family for c in self.networks() if c.started}
        return [c for c in self.networks() if c.candidate.family not in begun and c.has_work]

    def leaders(self) -> list[Contender]:
        """Return those that send a finalist: the best network of a family, closed forms each."""
        groups: dict[Lane | str, list[Contender]] = {}
        for name, contender in self.contenders.items():
            if not contender.blocked:
                key = lane_of(contender) if contender.candidate.trained else name
                groups.setdefault(key, []).append(contender)
        return [max(group, key=lambda c: c.best_value) for group in groups.values()]

    def champions(self) -> list[Contender]:
        """Return the leader of each lane.

        The other closed-form models are confirmed after these, in what time is left.
        """
        found: dict[Lane, Contender] = {}
        for leader in self.leaders():
            lane = lane_of(leader)
            if lane not in found or leader.best_value > found[lane].best_value:
                found[lane] = leader
        return list(found.values())

    def first_running(self) -> bool:
        """Whether a family has no network's score yet, and its first is still being trained."""
        families = {c.candidate.family for c in self.networks()}
        lanes = [self.members((family, True)) for family in families]
        return any(any(c.running for c in m) and not any(c.best for c in m) for m in lanes)

    def choose(
        self,
        built: set[str],
        spent: Callable[[Sequence[Contender]], float],
        joining: bool = True,
    ) -> Contender | None:
        """Pick the contender to try next, or None where none has work.

        Parameters
        ----------
        built : set of str
            Architectures that the worker has compiled.
        spent : callable
            Returns what the members of a lane have had so far.
        joining : bool
            Whether networks may join those of their family that were tried.
        """
        unseen = self.unseen()
        if unseen:
            return min(unseen, key=lambda c: self.weight(c) < 1.0)
        again = [c for c in self.contenders.values() if c.retries and c.has_work and not c.best]
        again = [c for c in again if not c.running]
        if again:
            return min(again, key=lambda c: c.candidate.name not in built)
        lanes: dict[Lane, list[Contender]] = {}
        for contender in self.contenders.values():
            if contender.has_work and contender.candidate.role != "baseline":
                lanes.setdefault(lane_of(contender), []).append(contender)
        turns = [(self.members(lane), self._turn(going, joining)) for lane, going in lanes.items()]
        turns = [(members, chosen) for members, chosen in turns if chosen is not None]
        if not turns:
            return None
        return min(turns, key=lambda t: spent(t[0]) / self._share(t[0]))[1]

    def _turn(self, lane: Sequence[Contender], joining: bool = True) -> Contender | None:
        """Pick whose turn it is among the members of a lane that have work.

        Architectures join in the order in which their plugin lists them, one
        after every :data:`TRIALS_EACH` trials for each that has joined, so that
        how many are tried follows from how fast the data lets them be. Of those
        that have joined the two best go on.
        """
        joined = [c for c in self.members(lane_of(lane[0])) if c.started and not c.blocked]
        going = [c for c in lane if c.started]
        waiting = [c for c in lane if not c.started]
        if self.profile.n < FEW_ROWS and len(joined) >= FEW_NETWORKS:
            waiting = []
        if not joining and lane[0].candidate.trained and any(c.best for c in going):
            waiting = []
        enough = sum(c.started for c in joined) >= TRIALS_EACH * len(joined)
        if waiting and (enough or not going):
            return waiting[0]
        leaders = sorted(going, key=lambda c: -c.best_value)[:2]
        return min(
            leaders,
            key=lambda c: (c.started - 2 * (c is leaders[0]), c.candidate.name),
            default=None,
        )

    def weight(self, contender: Contender) -> float:
        """Weight of a contender's lane: what the data's kind suggests, never zero."""
        tabular_data = self.profile.kind == "tabular"
        home = (contender.candidate.family == "tabular") == tabular_data
        if contender.candidate.trained:
            return 1.0 if home else 0.3
        return 2.0 if tabular_data else 0.3

    def _share(self, members: Sequence[Contender]) -> float:
        """Return a lane's share: its weight, more where it leads or is still improving."""
        best = max((c.best_value for c in members), default=-math.inf)
        top = max((c.best_value for c in self.contenders.values()), default=-math.inf)
        leading = 2.0 if best >= top - 0.01 else 1.0
        leader = max(members, key=lambda c: c.best_value).best
        unfinished = STILL_IMPROVING if leader and leader.result.improving else 1.0
        return self.weight(members[0]) * leading * unfinished
