"""The reasons of a verdict in sentences, each with its measured numbers."""

from __future__ import annotations

import math
from dataclasses import replace

from selector.judge.finalist import Finalist, common_splits, compare
from selector.judge.outcome import (
    BASELINE_PROBABILITY,
    NOTHING_LACKING,
    ROPES,
    WINNER_PROBABILITY,
    Comparison,
    Field,
    Lacking,
    Verdict,
)
from selector.judge.statistics import Posterior
from selector.judge.words import decimal, listed, points, probability
from selector.search.splits import MINIMUM_SPLITS

MOST_SPLITS = 30
"""More common splits than this are not worth asking for: they share their rows. A run has fewer."""

NO_NETWORK = "you need no neural network for this data"


def explain(
    verdict: Verdict,
    ground: Field,
    lacking: Lacking = NOTHING_LACKING,
    most_splits: int = MOST_SPLITS,
) -> Verdict:
    """Return `verdict` with its reasons and with what more time would buy.

    Parameters
    ----------
    verdict : Verdict
        As decided, without words.
    ground : Field
        What it was decided on.
    lacking : Lacking
        What the time did not suffice for.
    most_splits : int
        Common splits that there are.
    """
    by_name = {f.architecture: f for f in ground.finalists}
    if ground.baseline is not None:
        by_name.setdefault(ground.baseline.architecture, ground.baseline)
    best, chosen = by_name[verdict.best], by_name[verdict.recommended]
    if verdict.verdict == "baseline":
        why = _baseline_why(ground)
    else:
        why = [
            *_against_families(verdict, best, by_name, ground.baseline),
            *_choice(verdict, best, chosen, ground),
            *_against_baseline(verdict, chosen, ground.baseline),
            *_network(chosen, verdict),
        ]
    more_time = _more_time(verdict, best, by_name, ground, most_splits)
    if lacking and verdict.verdict in ("baseline", "undecided"):
        short, would = _lacking(lacking)
        why, more_time = [short, *why], would
    return replace(verdict, why=tuple(why), more_time=more_time)


def _lacking(lacking: Lacking) -> tuple[str, str]:
    """Say what the time was too short for, and what more would buy."""
    short, would = [], []
    if lacking.compared:
        families = listed(list(lacking.compared))
        short.append(f"to compare {families}")
        would.append(f"compare {families} too")
    if lacking.trained:
        short.append(f"to train {listed(list(lacking.trained.values()))}")
        would.append(f"train {listed(list(lacking.trained))} for longer")
    return (
        f"the time was too short {' and '.join(short)}",
        f"more time would {' and '.join(would)}",
    )


def _named(finalist: Finalist) -> str:
    """Return the architecture and what kind of model it is: ``rnn.gru (trained)``."""
    return f"{finalist.architecture} ({finalist.type})"


def _splits(count: int) -> str:
    """Return ``1 common split`` or ``5 common splits``."""
    return f"{count} common split{'' if count == 1 else 's'}"


def _against_families(
    verdict: Verdict, best: Finalist, by_name: dict[str, Finalist], baseline: Finalist | None
) -> list[str]:
    """Say how the best compares with the best of every other family."""
    if not verdict.comparisons:
        count = len(best.finite_scores)
        return [
            f"{_named(best)} scored {decimal(best.mean)} on {_splits(count)}; no other family "
            "was compared with it, so this says nothing about families"
        ]
    who = _short(best, baseline)
    return [
        _comparison(c, best, who, by_name[c.architecture], verdict.rope)
        for c in verdict.comparisons
    ]


def _short(best: Finalist, baseline: Finalist | None) -> str:
    """Return the family of the best, for which the baseline does not stand."""
    trivial = baseline is not None and best.architecture == baseline.architecture
    return "the trivial baseline" if trivial else best.family


def _comparison(
    comparison: Comparison, best: Finalist, who: str, other: Finalist, rope: float
) -> str:
    """Say how the best, `who` for short, compares with one other family's best."""
    splits = common_splits(best, other)
    if not splits:
        return (
            f"{_named(best)} and the best of {other.family}, {_named(other)}, share no split, so "
            "they cannot be compared"
        )
    mine = math.fsum(best.finite_scores[s] for s in splits) / len(splits)
    theirs = math.fsum(other.finite_scores[s] for s in splits) / len(splits)
    text = (
        f"{_named(best)} scored {decimal(mine)} on {_splits(len(splits))}; the best of "
        f"{other.family}, {_named(other)}, {decimal(theirs)}"
    )
    if not comparison.settled:
        return f"{text}: too few splits (at least {MINIMUM_SPLITS}) to compare the two families"
    width = points(rope, best.metric)
    if comparison.better >= comparison.within:
        return (
            f"{text}: {who} is better by more than {width} with probability "
            f"{probability(comparison.better)}"
        )
    return (
        f"{text}: the two are within {width} of each other with probability "
        f"{probability(comparison.within)}, {who} is better by more with probability "
        f"{probability(comparison.better, WINNER_PROBABILITY)}"
    )


def _choice(verdict: Verdict, best: Finalist, chosen: Finalist, ground: Field) -> list[str]:
    """Say why the recommended model is not the one of the best score."""
    if verdict.verdict == "undecided" and chosen.architecture == best.architecture:
        of = _among(best, ground)
        return [f"{_named(chosen)} has the best mean score so far{of}, {decimal(chosen.mean)}"]
    if verdict.verdict == "undecided":
        count = len(common_splits(best, chosen))
        return [
            f"{_named(chosen)} is no more than one row behind the best mean, {_named(best)}, on"
            f" {_splits(count)}, and costs {_cost(chosen, best)}"
        ]
    if chosen.architecture == best.architecture:
        if verdict.verdict != "tie":
            return []
        rest = listed([a for a in verdict.tie_group if a != chosen.architecture])
        return [f"{_named(chosen)} is both the best by mean and cheaper to fit and use than {rest}"]
    splits = common_splits(best, chosen)
    mine = math.fsum(chosen.finite_scores[s] for s in splits) / max(len(splits), 1)
    theirs = math.fsum(best.finite_scores[s] for s in splits) / max(len(splits), 1)
    return [
        f"{_named(chosen)} scored {decimal(mine)} against the best score, "
        f"{decimal(theirs)} of {_named(best)}, and costs {_cost(chosen, best)}; taking it is "
        f"expected to lose {points(verdict.expected_loss, best.metric)}, at most "
        f"{points(verdict.rope, best.metric)} is allowed"
    ]


def _among(best: Finalist, ground: Field) -> str:
    """Say of which models the best is the best, where another has the higher mean."""
    if best is ground.baseline or ground.finalists[0].architecture == best.architecture:
        return ""
    if len(ground.finalists[0].finite_scores) < len(best.finite_scores):
        return " of the models with enough common splits"
    return " of the models that surely beat the trivial baseline"


def _cost(chosen: Finalist, best: Finalist) -> str:
    """Say how much cheaper the chosen model is, in counted cost."""
    mine, theirs = chosen.cost, best.cost
    if chosen.macs and best.macs and 1.05 * mine[0] < theirs[0]:
        return f"{theirs[0] / mine[0]:.1f} times fewer multiply-adds to fit and use"
    if 0 < 1.05 * mine[1] < theirs[1]:
        return f"{theirs[1] / mine[1]:.1f} times fewer bytes"
    return "less, by counted multiply-adds and bytes"


def _against_baseline(verdict: Verdict, chosen: Finalist, baseline: Finalist | None) -> list[str]:
    """Say how the recommended model compares with the trivial baseline."""
    if baseline is None:
        return ["the trivial baseline has no score, so nothing could be held against it"]
    if chosen.architecture == baseline.architecture:
        return [f"no model is ahead of the trivial baseline, {decimal(baseline.mean)}, so far"]
    sure = verdict.baseline_probability
    if sure is None or math.isnan(sure):
        return [
            f"the trivial baseline scored {decimal(baseline.mean)}; too few common splits (at "
            f"least {MINIMUM_SPLITS}) to say that {chosen.architecture} beats it"
        ]
    return [
        f"the trivial baseline scored {decimal(baseline.mean)}: {chosen.architecture} beats it "
        f"with probability {probability(sure)}"
    ]


def _network(chosen: Finalist, verdict: Verdict) -> list[str]:
    """Say where the recommendation is no neural network, or one without training."""
    if verdict.verdict == "undecided":
        return []
    if chosen.type == "estimator":
        return [f"{chosen.architecture} is a {chosen.family} model: {NO_NETWORK}"]
    if chosen.type == "fixed features":
        return [
            f"{chosen.architecture} has fixed features with a head solved in closed form: none of "
            "its features was learnt by gradient descent"
        ]
    return []


def _baseline_why(ground: Field) -> list[str]:
    """Say that no model was shown to beat the baseline."""
    base = ground.baseline
    if base is None or not ground.finalists:
        return ["only the trivial baseline has a score: no other model was confirmed"]
    known = [f for f in ground.finalists if not math.isnan(ground.beats[f.architecture])]
    if not known:
        return [f"no model was scored on {MINIMUM_SPLITS} splits in common with the baseline"]
    likeliest = max(known, key=lambda f: ground.beats[f.architecture])
    sure = ground.beats[likeliest.architecture]
    count = len(common_splits(likeliest, base))
    return [
        f"the trivial baseline scored {decimal(base.mean)}; the likeliest model to beat it, "
        f"{_named(likeliest)}, scored {decimal(likeliest.mean)} on {_splits(count)} and beats it "
        f"with probability {probability(sure, BASELINE_PROBABILITY)}, where "
        f"{decimal(BASELINE_PROBABILITY, 2)} is asked"
    ]


def _more_time(
    verdict: Verdict,
    best: Finalist,
    by_name: dict[str, Finalist],
    ground: Field,
    most_splits: int,
) -> str:
    """Say what more time would buy; nothing where the verdict is settled."""
    baseline = ground.baseline
    if verdict.verdict == "baseline" and verdict.open:
        known = [f for f in ground.finalists if not math.isnan(ground.beats[f.architecture])]
        likeliest = max(known, key=lambda f: ground.beats[f.architecture])
        if baseline and len(common_splits(likeliest, baseline)) < most_splits:
            return "more time would score more common splits, which may yet lift a model above .98"
        return "all common splits are scored: more rows may yet lift a model above .98"
    if verdict.verdict != "undecided":
        return ""
    thin = [c.family for c in verdict.comparisons if not c.settled]
    if len(best.finite_scores) < MINIMUM_SPLITS:
        thin.insert(0, best.family)
    sure = verdict.baseline_probability
    if thin or (baseline is not None and (sure is None or math.isnan(sure))):
        who = listed(sorted(set(thin))) or f"{best.family} and the trivial baseline"
        return (
            f"more time would complete the {MINIMUM_SPLITS} common splits that a comparison "
            f"needs for {who}"
        )
    open_ones = [c for c in verdict.comparisons if c.better < WINNER_PROBABILITY]
    needed = [
        splits_needed(best, by_name[c.architecture], verdict.rope, most_splits) for c in open_ones
    ]
    names, who = listed([c.family for c in open_ones]), _short(best, baseline)
    if any(n is None for n in needed) or not needed:
        wider = ", or a wider region of practical equivalence (--prefer cheap)"
        return (
            f"the {most_splits} common splits that there are do not settle {who} against "
            f"{names} at the difference measured so far: more rows would"
            f"{wider if verdict.rope < ROPES['cheap'] else ''}"
        )
    most = max(n for n in needed if n is not None)
    return (
        f"if the difference stays as it is, about {most} common splits in place of "
        f"{len(best.finite_scores)} would settle {who} against {names}"
    )


def splits_needed(
    best: Finalist, other: Finalist, rope: float, most: int = MOST_SPLITS
) -> int | None:
    """Return how many common splits would make `best` the winner or the two a tie.

    The mean and the variance of the difference are taken to stay as measured,
    so that only the scale and the degrees of freedom change.

    Returns
    -------
    int or None
        None where not even `most` would do, or nothing is known yet.
    """
    now = compare(best, other)
    count = len(common_splits(best, other))
    if now is None:
        return None
    ratio = max(best.test_train_ratio, other.test_train_ratio)
    for later in range(max(count + 1, MINIMUM_SPLITS), most + 1):
        factor = math.sqrt((1.0 / later + ratio) / (1.0 / count + ratio))
        then = Posterior(now.df + later - count, now.loc, now.scale * factor)
        if then.probability_above(rope) >= WINNER_PROBABILITY:
            return later
        # a tie needs the cheaper one to be safe, whichever that is
        chosen_is_best = best.cost <= other.cost
        loss = Posterior(then.df, -then.loc if chosen_is_best else then.loc, then.scale)
        if abs(now.loc) <= rope and loss.expected_excess() <= rope:
            return later
    return None
