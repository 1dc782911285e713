"""A plan that counts trials: the same whatever the speed and the number of workers."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
from invented import SCORES, WARM, Clock, N, candidate

from selector import tasks
from selector.artifact.recommendation import race
from selector.contract import Profile, TrialResult, TrialSpec
from selector.search.counted import ROUNDS, CountedPlanner
from selector.search.records import Record
from selector.search.splits import Splits
from selector.search.studies import Studies


def result(spec: TrialSpec, took: float) -> TrialResult:
    """Return an invented result whose score follows from what was asked, and seconds do not."""
    key = f"{spec.architecture} {sorted(spec.params.items())} {spec.split} {spec.seed}"
    score = SCORES[spec.architecture] + random.Random(key).gauss(0, 0.01)
    network = spec.architecture.endswith(("net", "other"))
    return TrialResult(
        "complete", score=float(np.clip(score, 0, 1)), loss=0.5, fit_seconds=took, seconds=took,
        n_train=120, stopped="planned", epochs=20 * network, best_epoch=20 * network,
        planned_epochs=20 * network, epoch_seconds=took / 20, bytes=100, macs=1000,
    )  # fmt: skip


def counted(room: Path, profile: Profile, workers: int) -> CountedPlanner:
    """Return a plan in a folder of its own."""
    (room / "splits").mkdir(parents=True)
    y = (np.arange(N) % 2).astype(float)
    return CountedPlanner(
        [candidate(n) for n in SCORES], profile, Clock(3600.0),
        Splits(room / "splits", tasks.get("classification"), y, 0),
        Studies(room / "study.journal", 0), lambda p: race(p, "accuracy", "balanced"),
        cores=workers, max_trials=14, seed=1,
    )  # fmt: skip


def play(room: Path, profile: Profile, workers: int, seed: int) -> list[tuple[Any, ...]]:
    """Run a plan on `workers` whose trials end in an order drawn by `seed`."""
    planner = counted(room, profile, workers)
    chance = random.Random(seed)
    running: list[tuple[TrialSpec, int | None]] = []
    while True:
        while len(running) < workers and (asked := planner.next(WARM, set())) is not None:
            running.append(asked)
        if not running:
            break
        spec, number = running.pop(chance.randrange(len(running)))
        found = planner.contenders[spec.architecture].candidate
        took = chance.uniform(0.1, 9.0)
        planner.budget.now += took
        record = Record(spec, result(spec, took), found.family, found.type, number)
        if number is not None:
            planner.studies.tell(found, number, record.value)
        planner.tell(record)
    assert planner.stage == "confirm"
    return [
        (r.spec.id, sorted(r.spec.params.items()), r.spec.split, r.spec.seed, r.spec.epochs)
        for r in planner.records
    ]


def test_neither_speed_nor_workers_shape_the_plan(tmp_path, profile):
    first = play(tmp_path / "a", profile, workers=2, seed=1)
    assert play(tmp_path / "b", profile, workers=2, seed=2) == first
    assert play(tmp_path / "c", profile, workers=3, seed=3) == first


def test_so_many_trials_are_searched_and_then_each_family_is_confirmed(tmp_path, profile):
    records = play(tmp_path / "a", profile, workers=2, seed=1)
    searched = [r for r in records if "confirm" not in r[0]]
    assert len(searched) == 14
    confirmed = {r[0].split("-", 2)[2] for r in records if "confirm" in r[0]}
    assert {name.split(".")[0] for name in confirmed} == {"tabular", "cnn", "rnn", "hybrid"}
    splits = {r[2] for r in records if "confirm" in r[0]}
    assert splits <= {f"confirm-{i}" for i in range(ROUNDS)}
    assert any(dict(r[1]).get("lr") not in (None, 0.01, 0.02) for r in searched), "none sampled"


def test_what_ended_before_the_time_was_over_counts(tmp_path, profile):
    planner = counted(tmp_path, profile, workers=2)
    (spec, number), other = (planner.next(WARM, set()) for _ in range(2))
    assert other is not None
    found = planner.contenders[spec.architecture].candidate
    planner.tell(Record(spec, result(spec, 1.0), found.family, found.type, number))
    assert planner.records == [], "its generation is not complete"
    planner.start_confirmation()
    assert [r.spec.id for r in planner.records] == [spec.id]
    assert list(planner.finalists) == [spec.architecture]
