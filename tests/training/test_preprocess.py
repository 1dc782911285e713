"""The preprocessor: fitted on training rows, exact through JSON, robust to gaps and constants."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from toys import series, split_of, table

from selector.contract import Column, Variable
from selector.errors import DataError, OptionError
from selector.training import preprocess
from selector.training.fitted import split_rows
from selector.training.preprocess import MOST_LEVELS, Preprocessor, matrix, static_length


def poisoned(variable: Variable, row: int) -> Variable:
    values = variable.values.copy()
    if variable.lengths is None:
        values[row] = 1e9
    else:
        start = int(variable.lengths[:row].sum())
        values[start : start + int(variable.lengths[row])] = 1e9
    return replace(variable, values=values)


@pytest.mark.parametrize("data", [series(), series(ragged=True), table()])
def test_poisoned_validation_row_changes_nothing(data):
    train, validation = split_rows(split_of(len(data.y)))
    clean = Preprocessor.fit(data.x.take(train))
    bad = poisoned(data.x, int(validation[0]))
    assert Preprocessor.fit(bad.take(train)) == clean
    kept = clean.transform(bad, static_length(bad)).x[train]
    np.testing.assert_array_equal(kept, clean.transform(data.x, static_length(bad)).x[train])


@pytest.mark.parametrize("normalize", ["dataset", "sample"])
@pytest.mark.parametrize("data", [series(ragged=True), table()])
def test_json_round_trip(data, normalize):
    fitted = Preprocessor.fit(data.x, normalize)
    again = Preprocessor.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again == fitted
    np.testing.assert_array_equal(again.transform(data.x).x, fitted.transform(data.x).x)


def test_unknown_format_and_normalize():
    fitted = Preprocessor.fit(series().x)
    with pytest.raises(DataError, match="format must be 1"):
        Preprocessor.from_dict({**fitted.to_dict(), "format": 99})
    with pytest.raises(OptionError, match="Did you mean 'sample'"):
        Preprocessor.fit(series().x, "sampel")


def test_series_are_standardised_and_gaps_interpolated():
    values = np.arange(24, dtype=np.float32).reshape(2, 6, 2)
    values[0, 2:4, 0] = np.nan  # between 2 and 8
    values[0, 0, 1] = np.nan  # at the edge: the nearest
    values[1, :, 1] = np.nan  # a whole channel: the training mean
    variable = Variable(("time", "channel"), values, (Column("a"), Column("b")))
    fitted = Preprocessor.fit(variable)
    back = fitted.transform(variable).x * np.array(fitted.scale) + np.array(fitted.mean)
    np.testing.assert_allclose(back[0, :, 0], [0, 2, 4, 6, 8, 10], atol=1e-5)
    assert back[0, 0, 1] == pytest.approx(3)
    np.testing.assert_allclose(back[1, :, 1], fitted.mean[1], atol=1e-5)
    whole = Preprocessor.fit(series().x)
    scaled = whole.transform(series().x).x
    np.testing.assert_allclose(scaled.mean(axis=(0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=(0, 1)), 1, atol=1e-5)


def test_sample_scaling_ignores_padding():
    data = series(ragged=True)
    fitted = Preprocessor.fit(data.x, "sample")
    short = fitted.transform(data.x, 24)
    long = fitted.transform(data.x, 80)
    np.testing.assert_array_equal(short.x, long.x[:, :24])
    assert not long.x[~long.mask].any()
    one = short.x[0][short.mask[0]]
    np.testing.assert_allclose(one.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(one.std(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("normalize", ["dataset", "sample"])
@pytest.mark.parametrize("level", [0.0, 7.0, 1e6])
def test_constant_channels_become_zero(normalize, level):
    values = np.full((5, 8, 1), level, np.float32)
    variable = Variable(("time", "channel"), values, (Column("a"),))
    assert not Preprocessor.fit(variable, normalize).transform(variable).x.any()


def test_images_are_scaled():
    values = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 3)).astype(np.float32)
    variable = Variable(("height", "width", "channel"), values)
    fitted = Preprocessor.fit(variable)
    assert fitted.divisor == values.max()
    scaled = fitted.transform(variable).x
    np.testing.assert_allclose(scaled.std(axis=(0, 1, 2)), 1, atol=1e-5)


def test_table_encoding():
    columns = (Column("n"), Column("c", "categorical", ("x", "y", "z"), "string"), Column("k"))
    train = Variable(
        ("feature",),
        np.array([[1.0, 0, 5], [3.0, 1, 5], [np.nan, np.nan, 5], [8.0, 0, 5]]),
        columns,
    )
    fitted = Preprocessor.fit(train)
    rows = np.array([[np.nan, 2, 5], [1e12, 1, np.nan]])  # an unseen level, a wild value
    out = fitted.transform(replace(train, values=rows)).x
    assert out.shape == (2, 2 + 1 + 3)
    assert fitted.median == (3.0, 5.0)
    np.testing.assert_array_equal(out[:, 2], [1, 0])  # the indicator of the gap
    np.testing.assert_array_equal(out[:, 3:], [[0, 0, 0], [0, 1, 0]])
    assert 7.9 < out[1, 0] <= 8
    assert not out[:, 1].any()  # the constant


def coded(codes, levels: int) -> Variable:
    """A table of one categorical column."""
    column = Column("c", "categorical", tuple(str(i) for i in range(levels)), "string")
    return Variable(("feature",), np.asarray(codes, dtype=np.float64)[:, None], (column,))


def test_of_many_levels_the_most_frequent_are_kept_and_the_others_share_a_column():
    often = np.arange(39_000, 39_000 + MOST_LEVELS)
    codes = np.concatenate([np.arange(600), often, often])
    fitted = Preprocessor.fit(coded(codes, 40_000))
    again = Preprocessor.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again == fitted
    # kept, rare in training, never seen in training, missing
    rows = [39_000, 39_000 + MOST_LEVELS - 1, 5, 30_000, np.nan]
    out = again.transform(coded(rows, 40_000)).x
    assert out.shape == (5, MOST_LEVELS + 1)
    expected = np.zeros_like(out)
    for row, column in enumerate([0, MOST_LEVELS - 1, MOST_LEVELS, MOST_LEVELS]):
        expected[row, column] = 1
    np.testing.assert_array_equal(out, expected)


def test_a_level_without_others_in_training_is_as_if_missing():
    fitted = Preprocessor.fit(coded([7, 7, 300], 400))
    out = fitted.transform(coded([7, 300, 8], 400)).x
    assert out.shape == (3, MOST_LEVELS + 1)  # one width for every split: one compiled step
    np.testing.assert_array_equal(out.sum(axis=1), [1, 1, 0])


def test_a_model_saved_before_levels_were_limited_encodes_as_it_did():
    written = {
        "format": 1, "axes": ["feature"], "normalize": "dataset", "mean": [], "scale": [],
        "divisor": 1.0, "median": [], "numeric": [], "indicators": [],
        "categories": [[0, 300, [2, 299]]],
    }  # fmt: skip
    out = Preprocessor.from_dict(written).transform(coded([299, 2, 3], 300)).x
    assert out.shape == (3, 300)
    assert out[0, 299] == out[1, 2] == 1
    assert out.sum() == 2


def images(n: int = 40) -> Variable:
    values = np.random.default_rng(1).normal(9, 2, (n, 6, 5, 3)).astype(np.float32)
    values[3, 2, 1, 0] = np.nan
    return Variable(("height", "width", "channel"), values)


def gaps(variable: Variable) -> Variable:
    values = variable.values.copy()
    values.reshape(-1)[::17] = np.nan
    return replace(variable, values=values)


@pytest.mark.parametrize("normalize", ["dataset", "sample"])
@pytest.mark.parametrize(
    "x",
    [gaps(series().x), gaps(series(ragged=True).x), images(), gaps(table().x)],
    ids=["series", "ragged", "images", "table"],
)
def test_the_size_of_a_chunk_changes_nothing(x, normalize, monkeypatch):
    whole = Preprocessor.fit(x, normalize)
    expected = whole.transform(x, static_length(x))
    for values in (1, 100, 1000):
        monkeypatch.setattr(preprocess, "CHUNK", values)
        again = Preprocessor.fit(x, normalize)
        np.testing.assert_allclose(again.mean, whole.mean, rtol=1e-12)
        np.testing.assert_allclose(again.scale, whole.scale, rtol=1e-12)
        assert replace(again, mean=whole.mean, scale=whole.scale) == whole
        prepared = whole.transform(x, static_length(x))
        np.testing.assert_array_equal(prepared.x, expected.x)
        if expected.mask is not None:
            np.testing.assert_array_equal(prepared.mask, expected.mask)


def test_a_small_deviation_beside_a_large_mean_is_found(monkeypatch):
    monkeypatch.setattr(preprocess, "CHUNK", 64)
    values = 1e5 + np.random.default_rng(0).normal(0, 1, (500, 2))
    fitted = Preprocessor.fit(Variable(("feature",), values, (Column("a"), Column("b"))))
    np.testing.assert_allclose(fitted.mean, values.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(fitted.scale, values.std(axis=0), rtol=1e-9)


def wide(kind: str) -> Variable:
    draw = np.random.default_rng(0).standard_normal
    columns = tuple(Column(str(i)) for i in range(8))
    if kind == "images":
        return Variable(("height", "width", "channel"), draw((2000, 32, 32, 3), np.float32))
    if kind == "table":
        return Variable(("feature",), draw((600_000, 8)), columns)
    lengths = np.full(2000, 400) if kind == "ragged" else None
    shape = (800_000, 8) if kind == "ragged" else (2000, 400, 8)
    return Variable(("time", "channel"), draw(shape, np.float32), columns, lengths)


@pytest.mark.parametrize("normalize", ["dataset", "sample"])
@pytest.mark.parametrize("kind", ["series", "ragged", "images", "table"])
def test_scaling_takes_little_more_room_than_its_result(kind, normalize):
    x = wide(kind)
    tracemalloc.start()
    fitted = Preprocessor.fit(x, normalize)
    fit = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    fitted.transform(x, static_length(x))
    scaled = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fit < 0.8 * x.values.nbytes
    assert scaled < 1.8 * x.values.nbytes  # beside the data themselves


def test_matrix_is_raw():
    data = series(5, 6 + 6)
    flat = matrix(data.x)
    assert flat.dtype == np.float64
    np.testing.assert_array_equal(flat, data.x.values.reshape(5, -1))
    with pytest.raises(DataError, match="one length"):
        matrix(series(ragged=True).x)


def test_static_length_is_a_multiple_of_8():
    data = series(ragged=True)
    assert static_length(data.x) == -(-int(data.x.lengths.max()) // 8) * 8
    assert static_length(series().x) is None
