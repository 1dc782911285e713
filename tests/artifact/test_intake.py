"""From a source into the run folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from selector import readers
from selector.artifact.data import TEST_GROUPS
from selector.artifact.intake import describe_run, take_in
from selector.artifact.run import RunFolder
from selector.contract import ReadOptions
from selector.options import Options
from selector.profile import Schema


def taken(tmp_path: Path, late: int) -> list[str]:
    """Return the notes on a table in order whose last `late` rows are of a class of their own."""
    n = 200
    frame = pl.DataFrame(
        {
            "at": list(range(n)),
            "u": [i % 7 + 0.25 for i in range(n)],
            "label": [("a", "b")[i % 2] if i < n - late else "new" for i in range(n)],
        }
    )
    path = tmp_path / "rows.csv"
    frame.write_csv(path)
    options = Options(target="label", order="at")
    run = RunFolder.create(tmp_path / "run", "rows")
    about = take_in(run, describe_run(options, {"source": path, "test": None}), options, path)
    return list(about["notes"])


def test_rows_held_out_of_a_class_that_comes_later_are_told(tmp_path: Path) -> None:
    said = [note for note in taken(tmp_path, late=10) if "do not count" in note]
    assert len(said) == 1
    assert said[0].startswith("10 of 40 rows held out")


def test_where_all_classes_are_known_nothing_is_said(tmp_path: Path) -> None:
    assert not [note for note in taken(tmp_path, late=0) if "do not count" in note]


def test_the_groups_of_the_test_part_are_kept_for_its_interval(tmp_path: Path) -> None:
    rows = np.arange(300)
    frame = pl.DataFrame(
        {"patient": rows // 10, "u": rows % 7 + 0.25, "label": np.array(["a", "b"])[rows % 2]}
    )
    frame.write_csv(tmp_path / "rows.csv")
    run, options = RunFolder.create(tmp_path / "run", "rows"), Options(group="patient")
    about = describe_run(options, {"source": tmp_path / "rows.csv", "test": None})
    about = take_in(run, about, options, tmp_path / "rows.csv")
    groups = np.load(run.path / "data" / TEST_GROUPS)
    assert about["on"] == "60 rows, of 6 groups by 'patient' that nothing else has seen"
    assert np.unique(groups, return_counts=True)[1].tolist() == [10] * 6


@pytest.mark.parametrize("n", [200, 30])
def test_columns_that_only_identify_rows_are_left_out_of_both_parts(tmp_path: Path, n: int) -> None:
    rows = np.arange(n)
    frame = pl.DataFrame(
        {
            "rownames": rows + 1,
            "remark": [f"remark {i}" for i in rows],
            "u": rows % 7 + 0.25,
            "label": np.array(["a", "b"])[rows % 2],
        }
    )
    path = tmp_path / "rows.csv"
    frame.write_csv(path)
    run, options = RunFolder.create(tmp_path / "run", "rows"), Options(target="label")
    about = take_in(run, describe_run(options, {"source": path, "test": None}), options, path)
    schema = Schema.from_dict(run.read("schema.json"))
    assert [c.name for c in schema.raw_columns] == ["u"]
    assert schema.dropped == ("rownames", "remark")
    assert [note for note in about["notes"] if "left out" in note] == [
        "column 'rownames' was left out: it only counts the rows",
        "column 'remark' was left out: its text differs in every row",
    ]
    assert "column 'remark' holds text" in " ".join(run.read("profile.json")["warnings"])
    assert np.load(run.path / "data" / "dev" / "x.npy").shape[1] == 1
    frame.select("u").write_csv(path)
    applied = schema.apply(readers.read(path, ReadOptions(expect=schema.source)))
    assert (len(applied.x), applied.notes) == (n, ())
