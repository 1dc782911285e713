"""From a source into the run folder."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from selector.artifact.intake import describe_run, take_in
from selector.artifact.run import RunFolder
from selector.options import Options


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
