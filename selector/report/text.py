"""What every report says in the same words, and how it writes numbers."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from selector.judge.words import METRICS, decimal, listed, points, probability

Recommendation = Mapping[str, Any]

__all__ = [
    "all_notes",
    "baseline_sentence",
    "baseline_value",
    "capital",
    "command_line",
    "count",
    "decimal",
    "ensemble_sentence",
    "human_bytes",
    "human_milliseconds",
    "human_seconds",
    "listed",
    "metric_name",
    "percent",
    "points",
    "probability",
    "score_text",
    "sentence",
    "subject",
    "verdict_headline",
    "verdict_note",
]


def percent(share: float | None) -> str:
    """Return a share as ``12%``, ``0.4%``, or ``–``."""
    if share is None:
        return "–"
    value = 100.0 * share
    return f"{value:.1f}%" if 0.0 < abs(value) < 1.0 else f"{value:.0f}%"


def human_bytes(size: float | None) -> str:
    """Return a size as ``812 B``, ``40 kB``, ``3.2 MB`` (powers of 1000), or ``–``."""
    if size is None:
        return "–"
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 999.5:
            break
        value, unit = value / 1000.0, larger
    return f"{value:.1f} {unit}" if value < 10 and unit != "B" else f"{value:.0f} {unit}"


def human_seconds(seconds: float | None) -> str:
    """Return a duration as ``0.04 s``, ``3.2 s``, ``58 s``, ``4 min 5 s``, or ``–``."""
    if seconds is None:
        return "–"
    if seconds < 0.1:
        return f"{seconds:.2f} s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def human_milliseconds(value: float | None) -> str:
    """Return a latency as ``0.24 ms``, ``12 ms``; ``–`` where it was not measured."""
    if not value:
        return "–"
    return f"{value:.2f} ms" if value < 1 else f"{value:.3g} ms"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return ``1 trial`` or ``40 trials``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}".replace(",", " ")


def metric_name(name: str | None) -> str:
    """Return a metric's name as people write it."""
    return METRICS.get(name or "", name or "score")


def sentence(text: str) -> str:
    """Return `text` closed by a full stop; names such as ``cnn.fcn`` keep their case."""
    text = text.strip()
    return text if not text or text[-1] in ".!?" else text + "."


def capital(text: str) -> str:
    """Return text with a capital at its start, unless it starts with a name such as ``cnn.fcn``."""
    first = text.split(" ", 1)[0]
    return text if "." in first.rstrip(".") else text[:1].upper() + text[1:]


def verdict_headline(rec: Recommendation) -> str:
    """Return the verdict in one sentence for people, without its full stop.

    Parameters
    ----------
    rec : mapping
        The recommendation.
    """
    chosen = rec.get("recommended") or {}
    name, family = chosen.get("architecture"), chosen.get("family")
    verdict = rec.get("verdict")
    if not name:
        return "nothing to recommend yet"
    if verdict == "baseline" and _over_limits(rec):
        return "no model that was tried is within the limits asked for"
    if verdict == "baseline":
        return "no model beats the trivial baseline"
    if verdict == "winner":
        if not rec.get("probabilities"):
            return f"{name} is the best of the only family compared, {family}"
        if family == "tabular":
            return f"{_without(chosen)}: {family} models fit this data best, take {name}"
        return f"{family} fits this data best: take {name}"
    if verdict == "tie":
        network = "" if family != "tabular" else f", so {_without(chosen)}"
        return f"no clear winner: take the cheaper, {name}{network}"
    if (rec.get("best_score") or {}).get("architecture", name) != name:
        return f"undecided: take {name} for now"
    return f"undecided: {name} is ahead so far"


def _over_limits(rec: Recommendation) -> bool:
    """Whether every model that has a score, but the baseline, exceeds a limit."""
    rows = [r for r in rec.get("leaderboard") or [] if r.get("role") != "baseline"]
    states = {r.get("state") for r in rows}
    return "over a limit" in states and not states & {"confirmed", "searched"}


def _without(chosen: Mapping[str, Any]) -> str:
    """Say what a tabular recommendation does without; a trained one is a network all the same."""
    if chosen.get("type") == "trained":
        return "you need neither a recurrent nor a convolutional network"
    return "you need no neural network"


def verdict_note(rec: Recommendation) -> str:
    """Return the best score beside a cheaper choice, or what more time would buy."""
    chosen, best = rec.get("recommended") or {}, rec.get("best_score") or {}
    if rec.get("verdict") == "undecided":
        return sentence(rec.get("more_time") or "")
    if best and best.get("architecture") != chosen.get("architecture") and chosen:
        if rec.get("verdict") == "baseline":
            return ""
        return (
            f"The best score was {decimal(best.get('score'))}, of {best.get('architecture')}; the "
            f"cheaper one is expected to lose no more than {_rope(rec)} against it."
        )
    return sentence(rec.get("more_time") or "")


def _rope(rec: Recommendation) -> str:
    metric = (rec.get("baseline") or rec.get("score") or {}).get("metric") or "accuracy"
    return points(float(rec.get("rope") or 0.0), metric)


def score_text(score: Mapping[str, Any] | None) -> str:
    """Return ``accuracy .987 (.951 to .998) on …``, or that there is no score yet."""
    if not score:
        return "not scored on the test part yet"
    text = f"{metric_name(score.get('metric'))} {decimal(score.get('value'))}"
    interval = score.get("interval")
    if interval:
        text += f" ({decimal(interval[0])} to {decimal(interval[1])})"
    return f"{text} on {score['on']}" if score.get("on") else text


def ensemble_sentence(rec: Recommendation) -> str:
    """Return the score, members and cost of the ensemble, or why there is none; or nothing."""
    made = rec.get("ensemble")
    if not made:
        return ""
    if not made.get("members"):
        return f"No ensemble was made: {made.get('reason')}."
    members = listed([f"{m['architecture']} ({percent(m['weight'])})" for m in made["members"]])
    alone: Mapping[str, Any] = next(
        (
            row
            for row in rec.get("leaderboard") or []
            if row.get("architecture") == (rec.get("recommended") or {}).get("architecture")
        ),
        {},
    )
    models = count(sum(m["models"] for m in made["members"]), "model")
    cost = f"{models}, {human_bytes(made.get('bytes'))}"
    if alone.get("macs") and made.get("macs"):
        cost += f", {made['macs'] / alone['macs']:.1f} times the multiply-adds"
    return (
        f"The average of {members} has {score_text(made['score'])}, at its cost: {cost}. It is"
        " saved beside the recommended model: --model ensemble."
    )


def subject(rec: Recommendation) -> str:
    """Return what was predicted from what: ``flowers · tabular data · classification of kind``."""
    parts = [str(rec.get("name") or "data")]
    if rec.get("kind"):
        parts.append(f"{rec['kind']} data")
    if rec.get("task"):
        parts.append(f"{rec['task']} of {rec['target']}" if rec.get("target") else rec["task"])
    return " · ".join(parts)


def all_notes(rec: Recommendation) -> list[str]:
    """Return what the profile warns of, then what the run noted."""
    warned = (rec.get("profile") or {}).get("warnings") or []
    return list(dict.fromkeys(map(str, [*warned, *(rec.get("notes") or [])])))


def baseline_value(rec: Recommendation) -> float | None:
    """Return the trivial baseline's score on the rows of the headline, or on the common splits."""
    score = rec.get("score") or {}
    value = score.get("baseline", (rec.get("baseline") or {}).get("value"))
    return None if value is None else float(value)


def baseline_sentence(rec: Recommendation) -> str:
    """Return what the trivial baseline scored, or nothing."""
    value = baseline_value(rec)
    return "" if value is None else f"trivial baseline {decimal(value)}"


def command_line(command: Sequence[str] | str | None) -> str:
    """Return the command as it can be pasted into a shell."""
    if not command:
        return ""
    return command if isinstance(command, str) else shlex.join(str(c) for c in command)
