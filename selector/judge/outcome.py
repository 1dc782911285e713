"""The nouns of a verdict: the finalists in order, comparisons, and what came out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from selector.judge.finalist import SURE_ON_FEW, Finalist, probability_better
from selector.search.splits import MINIMUM_SPLITS

ROPES = {"score": 0.001, "balanced": 0.01, "cheap": 0.03}
"""Region of practical equivalence, in score units, for each ``--prefer``."""

WINNER_PROBABILITY = 0.9
BASELINE_PROBABILITY = 0.98
DOMINATED_PROBABILITY = 0.95


@dataclass(frozen=True)
class Comparison:
    """The best finalist against the best of one other family.

    Parameters
    ----------
    architecture, family : str
        The other family and the best that it can do.
    difference : float
        Mean score of the best finalist minus that of the other, over their
        common splits; NaN without one.
    better, within, worse : float
        Probabilities that the best finalist is better by more than the ROPE,
        within it, and worse by more; NaN with fewer than two common splits.
    splits : int
        Common splits that this rests on.
    """

    architecture: str
    family: str
    difference: float
    better: float
    within: float
    worse: float
    splits: int

    @property
    def settled(self) -> bool:
        """Whether the comparison may decide: enough splits, or far enough apart."""
        return self.splits >= MINIMUM_SPLITS or self.better >= DOMINATED_PROBABILITY


@dataclass(frozen=True)
class Lacking:
    """What the time did not suffice for.

    Parameters
    ----------
    compared : tuple of str
        Families that fit the data and were not compared.
    trained : mapping of str to str
        Families whose network had only begun to learn, and what was trained, in
        words.
    """

    compared: tuple[str, ...] = ()
    trained: Mapping[str, str] = field(default_factory=dict)

    def without(self, compared: Collection[str], trained: Collection[str]) -> Lacking:
        """Return what is lacking beside these families."""
        return Lacking(
            tuple(f for f in self.compared if f not in compared),
            {f: t for f, t in self.trained.items() if f not in trained},
        )

    def __bool__(self) -> bool:
        return bool(self.compared or self.trained)


NOTHING_LACKING = Lacking()


@dataclass(frozen=True)
class Verdict:
    """What the confirmations say.

    Parameters
    ----------
    verdict : {"winner", "tie", "baseline", "undecided"}
        See :func:`judge`.
    recommended, family : str
        The architecture to take, and its family.
    recommended_score : float
        Its mean score on its splits.
    best, best_family : str
        The architecture of the best mean score, and its family.
    best_score : float
        That mean.
    tie_group : tuple of str
        The finalists not worse than the best by more than the ROPE, cheapest
        first; it holds at least the best.
    expected_loss : float
        Score expected to be lost by taking the recommended one where another
        finalist may be better, in score units; infinite where nothing is known.
    comparisons : tuple of Comparison
        The best against the best of every other family.
    baseline_probability : float or None
        Probability that the recommended model (with verdict ``baseline``: the
        likeliest model) beats the trivial baseline; None without one.
    rope : float
        The region of practical equivalence used, in score units.
    open : bool
        Whether more splits could change the verdict.
    why : tuple of str
        The reasons, each with its measured numbers.
    more_time : str
        What more time would buy; empty where the verdict is settled.
    """

    verdict: str
    recommended: str
    family: str
    recommended_score: float
    best: str
    best_family: str
    best_score: float
    tie_group: tuple[str, ...] = ()
    expected_loss: float = 0.0
    comparisons: tuple[Comparison, ...] = ()
    baseline_probability: float | None = None
    rope: float = ROPES["balanced"]
    open: bool = False
    why: tuple[str, ...] = ()
    more_time: str = ""

    @property
    def probabilities(self) -> dict[str, dict[str, Any]]:
        """Each other family's :class:`Comparison` as plain, JSON-ready values."""
        return {c.family: _plain(asdict(c)) for c in self.comparisons}

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; what is not a finite number becomes None."""
        data = _plain({k: v for k, v in asdict(self).items() if k != "comparisons"})
        data["probabilities"] = self.probabilities
        data["tie_group"] = list(self.tie_group)
        data["why"] = list(self.why)
        return data


@dataclass(frozen=True)
class Field:
    """The finalists in order, with what the verdict asks of them.

    Parameters
    ----------
    finalists : tuple of Finalist
        All with a score, best adjusted mean first; equal ones cheapest first.
    means : mapping of str to float
        Their adjusted means.
    baseline : Finalist or None
        The trivial baseline, where it has a score.
    rope : float
        The region of practical equivalence.
    beats : mapping of str to float
        Probability that each beats the baseline; NaN with too few common
        splits, 1 without a baseline.
    """

    finalists: tuple[Finalist, ...]
    means: Mapping[str, float]
    baseline: Finalist | None
    rope: float
    beats: Mapping[str, float] = field(default_factory=dict)

    @property
    def confirmed(self) -> tuple[Finalist, ...]:
        """Those with enough splits; where none has, those with the most.

        And those with fewer that are obviously better than the best of these.
        """
        most = max((len(f.finite_scores) for f in self.finalists), default=0)
        enough = min(MINIMUM_SPLITS, most)
        first = next((f for f in self.finalists if len(f.finite_scores) >= enough), None)
        return tuple(
            f
            for f in self.finalists
            if len(f.finite_scores) >= enough
            or (first is not None and probability_better(f, first) >= SURE_ON_FEW)
        )

    def beats_baseline(self, finalist: Finalist) -> bool:
        """Whether a finalist beats the baseline surely enough to be recommended."""
        return self.beats[finalist.architecture] >= BASELINE_PROBABILITY

    def champions(self) -> tuple[Finalist, ...]:
        """Return the best of each family, best first: confirmed ones where there are any."""
        found: dict[str, Finalist] = {}
        for finalist in (*self.confirmed, *self.finalists):
            found.setdefault(finalist.family, finalist)
        return tuple(found.values())


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    """Replace what JSON cannot hold by None."""
    return {
        k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in data.items()
    }
