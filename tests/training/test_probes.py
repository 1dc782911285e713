"""Probes take away what they say, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from selector import tasks
from selector.contract import Array, Column, Profile, Variable
from selector.training.probes import alterations, by_rows, probe

RNG = np.random.default_rng(0)
N = 60


def series(ragged: bool) -> Variable:
    lengths = RNG.integers(20, 41, N) if ragged else np.full(N, 40)
    flat = np.concatenate([np.arange(n)[:, None] + 1000.0 * i for i, n in enumerate(lengths)])
    values = flat.astype("float32")
    if ragged:
        return Variable(("time", "channel"), values, (Column("a"),), lengths)
    return Variable(("time", "channel"), values.reshape(N, 40, 1), (Column("a"),))


def steps(x: Variable) -> list[list[float]]:
    if x.lengths is None:
        return [list(s[:, 0]) for s in x.values]
    return [list(s[:, 0]) for s in np.split(x.values, np.cumsum(x.lengths)[:-1])]


@pytest.mark.parametrize("ragged", [False, True])
def test_orders_keep_each_series_its_steps(ragged: bool) -> None:
    x = series(ragged)
    before = steps(x)
    seen = set()
    for kind, which, altered in alterations(x):
        seen.add(kind)
        after = steps(altered)
        if kind in ("shuffle", "blocks", "permutation", "reverse", "shift"):
            assert [sorted(s) for s in after] == before, kind
            assert after != before, kind
        if kind == "blocks":
            whole = [s[i : i + which["size"]] for s in after for i in range(len(s))]
            runs = [s for s in whole if len(s) == which["size"] and np.ptp(s) == len(s) - 1]
            assert len(runs) >= N
        if kind == "reverse":
            assert after == [s[::-1] for s in before]
    assert seen >= {"shuffle", "last", "first", "blocks", "reverse", "shift", "hide"}
    assert ("permutation" in seen) is not ragged


def test_of_series_of_different_lengths_the_rest_is_cut() -> None:
    x = series(True)
    for kind, which, altered in alterations(x):
        if kind == "last":
            for old, new in zip(steps(x), steps(altered), strict=True):
                assert new == old[-len(new) :]
                assert len(new) == round(which["share"] * len(old))


def test_of_series_of_one_length_the_rest_is_hidden() -> None:
    x = series(False)
    for kind, which, altered in alterations(x):
        if kind in ("last", "first", "hide"):
            changed = np.flatnonzero((altered.values != x.values).any(axis=(0, 2)))
            kept = np.setdiff1d(np.arange(40), changed)
            if kind == "last":
                assert list(kept) == list(range(40 - which["steps"], 40))
            elif kind == "first":
                assert list(kept) == list(range(which["steps"]))
            else:
                assert list(changed) == list(range(which["start"], which["stop"]))


def test_images_and_clips_and_columns() -> None:
    image = Variable(("height", "width", "channel"), RNG.normal(size=(9, 8, 12, 2)))
    found = list(alterations(image))
    assert [k for k, _, _ in found].count("hide") == 9
    for kind, which, altered in found:
        pixels = altered.values.reshape(9, -1, 2)
        if kind in ("shuffle", "permutation", "blocks"):
            order = np.lexsort(pixels[0].T)
            assert (pixels[0][order] == image.values[0].reshape(-1, 2)[np.lexsort(
                image.values[0].reshape(-1, 2).T)]).all(), kind  # fmt: skip
        if kind == "hide":
            share = (altered.values != image.values).any(axis=(0, 3)).mean()
            assert 0.05 < share < 0.2, which
    clips = Variable(("time", "height", "width", "channel"), RNG.normal(size=(5, 6, 4, 4, 1)))
    still = next(a for k, _, a in alterations(clips) if k == "still")
    assert (still.values == clips.values[:, [3]]).all()
    table = Variable(("feature",), RNG.normal(size=(30, 3)), tuple(map(Column, "abc")))
    for j, (kind, which, altered) in enumerate(alterations(table)):
        assert (kind, which) == ("column", {"column": "abc"[j]})
        assert sorted(altered.values[:, j]) == sorted(table.values[:, j])
        others = np.delete(altered.values, j, axis=1)
        assert (others == np.delete(table.values, j, axis=1)).all()


def told(predict: Any, x: Variable, y: Array, seconds: float = 1e9) -> list[dict[str, Any]]:
    scores = tasks.get("classification").row_scores
    return probe(predict, scores, x, y, lambda: seconds)


def test_a_model_that_uses_one_place_loses_it_there_alone() -> None:
    y = np.arange(N) % 2
    values = RNG.normal(0, 0.1, size=(N, 40, 1)).astype("float32")
    values[:, 22, 0] = 2.0 * y - 1
    x = Variable(("time", "channel"), values, (Column("a"),))

    def predict(v: Variable) -> Array:
        high = v.values[:, 22, 0] > 0
        return np.stack([~high, high], axis=1).astype(float)

    results = told(predict, x, y.astype(float))
    by_kind = {r["kind"]: r for r in results if r["kind"] != "hide"}
    assert by_kind["none"] == {"kind": "none", "score": 1.0, "drop": 0.0, "error": 0.0, "n": N}
    assert by_kind["shuffle"]["drop"] > 0.3
    assert by_kind["shuffle"]["error"] < 0.15
    for r in results:
        if r["kind"] != "none":
            assert (r["change"] > 0.3) == (r["drop"] > 0.3)
        if r["kind"] == "hide":
            assert (r["drop"] > 0.3) == (r["start"] <= 22 < r["stop"])
        if r["kind"] == "last":
            assert (r["drop"] > 0.3) == (40 - r["steps"] > 22)


@pytest.mark.parametrize(("metric", "score"), [("balanced_accuracy", 0.5), ("accuracy", 0.9)])
def test_classes_weigh_the_same_where_the_metric_is_balanced_accuracy(metric, score) -> None:
    y = (np.arange(N) % 10 == 0).astype(float)
    profile = Profile(
        name="x", axes=("feature",), kind="tabular", task="classification", target="y", n=N,
        shape=(1,), n_outputs=2, classes=("a", "b"), counts=(54, 6), metric=metric,
    )  # fmt: skip
    name, scores = by_rows(profile)
    assert name == metric
    assert np.mean(scores(y, np.tile([1.0, 0.0], (N, 1)))) == pytest.approx(score)


def test_without_time_the_score_as_it_is_remains() -> None:
    x, y = series(False), np.zeros(N)
    left = iter([5.0, 1.0, *[0.1] * 50])
    scores = tasks.get("classification").row_scores
    results = probe(lambda v: np.tile([1.0, 0.0], (len(v), 1)), scores, x, y, lambda: next(left))
    assert [r["kind"] for r in results] == ["none"]


def test_every_column_of_a_wide_table_is_probed_while_there_is_time() -> None:
    y = (np.arange(N) % 2).astype(float)
    values = RNG.normal(size=(N, 30))
    values[:, 25] = 2 * y - 1
    x = Variable(("feature",), values, tuple(Column(f"c{j}") for j in range(30)))

    def predict(v: Variable) -> Array:
        high = v.values[:, 25] > 0
        return np.stack([~high, high], axis=1).astype(float)

    columns = [r for r in told(predict, x, y) if r["kind"] == "column"]
    assert [r["column"] for r in columns] == [c.name for c in x.columns]
    assert max(columns, key=lambda r: r["drop"])["column"] == "c25"
