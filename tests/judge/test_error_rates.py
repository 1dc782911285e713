"""How often a verdict is wrong on scores drawn from a known truth."""

from __future__ import annotations

import numpy as np

from selector.judge.finalist import Finalist
from selector.judge.verdict import judge


def _cross_validated(
    rng: np.random.Generator, rows: int, accuracy: list[float], splits: int
) -> list[dict[str, float]]:
    """Scores of models that err partly on the same rows, in repeated 5-fold CV."""
    size, count = rows // 5, len(accuracy)
    shared, own = rng.normal(size=rows), rng.normal(size=(count, rows))
    threshold = np.quantile(rng.normal(size=100_000), accuracy)[:, None]
    scores: list[dict[str, float]] = [{} for _ in accuracy]
    order = rng.permutation(rows)
    for split in range(splits):
        if split % 5 == 0:
            order = rng.permutation(rows)
        part = order[split % 5 * size : (split % 5 + 1) * size]
        z = 0.77 * shared[part] + 0.49 * own[:, part] + 0.4 * rng.normal(size=(count, size))
        for model, value in enumerate((z < threshold).mean(1)):
            scores[model][f"s{split}"] = float(value)
    return scores


def test_equal_families_are_rarely_told_apart() -> None:
    rng = np.random.default_rng(7)
    wins = 0
    for i in range(2000):
        rows, splits = ((50, 3), (50, 10), (150, 5), (300, 3))[i % 4]
        made = _cross_validated(rng, rows, [0.85, 0.85, 0.85], splits)
        models = [
            Finalist(f"{f}.x", f, scores=s, validation_rows=rows // 5)
            for f, s in zip(("rnn", "cnn", "hybrid"), made, strict=True)
        ]
        wins += judge(models, None).verdict == "winner"
    assert wins / 2000 < 0.05


def test_clearly_better_families_mostly_win_and_models_beat_the_baseline() -> None:
    rng = np.random.default_rng(8)
    outcomes = []
    for _ in range(200):
        made = _cross_validated(rng, 500, [0.97, 0.85, 0.5], 3)
        cnn, rnn, base = (
            Finalist(f"{f}.x", f, scores=s, validation_rows=100)
            for f, s in zip(("cnn", "rnn", "tabular"), made, strict=True)
        )
        outcomes.append(judge([cnn, rnn], base))
    assert sum(v.verdict == "winner" and v.family == "cnn" for v in outcomes) > 180
    assert not any(v.verdict == "baseline" for v in outcomes)


def test_noise_is_rarely_taken_for_signal() -> None:
    rng = np.random.default_rng(9)
    names = ("rnn", "cnn", "hybrid", "tabular", "base")
    found = 0
    for _ in range(400):
        made = _cross_validated(rng, 100, [0.5] * 5, 5)
        *models, base = (
            Finalist(f"{f}.x", f, scores=s, validation_rows=20)
            for f, s in zip(names, made, strict=True)
        )
        found += judge(models, base).verdict != "baseline"
    assert found / 400 < 0.05
