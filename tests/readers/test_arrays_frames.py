"""Arrays, lists, frames, targets and sources of unknown form."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from selector.artifact.predict import typed
from selector.contract import Dataset, Reader, ReadOptions, Variable
from selector.errors import DataError, PluginError, SourceNotFoundError
from selector.readers import read

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("shape", "axes", "sample"),
    [
        ((5, 3), ("feature",), (3,)),
        ((5, 30, 3), ("time", "channel"), (30, 3)),
        ((5, 40, 12), ("time", "channel"), (40, 12)),
        ((5, 8, 8), ("height", "width", "channel"), (8, 8, 1)),
        ((5, 6, 12), ("height", "width", "channel"), (6, 12, 1)),
        ((5, 5, 5), ("time", "channel"), (5, 5)),
        ((5, 6, 13), ("time", "channel"), (6, 13)),
        ((5, 16, 12, 3), ("height", "width", "channel"), (16, 12, 3)),
        ((5, 3, 16, 12), ("height", "width", "channel"), (16, 12, 3)),
        ((5, 16, 12, 5), ("height", "width", "channel"), (16, 12, 5)),
        ((5, 9, 16, 12), ("time", "height", "width", "channel"), (9, 16, 12, 1)),
        ((5, 9, 40, 12), ("height", "width", "channel"), (9, 40, 12)),
        ((5, 4, 8, 8, 1), ("time", "height", "width", "channel"), (4, 8, 8, 1)),
    ],
)
def test_axes_by_shape(shape, axes, sample):
    x = RNG.normal(size=shape)
    dataset = read(x, y=np.arange(5))
    assert dataset.x.axes == axes
    assert dataset.x.sample_shape == sample
    if len(shape) > 2:
        assert str(shape) in dataset.source["axes_rule"]
        assert dataset.x.values.dtype == np.float32
    if shape == (5, 3, 16, 12):
        np.testing.assert_allclose(dataset.x.values[0, :, :, 1], x[0, 1], rtol=1e-6)
        assert "channels first" in dataset.notes[0]


def test_clips_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="must all have one shape"):
        read([np.zeros((t, 8, 8)) for t in (5, 6)], y=np.arange(2))


def test_bytes_of_images_keep_their_range(tmp_path):
    x = RNG.integers(0, 256, (4, 9, 9, 3), dtype=np.uint8)
    np.savez(tmp_path / "d.npz", X=x, y=np.array(["a", "b", "a", "b"]))
    dataset = read(tmp_path / "d.npz")
    assert dataset.x.values.dtype == np.float32
    np.testing.assert_array_equal(dataset.x.values, x)
    assert dataset.target.columns[0].levels == ("a", "b")


@pytest.mark.parametrize(
    ("y", "type_", "dtype", "levels", "values"),
    [
        (np.array([3, 1, 3]), "numeric", "integer", ("1", "3"), [3, 1, 3]),
        (np.array([0.5, 1.0, 0.5]), "numeric", "float", ("0.5", "1.0"), [0.5, 1, 0.5]),
        (np.array([True, False, True]), "categorical", "boolean", ("False", "True"), [1, 0, 1]),
        (["b", "a", None], "categorical", "string", ("a", "b"), [1, 0, np.nan]),
        (np.array([b"b", b"a", b"b"]), "categorical", "string", ("a", "b"), [1, 0, 1]),
        (np.array([b"b", b"?", b"a"], object), "categorical", "string", ("a", "b"), [1, np.nan, 0]),
        (np.array([[1], [2], [1]]), "numeric", "integer", ("1", "2"), [1, 2, 1]),
        (pd.Series(["u", "v", "u"], name="q"), "categorical", "string", ("u", "v"), [0, 1, 0]),
        (pd.Series([1, None, 2], dtype="Int64"), "numeric", "integer", ("1", "2"), [1, np.nan, 2]),
        (
            pd.Series(["u", "v", "u"]).astype("category"),
            "categorical",
            "string",
            ("u", "v"),
            [0, 1, 0],
        ),
        (
            pl.Series("q", [True, None, False]),
            "categorical",
            "boolean",
            ("False", "True"),
            [1, np.nan, 0],
        ),
    ],
)
def test_targets_keep_their_type(y, type_, dtype, levels, values):
    target = read(np.zeros((3, 2)), y=y).target
    column = target.columns[0]
    assert (column.type, column.dtype, column.levels) == (type_, dtype, levels)
    np.testing.assert_array_equal(target.values, values)
    assert column.name == ("q" if getattr(y, "name", None) == "q" else "target")


@pytest.mark.parametrize(
    "x",
    [
        np.array([["1.5", "red", "2"], ["NA", "blue", "3"], ["2.5", "red", "3"]]),
        np.array([[b"1.5", b"red", b"2"], [b"", b"blue", b"3"], [b"2.5", b"red", b"3"]]),
        np.array([["1.5", "red", 2], [None, "blue", 3], ["2.5", "red", 3]], dtype=object),
        np.array([[b"1.5", b"red", 2], [b"?", b"blue", 3], [b"2.5", b"red", 3]], dtype=object),
        [[1.5, "red", 2], [None, "blue", 3], [2.5, "red", 3]],
        [[1.5, "red", 2], [float("nan"), "blue", 3], [2.5, "red", 3]],
        [["1.5", "red", "2"], ["?", "blue", "3"], ["2.5", "red", "3"]],
    ],
)
def test_columns_of_numbers_beside_columns_of_text(x):
    dataset = read(x, y=[0, 1, 0])
    columns = dataset.x.columns
    assert [c.type for c in columns] == ["numeric", "categorical", "numeric"]
    assert [c.dtype for c in columns] == ["float", "string", "integer"]
    assert [c.levels for c in columns[1:]] == [("blue", "red"), ("2", "3")]
    np.testing.assert_array_equal(dataset.x.values, [[1.5, 1, 2], [np.nan, 0, 3], [2.5, 1, 3]])
    assert dataset.source["columns"] == ["c0", "c1", "c2"]


def test_lists_keep_booleans_and_arrays_their_notes():
    dataset = read([[True, "red"], [False, "blue"]], y=[0, 1])
    assert [c.dtype for c in dataset.x.columns] == ["boolean", "string"]
    dataset = read(np.array([["1,5", "red"], ["2", "blue"]]), y=[0, 1])
    assert dataset.x.values[:, 0].tolist() == [1.5, 2]
    assert dataset.notes == ("column 'c0': the comma was taken for a decimal point",)


def test_ragged_list():
    items = [RNG.normal(size=(t, 2)) for t in (3, 5, 2)]
    dataset = read(items, y=[0, 1, 0])
    assert dataset.x.lengths.tolist() == [3, 5, 2]
    np.testing.assert_allclose(dataset.x.values, np.concatenate(items), rtol=1e-6)
    univariate = read([np.zeros(3), np.ones(4)], y=[0, 1])
    assert univariate.x.values.shape == (7, 1)
    equal = read([np.zeros(3), np.ones(3)], y=[0, 1])
    assert equal.x.values.shape == (2, 3, 1)
    assert equal.x.lengths is None
    table = read([[1, 2, 3], [4, 5, 6]], y=[0, 1])
    assert table.x.axes == ("feature",)


@pytest.mark.parametrize("form", ["padded", "joined", "univariate"])
def test_npz_with_lengths(tmp_path, form):
    lengths = np.array([2, 4, 3])
    steps = np.arange(18.0).reshape(9, 2)
    if form == "univariate":
        steps = steps[:, :1]
    x = steps
    if form != "joined":
        x = np.full((3, 4, steps.shape[1]), 99.0)
        x[np.arange(4)[None] < lengths[:, None]] = steps
    if form == "univariate":
        x = x[..., 0]
    np.savez(tmp_path / "d.npz", X=x, y=[0, 1, 0], lengths=lengths)
    dataset = read(tmp_path / "d.npz")
    assert dataset.x.lengths.tolist() == [2, 4, 3]
    np.testing.assert_array_equal(dataset.x.values, steps)


def test_other_names_in_npz_and_npy(tmp_path):
    np.savez(tmp_path / "d.npz", data=np.zeros((3, 2)), labels=[1, 0, 1])
    dataset = read(tmp_path / "d.npz")
    assert dataset.target.columns[0].name == "labels"
    np.save(tmp_path / "x.npy", np.zeros((3, 20, 2), dtype=np.float32))
    assert read(tmp_path / "x.npy").x.sample_shape == (20, 2)
    assert read(tmp_path / "x.npy", y=[1, 2, 3]).target.values.tolist() == [1, 2, 3]


def test_target_option_of_arrays_and_series(tmp_path):
    np.savez(tmp_path / "d.npz", X=np.zeros((3, 20, 2)), y=[1, 0, 1], site=[5, 6, 7])
    chosen = read(tmp_path / "d.npz", ReadOptions(target="site"))
    assert chosen.target.values.tolist() == [5, 6, 7]
    assert chosen.source["target"] == "site"
    assert chosen.notes == ()
    with pytest.raises(DataError, match=r"no array 'sit' .--target.*Did you mean 'site'"):
        read(tmp_path / "d.npz", ReadOptions(target="sit"))
    (tmp_path / "s.ts").write_text("@classLabel true a b\n@data\n1,2:a\n3,4:b\n")
    dataset = read(tmp_path / "s.ts", ReadOptions(target="kind"))
    assert dataset.notes == ("--target 'kind' was not needed: the source has one target, 'target'",)


def test_infinite_values_of_arrays():
    x = np.zeros((4, 30, 2))
    x[0, 0, 0], x[1, 2, 1] = np.inf, -np.inf
    dataset = read(x, y=np.arange(4))
    assert np.isnan(dataset.x.values).sum() == 2
    assert dataset.notes == ("2 infinite values in 'dim_0', 'dim_1' taken as missing",)
    assert np.isinf(x).sum() == 2


COLUMNS = {
    "n": [1, 2, 3],
    "f": [0.5, None, float("inf")],
    "s": ["b", None, "a"],
    "b": [True, False, None],
}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, lambda c: pl.DataFrame(c).lazy()])
def test_frames(make):
    dataset = read(make(COLUMNS), y=[1, 0, 1])
    assert [c.type for c in dataset.x.columns] == ["numeric"] * 2 + ["categorical"] * 2
    assert [c.dtype for c in dataset.x.columns] == ["integer", "float", "string", "boolean"]
    assert dataset.x.columns[2].levels == ("a", "b")
    nan = np.nan
    expected = [[1, 0.5, 1, 1], [2, nan, nan, 0], [3, nan, 0, nan]]
    np.testing.assert_array_equal(dataset.x.values, expected)
    assert dataset.notes == ("1 infinite value in 'f' taken as missing",)


def test_frame_with_its_target_and_long_frame():
    dataset = read(pd.DataFrame(COLUMNS), ReadOptions(target="s"))
    assert dataset.target is None
    assert dataset.source["target"] == "s"
    rows = [(i, t, i * t, "ab"[i % 2]) for i in range(12) for t in range(5)]
    frame = pl.DataFrame(rows, schema=["id", "time", "v", "label"], orient="row")
    assert read(frame).x.values.shape == (12, 5, 1)


def test_frame_with_repeated_and_numeric_names():
    frame = pd.DataFrame([[1, 2, 3], [4, 5, 6]], columns=["a", "a", 7])
    dataset = read(frame, y=[0, 1])
    assert [c.name for c in dataset.x.columns] == ["a", "a_2", "7"]
    assert dataset.x.values.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_pandas_nullable_and_dates():
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None, 3], dtype="Int64"),
            "d": pd.to_datetime(["2024-01-01", "2024-01-02", None]),
            "c": pd.Categorical(["x", "y", "x"]),
        }
    )
    dataset = read(frame, y=[0, 1, 0])
    assert dataset.x.values[:, 0].tolist()[::2] == [1, 3]
    assert np.isnan(dataset.x.values[1, 0])
    assert dataset.x.columns[1].type == "categorical"
    assert np.isnan(dataset.x.values[2, 1])
    assert dataset.x.columns[2].levels == ("x", "y")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_bytes_are_text(make):
    frame = make({"kind": [b"cat", b"?", "m\u00fcsli".encode()], "v": [1, 2, 3]})
    dataset = read(frame, y=[0, 1, 0])
    assert dataset.x.columns[0].levels == ("cat", "m\u00fcsli")
    np.testing.assert_array_equal(dataset.x.values[:, 0], [0, np.nan, 1])


ANIMALS = pd.DataFrame({"legs": [4, 2, 4, 6], "label": ["cat", "emu", "cat", None]})


def test_a_target_that_is_still_in_x_is_left_out():
    dataset = read(ANIMALS, y=ANIMALS["label"])
    assert [c.name for c in dataset.x.columns] == ["legs"]
    assert dataset.x.values[:, 0].tolist() == [4, 2, 4, 6]
    assert dataset.notes == ("'label' is the target, and was left out of X",)
    again = read(ANIMALS, ReadOptions(expect=dataset.source), ANIMALS["label"])
    assert again.x.values.shape == (4, 2)
    assert again.notes == ()


def test_a_column_of_the_name_of_the_target_may_be_another(tmp_path):
    other = pd.Series(["cat", "cat", "emu", None], name="label")
    dataset = read(ANIMALS, y=other)
    assert [c.name for c in dataset.x.columns] == ["legs", "label"]
    assert dataset.notes == (
        "column 'label' has the name of the target and other values: it stays in X",
    )
    path = tmp_path / "animals.csv"
    ANIMALS.to_csv(path, index=False)
    assert read(path, y=other).notes == dataset.notes
    assert read(path, y=ANIMALS["label"]).x.values.shape == (4, 1)


def test_columns_that_equal_the_target_are_told():
    y = np.array([2, 0, 1])
    dataset = read(np.column_stack([[0.5, 0.1, 0.2], y]), y=y)
    assert dataset.x.values.shape == (3, 2)
    (note,) = dataset.notes
    assert note.startswith("y is the same as 'c1' in every row")
    assert read(np.ones((3, 2)), y=np.ones(3)).notes == ()
    assert read(ANIMALS, y=list(ANIMALS["label"])).notes[0].startswith("y is the same as 'label'")


def test_a_target_alone_predicts_nothing():
    with pytest.raises(DataError, match="X has one column, 'label', and y is the same"):
        read(ANIMALS[["label"]], y=ANIMALS["label"])


def test_columns_named_by_numbers_are_looked_for_as_text():
    with pytest.raises(DataError, match=r"no column '4' .--target.*Did you mean 'c4'"):
        read(np.zeros((3, 6)), ReadOptions(target="4"))
    assert read(pd.DataFrame(np.zeros((3, 6))), ReadOptions(target="4")).source["target"] == "4"


PAIRS = [[1.0, 2.0], [3.0, 4.0]]
LISTS = r"column 'a' holds .*; a column must hold .* a column of its own"


def cells_of_arrays():
    x = np.empty((2, 2), dtype=object)
    for i in range(2):
        x[i, 0], x[i, 1] = np.array(PAIRS[i]), i
    return x


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (pd.DataFrame({"a": [np.array(p) for p in PAIRS], "b": [1, 2]}), [0, 1], LISTS),
        (pd.DataFrame({"a": PAIRS, "b": [1, 2]}), [0, 1], LISTS),
        (pl.DataFrame({"a": PAIRS, "b": [1, 2]}), [0, 1], LISTS),
        (pl.DataFrame({"a": np.array(PAIRS), "b": [1, 2]}), [0, 1], LISTS),
        (cells_of_arrays(), [0, 1], "'c0' must hold one number, .* received a ndarray"),
        (np.zeros((2, 2)), cells_of_arrays()[:, 0], "'target' must hold one number, .* ndarray"),
        (np.zeros((3, 2)), [1, 2], "X has 3 samples, y has 2 values"),
        (np.zeros((3, 2)), np.eye(3), r"shape is \(3, 3\).* y.argmax"),
        (np.zeros((0, 2)), [], "holds no samples"),
        (np.zeros((3, 0)), [1, 2, 3], "holds no values"),
        (np.zeros(3), [1, 2, 3], "allowed are .n, features."),
        (np.zeros((3, 2), complex), [1, 2, 3], "complex"),
        ([], [], "X is empty"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], [0, 1], r"X\[1\] has 1 channel, X\[0\] has 2"),
        ([np.zeros((3, 2)), np.zeros((0, 2))], [0, 1], r"X\[1\] must be an array"),
        (np.zeros((2, 2)), np.zeros(2, complex), "y must hold numbers, text or booleans"),
        (np.array([[["a"]]]), [1], "X must hold numbers"),
        (pd.DataFrame({"a": []}), [], "data frame is empty"),
        (pl.DataFrame({"a": [[1], [2]], "b": [1, 2]}), [0, 1], "column 'a' holds List"),
        ({"a": [1]}, [1], "type dict is not known"),
        (7, None, "type int is not known"),
    ],
)
def test_bad_values(x, y, message):
    with pytest.raises(DataError, match=message):
        read(x, y=y)


class Refused:
    """Unpickling this would be noticed."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.array([Refused()], dtype=object), "y": [1]}, "pickled objects, .* not loaded"),
        ({"X": np.zeros((3, 2)), "y": [1, 2]}, "X has 3 samples, y has 2 values"),
        ({"x_train": np.zeros((3, 2)), "y_train": [1, 2]}, "no array 'X'. It holds 'x_train'"),
        ({}, "no array 'X'. It holds nothing"),
        ({"X": np.zeros((3, 2)), "y": [1, 2], "lengths": [5, 2]}, "does not fit X"),
        ({"X": np.zeros((3, 2)), "y": [1, 2], "lengths": [2, 0]}, "at least 1"),
    ],
)
def test_bad_npz(tmp_path, arrays, message):
    np.savez(tmp_path / "bad.npz", allow_pickle=True, **arrays)
    with pytest.raises(DataError, match=message):
        read(tmp_path / "bad.npz")


@pytest.mark.parametrize("content", [b"", b"no array", b"PK\x03\x04broken", b"\x93NUMPYbroken"])
@pytest.mark.parametrize("name", ["bad.npz", "bad.npy"])
def test_broken_array_files(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="'bad"):
        read(tmp_path / name)


def test_pickled_npy(tmp_path):
    np.save(tmp_path / "p.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="pickled objects"):
        read(tmp_path / "p.npy")


def test_no_such_file(tmp_path):
    (tmp_path / "penguins.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceNotFoundError, match=r"Did you mean 'penguins\.csv'"):
        read(tmp_path / "penguin.csv")
    with pytest.raises(SourceNotFoundError, match="nor is there"):
        read(tmp_path / "nowhere" / "penguin.csv")


@pytest.mark.parametrize(
    ("name", "hint"), [("t.xlsx", "Save the sheet as CSV"), ("t.parquet", "polars"), ("t.foo", "")]
)
def test_unknown_form(tmp_path, name, hint):
    (tmp_path / name).write_bytes(b"?")
    with pytest.raises(DataError, match=f"no known form. Allowed: a table .*{hint}"):
        read(tmp_path / name)


class FooReader(Reader):
    name = "foo"

    def matches(self, source):
        return source.suffix == ".foo"

    def read(self, source, options):
        if source.stem == "bad":
            raise KeyError("inner")
        x = Variable(("feature",), np.array([[1.0, np.inf]]))
        return Dataset("foo", {"x": x}) if source.stem == "good" else None


def test_third_party_readers(tmp_path):
    for stem in ("good", "bad", "none"):
        (tmp_path / f"{stem}.foo").write_text("")
    readers = ([FooReader()], [])
    dataset = read(tmp_path / "good.foo", extra_readers=lambda: readers)
    assert np.isnan(dataset.x.values).tolist() == [[False, True]]
    with pytest.raises(PluginError, match=r"reader 'foo' .* KeyError: 'inner'"):
        read(tmp_path / "bad.foo", extra_readers=lambda: readers)
    with pytest.raises(PluginError, match="gave a NoneType"):
        read(tmp_path / "none.foo", extra_readers=lambda: readers)


class BrokenReader(FooReader):
    name = "broken"

    def matches(self, source):
        raise RuntimeError("no")


class PathReader(FooReader):
    name = "paths"

    def read(self, source, options):
        x = Variable(("feature",), np.array([[1.0]]))
        return Dataset("foo", {"x": x}, source={"path": source})


def test_a_reader_that_fails_to_look_leaves_the_source_to_others(tmp_path):
    for name in ("good.foo", "x.bar"):
        (tmp_path / name).write_text("")
    offered = ([BrokenReader(), FooReader()], ["plugin 'p' cannot be loaded"])
    assert len(read(tmp_path / "good.foo", extra_readers=lambda: offered)) == 1
    with pytest.raises(DataError, match=r"plugin 'p' cannot be loaded; the reader 'broken': Runt"):
        read(tmp_path / "x.bar", extra_readers=lambda: offered)


def test_a_source_that_cannot_be_stored_is_the_readers_error(tmp_path):
    (tmp_path / "good.foo").write_text("")
    with pytest.raises(PluginError, match="'paths' of a plugin failed: TypeError"):
        read(tmp_path / "good.foo", extra_readers=lambda: ([PathReader()], []))


def test_a_folder_without_images_is_offered_to_plugins_first(tmp_path):
    folder = tmp_path / "good"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "x.wav").write_text("")

    class FolderReader(FooReader):
        def matches(self, source):
            return source.is_dir()

    assert read(folder, extra_readers=lambda: ([FolderReader()], [])).name == "foo"
    with pytest.raises(DataError, match="no images"):
        read(folder, extra_readers=lambda: ([], []))


def test_plugins_are_not_asked_for_known_forms(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    read(tmp_path / "t.csv", extra_readers=lambda: pytest.fail("plugins were asked"))


def test_numbers_of_other_libraries_stay_numbers():
    frame = pd.DataFrame(
        {
            "price": [Decimal("1.5"), None, Decimal("2.25")] * 4,
            "count": pd.arrays.SparseArray(np.array([0, 0, 3] * 4)),
            "scale": pd.Series([np.float32(0.5), np.int64(2), None] * 4, dtype=object),
        }
    )
    dataset = read(frame, y=[Decimal(i) / 4 for i in range(12)])
    assert [c.type for c in dataset.x.columns] == ["numeric"] * 3
    np.testing.assert_array_equal(
        dataset.x.values[:3], [[1.5, 0, 0.5], [np.nan, 0, 2], [2.25, 3, np.nan]]
    )
    assert dataset.target.columns[0].type == "numeric"


@pytest.mark.parametrize("dtype", [str, object])
def test_text_that_reads_as_yes_and_no_is_given_back_as_text(dtype):
    y = np.array(["true", "false", "true"], dtype=dtype)
    target = read(np.zeros((3, 2)), y=y).target.columns[0]
    assert target.dtype == "string"
    assert typed(list(y), target).tolist() == ["true", "false", "true"]
    assert read(np.zeros((3, 2)), y=y == "true").target.columns[0].dtype == "boolean"


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([3, 10, 3], "integer"), ([0.5, 10.0, 0.5], "float"), (["b", "a", "b"], "string")],
)
def test_categories_of_a_frame_stay_categories(values, dtype):
    frame = pd.DataFrame({"zip": pd.Categorical(values), "v": [0.1, 0.2, 0.3], "y": [0, 1, 0]})
    column = read(frame, ReadOptions(target="y")).x.columns[0]
    assert (column.name, column.type, column.dtype) == ("zip", "categorical", dtype)
    assert list(column.levels) == list(map(str, sorted(set(values))))
