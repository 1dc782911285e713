"""The data folder of a run."""

from __future__ import annotations

import numpy as np
import pytest

from selector.artifact.data import read_data, write_data
from selector.contract import Column, Variable
from selector.errors import RunError

TARGET = Variable((), np.array([1.0, 0.0]), (Column("y", "categorical", ("a", "b"), "string"),))
FIXED = Variable(
    ("time", "channel"),
    np.arange(12, dtype=np.float32).reshape(2, 3, 2),
    (Column("u"), Column("v")),
)
RAGGED = Variable(
    ("time", "channel"), np.ones((5, 1), np.float32), (Column("u"),), np.array([2, 3])
)
TABLE = Variable(
    ("feature",),
    np.array([[1.0, np.nan], [0.0, 2.5]]),
    (Column("é", "categorical", ("no", "yes"), "boolean"), Column("w")),
)


@pytest.mark.parametrize("x", [FIXED, RAGGED, TABLE])
@pytest.mark.parametrize("target", [TARGET, None])
@pytest.mark.parametrize("mmap", [True, False])
def test_round_trip(tmp_path, x, target, mmap):
    write_data(tmp_path / "data" / "dev", x, target)
    back, y = read_data(tmp_path / "data" / "dev", mmap)
    assert isinstance(back.values, np.memmap) is mmap
    assert (back.axes, back.columns) == (x.axes, x.columns)
    assert back.values.dtype == x.values.dtype
    np.testing.assert_array_equal(back.values, x.values)
    if x.lengths is None:
        assert back.lengths is None
    else:
        np.testing.assert_array_equal(back.lengths, x.lengths)
    if target is None:
        assert y is None
    else:
        assert y.columns == target.columns
        np.testing.assert_array_equal(y.values, target.values)


def test_mapped_data_cannot_be_changed(tmp_path):
    write_data(tmp_path, FIXED)
    with pytest.raises(ValueError, match="read-only"):
        read_data(tmp_path)[0].values[0, 0, 0] = 1


def test_a_second_write_leaves_nothing_behind(tmp_path):
    write_data(tmp_path, RAGGED, TARGET)
    write_data(tmp_path, FIXED)
    x, y = read_data(tmp_path)
    assert x.lengths is None
    assert y is None


def test_damaged_folders(tmp_path):
    with pytest.raises(RunError, match="holds no data of a run"):
        read_data(tmp_path / "nowhere")
    write_data(tmp_path, FIXED)
    (tmp_path / "x.npy").write_bytes(b"broken")
    with pytest.raises(RunError, match="is damaged"):
        read_data(tmp_path)
    write_data(tmp_path, FIXED)
    (tmp_path / "data.json").write_text("[]")
    with pytest.raises(RunError, match="is damaged"):
        read_data(tmp_path)


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(RunError, match="cannot write the data"):
        write_data(tmp_path / "data", FIXED)
