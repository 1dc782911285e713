"""The column of groups, or of the order, is taken out before anything looks at the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from selector import readers
from selector.contract import Dataset
from selector.errors import OptionError
from selector.profile import ProfileOptions, describe
from selector.profile.aside import set_aside


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
