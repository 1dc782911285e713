"""Fresh data in the form of the training data."""

from __future__ import annotations

import numpy as np
import pytest

from selector.contract import Column, Dataset, ReadOptions, Variable
from selector.errors import DataError
from selector.readers import read
from selector.readers.align import align, align_images, align_series, align_table
from selector.readers.convert import as_categories, as_numbers

NAN = np.nan


def table(tmp_path, text, expect=None, name="new.csv"):
    path = tmp_path / name
    path.write_text(text)
    return read(path, ReadOptions(expect=expect or {"reader": "table"}))


TRAINED = (
    Column("size", "numeric", (), "float"),
    Column("kind", "categorical", ("1", "2", "x"), "string"),
    Column("open", "categorical", ("False", "True"), "boolean"),
)


def test_columns_by_name_in_trained_order(tmp_path):
    text = "open,extra,kind,size,price\ntrue,9,x,1.5,3\nFalse,8,1,2,4\n"
    dataset = table(tmp_path, text, {"reader": "table", "target": "price"})
    x, notes = align_table(dataset, TRAINED)
    assert x.columns == TRAINED
    np.testing.assert_array_equal(x.values, [[1.5, 2, 1], [2, 0, 0]])
    assert notes == ["columns that the model does not use were ignored: 'extra'"]


def test_unknown_categories_are_counted(tmp_path):
    text = "size,kind,open\n1,y,True\n2,z,maybe\n3,y,False\n4,,True\n"
    x, notes = align_table(table(tmp_path, text), TRAINED)
    np.testing.assert_array_equal(x.values[:, 1], [NAN] * 4)
    np.testing.assert_array_equal(x.values[:, 2], [1, NAN, 0, 1])
    assert notes == [
        "column 'kind': 3 cells with a category not seen in training ('y', 'z'), taken as missing",
        "column 'open': 1 cell with a category not seen in training ('maybe'), taken as missing",
    ]


def test_types_may_change(tmp_path):
    text = "size,kind,open\n1.5,1,True\nlarge,2.0,False\n-,7,True\n"
    x, notes = align_table(table(tmp_path, text), TRAINED)
    np.testing.assert_array_equal(x.values[:, 0], [1.5, NAN, NAN])
    np.testing.assert_array_equal(x.values[:, 1], [0, 1, NAN])
    assert notes == [
        "column 'size': 2 cells not a number ('-', 'large'), taken as missing",
        "column 'kind': 1 cell with a category not seen in training ('7'), taken as missing",
    ]


def test_yes_and_no_are_one_and_zero():
    levels = Column("b", "categorical", ("False", "True"), "boolean")
    numbers = Column("b", "numeric", (), "integer")
    codes, notes = as_categories(numbers, np.array([0.0, 1.0, np.nan]), levels.levels)
    np.testing.assert_array_equal(codes, [0.0, 1.0, np.nan])
    values, more = as_numbers(levels, np.array([1.0, 0.0]))
    np.testing.assert_array_equal(values, [1.0, 0.0])
    assert notes == more == []


def test_missing_column_is_named(tmp_path):
    with pytest.raises(DataError, match=r"lacks the column 'kind' .* Did you mean 'kinds'"):
        align_table(table(tmp_path, "size,kinds,open\n1,2,True\n"), TRAINED)


def test_arrays_fit_tables_by_position():
    columns = tuple(Column(n) for n in ("width", "height"))
    x, notes = align_table(read(np.array([[1.0, 2.0]]), y=[0]), columns)
    assert x.values.tolist() == [[1, 2]]
    assert "by position" in notes[0]


def series(lengths=None, n=3, steps=4, names=("a", "b")):
    total = n * steps if lengths is None else sum(lengths)
    values = np.arange(total * len(names), dtype=np.float32).reshape(total, len(names))
    if lengths is None:
        values = values.reshape(n, steps, len(names))
    columns = tuple(Column(x) for x in names)
    return Variable(("time", "channel"), values, columns, lengths and np.array(lengths))


def test_channels_are_put_in_order():
    x, notes = align_series(series(names=("b", "extra", "a")), ("a", "b"), 4)
    np.testing.assert_array_equal(x.values, series(names=("b", "extra", "a")).values[..., [2, 0]])
    assert [c.name for c in x.columns] == ["a", "b"]
    assert notes == ["channels that the model does not use were ignored: 'extra'"]
    same, notes = align_series(series(names=("b", "a")), ("a", "b"), 4)
    assert [c.name for c in same.columns] == ["a", "b"]
    assert notes == []


def test_lengths_become_what_the_model_takes():
    ragged, _ = align_series(series(), ("a", "b"), None)
    assert ragged.lengths.tolist() == [4, 4, 4]
    assert ragged.values.shape == (12, 2)
    stacked, _ = align_series(series(lengths=[4, 4]), ("a", "b"), 4)
    assert stacked.lengths is None
    assert stacked.values.shape == (2, 4, 2)


@pytest.mark.parametrize(
    ("x", "channels", "length", "message"),
    [
        (series(), ("a", "b"), 7, "takes series of 7 steps; 3 of 3 .* first 4 steps"),
        (series(lengths=[4, 5, 6]), ("a", "b"), 4, "2 of 3 .* first 5 steps"),
        (series(), ("a", "b", "z"), None, "takes 3 channels .* the data has 2"),
        (series(), ("a", "c"), 4, "channels 'c' that the model was trained on are missing"),
    ],
)
def test_series_that_do_not_fit(x, channels, length, message):
    with pytest.raises(DataError, match=message):
        align_series(x, channels, length)


def test_images_get_the_trained_size_and_channels():
    grey = Variable(("height", "width", "channel"), np.full((2, 4, 6, 1), 80, np.float32))
    x, notes = align_images(grey, (8, 12, 3))
    assert x.values.shape == (2, 8, 12, 3)
    np.testing.assert_allclose(x.values, 80)
    assert len(notes) == 2
    colour = np.zeros((1, 4, 4, 3), np.float32)
    colour[..., 1] = 100
    back, _ = align_images(Variable(grey.axes, colour), (4, 4, 1))
    np.testing.assert_allclose(back.values, 58.7, rtol=1e-5)
    same, notes = align_images(grey, (4, 6, 1))
    np.testing.assert_array_equal(same.values, grey.values)
    assert notes == []
    with pytest.raises(DataError, match="images of 5 channels, and these have 3"):
        align_images(Variable(grey.axes, colour), (4, 4, 5))


SERIES = {"axes": ("time", "channel"), "shape": (3, 1), "columns": [{"name": "value"}]}


def test_table_for_a_model_of_series(tmp_path):
    text = "name,t2,t0,t1,y\nu,3,1,2,0\nv,6,4,5,1\n"
    dataset = table(tmp_path, text, {"reader": "ts", "target": "y"})
    x, notes = align(dataset, SERIES)
    assert x.values[..., 0].tolist() == [[3, 1, 2], [6, 4, 5]]
    assert notes == []
    with pytest.raises(DataError, match=r"series of 5 steps; .* 3 columns of numbers"):
        align(dataset, {**SERIES, "shape": (5, 1)})


def test_rows_of_different_lengths(tmp_path):
    dataset = table(tmp_path, "t0,t1,t2\n1,,3\n4,,\n5,6,\n", {"reader": "ts"})
    x, _ = align(dataset, {**SERIES, "shape": (None, 1)})
    assert x.lengths.tolist() == [3, 1, 2]
    np.testing.assert_array_equal(x.values[:, 0], [1, NAN, 3, 4, 5, 6])


def test_forms_of_one_shape_fit_each_other():
    images = read(np.arange(2 * 64.0).reshape(2, 8, 8), y=[0, 1])
    pixels = tuple(Column(f"c{i}") for i in range(64))
    flat, _ = align(images, {"axes": ("feature",), "shape": (64,), "columns": pixels})
    np.testing.assert_array_equal(flat.values, np.arange(128).reshape(2, 64))
    as_series, _ = align(images, {"axes": ("time", "channel"), "shape": (8, 8)})
    np.testing.assert_array_equal(as_series.values, images.x.values[..., 0])
    rows = read(np.arange(2 * 64.0).reshape(2, 64), y=[0, 1])
    grid, _ = align(rows, {"axes": ("height", "width", "channel"), "shape": (8, 8, 1)})
    np.testing.assert_array_equal(grid.values, images.x.values)


@pytest.mark.parametrize(
    ("x", "expect", "message"),
    [
        (series(), {"axes": ("feature",), "shape": (3,), "columns": TRAINED}, "table of 3 columns"),
        (
            series(lengths=[2, 3]),
            {"axes": ("height", "width", "channel"), "shape": (4, 4, 1)},
            "axes height, width, channel, and 'd' has time, channel",
        ),
        (
            Variable(("time", "height", "width", "channel"), np.zeros((1, 2, 4, 4, 1))),
            {"axes": ("time", "height", "width", "channel"), "shape": (3, 4, 4, 1)},
            r"samples of shape \(3, 4, 4, 1\)",
        ),
    ],
)
def test_forms_that_do_not_fit(x, expect, message):
    with pytest.raises(DataError, match=message):
        align(Dataset("d", {"x": x}), expect)
