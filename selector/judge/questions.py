"""The five questions, answered for each family with numbers that were measured.

Every answer is made from the recommendation as it stands (profile, leaderboard,
probes) and computes nothing else, so that it can be given again for a run of
the past.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selector.judge.words import METRICS, decimal, listed, points
from selector.options import NOT_ASKED_FOR, NOT_TRAINED

QUESTIONS = {
    "structure": "Do order and neighbourhood carry signal?",
    "usage": "Does the family suit this kind of data and task?",
    "long_term": "How far back does the signal reach?",
    "efficiency": "What does it cost?",
    "inputs_outputs": "What goes in and out?",
}

IN_GENERAL: dict[str, dict[str, str]] = {
    "rnn": {
        "structure": "reads the steps one after the other, so that their order is built in",
        "usage": "series and other sequences; images row by row",
        "long_term": "its state can carry a signal over all steps; in practice gradients fade over"
        " some hundreds",
        "efficiency": "steps cannot be computed in parallel: time grows with length, few parameters"
        " do much",
        "inputs_outputs": "any length, by masks; an output for the whole or for each step",
    },
    "cnn": {
        "structure": "looks for the same local pattern everywhere, whatever its place",
        "usage": "series, images, clips: wherever neighbours belong together",
        "long_term": "only as far as its receptive field, which dilation and depth widen; pooling"
        " forgets where",
        "efficiency": "all places are computed in parallel; the cost grows with the size of the"
        " input",
        "inputs_outputs": "any length with pooling over places; images of one size",
    },
    "hybrid": {
        "structure": "convolutions find local patterns, a recurrent layer reads their order",
        "usage": "noisy patterns whose order counts; spectrograms, clips",
        "long_term": "as recurrent networks, over fewer steps, since convolutions shorten the"
        " series first",
        "efficiency": "between the two: the recurrent part runs over a shortened series",
        "inputs_outputs": "any length, by masks that are shortened with the series",
    },
    "tabular": {
        "structure": "columns in any order: it does not know what is beside what",
        "usage": "tables; small series and images laid out as columns",
        "long_term": "every column is equally near; nothing that moves along the series is seen"
        " again",
        "efficiency": "trains in a second, without a neural network in most cases",
        "inputs_outputs": "a fixed number of columns, categories and gaps included",
    },
}
"""What holds of the families whatever the data is."""

UNITS = {"sequential": "step", "grid": "pixel", "sequential-grid": "frame", "tabular": "column"}
SAMPLES = {"sequential": "series", "grid": "images", "sequential-grid": "clips", "tabular": "rows"}


def answers(rec: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Answer the five questions for every family that was tried.

    Parameters
    ----------
    rec : mapping
        A recommendation; ``probes`` may be missing.

    Returns
    -------
    dict of dict of str
        Family to question (the keys of :data:`QUESTIONS`) to one or two
        sentences without a full stop at the end.
    """
    made: dict[str, dict[str, str]] = {}
    for family in rec["families"]:
        rows = [r for r in rec["leaderboard"] if r["family"] == family and r["role"] != "baseline"]
        tried = [r for r in rows if r["score"] is not None]
        if not tried:
            continue
        made[family] = {
            "structure": _structure(rec, family, tried[0]),
            "usage": _usage(rec, family, rows, tried),
            "long_term": _long_term(rec, family, tried[0]),
            "efficiency": _efficiency(rec, tried[0]),
            "inputs_outputs": _inputs_outputs(rec),
        }
    return made


def _probes(rec: Mapping[str, Any], family: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return the probes by kind where they are of this family's model."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    probes = rec.get("probes") or {}
    if probes.get("family") == family:
        for result in probes["results"]:
            found.setdefault(result["kind"], []).append(result)
    return found


def _metric(rec: Mapping[str, Any]) -> str:
    return str(rec["baseline"]["metric"])


def _rows_metric(rec: Mapping[str, Any]) -> str:
    """Return what probes score by, row for row, whatever the run's metric is."""
    usual = "accuracy" if rec["task"] == "classification" else "r2"
    return str((rec.get("probes") or {}).get("metric", usual))


def _probed(rec: Mapping[str, Any]) -> str:
    """Name the model that was probed, and its score as it is where that is another's."""
    probes = rec["probes"]
    whole = next(r for r in probes["results"] if r["kind"] == "none")
    return f"{probes['architecture']} ({_rows_metric(rec)} {decimal(whole['score'])} as it is)"


def _structure(rec: Mapping[str, Any], family: str, best: Mapping[str, Any]) -> str:
    return "; ".join([_signal(rec), _against_blind(rec, family, best), *_shuffled(rec, family)])


def _signal(rec: Mapping[str, Any]) -> str:
    """Say whether neighbours correlate more than in random order, the strongest axis."""
    signals = rec["profile"]["signals"]
    ends = ".neighbour_correlation"
    axes = [name.removesuffix(ends) for name in signals if name.endswith(ends)]
    if not axes:
        return f"the {UNITS[rec['kind']]}s have no order to measure"
    axis = max(axes, key=lambda a: abs(signals[a + ends]))
    value, chance = signals[axis + ends], signals[f"{axis}{ends}_null95"]
    return (
        f"neighbours along {axis} correlate {decimal(value, 2)} on average"
        f" ({'chance' if abs(value) <= chance else 'in random order'}: up to {decimal(chance, 2)})"
    )


def _against_blind(rec: Mapping[str, Any], family: str, best: Mapping[str, Any]) -> str:
    """Compare with the best model that knows no order."""
    mine = f"{best['architecture']} scored {decimal(best['score'])}"
    blind = [
        r
        for r in rec["leaderboard"]
        if r["family"] == "tabular" and r["role"] != "baseline" and r["score"] is not None
    ]
    if family == "tabular":
        others = [
            r
            for r in rec["leaderboard"]
            if r["family"] != "tabular" and r["role"] != "baseline" and r["score"] is not None
        ]
        if not others:
            return mine
        gain = others[0]["score"] - best["score"]
        what = f"the best that knows order or neighbourhood, {others[0]['architecture']}"
        return f"{mine} without knowing it; {what}, {_more(gain, _metric(rec))}"
    if not blind:
        return f"{mine}; no model that knows no order was tried beside it"
    gain = best["score"] - blind[0]["score"]
    return (
        f"{mine}, {_more(gain, _metric(rec))} than the best that knows no order,"
        f" {blind[0]['architecture']}"
    )


def _more(gain: float, metric: str) -> str:
    return f"{points(abs(gain), metric)} {'more' if gain >= 0 else 'less'}"


def _shuffled(rec: Mapping[str, Any], family: str) -> list[str]:
    """Say what the saved model loses with shuffled inputs."""
    probes = _probes(rec, family)
    unit, metric = UNITS[rec["kind"]], _rows_metric(rec)
    said = [_probed(rec)] if len(probes) > 1 else []
    for result in probes.get("shuffle", []):
        said.append(f"with the {unit}s of each sample shuffled it {_loses(result, metric)}")
    for result in probes.get("blocks", [])[:1]:
        said.append(f"with blocks of {result['size']} shuffled it {_loses(result, metric)}")
    hidden = probes.get("hide", [])
    if hidden and "row" in hidden[0]:
        said += _field(hidden)
    for result in probes.get("still", []):
        said.append(f"with one frame standing still it {_loses(result, metric)}")
    columns = sorted(probes.get("column", []), key=lambda r: -r["drop"])
    probed = _columns(len(columns), rec["profile"]["shape"][-1])
    lost = [r for r in columns if r["drop"] > r["error"]][:3]
    if lost:
        named = listed([f"{r['column']} ({points(r['drop'], metric)})" for r in lost])
        said.append(f"of {probed}, shuffled among the rows, it needs {named} most")
    elif columns:
        most = points(columns[0]["drop"], metric)
        said.append(f"none of {probed}, shuffled among the rows, costs over {most}")
    return said


def _columns(probed: int, of: int) -> str:
    """Name the columns that were probed: in a wide table the time may end before they do."""
    return f"{of} columns" if probed >= of else f"the first {probed} of {of} columns"


def _loses(result: Mapping[str, Any], metric: str) -> str:
    around = f"± {points(result['error'], metric)}, {result['n']} rows"
    if result["drop"] <= result["error"]:
        return f"loses nothing that can be told ({points(result['drop'], metric)} {around})"
    return f"falls to {decimal(result['score'])} ({points(result['drop'], metric)} {around})"


def _usage(
    rec: Mapping[str, Any],
    family: str,
    rows: Sequence[Mapping[str, Any]],
    tried: Sequence[Mapping[str, Any]],
) -> str:
    stats = rec["families"][family]
    refused = [
        r
        for r in rec["refused"]
        if r["family"] == family and r["reason"] not in (NOT_ASKED_FOR, NOT_TRAINED)
    ]
    text = (
        f"{len(rows)} of {len(rows) + len(refused)} architectures take {rec['kind']}"
        f" {rec['task']}; {len(tried)} were tried, {stats['trials']} trials in"
        f" {stats['core_seconds']:.0f} core-seconds ({100 * stats['share']:.0f}%)"
    )
    return f"{text}; the best scored {decimal(tried[0]['score'])} ({tried[0]['architecture']})"


def _long_term(rec: Mapping[str, Any], family: str, best: Mapping[str, Any]) -> str:
    if "time" not in rec["profile"]["axes"]:
        return f"there is no time axis; {best['architecture']} scored {decimal(best['score'])}"
    steps = rec["profile"]["lengths"][1]
    probes = _probes(rec, family)
    if not probes.get("last"):
        probed = (rec.get("probes") or {}).get("architecture", "no model")
        return "; ".join(
            [
                f"series of {steps} steps, and a score of {decimal(best['score'])} over them all",
                *(_where(rec, probes) or [f"{probed} was probed"]),
            ]
        )
    reach = _reach(probes["last"], steps, _rows_metric(rec))
    return "; ".join([f"{rec['probes']['architecture']}: {reach}", *_where(rec, probes)])


def _reach(results: Sequence[Mapping[str, Any]], steps: int, metric: str) -> str:
    """Say how many of the last steps are enough."""
    enough = [r for r in results if r["drop"] <= max(r["error"], 0.01)]
    if enough:
        least = min(enough, key=lambda r: r["share"])
        return (
            f"the last {least['steps']} of {steps} steps are enough, as far as {least['n']} rows"
            f" can tell: with the rest away it scored {decimal(least['score'])}"
        )
    most = max(results, key=lambda r: r["share"])
    return (
        f"more than the last {most['steps']} of {steps} steps are needed: with those alone it"
        f" {_loses(most, metric)}"
    )


def _where(rec: Mapping[str, Any], probes: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    hidden = probes.get("hide", [])
    if not hidden or "start" not in hidden[0]:
        return []
    field = _field(hidden)
    worst = max(hidden, key=lambda r: r["drop"])
    if worst["drop"] <= worst["error"]:
        return [f"none of {len(hidden)} parts that were hidden one at a time is needed", *field]
    part = f"{UNITS[rec['kind']]}s {worst['start']} to {worst['stop']}"
    lost = points(worst["drop"], _rows_metric(rec))
    return [f"most is lost where {part} are hidden ({lost})", *field]


def _field(hidden: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say in how few of the parts that were hidden nine tenths of the effect on its outputs lie.

    The effective receptive field (Luo et al., NIPS 2016), by occlusion in place of
    gradients, so that it is told of every kind of model.
    """
    if len(hidden) != hidden[0].get("of"):
        return []  # the time ended before they were all hidden
    moved = sorted((r.get("change") or 0.0 for r in hidden), reverse=True)
    whole = sum(moved)
    if whole <= 0.0:
        return []
    count = next(i for i in range(1, len(moved) + 1) if sum(moved[:i]) >= 0.9 * whole - 1e-12)
    share = sum(moved[:count]) / whole
    return [
        f"its effective field: {count} of {len(hidden)} parts make {100 * share:.0f}% of what"
        " hiding them one at a time does to its outputs"
    ]


def _efficiency(rec: Mapping[str, Any], best: Mapping[str, Any]) -> str:
    name, said = best["architecture"], []
    n, epochs = best.get("n_train") or rec["profile"]["n"], best["epochs"] or 1
    if best["fit_seconds"]:
        rate = n * epochs / best["fit_seconds"]
        said.append(
            f"{name} fits {rate:,.0f} {SAMPLES[rec['kind']]} a second"
            + (f" ({best['epochs']} epochs)" if best["epochs"] else "")
        )
    if best["latency_ms"]:
        said.append(f"predicts one in {best['latency_ms']:.2g} ms")
    if best["params_count"]:
        said.append(f"counts {best['params_count']:,} parameters")
    if best["macs"]:
        said.append(f"takes {best['macs']:,} multiply-adds for one")
    if best["bytes"]:
        said.append(f"has {best['bytes'] / 1000:,.1f} kB")
    told = ", ".join(said) or f"{name}: not measured"
    return "; ".join([told, *_more_epochs(best), *_more_rows(rec, name)])


def _more_epochs(best: Mapping[str, Any]) -> list[str]:
    """Say what the later epochs of the search's training brought."""
    late = best.get("late_loss")
    if not late:
        return []
    (before, after), epochs = late["loss"], late["epochs"]
    if after >= before:
        return [f"its last {epochs} epochs lowered the validation loss of {before:.3g} no further"]
    gain = (before - after) / epochs
    return [
        f"its last {epochs} epochs lowered the validation loss from {before:.3g} to {after:.3g},"
        f" by {gain:.2g} each"
    ]


def _more_rows(rec: Mapping[str, Any], name: str) -> list[str]:
    """Say what the second half of the training rows brought."""
    told = rec.get("learning") or {}
    if told.get("architecture") != name:
        return []
    (few, many), (low, high), metric = told["rows"], told["scores"], told["metric"]
    around = f"± {points(told['error'], metric)}, {told['n']} rows"
    unit = 100 if many - few >= 100 else 1
    each = points((high - low) / (many - few) * unit, metric)
    return [
        f"trained on {few} rows its {METRICS.get(metric, metric)} was {decimal(low)},"
        f" on {many} {decimal(high)}:"
        f" {points(high - low, metric)} ({around}), {each} for each"
        f" {'100 rows' if unit > 1 else 'row'} more"
    ]


def _inputs_outputs(rec: Mapping[str, Any]) -> str:
    profile = rec["profile"]
    shape = " × ".join("?" if s is None else str(s) for s in profile["shape"])
    if rec["task"] == "classification":
        out = f"out come the probabilities of {profile['n_outputs']} classes"
    else:
        out = "out comes one number"
    if None in profile["shape"]:
        low, middle, high = profile["lengths"]
        return (
            f"series of {low} to {high} steps (median {middle}) go in as they are: padded in a"
            f" batch, and masked; {out}"
        )
    resized = next((note for note in rec.get("notes", ()) if " were resized to " in note), "")
    made = resized or "nothing is padded, cut or resized"
    return f"all samples have the shape {shape}: {made}; {out}"
