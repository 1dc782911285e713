"""The recommendation as one dictionary: what ``--json`` prints and reports render."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from selector.contract import Candidate, Profile, TrialResult
from selector.judge.finalist import Finalist, score_interval
from selector.judge.outcome import Lacking
from selector.judge.pareto import pareto_front
from selector.search.splits import CONFIRM_FOLDS, MINIMUM_SPLITS
from selector.tasks.metrics import counted_rows

if TYPE_CHECKING:
    from selector.search.contenders import Contender
    from selector.search.planner import Planner

PASSES_PER_EPOCH = 3
"""A backward pass costs about twice a forward pass."""

FEW_EPOCHS, FEW_SAMPLES = 5, 30_000
"""A network that was trained for fewer epochs, and shown fewer samples, had only begun."""

TYPES = {"network": "trained", "feature": "fixed features", "estimator": "estimator"}


def finalists(planner: Planner, metric: str) -> tuple[list[Finalist], Finalist | None]:
    """Return what the judge compares, and the trivial baseline apart.

    Before anything is confirmed, each architecture's best search trial stands
    in, so that there is an (undecided) recommendation at any time.
    """
    made: list[Finalist] = []
    baseline = None
    for name, contender in planner.contenders.items():
        entry = planner.finalists.get(name)
        best = contender.best
        if planner.confirmed and entry is not None and entry.scores:
            scores, shown = dict(entry.scores), entry.latest.result
        elif not planner.confirmed and best is not None and best.result.score is not None:
            scores, shown = {str(best.spec.split): best.result.score}, best.result
        else:
            continue
        if contender.too_costly(shown):
            continue
        finalist = as_finalist(contender, planner, metric, scores, shown)
        if contender.candidate.role == "baseline":
            baseline = finalist
        else:
            made.append(finalist)
    return made, baseline


def as_finalist(
    contender: Contender,
    planner: Planner,
    metric: str,
    scores: Mapping[str, float],
    shown: TrialResult,
) -> Finalist:
    """Return a contender in the form that the judge compares; costs are those of `shown`."""
    candidate = contender.candidate
    return Finalist(
        architecture=candidate.name,
        family=candidate.family,
        title=candidate.title,
        scores=dict(scores),
        test_train_ratio=planner.splits.test_train_ratio,
        validation_rows=counted_rows(metric, planner.splits.n_validation, planner.profile.counts),
        grouped=planner.splits.grouped,
        metric=metric,
        trained=candidate.trained,
        type=TYPES[candidate.type],
        macs=shown.macs,
        passes=PASSES_PER_EPOCH * shown.epochs if candidate.trained else 1.0,
        bytes=shown.bytes,
        params_count=shown.params_count,
    )


def race(planner: Planner, metric: str, prefer: str, whole: bool = False) -> list[tuple[str, str]]:
    """Return which (architecture, split) pairs to confirm next, by the judge's rule.

    With `whole`, every finalist gets one whole cross-validation.
    """
    from selector.judge.racing import next_confirmations
    from selector.judge.verdict import ROPES

    entries = sorted(planner.finalists.values(), key=lambda f: -(f.record.value or 0.0))
    baseline = None
    entered = []
    for entry in entries:
        if entry.contender.too_costly(entry.latest.result):
            continue
        made = as_finalist(entry.contender, planner, metric, entry.scores, entry.record.result)
        if entry.contender.candidate.role == "baseline":
            baseline = made
        else:
            entered.append(made)
    taken = {(f.name, split) for f in entries for split in f.running | f.lost}
    return next_confirmations(
        entered,
        baseline,
        planner.splits.confirm,
        minimum=CONFIRM_FOLDS if whole else MINIMUM_SPLITS,
        rope=ROPES[prefer],
        taken=taken,
    )


def leaderboard(planner: Planner, metric: str) -> list[dict[str, Any]]:
    """Return a row for each admitted architecture: confirmed first, best first."""
    confirmed, baseline = finalists(planner, metric)
    by_name = {f.architecture: f for f in [*confirmed, *([baseline] if baseline else [])]}
    rows = [_row(c, planner, by_name.get(name)) for name, c in planner.contenders.items()]
    front = pareto_front([r for r in rows if r["state"] in ("confirmed", "searched")])
    for row in rows:
        row["pareto"] = row["architecture"] in front
    order = {"confirmed": 0, "searched": 1, "over a limit": 2, "failed": 3, "not tried": 4}
    return sorted(
        rows,
        key=lambda r: (order[r["state"]], -(r["score"] if r["score"] is not None else -math.inf)),
    )


def _row(contender: Contender, planner: Planner, finalist: Finalist | None) -> dict[str, Any]:
    candidate = contender.candidate
    entry = planner.finalists.get(candidate.name)
    confirmed = entry is not None and bool(entry.scores)
    record = (entry.latest if entry and confirmed else contender.best) or None
    result = record.result if record else None
    searched = entry.record.result if entry else result
    if confirmed:
        state = "confirmed"
    elif contender.blocked or (contender.records and contender.best is None):
        state = "failed"
    else:
        state = "searched" if contender.best else "not tried"
    costly = contender.too_costly(result) if result else contender.over_limits
    if costly:
        state = "over a limit"
    interval = score_interval(finalist) if finalist is not None and confirmed else None
    reasons = [r.result.reason for r in contender.records if not r.ok]
    timed = [*(entry.records[::-1] if entry else []), *contender.records[::-1]]
    latency = next((r.result.latency_ms for r in timed if r.result.latency_ms), None)
    return {
        "architecture": candidate.name,
        "family": candidate.family,
        "title": candidate.title,
        "type": TYPES[candidate.type],
        "trained": candidate.trained,
        "role": candidate.role,
        "score": finalist.mean if finalist and confirmed else (result.score if result else None),
        "interval": [float(v) for v in interval] if interval else None,
        "splits": len(entry.scores) if entry else 0,
        "trials": len(contender.records),
        "fit_seconds": result.fit_seconds if result else None,
        "n_train": result.n_train if result else None,
        "latency_ms": latency,
        "bytes": result.bytes if result else None,
        "params_count": result.params_count if result else None,
        "macs": result.macs if result else None,
        "epochs": result.epochs if result else None,
        "stopped": searched.stopped if searched else "",
        "improving": searched.improving if searched else False,
        "late_loss": _late_loss(searched),
        "seconds": sum(r.result.seconds for r in contender.records)
        + (sum(r.result.seconds for r in entry.records) if entry else 0.0),
        "state": state,
        "reason": costly
        or contender.blocked
        or (reasons[-1] if reasons and state == "failed" else ""),
        "params": dict(record.spec.params) if record else {},
    }


def _late_loss(result: TrialResult | None) -> dict[str, Any] | None:
    """Return the best validation loss half through a training's plan and at its end."""
    if result is None or not {"0.5", "end"} <= set(result.rungs):
        return None
    epochs = result.epochs - -(-result.planned_epochs // 2)
    ends = [result.rungs["0.5"], result.rungs["end"]]
    return {"epochs": epochs, "loss": ends} if epochs > 0 else None


def families(planner: Planner, rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return, for each family, its best, its trials and its share of the core-seconds.

    ``search_share`` counts the seconds of the search's trials only, ``share``
    those of search and confirmation; both are of trained networks and
    closed-form models together.
    """
    everything = [r for r in planner.records if r.spec.stage != "final"]
    total = sum(r.result.seconds for r in everything) or 1.0
    search = [r for r in everything if r.spec.stage != "confirm"]
    search_total = sum(r.result.seconds for r in search) or 1.0
    made: dict[str, dict[str, Any]] = {}
    for row in rows:
        family = row["family"]
        if family in made or row["role"] == "baseline":
            continue
        seconds = sum(r.result.seconds for r in everything if r.family == family)
        spent = sum(r.result.seconds for r in search if r.family == family)
        trained = [r for r in rows if r["family"] == family and r["trained"]]
        made[family] = {
            "best": row["architecture"],
            "score": row["score"],
            "trials": sum(r.family == family for r in everything),
            "core_seconds": round(seconds, 2),
            "share": round(seconds / total, 4),
            "search_share": round(spent / search_total, 4),
            "trained_best": trained[0]["architecture"] if trained else None,
            "trained_state": trained[0]["state"] if trained else None,
            "trained_splits": trained[0]["splits"] if trained else 0,
            "trained_improving": trained[0]["improving"] if trained else None,
        }
    return made


def failures(noted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the failures, equal ones once with their count."""
    counts = Counter((f["architecture"], f["stage"], f["reason"]) for f in noted)
    return [
        {"architecture": architecture, "stage": stage, "reason": reason, "count": count}
        for (architecture, stage, reason), count in counts.items()
    ]


def refused(candidates: Sequence[Candidate]) -> list[dict[str, str]]:
    """Return the architectures that were not tried, with the reason."""
    return [
        {"architecture": c.name, "family": c.family, "reason": c.reason}
        for c in candidates
        if not c.admitted
    ]


def undertrained(planner: Planner) -> dict[str, str]:
    """Return the families whose network had only begun to learn when its time ended.

    Few epochs of many rows may be enough; few of few are not. A training that
    ended by early stopping had enough. Tabular models have others to stand for
    them.

    Parameters
    ----------
    planner : Planner
        With its finalists.

    Returns
    -------
    dict of str to str
        Family to what was trained, in words.
    """
    found = {}
    for name, entry in planner.finalists.items():
        candidate, result = entry.contender.candidate, entry.record.result
        if candidate.type != "network" or candidate.family == "tabular":
            continue
        epochs, shown = entry.epochs or result.epochs, entry.latest.result
        short = epochs < FEW_EPOCHS and epochs * shown.n_train < FEW_SAMPLES
        whole = result.stopped == "early" and epochs >= result.epochs
        if short and not whole and not entry.contender.too_costly(shown):
            found[candidate.family] = f"{name} ({epochs} epoch{'' if epochs == 1 else 's'})"
    return found


def lacking(planner: Planner) -> Lacking:
    """Return what the time did not suffice for."""
    return Lacking(tuple(planner.uncompared_families()), undertrained(planner))


def compose(
    *,
    planner: Planner,
    profile: Profile,
    metric: str,
    prefer: str,
    noted_failures: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
) -> dict[str, Any]:
    """Judge what there is now and return everything the planner can tell.

    The caller adds what it alone knows: the run, the score on the test part,
    times and versions.
    """
    from selector.judge.verdict import judge

    entered, baseline = finalists(planner, metric)
    rows = leaderboard(planner, metric)
    verdict = None
    if entered or baseline:
        most, short = planner.most_splits, lacking(planner)
        verdict = judge(entered, baseline, prefer=prefer, lacking=short, most_splits=most)
    chosen = verdict.recommended if verdict else ""
    row = next((r for r in rows if r["architecture"] == chosen), None)
    recommended = (
        {k: row[k] for k in ("architecture", "family", "title", "params", "type")} if row else None
    )
    told = verdict.to_dict() if verdict else {}
    by_name = {r["architecture"]: r for r in rows}
    base = next((r for r in rows if r["role"] == "baseline"), None)
    best = by_name.get(told.get("best", ""))
    contender = planner.contenders.get(chosen)
    searched = contender.best if contender else None
    return {
        "name": profile.name,
        "kind": profile.kind,
        "task": profile.task,
        "target": profile.target,
        "profile": profile.to_dict(),
        "recommended": recommended,
        "verdict": told.get("verdict", "undecided"),
        "why": list(told.get("why", [])),
        "more_time": told.get("more_time", ""),
        "score": None,
        "search_score": row["score"] if row else None,
        "best_search_trial": searched.result.score if searched else None,
        "baseline": {"metric": metric, "value": base["score"] if base else None},
        "best_score": {k: best[k] for k in ("architecture", "family", "score")} if best else None,
        "tie_group": list(told.get("tie_group", [])),
        "probabilities": told.get("probabilities", {}),
        "expected_loss": told.get("expected_loss"),
        "rope": told.get("rope"),
        "leaderboard": rows,
        "families": families(planner, rows),
        "failures": failures(noted_failures),
        "refused": refused(candidates),
        "trials": len(planner.records),
        "searched": sum(r.spec.stage not in ("confirm", "final") for r in planner.records),
        "stage": planner.stage,
    }
