"""Which finalist to score on which split next.

Confirmation is a race: every family's best first gets the few splits that a
comparison needs, split by split, so that stopping at any moment leaves common
splits; then only those still in contention go on, while the verdict is open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from selector.judge.finalist import Finalist, probability_better
from selector.judge.outcome import BASELINE_PROBABILITY, DOMINATED_PROBABILITY, ROPES
from selector.judge.verdict import judge
from selector.search.splits import MINIMUM_SPLITS

Pair = tuple[str, str]


def next_confirmations(
    finalists: Sequence[Finalist],
    baseline: Finalist | None,
    splits: Sequence[str],
    *,
    minimum: int = MINIMUM_SPLITS,
    rope: float = ROPES["balanced"],
    taken: Collection[Pair] = (),
    open: bool | None = None,
) -> list[Pair]:
    """Return the (architecture, split) pairs to run next, most urgent first.

    Parameters
    ----------
    finalists : sequence of Finalist
        With the scores so far (none at the start), the best by its search
        score first: the first of each family is that family's champion.
    baseline : Finalist or None
        The trivial baseline with its scores so far.
    splits : sequence of str
        The common splits, in the order fixed at the start of the run.
    minimum : int
        Splits that a comparison needs.
    rope : float
        Region of practical equivalence, in score units.
    taken : collection of (architecture, split)
        Pairs that are running or have failed: they are not given out again,
        and the finalist goes on with its other splits.
    open : bool, optional
        Whether the verdict is open; by default it is asked of
        :func:`selector.judge.verdict.judge`.

    Returns
    -------
    list of (architecture, split)
        First the baseline and the champions on the first `minimum` splits,
        split by split, but for those that are obviously worse than another; then the
        other finalists on these; then, where the
        verdict is open, those in contention on the remaining splits (they come
        last, so that they only run where the first ones are all running).
        Empty when nothing more can change the verdict.
    """
    base = [] if baseline is None else [baseline]
    champions = _champions(finalists)
    # what is obviously worse after the first split is not scored on another
    alive = _alive(finalists, rope)
    others = [f for f in alive if f not in champions]
    champions = [f for f in champions if f in alive]
    pairs = _pairs([*base, *champions], splits[:minimum], taken)
    pairs += _pairs(others, splits[:minimum], taken)
    scored = [f for f in finalists if f.finite_scores]
    if not scored:
        return pairs
    if open is None:
        open = judge(scored, baseline, rope).open
    if open:
        pairs += _pairs(in_contention(scored, baseline, rope), splits[minimum:], taken)
    return pairs


def in_contention(
    finalists: Sequence[Finalist], baseline: Finalist | None, rope: float = ROPES["balanced"]
) -> list[Finalist]:
    """Return the finalists that may still win or tie, and the baseline while it may.

    A finalist is out when some other is better by more than the ROPE with
    probability .95 on at least three common splits, or obviously on fewer; the baseline is out when
    some finalist beats it with probability .98.

    Parameters
    ----------
    finalists : sequence of Finalist
        With their scores so far.
    baseline : Finalist or None
        The trivial baseline, given first where it stays.
    rope : float
        Region of practical equivalence, in score units.
    """
    alive = _alive(finalists, rope)
    if baseline is None:
        return alive
    beaten = any(probability_better(f, baseline) >= BASELINE_PROBABILITY for f in finalists)
    return alive if beaten else [baseline, *alive]


def _champions(finalists: Sequence[Finalist]) -> list[Finalist]:
    """Return the first trained and the first other finalist of each family, in the order given.

    Trained ones come first: they take longest, and a family is not judged
    without its network.
    """
    found: dict[tuple[str, bool], Finalist] = {}
    for finalist in sorted(finalists, key=lambda f: not f.trained):
        found.setdefault((finalist.family, finalist.trained), finalist)
    return list(found.values())


def _pairs(
    finalists: Sequence[Finalist], splits: Sequence[str], taken: Collection[Pair]
) -> list[Pair]:
    """Return the pairs still to be run, split by split."""
    return [
        (f.architecture, s)
        for s in splits
        for f in finalists
        if s not in f.scores and (f.architecture, s) not in taken
    ]


def _alive(finalists: Sequence[Finalist], rope: float) -> list[Finalist]:
    """Return those that no other is surely better than."""
    return [f for f in finalists if not any(_dominates(o, f, rope) for o in finalists)]


def _dominates(first: Finalist, second: Finalist, rope: float) -> bool:
    """Whether `first` is surely better than `second`."""
    if first.architecture == second.architecture:
        return False
    return probability_better(first, second, rope) >= DOMINATED_PROBABILITY
