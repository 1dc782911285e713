"""The verdict: which family fits the data, how sure that is, and what to take."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean

from selector.errors import OptionError, did_you_mean
from selector.judge.finalist import (
    Finalist,
    adjusted_means,
    common_splits,
    compare,
    probability_better,
)
from selector.judge.outcome import (
    NOTHING_LACKING,
    ROPES,
    WINNER_PROBABILITY,
    Comparison,
    Field,
    Lacking,
    Verdict,
)
from selector.judge.why import MOST_SPLITS, explain
from selector.search.splits import MINIMUM_SPLITS
from selector.tasks.metrics import BOUNDS

SAFE_SHARE = 0.25
"""Share of the ROPE that a tie's choice may be expected to lose for more splits to be needless."""

__all__ = ["ROPES", "Finalist", "Lacking", "Verdict", "expected_loss", "judge"]


def judge(
    finalists: Sequence[Finalist],
    baseline: Finalist | None,
    rope: float | None = None,
    prefer: str = "balanced",
    lacking: Lacking = NOTHING_LACKING,
    most_splits: int | None = None,
) -> Verdict:
    """Judge finalists on their common splits.

    Parameters
    ----------
    finalists : sequence of Finalist
        Every configuration with a confirmation; the order does not matter.
        Two that share an architecture name are not allowed.
    baseline : Finalist or None
        The trivial baseline on the same splits; None where it could not be
        scored, and then nothing is held against it.
    rope : float, optional
        Region of practical equivalence in score units (0.01 is one point of
        accuracy); by default that of `prefer`.
    prefer : {"score", "balanced", "cheap"}
        How much score a cheaper model may cost: 0.001, 0.01 or 0.03.
    lacking : Lacking
        What the time did not suffice for: with it there is no *winner* and no *tie*.
    most_splits : int, optional
        Common splits that there are: no more of them are promised.

    Returns
    -------
    Verdict
        * ``baseline``: no model beats the trivial baseline with probability
          .98 or more;
        * ``winner``: the best of one family is better than the best of every
          other by more than the ROPE, with probability .9 or more each.
          Recommended is the cheapest member of that family which ties with
          its best;
        * ``tie``: the cheapest finalist whose mean is within the ROPE of the
          best, and whose expected loss against the best of *every* family is
          at most the ROPE; the group spans at least two families;
        * ``undecided``: everything else, and whenever a family that may still
          win shares fewer than three splits with the best. The best mean is
          recommended, or a cheaper finalist that is no more than one row
          behind it.

    Raises
    ------
    OptionError
        Where no finalist and no baseline has a score, an architecture occurs
        twice, or `prefer` or `rope` is not allowed.

    Notes
    -----
    A model of a *winner* or *tie* verdict itself beats the baseline with
    probability .98. Cost is counted (multiply-adds, then bytes), never timed.
    """
    ground = _field(finalists, baseline, _rope(rope, prefer))
    verdict = _decide(ground)
    lacking = _still_lacking(lacking, verdict, ground)
    if lacking and verdict.verdict in ("winner", "tie"):
        verdict = _left_open(verdict, ground)
    return explain(verdict, ground, lacking, most_splits or MOST_SPLITS)


def _rope(rope: float | None, prefer: str) -> float:
    """Return the ROPE that the options ask for."""
    if prefer not in ROPES:
        raise OptionError(
            f"prefer must be one of {', '.join(ROPES)}, received '{prefer}'."
            + did_you_mean(prefer, ROPES)
        )
    width = ROPES[prefer] if rope is None else rope
    if not (math.isfinite(width) and width >= 0.0):
        raise OptionError(
            f"rope must be a number of at least 0 in score units, received {rope}: try 0.01"
        )
    return width


def _field(finalists: Sequence[Finalist], baseline: Finalist | None, rope: float) -> Field:
    """Order the finalists and hold each against the baseline."""
    scored = [f for f in finalists if f.finite_scores]
    names = [f.architecture for f in scored]
    if len(set(names)) != len(names):
        twice = sorted({n for n in names if names.count(n) > 1})
        raise OptionError(
            f"every finalist needs an architecture of its own, received {', '.join(twice)} more "
            "than once: keep the better configuration of each"
        )
    base = baseline if baseline is not None and baseline.finite_scores else None
    if not scored and base is None:
        raise OptionError(
            "a verdict needs at least one finalist or baseline with a score, received none: "
            "give the run more time"
        )
    # names first, then sorted by mean and cost, so that the order given never matters
    scored.sort(key=lambda f: f.architecture)
    means = adjusted_means(scored)
    scored.sort(key=lambda f: (-round(means[f.architecture], 9), f.cost, f.architecture))
    beats = {f.architecture: _beats(f, base) for f in scored}
    return Field(tuple(scored), means, base, rope, beats)


def _beats(finalist: Finalist, baseline: Finalist | None) -> float:
    """Probability that a finalist beats the baseline; NaN with too few splits."""
    return 1.0 if baseline is None else probability_better(finalist, baseline)


def _decide(ground: Field) -> Verdict:
    """Reach the verdict, without its words."""
    able = [f for f in ground.confirmed if ground.beats_baseline(f)]
    able = able or [f for f in ground.finalists if ground.beats_baseline(f)]
    if not able:
        return _no_model(ground)
    best = able[0]
    others = [f for f in ground.champions() if f.family != best.family]
    comparisons = tuple(_against(best, f, ground.rope) for f in others)
    enough = len(best.finite_scores) >= MINIMUM_SPLITS
    if enough and all(c.settled and c.better >= WINNER_PROBABILITY for c in comparisons):
        own = [f for f in able if f.family == best.family]
        group = _tie_group(best, own, own, ground)
        return _verdict("winner", group[0], best, group, comparisons, ground)
    group = _tie_group(best, able, ground.champions(), ground)
    if enough and all(c.settled for c in comparisons) and len({f.family for f in group}) > 1:
        tie = _verdict("tie", group[0], best, group, comparisons, ground)
        if tie.expected_loss <= ground.rope:
            return tie
    return _verdict("undecided", _cheapest_beside(best, able), best, group, comparisons, ground)


def _still_lacking(lacking: Lacking, verdict: Verdict, ground: Field) -> Lacking:
    """Return what may yet change a verdict.

    Not a family that is obviously worse; nor longer training of the recommended
    one, or of one that ties already where no score can be better by more than the ROPE.
    """
    settled = {c.family for c in verdict.comparisons if c.settled}
    trained = {verdict.family}
    metric = ground.finalists[0].metric if ground.finalists else ""
    highest = BOUNDS.get(metric, (-math.inf, math.inf))[1]
    if verdict.best_score >= highest - ground.rope:
        trained |= {f.family for f in ground.finalists if f.architecture in verdict.tie_group}
    return lacking.without(settled, trained)


def _left_open(verdict: Verdict, ground: Field) -> Verdict:
    """Return a verdict as undecided: some family had no time to show what it can."""
    by_name = {f.architecture: f for f in ground.finalists}
    best, group = by_name[verdict.best], [by_name[a] for a in verdict.tie_group]
    able = [f for f in ground.confirmed if ground.beats_baseline(f)]
    chosen = _cheapest_beside(best, able)
    return _verdict("undecided", chosen, best, group, verdict.comparisons, ground)


def _cheapest_beside(best: Finalist, able: Sequence[Finalist]) -> Finalist:
    """Return the cheapest of those that are no more than one row behind the best.

    On few rows the best of many by mean is best by chance; a mean that one
    more row would turn says nothing against a cheaper model. That holds where each row
    was looked at; on fewer splits than a whole cross-validation has, a model
    that is much worse is often behind by one, and none may be.
    """
    enough = min(MINIMUM_SPLITS, len(best.finite_scores))
    beside = [best]
    for finalist in able:
        splits = common_splits(best, finalist)
        if len(splits) < enough:
            continue
        behind = fmean(best.finite_scores[s] - finalist.finite_scores[s] for s in splits)
        whole = len(splits) >= round(1.0 + 1.0 / best.test_train_ratio)
        if behind <= (best.one_row(len(splits)) if whole else 0.0) + 1e-9:
            beside.append(finalist)
    return min(beside, key=lambda f: (f.cost, f.architecture))


def _no_model(ground: Field) -> Verdict:
    """Reach the verdict where no finalist is known to beat the baseline."""
    known = [f for f in ground.finalists if not math.isnan(ground.beats[f.architecture])]
    unknown = [f for f in ground.champions() if math.isnan(ground.beats[f.architecture])]
    base = ground.baseline
    assert base is not None  # without a baseline every finalist beats it
    if not unknown:
        likeliest = max((ground.beats[f.architecture] for f in known), default=0.0)
        verdict = _verdict("baseline", base, base, [base], (), ground)
        return replace(verdict, baseline_probability=likeliest, open=likeliest >= 0.8)
    best = ground.confirmed[0]
    paired = common_splits(best, base)
    if paired and best.mean <= base.mean:
        best = base
    # the baseline is nobody's champion, whatever family its plugin gives it
    others = [f for f in ground.champions() if best is base or f.family != best.family]
    comparisons = tuple(_against(best, f, ground.rope) for f in others)
    return _verdict("undecided", best, best, [best], comparisons, ground)


def _against(best: Finalist, other: Finalist, rope: float) -> Comparison:
    """Compare the best finalist with another family's best."""
    splits = common_splits(best, other)
    posterior = compare(best, other)
    if posterior is None:
        shared = [best.finite_scores[s] - other.finite_scores[s] for s in splits]
        better = within = worse = math.nan
        difference = shared[0] if shared else math.nan
    else:
        difference = posterior.loc
        better = posterior.probability_above(rope)
        within = posterior.probability_within(-rope, rope)
        worse = max(1.0 - better - within, 0.0)
    return Comparison(
        other.architecture, other.family, difference, better, within, worse, len(splits)
    )


def expected_loss(choice: Finalist, rivals: Iterable[Finalist]) -> float:
    """Return the largest ``E[max(0, rival - choice)]`` over `rivals`, in score units.

    Infinite where a rival shares fewer than two splits with `choice`.
    """
    losses = [0.0]
    for rival in rivals:
        if rival.architecture != choice.architecture:
            posterior = compare(rival, choice)
            losses.append(math.inf if posterior is None else posterior.expected_excess())
    return max(losses)


def _tie_group(
    best: Finalist, able: Sequence[Finalist], rivals: Sequence[Finalist], ground: Field
) -> list[Finalist]:
    """Return the finalists as good as `best` for all practical purposes, cheapest first.

    Each is within the ROPE of the best by its mean, and by its expected loss
    against the best and against every rival.
    """
    group = [best]
    against = [best, *(r for r in rivals if r.architecture != best.architecture)]
    for finalist in able:
        if finalist.architecture == best.architecture:
            continue
        if len(common_splits(best, finalist)) < MINIMUM_SPLITS:
            continue
        posterior = compare(best, finalist)
        if posterior is None or posterior.loc > ground.rope + 1e-9:
            continue
        if expected_loss(finalist, against) <= ground.rope:
            group.append(finalist)
    return sorted(group, key=lambda f: (f.cost, -ground.means[f.architecture], f.architecture))


def _verdict(
    name: str,
    chosen: Finalist,
    best: Finalist,
    group: Sequence[Finalist],
    comparisons: tuple[Comparison, ...],
    ground: Field,
) -> Verdict:
    """Put a verdict together, still without its words."""
    rivals = [best, *ground.champions()] if name != "winner" else [best]
    loss = 0.0 if name == "baseline" else expected_loss(chosen, rivals)
    beats = ground.beats.get(chosen.architecture)
    return Verdict(
        verdict=name,
        recommended=chosen.architecture,
        family=chosen.family,
        recommended_score=chosen.mean,
        best=best.architecture,
        best_family=best.family,
        best_score=best.mean,
        tie_group=tuple(f.architecture for f in group),
        expected_loss=loss,
        comparisons=comparisons,
        baseline_probability=None if ground.baseline is None else beats,
        rope=ground.rope,
        open=name == "undecided" or (name == "tie" and loss > SAFE_SHARE * ground.rope),
    )
