"""Signals, warnings, the JSON forms, and the schema applied to other files."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import selector_datasets
from selector import readers
from selector.contract import Profile, ReadOptions
from selector.errors import DataError, OptionError
from selector.profile import ProfileOptions, Schema, assign, describe, profile
from selector.profile.measure import measure_axis
from selector.profile.target import match

RNG = np.random.default_rng(0)
N = 120
A = RNG.normal(size=N)
PETS = ["cat", "dog", "eel"] * 40
SETS = ["GunPoint", "BasicMotions", "PickupGestureWiimoteZ", "mnist", "penguins"]


def json_trip(value):
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.mark.parametrize("name", SETS)
def test_profile_and_schema_survive_json(name):
    found = describe(readers.read(selector_datasets.path(name)))
    assert Profile.from_dict(json_trip(found.profile.to_dict())) == found.profile
    assert Schema.from_dict(json_trip(found.schema.to_dict())) == found.schema


@pytest.mark.parametrize("name", SETS)
def test_the_schema_gives_the_training_data_itself(name):
    path = selector_datasets.path(name)
    found = describe(readers.read(path))
    schema = Schema.from_dict(json_trip(found.schema.to_dict()))
    again = schema.apply(readers.read(path, ReadOptions(expect=schema.source)))
    assert again.x.axes == found.profile.axes
    assert np.array_equal(again.x.values, found.dataset.x.values, equal_nan=True)
    assert again.y is not None
    assert np.array_equal(again.y.values, found.dataset.target.values)
    assert again.ids == found.dataset.ids


def test_series_of_a_ts_file_from_a_wide_csv(tmp_path):
    found = describe(readers.read(selector_datasets.path("GunPoint")))
    other = found.schema.apply(readers.read(selector_datasets.path("GunPoint", "test")))
    assert other.x.values.shape == (150, 150, 1)
    assert set(other.y.values) == {0.0, 1.0}


def test_a_profile_of_a_part_keeps_all_classes(make):
    dataset, decisions = assign(make.table(a=A, target=PETS))
    part = dataset.take(np.flatnonzero(dataset.target.values < 2))
    found = profile(part, decisions)
    assert found.classes == ("cat", "dog", "eel")
    assert found.counts == (40, 40, 0)
    assert found.n_outputs == 3
    assert found.n == 80


def test_regression_profile(make):
    found = describe(make.table(a=A, target=2 * A)).profile
    assert (found.task, found.n_outputs, found.classes, found.counts) == ("regression", 1, (), ())
    assert "class_balance" not in found.signals


# ------------------------------------------------------------------ signals


def test_permuted_order_lies_within_its_null(make_walks):
    inside = 0
    for seed in range(20):
        values = make_walks(80, 30, seed)[:, np.random.default_rng(seed).permutation(30)]
        order = measure_axis(values[:, :, None])
        inside += order.correlation <= order.null95
    assert inside >= 16


def test_signals_of_walks_and_noise(make, make_walks):
    walks = make.array(make_walks(80, 30)[:, :, None], np.arange(80) % 2)
    signals = describe(walks).profile.signals
    assert signals["time.neighbour_correlation"] > signals["time.neighbour_correlation_null95"]
    assert signals["time.smoothness"] > 0.7 > signals["time.smoothness_null95"]
    noise = make.array(RNG.normal(size=(80, 30, 2)), np.arange(80) % 2)
    signals = describe(noise).profile.signals
    assert abs(signals["time.smoothness"]) < 0.1
    assert abs(signals["time.neighbour_correlation"]) < 0.1


def test_signals_of_clips(make):
    x = np.cumsum(RNG.normal(size=(40, 12, 6, 6, 1)), axis=1)
    clips = make.array(x, np.arange(40) % 2, ("time", "height", "width", "channel"))
    found = describe(clips).profile
    assert found.kind == "sequential-grid"
    assert found.lengths == (12, 12, 12)
    assert found.signals["time.smoothness"] > 0.5
    assert abs(found.signals["width.neighbour_correlation"]) < 0.2


def test_a_mean_shift_between_columns_is_no_correlation():
    x = RNG.normal(size=(100, 20)) + np.linspace(0, 1000, 20)
    assert not measure_axis(x[:, :, None]).ordered


def test_constant_data_measures_nothing():
    assert measure_axis(np.ones((20, 10, 1))) is None


def test_missing_and_balance(make):
    cells = [None if i < 30 else v for i, v in enumerate(A)]
    found = describe(make.table(a=cells, b=A, target=["x"] * 90 + ["y"] * 30)).profile
    assert found.missing == pytest.approx(30 / 240)
    assert found.signals["class_balance"] == pytest.approx(0.8113, abs=1e-3)


# ----------------------------------------------------------------- warnings


@pytest.mark.parametrize(
    ("cells", "part"),
    [
        ({"a": A, "target": ["x"] * 115 + ["y"] * 5}, "'x' has 115 samples and 'y' 5"),
        ({"a": A, "target": ["x"] * 117 + ["y"] * 3}, "fewer than 5 samples"),
        ({"a": A, "b": [1.0] * N, "target": PETS}, "1 column(s) without any variation: b"),
        ({"a": [1, 2] * 60, "target": PETS}, "118 of 120 samples repeat"),
        ({"a": A, "b": [None] * 70 + [1.0, 2.0] * 25, "target": PETS}, "b (58%)"),
        ({"a": [None] * 40 + list(A[40:]), "target": PETS}, "33% of all values are missing"),
        (
            {"a": A, "b": [f"w{i}" for i in range(100)] + ["w0"] * 20, "target": PETS},
            "differ in most rows and will hardly help: b",
        ),
    ],
)
def test_warnings(make, cells, part):
    found = describe(make.table(**cells)).profile.warnings
    assert any(part in w for w in found), found
    plain = describe(make.table(a=A, target=PETS)).profile.warnings
    assert not any(part in w for w in plain)


def test_few_samples_warn(make):
    assert any(
        "only 30 samples" in w
        for w in describe(make.table(a=A[:30], target=PETS[:30])).profile.warnings
    )


# --------------------------------------------------------- the schema at work


def test_columns_in_another_order_and_without_target(make):
    found = describe(make.table(id=range(N), a=A, pet=PETS, target=[0, 1] * 60))
    other = make.table(pet=["dog", "cat", "yak"], more=[1, 2, 3], a=[0.5, None, 2.0])
    applied = found.schema.apply(other)
    assert applied.y is None
    assert applied.x.columns == found.dataset.x.columns
    assert np.array_equal(
        applied.x.values, [[0.5, 1.0], [np.nan, 0.0], [2.0, np.nan]], equal_nan=True
    )
    assert any("more" in n for n in applied.notes)


def test_a_missing_column_is_refused(make):
    found = describe(make.table(a=A, b=A * 2, target=PETS))
    with pytest.raises(DataError, match="'b'"):
        found.schema.apply(make.table(a=A, target=PETS))


def test_unknown_labels_are_nan_and_counted(make):
    found = describe(make.table(a=A, target=PETS))
    applied = found.schema.apply(make.table(a=A[:4], target=["dog", "yak", None, "cat"]))
    assert np.array_equal(applied.y.values, [1.0, np.nan, np.nan, 0.0], equal_nan=True)
    assert applied.y.columns[0].levels == ("cat", "dog", "eel")
    assert any("1 of 4 samples have a label that was not seen" in n for n in applied.notes)
    assert any("1 of 4 samples have no target" in n for n in applied.notes)


def test_labels_match_by_text_and_by_number(make):
    found = describe(make.table(a=A, target=[1, 2, 10] * 40))
    as_text = make.table(a=A[:4], target=["1.0", "2", "10.00", "x"])
    codes = found.schema.apply(as_text).y.values
    assert np.array_equal(codes, [0.0, 1.0, 2.0, np.nan], equal_nan=True)
    column = make.table(a=A[:2], target=["01", "1"]).x.columns[1]
    assert match(column, np.array([0.0, 1.0]), ("1", "01")).tolist() == [1.0, 0.0]


def test_numbers_of_a_regression(make):
    found = describe(make.table(a=A, target=A * 3))
    y = found.schema.apply(make.table(a=A[:3], target=["1.5", "2", None])).y
    assert np.array_equal(y.values, [1.5, 2.0, np.nan], equal_nan=True)
    with pytest.raises(DataError, match="must hold numbers"):
        found.schema.apply(make.table(a=A[:2], target=["1.5", "high"]))


def test_series_of_another_length_are_refused(make, make_walks):
    found = describe(make.wide(make_walks()))
    with pytest.raises(DataError):
        found.schema.apply(make.wide(make_walks(5, 30)))


def test_images_seen_as_series_are_not_resized(make):
    x = RNG.normal(size=(40, 8, 6))
    axes = ("height", "width", "channel")
    data = make.array(x[..., None], np.arange(40) % 2, axes, guessed=True)
    found = describe(data, ProfileOptions(axes="time,channel"))
    assert found.profile.shape == (8, 6)
    smaller = make.array(x[:, :6, :, None], np.arange(40) % 2, axes, guessed=True)
    with pytest.raises(DataError, match="same shape"):
        found.schema.apply(smaller)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_row_order_changes_nothing(make_table_of, seed):
    data = make_table_of(seed)
    order = np.random.default_rng(seed).permutation(len(data))
    one, other = describe(data), describe(data.take(order))
    assert one.schema == other.schema
    assert one.profile.counts == other.profile.counts
    assert one.profile.warnings == other.profile.warnings
    assert dict(one.profile.signals) == pytest.approx(dict(other.profile.signals), abs=1e-4)
    assert np.array_equal(one.dataset.x.take(order).values, other.dataset.x.values, equal_nan=True)
    assert np.array_equal(one.dataset.target.values[order], other.dataset.target.values)


@pytest.fixture(scope="module")
def make_table_of():
    """Return a maker of random tables: numbers, gaps, categories, classes."""

    from selector.contract import Column, Dataset, Variable

    def made(seed):
        rng = np.random.default_rng(seed)
        n, p = int(rng.integers(30, 80)), int(rng.integers(1, 12))
        x = rng.normal(size=(n, p)) * 10.0 ** rng.integers(-2, 3, p)
        x[rng.random(x.shape) < 0.1] = np.nan
        columns = [Column(f"f{i}") for i in range(p)]
        if seed % 2:
            levels = ("high", "low", "mid")
            x = np.column_stack([x, rng.integers(0, 3, n)])
            columns.append(Column("level", "categorical", levels, "string"))
        y = rng.integers(0, 2 + seed % 3, n).astype(float)
        y[:4] = [0, 0, 1, 1]
        keep = np.isin(y, [v for v in np.unique(y) if (y == v).sum() > 1])
        labels = tuple("abcd"[: int(y[keep].max()) + 1])
        target = Variable((), y[keep], (Column("kind", "categorical", labels, "string"),))
        x = Variable(("feature",), x[keep], tuple(columns))
        return Dataset("random", {"x": x}, target)

    return made


def test_notes_of_the_reader_are_kept(make):
    data = replace(make.table(a=A, target=PETS), notes=("read with care",))
    assert describe(data).dataset.notes == ("read with care",)


@pytest.mark.parametrize(("rare", "metric"), [(40, "accuracy"), (8, "balanced_accuracy")])
def test_where_a_class_is_rare_each_class_counts_as_much(rare, metric):
    rng = np.random.default_rng(0)
    y = np.array(["a"] * (200 - rare) + ["b"] * rare)
    raw = readers.read(rng.normal(size=(200, 3)), ReadOptions(), y)
    found = describe(raw).profile
    assert found.metric == metric
    assert f"{rare} of 200" in found.decisions["metric"].reason
    assert describe(raw, ProfileOptions(metric="roc_auc")).profile.metric == "roc_auc"
    with pytest.raises(OptionError, match="does not score a classification"):
        describe(raw, ProfileOptions(metric="r2"))
    with pytest.raises(OptionError, match="Did you mean 'roc_auc'"):
        ProfileOptions(metric="roc_au")


@pytest.mark.parametrize(
    ("kind", "shape", "lengths", "length"),
    [
        ("sequential", (150, 1), (150, 150, 150), 150),
        ("sequential", (None, 3), (4, 20, 29), 29),
        ("grid", (40, 101, 1), (), 40),
        ("sequential-grid", (10, 16, 17, 1), (10, 10, 10), 10),
        ("tabular", (12,), (), 1),
    ],
)
def test_the_length_counts_steps_rows_or_frames(kind, shape, lengths, length):
    made = Profile("made", (), kind, "classification", "y", 60, shape, lengths)
    assert made.length == length
