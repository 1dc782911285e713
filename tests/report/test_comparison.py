"""Families side by side: measured where they were tried, else in general, and said so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selector.errors import OptionError
from selector.judge.questions import answers
from selector.report.comparison import comparison

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def run(recommendation: Make, tmp_path: Path) -> str:
    """A run that tried no hybrid."""
    rec = recommendation()
    rec["leaderboard"] = [r for r in rec["leaderboard"] if r["family"] != "hybrid"]
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "recommendation.json").write_text(json.dumps(rec))
    assert "hybrid" not in answers(rec)
    return str(tmp_path)


def test_a_family_that_was_not_tried_is_told_in_general(run: str) -> None:
    told = comparison(["cnn", "hybrid", run])
    assert told["families"] == ["cnn", "hybrid"]
    for by_family in told["answers"].values():
        assert by_family["hybrid"].startswith("not tried in this run; in general: ")
        assert not by_family["cnn"].startswith("not tried")


def test_without_names_only_what_was_tried_is_compared(run: str) -> None:
    assert "hybrid" not in comparison([run])["families"]


def test_a_name_that_is_no_family_is_refused(run: str) -> None:
    with pytest.raises(OptionError, match="Did you mean 'hybrid'"):
        comparison(["hybird", run])


def test_a_folder_with_a_familys_name_is_no_run(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "cnn").mkdir()
    monkeypatch.chdir(tmp_path)
    assert comparison(["rnn", "cnn"])["families"] == ["rnn", "cnn"]
