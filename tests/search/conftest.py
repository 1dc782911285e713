"""What the tests of the search share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from invented import SCORES, Clock, N, candidate

from selector import tasks
from selector.artifact.recommendation import race
from selector.artifact.run import RunFolder
from selector.contract import Column, Profile
from selector.search.planner import Planner
from selector.search.splits import Splits
from selector.search.studies import Studies


@pytest.fixture
def profile() -> Profile:
    return Profile(
        name="x", axes=("time", "channel"), kind="sequential", task="classification", target="y",
        n=N, shape=(20, 1), lengths=(20, 20, 20), n_outputs=2, classes=("a", "b"), counts=(80, 80),
    )  # fmt: skip


@pytest.fixture
def make(tmp_path: Path, profile: Profile) -> Any:
    def planner(seconds: float = 60.0, **options: Any) -> Planner:
        y = np.arange(N) % 2
        (tmp_path / "splits").mkdir(exist_ok=True)
        splits = Splits(tmp_path / "splits", tasks.get("classification"), y.astype(float), 0)
        studies = Studies(tmp_path / "study.journal", 0)
        return Planner(
            [candidate(n) for n in SCORES], profile, Clock(seconds), splits, studies,
            lambda p: race(p, "accuracy", "balanced"), cores=2, **options,
        )  # fmt: skip

    return planner


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Return a run folder that holds the profile of a small table."""
    folder = RunFolder.create(tmp_path / "run", "x")
    profile = Profile(
        name="x", axes=("feature",), kind="tabular", task="classification", target="y", n=20,
        shape=(2,), n_outputs=2, classes=("a", "b"), counts=(10, 10),
        columns=(Column("u"), Column("v")),
    )  # fmt: skip
    folder.write("profile.json", profile.to_dict())
    return folder
