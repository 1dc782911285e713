"""The finalists on their common splits: who runs next, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from selector.search.contenders import Contender, Finalist
from selector.search.records import OVERHEAD_SECONDS, Record
from selector.search.splits import MINIMUM_SPLITS

LEAST_SHARE = 0.25
"""Share of its epochs that a finalist keeps at least where time is short."""


class Confirmation:
    """Keeps the finalists and their scores.

    Parameters
    ----------
    n_train : int
        Training rows of a common split.
    """

    def __init__(self, n_train: int) -> None:
        self.finalists: dict[str, Finalist] = {}
        self._n = n_train

    def start(
        self,
        leaders: Iterable[Contender],
        core_seconds: float,
        first: Collection[Contender],
        earlier: Sequence[Record] = (),
    ) -> None:
        """Make finalists of those that have finished a trial.

        Parameters
        ----------
        leaders : iterable of Contender
            The best of each group.
        core_seconds : float
            What there is for the first splits; where it is not enough, networks
            are trained for fewer epochs, all in the same proportion.
        first : collection of Contender
            Those that must fit in it; the others run in what is left.
        earlier : sequence of Record
            Confirmations of an earlier process: what was trained for as many epochs
            as there is time for now, or for more, counts and is not repeated.
        """
        for contender in leaders:
            record = contender.best
            if record is not None:
                name = contender.candidate.name
                self.finalists[name] = Finalist(contender, record, record.epochs_to_repeat)
        names = {contender.candidate.name for contender in first}
        had = {f.name: _trained(f, earlier) for f in self.finalists.values()}
        waiting = [
            f
            for f in self.finalists.values()
            if f.name in names and (f.epochs is None or had[f.name] < f.epochs)
        ]
        self._shrink(max(core_seconds, 1.0), waiting)
        for finalist in self.finalists.values():
            if finalist.epochs is not None:
                finalist.epochs = max(finalist.epochs, had[finalist.name])
        for record in earlier:
            if record.ok:  # what lacked time before may have it now
                self.tell(record)

    def join(self, contender: Contender) -> None:
        """Let one take part whose first score came late, where its family has no other like it."""
        candidate, record = contender.candidate, contender.best
        others = [f.contender.candidate for f in self.finalists.values()]
        represented = candidate.trained and any(
            o.trained and o.family == candidate.family for o in others
        )
        if record is not None and not represented and candidate.name not in self.finalists:
            self.finalists[candidate.name] = Finalist(contender, record, record.epochs_to_repeat)

    def _shrink(self, available: float, first: Collection[Finalist]) -> None:
        needed = MINIMUM_SPLITS * sum(f.seconds(self._n) for f in first)
        if needed <= available:
            return
        fixed = MINIMUM_SPLITS * sum(
            f.seconds(self._n) if f.epochs is None else OVERHEAD_SECONDS["network"] for f in first
        )
        ratio = max(LEAST_SHARE, (available - fixed) / max(needed - fixed, 1e-9))
        for finalist in self.finalists.values():
            if finalist.epochs is not None:
                finalist.epochs = max(1, int(finalist.epochs * min(1.0, ratio)))

    def next(
        self, pairs: Iterable[tuple[str, str]], spare: float, built: Collection[str]
    ) -> tuple[Finalist, str] | None:
        """Return which finalist to run on which split, or None where nothing fits.

        Parameters
        ----------
        pairs : iterable of (str, str)
            Architectures and splits in the order of the race.
        spare : float
            Seconds that a trial may take.
        built : collection of str
            Architectures that the worker has compiled; among those whose turn
            it is on one split they are preferred.
        """
        fitting = []
        for name, split in pairs:
            finalist = self.finalists[name]
            taken = split in finalist.running or split in finalist.scores
            if not taken and finalist.seconds(self._n) <= spare:
                fitting.append((name, split))
        if not fitting:
            return None
        same = [pair for pair in fitting if pair[1] == fitting[0][1]]
        name, split = next((p for p in same if p[0] in built), same[0])
        self.finalists[name].running.add(split)
        return self.finalists[name], split

    def tell(self, record: Record) -> None:
        """Take note of a trial on a common split; two that failed cost a finalist its place."""
        finalist = self.finalists.get(record.spec.architecture)
        if finalist is None or record.spec.split is None:
            return
        finalist.running.discard(record.spec.split)
        if dict(record.spec.params) != dict(finalist.record.spec.params):
            return
        if record.spec.epochs != finalist.epochs:
            return
        if record.ok and record.result.score is not None:
            finalist.records.append(record)
            finalist.scores[record.spec.split] = record.result.score
        else:
            finalist.lost.add(record.spec.split)
            if len(finalist.lost) >= 2:
                self.finalists.pop(record.spec.architecture, None)
                if record.result.stopped != "deadline":
                    finalist.contender.blocked = record.result.reason

    @property
    def begun(self) -> bool:
        """Whether any model but the trivial baseline has been scored on a common split."""
        return any(
            f.scores and f.contender.candidate.role != "baseline" for f in self.finalists.values()
        )

    def uncompared(self, contenders: Iterable[Contender]) -> list[str]:
        """Return the families of `contenders` without a confirmed finalist.

        A family whose architectures all failed, or exceed a limit, is not among
        them.
        """
        settled = {
            f.contender.candidate.family
            for f in self.finalists.values()
            if f.contender.candidate.role != "baseline"
            and (len(f.scores) >= MINIMUM_SPLITS or f.contender.too_costly(f.latest.result))
        }
        waiting: Sequence[str] = [
            c.candidate.family
            for c in contenders
            if c.candidate.role != "baseline" and (not c.blocked or c.late)
        ]
        return [family for family in dict.fromkeys(waiting) if family not in settled]


def _trained(finalist: Finalist, earlier: Iterable[Record]) -> int:
    """Return for how many epochs an earlier process trained it on enough splits; 0 for none."""
    counts = Counter(
        r.spec.epochs
        for r in earlier
        if r.ok
        and r.spec.architecture == finalist.name
        and dict(r.spec.params) == dict(finalist.record.spec.params)
    )
    return max((e for e, n in counts.items() if e is not None and n >= MINIMUM_SPLITS), default=0)
