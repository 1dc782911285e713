"""What half of the training rows taught."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from selector import tasks
from selector.artifact.data import write_data
from selector.artifact.learning import halved, second_half
from selector.artifact.run import RunFolder
from selector.contract import Column, TrialResult, TrialSpec, Variable
from selector.search.records import Record

N = 100
Y = np.arange(N) % 2.0
SPLIT = (np.arange(N) % 5 == 0).astype(np.int8)
CHOSEN = {"architecture": "cnn.fcn", "family": "cnn", "params": {"width": 1}}


def predicted(right: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return class probabilities that are right where it says so."""
    hit = np.where(right, y, 1 - y)
    return np.stack([1 - hit, hit], axis=1)


@pytest.fixture
def final(tmp_path):
    """A run whose finalist is right on all validation rows, and on half of them as `call` says."""
    run = RunFolder.create(tmp_path / "run", "x")
    target = Variable((), Y, (Column("y"),))
    write_data(run.path / "data" / "dev", Variable(("feature",), np.zeros((N, 1))), target)
    np.save(run.path / "splits" / "confirm-0.npy", SPLIT)
    (run.path / "predictions").mkdir(exist_ok=True)
    np.save(run.path / "predictions" / "all.npy", predicted(np.ones(20, bool), Y[SPLIT == 1]))
    spec = TrialSpec("1", "confirm", "cnn.fcn", CHOSEN["params"], "confirm-0", 0, 9.0, 10)
    result = TrialResult(
        "complete", score=1.0, seconds=2.0, n_train=80, predictions="predictions/all.npy"
    )
    asked: list[dict[str, Any]] = []

    def call(command: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        asked.append(command["spec"])
        half = np.load(run.path / "splits" / f"{command['spec']['split']}.npy")
        rows = np.flatnonzero(half == 1)
        right = (SPLIT[rows] == 0) | (rows % 10 == 0)
        np.save(run.path / "predictions" / "half.npy", predicted(right, Y[rows]))
        return {"state": "complete", "predictions": "predictions/half.npy"}

    entry = SimpleNamespace(records=[Record(spec, result, "cnn", "network")])
    profile = SimpleNamespace(task="classification", metric="accuracy", counts=(50, 50))
    return SimpleNamespace(
        planner=SimpleNamespace(
            finalists={"cnn.fcn": entry}, profile=profile, splits=SimpleNamespace(grouped=False)
        ),
        budget=SimpleNamespace(left=lambda: 10.0), run=run, seed=0, asked=asked,
        task=tasks.get("classification"), runner=SimpleNamespace(call=call),
    )  # fmt: skip


def test_what_the_other_half_brought_is_measured_on_the_same_rows(final):
    told = second_half(final, CHOSEN)
    assert told["rows"] == [40, 80]
    assert told["scores"] == [0.5, 1.0]
    assert told["n"] == 20
    assert 0.2 < told["error"] < 0.25
    assert final.asked[0]["epochs"] == 20, "as many steps as on all rows"


def test_nothing_is_measured_without_time_or_without_a_confirmation_of_the_model(final):
    assert second_half(final, {**CHOSEN, "params": {"width": 2}}) is None
    assert second_half(final, {**CHOSEN, "architecture": "rnn.gru"}) is None
    final.budget = SimpleNamespace(left=lambda: 4.0)
    assert second_half(final, CHOSEN) is None
    final.budget = SimpleNamespace(left=lambda: 10.0)
    (final.run.path / "predictions" / "all.npy").unlink()
    assert second_half(final, CHOSEN) is None
    final.planner.splits.grouped = True
    assert second_half(final, CHOSEN) is None
    assert not final.asked


def test_half_of_the_training_rows_validate_and_each_class_keeps_its_share():
    made = halved(SPLIT, Y, True, 0)
    assert (made[SPLIT == 1] == 1).all()
    assert (made == 0).sum() == 40
    assert Y[made == 0].mean() == 0.5
