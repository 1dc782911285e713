"""Probes: what a trained model uses, found by taking it away.

Each probe changes the inputs of rows that no choice has seen, in one way, and
scores the same model again. What the score loses, the model used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from selector import tasks
from selector.contract import CLIP_AXES, IMAGE_AXES, SERIES_AXES, Array, Profile, Variable
from selector.training.fitted import decides_evenly

MOST_ROWS, LEAST_ROWS = 400, 60
BLOCKS = (4, 16, 64)
"""Steps, or pixels of a side, that stay together where blocks are shuffled."""
WINDOWS = 8
"""Parts of a series that are hidden one after the other."""
CELLS = 3
"""Cells of a side that are hidden one after the other in images."""

Altered = tuple[str, dict[str, Any], Variable]
"""The kind of a probe, what says which one it is, and the changed inputs."""


def alterations(x: Variable, seed: int = 0) -> Iterator[Altered]:
    """Yield changed copies of `x`, those that tell most first.

    Parameters
    ----------
    x : Variable
        Samples, as they are.
    seed : int
        Seeds the shuffling.

    Yields
    ------
    (str, dict, Variable)
        The kind (``"shuffle"``, ``"blocks"``, ``"permutation"``, ``"reverse"``,
        ``"last"``, ``"first"``, ``"shift"``, ``"hide"``, ``"column"``), its
        numbers (``size``, ``share``, ``steps``, ``start``, ``stop``, ``column``
        …), and the inputs.
    """
    rng = np.random.default_rng(seed)
    if x.axes == SERIES_AXES:
        yield from _of_series(x, rng)
    elif x.axes == IMAGE_AXES:
        yield from _of_images(x, rng)
    elif x.axes == CLIP_AXES:
        yield from _of_clips(x, rng)
    else:
        yield from _of_tables(x, rng)


def by_rows(profile: Profile) -> tuple[str, Callable[[Array, Array], Array]]:
    """Return what scores rows one by one, and the name of the metric that their mean is.

    Each class weighs the same, however many rows it has, where a class is chosen so: the
    mean is then the balanced accuracy.
    """
    task = tasks.get(profile.task)
    if not decides_evenly(profile):
        return task.metric, task.row_scores

    def weighed(y: Array, predictions: Array) -> Array:
        _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        return task.row_scores(y, predictions) * (len(y) / len(counts) / counts[codes])

    return "balanced_accuracy", weighed


def probe(
    predict: Callable[[Variable], Array],
    row_scores: Callable[[Array, Array], Array],
    x: Variable,
    y: Array,
    left: Callable[[], float],
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Score a model on altered inputs, as far as the time goes.

    Parameters
    ----------
    predict : callable
        From samples to predictions.
    row_scores : callable
        From targets and predictions to the score of each row.
    x, y
        Rows that no choice has seen.
    left : callable
        Seconds left.
    seed : int
        Seeds the choice of rows and the shuffling.

    Returns
    -------
    list of dict
        The first is the score as it is (kind ``"none"``); each has ``kind``,
        ``score``, ``drop`` (what was lost), ``error`` (half the width of a 95%
        interval of the drop, rows paired), ``n``, and what says which it is; but for the
        first also ``change``, how far its outputs moved (total variation, or absolute).
    """
    rows = np.random.default_rng(seed).permutation(len(y))[:MOST_ROWS]
    predict(x.take(rows[:1]))  # compiles what may have to be compiled
    before = left()
    x, y = x.take(rows), y[rows]
    predicted = predict(x)
    took = before - left()
    affordable = max(min(len(rows), LEAST_ROWS), int(len(rows) * left() / max(20 * took, 1e-9)))
    if affordable < len(rows):
        kept = np.arange(affordable)
        x, y, predicted = x.take(kept), y[kept], predicted[kept]
        took *= len(kept) / len(rows)
    own = np.asarray(row_scores(y, predicted), dtype=np.float64)
    results = [{"kind": "none", **paired(own, own)}]
    for kind, which, altered in alterations(x, seed):
        if left() < 2 * took:
            break
        after = predict(altered)
        told = {"kind": kind, **which, **paired(own, row_scores(y, after))}
        results.append({**told, "change": _change(predicted, after)})
    return results


def _change(before: Array, after: Array) -> float:
    """Return how far predictions moved: total variation of probabilities, or absolute."""
    moved = np.nan_to_num(np.abs(np.asarray(after, dtype=np.float64) - before))
    return float(0.5 * moved.sum(axis=1).mean() if moved.ndim == 2 else moved.mean())


def paired(own: Array, scores: Array) -> dict[str, Any]:
    """Return a mean score of rows, what it is below their `own`, and how sure that is.

    Returns
    -------
    dict
        ``score``, ``drop``, ``error`` (half the width of a 95% interval of the drop) and ``n``.
    """
    lost = own - np.asarray(scores, dtype=np.float64)
    error = 1.96 * float(lost.std(ddof=1)) / np.sqrt(len(lost)) if len(lost) > 1 else 0.0
    told = {"score": float(np.mean(scores)), "drop": float(lost.mean()), "error": float(error)}
    return {**told, "n": len(lost)}


# --------------------------------------------------------------------- series


def _of_series(x: Variable, rng: np.random.Generator) -> Iterator[Altered]:
    lengths = np.full(len(x), x.values.shape[1]) if x.lengths is None else np.asarray(x.lengths)
    middle = int(np.median(lengths))
    yield "shuffle", {}, _in_order(x, lengths, lambda n: rng.permutation(n))
    for share in (0.5, 0.25, 0.125):
        yield "last", {"share": share, "steps": round(share * middle)}, _kept(x, lengths, share)
    yield "first", {"share": 0.5, "steps": round(0.5 * middle)}, _kept(x, lengths, -0.5)
    for size in BLOCKS:
        if 3 * size <= middle:
            yield "blocks", {"size": size}, _in_order(x, lengths, partial(_blocks, size, rng))
    if x.lengths is None:
        fixed = rng.permutation(middle)
        yield "permutation", {}, _in_order(x, lengths, lambda _: fixed)
    yield "reverse", {}, _in_order(x, lengths, lambda n: np.arange(n)[::-1])
    by = max(1, middle // 8)
    yield "shift", {"by": by}, _in_order(x, lengths, lambda n: np.roll(np.arange(n), by))
    parts = min(WINDOWS, middle)
    for i in range(parts):
        part = i / parts, (i + 1) / parts
        ends = {"start": round(part[0] * middle), "stop": round(part[1] * middle)}
        which = {**ends, "of": parts}
        yield "hide", which, _hidden(x, lengths, *part)


def _blocks(size: int, rng: np.random.Generator, n: int) -> Array:
    parts = [np.arange(a, min(a + size, n)) for a in range(0, n, size)]
    return np.concatenate([parts[i] for i in rng.permutation(len(parts))])


def _in_order(x: Variable, lengths: Array, order: Callable[[int], Array]) -> Variable:
    """Return the series with their steps in another order, made for each length anew."""
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    rows = np.concatenate([s + order(int(n)) for s, n in zip(starts, lengths, strict=True)])
    flat = x.values.reshape(-1, *x.values.shape[2:]) if x.lengths is None else x.values
    return replace(x, values=flat[rows].reshape(x.values.shape))


def _kept(x: Variable, lengths: Array, share: float) -> Variable:
    """Keep the last `share` of each series (the first, where it is negative).

    Series of different lengths are cut; of those of one length the rest is
    hidden, since the model takes that length.
    """
    keep = np.maximum(1, np.round(abs(share) * lengths)).astype(np.int64)
    if x.lengths is None:
        cut = 1.0 - abs(share)
        return _hidden(x, lengths, 0.0, cut) if share > 0 else _hidden(x, lengths, 1 - cut, 1.0)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    first = starts + (lengths - keep if share > 0 else 0)
    rows = np.concatenate([np.arange(a, a + n) for a, n in zip(first, keep, strict=True)])
    return replace(x, values=x.values[rows], lengths=keep)


def _hidden(x: Variable, lengths: Array, start: float, stop: float) -> Variable:
    """Put each channel's mean where a part of each series was."""
    place = np.concatenate([(np.arange(n) + 0.5) / n for n in lengths])
    flat = (x.values.reshape(-1, *x.values.shape[2:]) if x.lengths is None else x.values).copy()
    flat[(place >= start) & (place < stop)] = np.nanmean(flat, axis=0)
    return replace(x, values=flat.reshape(x.values.shape))


# -------------------------------------------------------------- images and clips


def _of_images(x: Variable, rng: np.random.Generator) -> Iterator[Altered]:
    height, width = x.values.shape[1:3]
    yield "shuffle", {}, _moved(x, lambda: rng.permutation(height * width))
    for size in BLOCKS[:2]:
        if 2 * size <= min(height, width):
            yield "blocks", {"size": size}, _moved(x, partial(_tiles, height, width, size, rng))
    fixed = rng.permutation(height * width)
    yield "permutation", {}, _moved(x, lambda: fixed)
    by = max(1, width // 8)
    yield "shift", {"by": by}, replace(x, values=np.roll(x.values, by, axis=2))
    rows = np.linspace(0, height, CELLS + 1).astype(int)
    columns = np.linspace(0, width, CELLS + 1).astype(int)
    for i in range(CELLS):
        for j in range(CELLS):
            values = x.values.copy()
            values[:, rows[i] : rows[i + 1], columns[j] : columns[j + 1]] = x.values.mean((0, 1, 2))
            yield "hide", {"row": i, "column": j, "of": CELLS**2}, replace(x, values=values)


def _tiles(height: int, width: int, size: int, rng: np.random.Generator) -> Array:
    """Return an order of pixels in which whole tiles have changed places."""
    places = np.arange(height * width).reshape(height, width)
    out = places.copy()
    corners = [
        (a, b)
        for a in range(0, height - size + 1, size)
        for b in range(0, width - size + 1, size)
    ]  # fmt: skip
    for (a, b), k in zip(corners, rng.permutation(len(corners)), strict=True):
        c, d = corners[k]
        out[a : a + size, b : b + size] = places[c : c + size, d : d + size]
    return out.reshape(-1)


def _moved(x: Variable, order: Callable[[], Array]) -> Variable:
    """Return images with their pixels in another order, made for each image anew."""
    flat = x.values.reshape(len(x), -1, x.values.shape[-1])
    moved = np.stack([image[order()] for image in flat])
    return replace(x, values=moved.reshape(x.values.shape))


def _of_clips(x: Variable, rng: np.random.Generator) -> Iterator[Altered]:
    frames = x.values.shape[1]
    shuffled = np.stack([clip[rng.permutation(frames)] for clip in x.values])
    yield "shuffle", {}, replace(x, values=shuffled)
    yield "reverse", {}, replace(x, values=x.values[:, ::-1])
    still = np.repeat(x.values[:, frames // 2][:, None], frames, axis=1)
    yield "still", {"frame": frames // 2}, replace(x, values=still)
    for i in range(frames):
        values = x.values.copy()
        values[:, i] = x.values.mean((0, 1, 2, 3))
        yield "hide", {"start": i, "stop": i + 1, "of": frames}, replace(x, values=values)


# ---------------------------------------------------------------------- tables


def _of_tables(x: Variable, rng: np.random.Generator) -> Iterator[Altered]:
    """Shuffle one column after the other among the rows (Breiman's permutation importance)."""
    for j in range(x.values.shape[1]):
        values = x.values.copy()
        values[:, j] = values[rng.permutation(len(values)), j]
        name = x.columns[j].name if x.columns else str(j)
        yield "column", {"column": name}, replace(x, values=values)
