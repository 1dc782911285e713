"""Axes and kind: measured on real data, and as the user says."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.datasets

import selector_datasets
from selector import readers
from selector.errors import DataError, OptionError
from selector.profile import ProfileOptions, assign, describe


def of_sklearn(name):
    made = getattr(sklearn.datasets, f"load_{name}")()
    return made.data, made.target


def of_file(name):
    return readers.read(selector_datasets.path(name))


@pytest.mark.parametrize("name", ["GunPoint", "ItalyPowerDemand"])
def test_wide_series_are_told_from_a_table(name):
    found = describe(of_file(name)).profile
    assert found.kind == "sequential"
    assert found.shape == (found.steps, 1)
    decision = found.decisions["kind"]
    assert decision.confidence > 0.9
    assert "correlate 0." in decision.reason
    assert "random order" in decision.reason
    assert decision.option == "--kind"
    key = "time.neighbour_correlation"
    assert found.signals[key] > 0.7 > 0.3 > found.signals[f"{key}_null95"]


@pytest.mark.parametrize("name", ["wine", "breast_cancer", "diabetes", "iris"])
@pytest.mark.parametrize("prefix", ["t", "c", "0."])
def test_real_tables_stay_tables(make, name, prefix):
    x, y = of_sklearn(name)
    found = describe(make.wide(x, y, prefix)).profile
    assert found.kind == "tabular"
    assert found.task == ("regression" if name == "diabetes" else "classification")


def test_standardised_tables_stay_tables(make):
    for name in ("wine", "breast_cancer"):
        x, y = of_sklearn(name)
        x = (x - x.mean(axis=0)) / x.std(axis=0)
        assert describe(make.wide(x, y)).profile.kind == "tabular"


def test_flattened_digits_are_images(make):
    x, y = of_sklearn("digits")
    found = describe(make.wide(x, y, "pixel_"))
    assert found.profile.kind == "grid"
    assert found.profile.shape == (8, 8, 1)
    assert "8 x 8" in found.profile.decisions["kind"].reason
    assert np.array_equal(found.dataset.x.values[..., 0], x.reshape(-1, 8, 8))


def test_permuted_columns_make_a_table(make):
    order = np.random.default_rng(0)
    for name in ("GunPoint", "ItalyPowerDemand"):
        x = of_file(name).x.values[:, :-1]
        shuffled = x[:, order.permutation(x.shape[1])]
        assert describe(make.wide(shuffled)).profile.kind == "tabular"
    x, y = of_sklearn("digits")
    assert describe(make.wide(x[:, order.permutation(64)], y)).profile.kind == "tabular"


@pytest.mark.parametrize("columns", [8, 30, 100])
@pytest.mark.parametrize("seed", range(5))
def test_independent_columns_make_a_table(make, columns, seed):
    x = np.random.default_rng(seed).normal(size=(120, columns))
    assert describe(make.wide(x)).profile.kind == "tabular"


def test_one_common_factor_makes_no_series(make):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 1)) + rng.normal(size=(200, 20))
    assert describe(make.wide(x)).profile.kind == "tabular"


def test_groups_of_related_columns_make_no_series(make):
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(300, 4)), 5, axis=1) + 0.5 * rng.normal(size=(300, 20))
    decision = describe(make.wide(x, prefix="item")).profile.decisions["kind"]
    assert decision.value == "tabular"
    assert "groups of related columns" in decision.reason
    assert decision.confidence < 0.7


def test_doubtful_decisions_become_warnings(make):
    x = np.random.default_rng(0).normal(size=(120, 30))
    assert any("--kind" in w for w in describe(make.wide(x)).profile.warnings)
    x, _ = of_sklearn("wine")
    assert not any("--kind" in w for w in describe(make.wide(x)).profile.warnings)


def test_walks_with_gaps_are_series(make, make_walks):
    x = make_walks()
    x[np.random.default_rng(1).random(x.shape) < 0.05] = np.nan
    x[0, 20] = np.nan
    found = describe(make.wide(x))
    assert found.profile.kind == "sequential"
    assert found.dataset.x.lengths is None
    assert 0.03 < found.profile.missing < 0.07


def test_missing_ends_become_lengths(make, make_walks):
    x = make_walks()
    lengths = np.random.default_rng(1).integers(15, 41, len(x))
    x[np.arange(40)[None, :] >= lengths[:, None]] = np.nan
    found = describe(make.wide(x))
    assert found.profile.kind == "sequential"
    assert found.profile.shape == (None, 1)
    assert np.array_equal(found.dataset.x.lengths, lengths)
    assert found.profile.lengths == (lengths.min(), int(np.median(lengths)), lengths.max())
    assert found.profile.missing == 0
    again = found.schema.apply(make.wide(x))
    assert np.array_equal(again.x.values, found.dataset.x.values)


# ------------------------------------------------------------- 3-D arrays


@pytest.mark.parametrize("axes", ["series", "images"])
def test_images_and_series_in_arrays_whatever_the_reader_guessed(make, axes):
    def guess(values, y):
        if axes == "images":
            return make.array(values[..., None], y, ("height", "width", "channel"), guessed=True)
        return make.array(values, y, guessed=True)

    digits = sklearn.datasets.load_digits()
    found = describe(guess(digits.images, digits.target))
    assert (found.profile.kind, found.profile.shape) == ("grid", (8, 8, 1))
    mnist = of_file("mnist")
    found = describe(guess(mnist.x.values[..., 0], mnist.target.values))
    assert (found.profile.kind, found.profile.shape) == ("grid", (28, 28, 1))
    motions = of_file("BasicMotions")
    found = describe(guess(motions.x.values, motions.target.values))
    assert (found.profile.kind, found.profile.shape) == ("sequential", (100, 6))
    assert np.array_equal(found.dataset.x.values, motions.x.values)


def test_channels_first_arrays_are_turned(make):
    motions = of_file("BasicMotions")
    turned = motions.x.values.transpose(0, 2, 1)
    found = describe(make.array(turned, motions.target.values, guessed=True))
    assert found.profile.shape == (100, 6)
    assert np.array_equal(found.dataset.x.values, motions.x.values)
    assert "second axis" in found.profile.decisions["axes"].reason
    again = found.schema.apply(make.array(turned[:3], [0.0, 1.0, 2.0], guessed=True))
    assert np.array_equal(again.x.values, motions.x.values[:3])


def test_clips_without_a_channel_axis_can_be_seen_as_images_and_back(tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 7, 9, 8)).astype("float32")
    clips = readers.read(x, y=np.arange(20) % 2)
    found = describe(clips)
    assert (found.profile.kind, found.profile.shape) == ("sequential-grid", (7, 9, 8, 1))
    assert found.profile.lengths == (7, 7, 7)
    assert "last axis is not 1, 3 or 4" in found.profile.decisions["kind"].reason
    assert {f"{a}.smoothness" for a in ("time", "height", "width")} <= set(found.profile.signals)
    for options in (ProfileOptions(kind="grid"), ProfileOptions(axes="height,width,channel")):
        images = describe(clips, options)
        assert (images.profile.kind, images.profile.shape) == ("grid", (7, 9, 8))
        again = images.schema.apply(readers.read(x[:3]))
        np.testing.assert_array_equal(again.x.values, x[:3])


@pytest.mark.parametrize("options", [{"kind": "sequential-grid"}, {"axes": "time,height,width"}])
def test_few_frames_taken_for_channels_can_be_seen_as_a_clip(options):
    x = np.random.default_rng(0).normal(size=(20, 4, 9, 8)).astype("float32")
    read = readers.read(x, y=np.arange(20) % 2)
    assert describe(read).profile.shape == (9, 8, 4)
    found = describe(read, ProfileOptions(**options))
    np.testing.assert_array_equal(found.dataset.x.values, x[..., None])
    again = found.schema.apply(readers.read(x[:3]))
    np.testing.assert_array_equal(again.x.values, x[:3, ..., None])
    with pytest.raises(DataError, match="shape"):
        found.schema.apply(readers.read(x[:3, :, :8]))


def test_one_channel_first_is_turned(make, make_walks):
    found = describe(make.array(make_walks()[:, None, :], np.arange(60) % 2, guessed=True))
    assert found.profile.shape == (40, 1)


def test_noise_is_decided_by_shape_with_low_confidence(make):
    x = np.random.default_rng(0).normal(size=(100, 60, 3))
    decision = describe(make.array(x, np.arange(100) % 2, guessed=True)).profile.decisions["kind"]
    assert decision.value == "sequential"
    assert decision.confidence <= 0.5


def test_series_files_are_never_taken_for_images():
    found = describe(of_file("JapaneseVowels")).profile
    assert (found.kind, found.shape) == ("sequential", (None, 12))
    assert found.n_outputs == 9
    assert found.lengths[0] == 7


def test_planted_commands_are_series(tmp_path):
    path = selector_datasets.make("last_command", tmp_path, n=300)
    assert describe(readers.read(path)).profile.kind == "sequential"


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"kind": "tabular"}, (64,)),
        ({"kind": "sequential"}, (64, 1)),
        ({"kind": "grid"}, (8, 8, 1)),
        ({"axes": "feature"}, (64,)),
        ({"axes": "time"}, (64, 1)),
        ({"axes": "time,channel"}, (64, 1)),
        ({"axes": "height, width"}, (8, 8, 1)),
    ],
)
def test_options_override_a_wide_table(make, options, shape):
    x, y = of_sklearn("digits")
    found = describe(make.wide(x[:100], y[:100]), ProfileOptions(**options))
    assert found.profile.shape == shape
    assert found.profile.decisions["kind"].confidence == 1.0
    assert f"--{next(iter(options))}" in found.profile.decisions["kind"].reason
    assert np.array_equal(found.dataset.x.values.reshape(100, 64), x[:100])


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"kind": "tabular"}, (24,)),
        ({"kind": "grid"}, (6, 4, 1)),
        ({"axes": "channel,time"}, (4, 6)),
        ({"axes": "time,channel"}, (6, 4)),
        ({"axes": "width,height"}, (4, 6, 1)),
    ],
)
def test_options_override_series(make, options, shape):
    x = np.random.default_rng(0).normal(size=(40, 6, 4))
    found = describe(make.array(x, np.arange(40) % 2), ProfileOptions(**options))
    assert found.profile.shape == shape


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"kind": "sequential"}, (6, 15)),
        ({"kind": "tabular"}, (90,)),
        ({"kind": "sequential-grid"}, (6, 5, 3, 1)),
        ({"axes": "time,height,width"}, (6, 5, 3, 1)),
        ({"axes": "height,width,channel"}, (6, 5, 3)),
        ({"axes": "channel,height,width"}, (5, 3, 6)),
    ],
)
def test_options_override_images(make, options, shape):
    x = np.random.default_rng(0).normal(size=(40, 6, 5, 3))
    data = make.array(x, np.arange(40) % 2, ("height", "width", "channel"))
    found = describe(data, ProfileOptions(**options))
    assert found.profile.shape == shape
    assert found.dataset.x.values.sum() == pytest.approx(x.sum(), rel=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "sequence"}, r"Allowed: sequential, .*Did you mean 'sequential'"),
        ({"task": "classify"}, r"Allowed: classification, regression"),
        ({"axes": "time,chanel"}, r"Did you mean 'channel'"),
        ({"axes": "time,width"}, r"do not describe a kind of data"),
        ({"axes": "time,time"}, r"do not describe a kind of data"),
        ({"axes": "time,channel", "kind": "grid"}, r"contradict"),
    ],
)
def test_options_that_are_not_allowed(options, message):
    with pytest.raises(OptionError, match=message):
        ProfileOptions(**options)


def test_options_that_do_not_fit_the_data(make):
    x = np.random.default_rng(0).normal(size=(40, 10))
    with pytest.raises(OptionError, match="must be square"):
        describe(make.wide(x), ProfileOptions(kind="grid"))
    with pytest.raises(OptionError, match="cannot be made"):
        describe(make.wide(x), ProfileOptions(kind="sequential-grid"))
    series = make.array(x[:, :, None], np.arange(40) % 2)
    with pytest.raises(OptionError, match="a sample has 2"):
        describe(series, ProfileOptions(axes="height,width,channel"))
    colours = ["red", "blue"] * 20
    mixed = make.table(a=x[:, 0], colour=colours, target=np.arange(40) % 2)
    with pytest.raises(OptionError, match="hold categories \\(colour\\)"):
        describe(mixed, ProfileOptions(kind="sequential"))
    ragged = make.array(
        np.ones((100, 1)), np.arange(20) % 2, lengths=np.array([4, 6] * 10, dtype=np.int64)
    )
    for kind in ("tabular", "grid"):
        with pytest.raises(OptionError, match="differ in length"):
            describe(ragged, ProfileOptions(kind=kind))


def test_all_values_missing_is_refused(make):
    with pytest.raises(DataError, match="all are missing"):
        assign(make.table(a=[None] * 12, target=[0, 1] * 6))


# ------------------------------------------------------------- properties


def test_row_order_changes_nothing(make):
    x, y = of_sklearn("digits")
    order = np.random.default_rng(0).permutation(len(x))
    one = describe(make.wide(x, y)).profile
    other = describe(make.wide(x[order], y[order])).profile
    assert (one.axes, one.task, one.classes, one.counts) == (
        other.axes,
        other.task,
        other.classes,
        other.counts,
    )
    assert one.warnings == other.warnings
    assert dict(one.signals) == pytest.approx(dict(other.signals), abs=1e-3)
    for name, decision in one.decisions.items():
        assert decision.confidence == pytest.approx(other.decisions[name].confidence, abs=0.01)
