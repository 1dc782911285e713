"""The column of groups, or of the order, is taken out before anything looks at the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from selector import readers
from selector.contract import Dataset, ReadOptions, Variable
from selector.errors import DataError, OptionError
from selector.profile import ProfileOptions, describe
from selector.profile.aside import attach, set_aside


def table(tmp_path: Path) -> Dataset:
    rng = np.random.default_rng(0)
    lines = ["age,patient,day,gap,label"]
    for i in range(40):
        lines.append(
            f"{rng.normal():.3f},p{i % 8},2026-01-{i % 28 + 1:02d},{'' if i else 1},{'ab'[i % 2]}"
        )
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines) + "\n")
    return readers.read(path)


def test_groups_go_with_their_rows(tmp_path):
    raw = set_aside(table(tmp_path), group="patient")
    assert "patient" not in [c.name for c in raw.x.columns]
    assert list(raw.groups) == [i % 8 for i in range(40)]
    assert list(raw.take(np.array([9, 3])).groups) == [1, 3]
    found = describe(raw, ProfileOptions(target="label", group="patient"))
    assert len(found.dataset.groups) == len(found.dataset)
    again = found.schema.apply(table(tmp_path))
    assert again.x.values.shape[1] == found.dataset.x.values.shape[1]


def test_dates_are_put_in_order(tmp_path):
    raw = set_aside(table(tmp_path), order="day")
    assert list(np.argsort(raw.order, kind="stable")[:3]) == [0, 28, 1]


@pytest.mark.parametrize(
    "days", [("2026-10-1", "2026-1-15", "2026-2-1"), ("11/15/2025", "1/15/2025", "2/1/2025")]
)
def test_dates_are_not_ordered_by_the_alphabet(tmp_path, days):
    rows = [f"{i},{day},{'ab'[i % 2]}" for i, day in enumerate(days)]
    (tmp_path / "t.csv").write_text("\n".join(["v,day,y", *rows]))
    raw = set_aside(readers.read(tmp_path / "t.csv"), order="day")
    assert raw.order.tolist() == [2, 0, 1]


def long_table(tmp_path: Path, changing: bool = False) -> Path:
    """Write 12 series of 6 steps of four patients, a day for each."""
    rng = np.random.default_rng(0)
    lines = ["id,time,patient,day,value,label"]
    for i in range(12):
        for t in range(6):
            patient = f"p{(i + changing * t) % 4}"
            lines.append(
                f"s{i},{t},{patient},2026-01-{12 - i:02d},{rng.normal():.3f},{'ab'[i % 2]}"
            )
    path = tmp_path / "long.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_group_is_never_taken_for_the_series(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["subject,recording,time,value,label"]
    for i in range(24):
        for t in range(6):
            lines.append(f"p{i // 4},r{i},{10 * i + t},{rng.normal():.3f},{'ab'[i % 2]}")
    (tmp_path / "long.csv").write_text("\n".join(lines) + "\n")
    read = readers.read(tmp_path / "long.csv", ReadOptions(target="label", aside="subject"))
    raw = set_aside(read, group="subject")
    assert len(raw) == 24
    assert raw.x.sample_shape == (6, 1)
    assert list(raw.groups) == [i // 4 for i in range(24)]


def test_series_in_long_form_have_groups_and_orders(tmp_path):
    path = long_table(tmp_path)
    read = readers.read(path, ReadOptions(target="label", id="id", step="time", aside="patient"))
    assert "patient" not in " ".join(c.name for c in read.x.columns)
    raw = set_aside(read, group="patient")
    assert raw.aside is None
    assert list(raw.groups) == [i % 4 for i in range(12)]
    read = readers.read(path, ReadOptions(target="label", id="id", step="time", aside="day"))
    assert list(set_aside(read, order="day").order) == list(range(11, -1, -1))
    with pytest.raises(DataError, match="'patient' changes within a series"):
        readers.read(
            long_table(tmp_path, changing=True),
            ReadOptions(target="label", id="id", step="time", aside="patient"),
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "patent"}, "Did you mean 'patient'"),
        ({"order": "gap"}, "no value in 39 of 40"),
        ({"order": "patient"}, "holds text"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path, options, message):
    with pytest.raises(OptionError, match=message):
        set_aside(table(tmp_path), **options)


def some(n: int = 6) -> Dataset:
    return Dataset("some", {"x": Variable(("time", "channel"), np.zeros((n, 4, 1), np.float32))})


def test_groups_and_orders_are_attached_to_data_of_any_form() -> None:
    assert list(attach(some(), groups=["b", "a", "b", "c", "c", "a"]).groups) == [1, 0, 1, 2, 2, 0]
    days = pd.to_datetime(["2026-03-01", "2025-01-01", "2026-01-01"])
    assert list(attach(some(3), order=days).order) == [2, 0, 1]
    assert list(attach(some(3), order=list(days.date)).order) == [2, 0, 1]
    assert list(attach(some(3), order=[0.5, -1, 7]).order) == [1, 0, 2]
    assert list(attach(some(3), order=["2026-03-01", "2025-01-01", "2026-01-01"]).order) == [
        2,
        0,
        1,
    ]
    assert attach(some()).groups is None
    with pytest.raises(OptionError, match="exclude each other"):
        attach(attach(some(), groups=range(6)), order=range(6))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"groups": [1, 2]}, "each of the 6 samples"),
        ({"groups": [1, 2, None, 4, 5, 6]}, "no value in 1 of 6"),
        ({"order": [1, 2, float("nan"), 4, 5, 6]}, "no value in 1 of 6"),
        ({"order": list("abcdef")}, "numbers or dates"),
        ({"order": [object()] * 6}, "numbers or dates"),
        ({"groups": range(6), "order": range(6)}, "exclude each other"),
    ],
)
def test_unusable_groups_and_orders_are_refused(given, words) -> None:
    with pytest.raises(OptionError, match=words):
        attach(some(), **given)


def test_a_group_that_is_missing_is_refused_whatever_stands_for_it(tmp_path):
    groups = pd.array([1] * 39 + [None], dtype="Int64")
    with pytest.raises(OptionError, match="no value in 1 of 40"):
        attach(table(tmp_path), groups=groups)


def test_group_and_order_exclude_each_other(tmp_path):
    with pytest.raises(OptionError, match="exclude each other"):
        set_aside(table(tmp_path), group="patient", order="day")
