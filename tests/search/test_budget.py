"""The clock of a run."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from selector.errors import OptionError
from selector.search import budget

AGE = """
import time
from selector.search.budget import process_start
time.sleep(0.7)
print(time.monotonic() - process_start())
"""


@pytest.mark.parametrize(
    ("text", "seconds"), [("60", 60.0), ("90s", 90.0), (" 5M ", 300.0), ("1h", 3600.0), (7.5, 7.5)]
)
def test_times_are_read(text: str | float, seconds: float) -> None:
    assert budget.parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5", "4", "8d", "1e9", "nan"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="--time"):
        budget.parse_time(text)


def test_the_clock_starts_with_the_process() -> None:
    out = subprocess.run([sys.executable, "-c", AGE], capture_output=True, text=True, check=True)
    assert 0.7 <= float(out.stdout) <= budget.STARTUP_SECONDS


def test_what_a_shell_did_before_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    class Old:
        def create_time(self) -> float:
            return time.time() - 74.0

    monkeypatch.setattr(psutil, "Process", Old)
    assert time.monotonic() - budget.process_start() < budget.STARTUP_SECONDS


def test_seconds_are_counted_from_the_start() -> None:
    clock = budget.Budget(60, time.monotonic() - 50)
    assert 9 < clock.left() <= 10
    assert clock.elapsed() + clock.left() == pytest.approx(60, abs=0.01)
