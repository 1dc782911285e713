"""What the tests of the search share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from invented import N

from selector.contract import Profile


@pytest.fixture
def profile() -> Profile:
    return Profile(
        name="x", axes=("time", "channel"), kind="sequential", task="classification", target="y",
        n=N, shape=(20, 1), lengths=(20, 20, 20), n_outputs=2, classes=("a", "b"), counts=(80, 80),
    )  # fmt: skip
