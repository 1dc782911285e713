"""The planted sets: form, balance, an oracle that finds what is planted, shortcuts that do not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

import selector_datasets
from selector.errors import OptionError
from selector.profile import describe
from selector.readers import read
from selector_datasets import planted
from selector_datasets.planted import images, limits, parts, series, tables

SHAPES = {
    "last_command": (100, 4),
    "state_tracking": (80, 3),
    "local_motif": (100, 1),
    "motif_2d": (16, 16, 1),
    "motif_order": (100, 1),
    "digit_order": (10, 56, 1),
    "moving_shapes": (12, 16, 16, 1),
    "thresholds": (12,),
    "thresholds_permuted": (36,),
    "adding": (60, 2),
    "noise": (100, 1),
    "weak_signal": (10,),
}


@pytest.mark.parametrize("name", list(planted.GENERATORS))
def test_form_and_seed(tmp_path, name):
    card = planted.CARDS[name]
    path = selector_datasets.make(name, tmp_path, n=300, seed=3)
    assert path.suffix == (".csv" if card["form"] == "CSV" else ".npz")
    found = describe(read(path))
    assert found.profile.kind == card["kind"]
    assert found.profile.task == card["task"]
    assert found.profile.target == card["target"]
    assert found.dataset.x.values.shape == (300, *SHAPES[name])
    again, other = (planted.generate(name, n=300, seed=s) for s in (3, 4))
    np.testing.assert_array_equal(again.x, found.dataset.x.values.astype(np.float32))
    target = found.dataset.target
    levels = np.array(target.columns[0].levels or [0], dtype=float)
    values = levels[target.values.astype(int)] if len(levels) > 1 else target.values
    np.testing.assert_allclose(values, again.y)
    assert not np.array_equal(other.x, again.x)


@pytest.mark.parametrize("name", list(planted.GENERATORS))
def test_classes_are_balanced(name):
    made = planted.generate(name, n=1200, seed=1)
    if planted.CARDS[name]["task"] == "regression":
        assert made.y.std() > 0.3
        return
    counts = np.bincount(made.y)
    # the labels of the tables follow from their columns, the others are dealt out
    even = counts.max() <= 1.15 * counts.min() if "thresholds" in name else len(set(counts)) == 1
    assert even, counts


@pytest.mark.parametrize("name", list(planted.CARDS))
def test_cards_name_a_winner_and_say_why(name):
    card = planted.CARDS[name]
    assert set(card["winner"].split(" or ")) <= {"rnn", "cnn", "hybrid", "tabular", "baseline"}
    assert card["why"].endswith(".")
    assert card["n_train"] <= 2000


def _gain(features, y, test, test_y, model=None):
    """Return what a simple model gains over chance, on rows it has not seen."""
    fitted = (model or LogisticRegression(max_iter=2000)).fit(features, y)
    return fitted.score(test, test_y) - 1 / (y.max() + 1)


def _pair(name, n=2000, **options):
    return (planted.generate(name, n=n, seed=s, **options) for s in (0, 1))


# ------------------------------------------------------------------- series


def _match(x, wave):
    return sliding_window_view(x, len(wave), axis=1) @ wave


def _symbols(one, channels):
    """Return the symbols of a series in their order, found by a matched filter."""
    signal = np.stack([_match(one[None, :, c], parts.PULSE)[0] for c in range(channels)], -1)
    found = []
    for t in np.argsort(-signal.max(axis=1)):
        if signal[t].max() < 3.5:
            break
        if all(abs(t - u) >= 3 for u, _ in found):
            found.append((t, int(signal[t].argmax())))
    return [symbol for _, symbol in sorted(found)]


def test_the_last_command_is_the_class():
    made = planted.generate("last_command", n=300)
    read_off = [_symbols(one, 4) for one in made.x]
    assert np.mean([s[-1] == y for s, y in zip(read_off, made.y, strict=True)]) > 0.98
    assert min(map(len, read_off)) == 2
    assert max(map(len, read_off)) == 6


def test_the_state_of_the_switch_is_the_class():
    assert [series.switched(s) for s in ([0], [1], [0, 2], [1, 2], [2, 0], [0, 2, 2], [0, 1])] == [
        1, 0, 0, 1, 1, 1, 0,
    ]  # fmt: skip
    made = planted.generate("state_tracking", n=300)
    read_off = [_symbols(one, 3) for one in made.x]
    states = np.array([series.switched(s) for s in read_off])
    assert np.mean(states == made.y) > 0.98


def test_counting_symbols_says_nothing_about_the_switch():
    made, test = _pair("state_tracking")
    for features in (lambda m: m.x.sum(axis=1), lambda m: m.x.max(axis=1)):
        assert abs(_gain(features(made), made.y, features(test), test.y)) < 0.04
    read_off = [_symbols(one, 3) for one in made.x[:400]]
    assert all(s.count(0) == s.count(1) > 0 and 1 <= s.count(2) <= 3 for s in read_off)


def test_the_last_set_or_reset_is_not_enough():
    made = planted.generate("state_tracking", n=600)
    last = [[s for s in _symbols(one, 3) if s < 2][-1] for one in made.x]
    assert 0.5 < np.mean((np.array(last) == 0) == made.y) < 0.75


def test_matched_filters_find_motif_and_order():
    made = planted.generate("local_motif", n=300)
    motif = parts.chirp(16)
    reverse = _match(made.x[..., 0], motif[::-1]).max(axis=1)
    assert np.mean((reverse > _match(made.x[..., 0], motif).max(axis=1)) == made.y) > 0.95
    order = planted.generate("motif_order", n=300)
    first = _match(order.x[..., 0], parts.chirp(10)).argmax(axis=1)
    bump = parts.standardised(np.abs(np.linspace(-1, 1, 10)))
    second = _match(order.x[..., 0], bump).argmax(axis=1)
    assert np.mean((second < first) == order.y) > 0.95


@pytest.mark.parametrize("name", ["local_motif", "motif_order"])
def test_no_single_step_or_sum_tells_the_motifs(name):
    made, test = _pair(name)
    assert abs(_gain(made.x[..., 0], made.y, test.x[..., 0], test.y)) < 0.08
    sums = [np.c_[m.x.sum(axis=1), (m.x**2).sum(axis=1), m.x.max(axis=1)] for m in (made, test)]
    assert abs(_gain(sums[0], made.y, sums[1], test.y)) < 0.05


def test_adding():
    made = planted.generate("adding", n=400)
    marks = made.x[..., 1]
    assert set(np.unique(marks)) == {0.0, 1.0}
    np.testing.assert_array_equal(marks[:, :30].sum(axis=1), 1)
    np.testing.assert_array_equal(marks[:, 30:].sum(axis=1), 1)
    np.testing.assert_allclose(made.x.prod(axis=2).sum(axis=1), made.y, rtol=1e-6)
    assert abs(np.mean((made.y - 1.0) ** 2) - 1 / 6) < 0.03
    assert abs(np.corrcoef(made.x[..., 0].sum(axis=1), made.y)[0, 1]) < 0.3


# ------------------------------------------------------------------- images


def test_a_matched_filter_tells_a_shape_from_its_mirror_image():
    made = planted.generate("motif_2d", n=500)
    pattern = parts.standardised(images.GLYPH.astype(float))
    windows = sliding_window_view(made.x[..., 0], pattern.shape, axis=(1, 2))
    own, mirror = (
        np.einsum("nabij,ij->nab", windows, p).max(axis=(1, 2)) for p in (pattern, pattern[:, ::-1])
    )
    assert np.mean((mirror > own) == made.y) > 0.95


def test_pixels_rows_and_columns_do_not_tell_the_shapes():
    made, test = _pair("motif_2d")
    for features in (
        lambda m: m.x.reshape(len(m.x), -1),
        lambda m: m.x.sum(axis=2)[..., 0],
        lambda m: m.x.sum(axis=1)[..., 0],
        lambda m: np.sort(m.x.reshape(len(m.x), -1))[:, -20:],
    ):
        assert abs(_gain(features(made), made.y, features(test), test.y)) < 0.06


def test_digits_can_be_read_and_their_ends_compared():
    made = planted.generate("digit_order", n=60, noise=0.0)
    scans = images._scans()
    known = np.concatenate([s.reshape(-1, 64) for s in scans.values()])
    labels = np.repeat(list(scans), [len(s) for s in scans.values()])
    right = 0
    for image, y in zip(made.x[..., 0], made.y, strict=True):
        windows = sliding_window_view(image, (8, 8)).reshape(-1, 64)
        places = np.tile(np.arange(image.shape[1] - 7), image.shape[0] - 7)
        squares = (windows**2).sum(1)[:, None] + (known**2).sum(1) - 2 * windows @ known.T
        hit = np.flatnonzero((squares.min(axis=1) < 1e-6) & (windows.sum(axis=1) > 5))
        ends = hit[places[hit].argmin()], hit[places[hit].argmax()]
        first, last = (labels[squares[end].argmin()] for end in ends)
        right += (last > first) == y
    assert right == len(made.y)


def test_ink_and_columns_do_not_tell_the_order_of_digits():
    made, test = _pair("digit_order", n=1000)
    ink = [m.x.sum(axis=(1, 2)) for m in (made, test)]
    assert abs(_gain(ink[0], made.y, ink[1], test.y)) < 0.06
    rows = [m.x.sum(axis=2)[..., 0] for m in (made, test)]
    assert abs(_gain(rows[0], made.y, rows[1], test.y)) < 0.06
    pixels = [m.x.reshape(len(m.x), -1) for m in (made, test)]
    assert _gain(pixels[0], made.y, pixels[1], test.y) < 0.25


# ------------------------------------------------------------------- tables


def test_the_rule_gives_the_class_but_for_flipped_labels():
    made = planted.generate("thresholds", n=4000)
    assert abs(np.mean(tables.rule(made.x) == made.y) - (1 - tables.FLIPPED)) < 0.015


def test_thresholds_defeat_lines_and_single_columns():
    made, test = _pair("thresholds", n=3000)
    assert _gain(made.x, made.y, test.x, test.y) < 0.32
    for column in range(made.x.shape[1]):
        stump = DecisionTreeClassifier(max_depth=1)
        one = made.x[:, [column]], made.y, test.x[:, [column]], test.y
        assert _gain(*one, stump) < 0.25
    tree = DecisionTreeClassifier(max_depth=6, min_samples_leaf=10, random_state=0)
    assert _gain(made.x, made.y, test.x, test.y, tree) > 0.36


def test_permuted_columns_are_the_same_table():
    plain = planted.generate("thresholds", n=50, seed=5, columns=36)
    moved = planted.generate("thresholds_permuted", n=50, seed=5)
    order = tables.permutation(36)
    assert sorted(order) == list(range(36))
    assert np.abs(np.argsort(order)[:5] - np.arange(5)).max() > 5
    np.testing.assert_array_equal(moved.x, plain.x[:, order])
    np.testing.assert_array_equal(moved.y, plain.y)
    assert moved.names == plain.names


# ------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("series", (20, 30, 1)), ("multivariate", (20, 30, 3)), ("grid", (20, 16, 16, 1))],
)
def test_kinds_of_noise(tmp_path, kind, shape):
    path = selector_datasets.make("noise", tmp_path / "n.npz", n=20, steps=30, kind=kind)
    assert read(path).x.values.shape == shape


def test_noise_table(tmp_path):
    path = selector_datasets.make("noise", tmp_path, n=20, kind="table")
    assert path.suffix == ".csv"
    assert read(path).x.values.shape == (20, 9)


@pytest.mark.parametrize("kind", ["table", "series"])
def test_weak_signal_has_the_auc_it_claims(tmp_path, kind):
    made = planted.generate("weak_signal", n=40_000, kind=kind)
    flat = made.x.reshape(len(made.x), -1)
    along = limits.weak_direction(kind, 60)
    assert abs(roc_auc_score(made.y, flat @ along) - 0.65) < 0.01
    assert max(abs(roc_auc_score(made.y, flat[:, i]) - 0.5) for i in range(flat.shape[1])) < 0.1
    path = selector_datasets.make("weak_signal", tmp_path, n=100, kind=kind)
    assert path.suffix == (".csv" if kind == "table" else ".npz")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("weak_signal", {"kind": "tabel"}, "Did you mean 'table'"),
        ("noise", {"kind": "x"}, "kind must be one"),
        ("state_tracking", {"steps": 20}, "steps must be at least 42"),
        ("adding", {"steps": 3}, "steps must be at least 4"),
        ("motif_2d", {"side": 8}, "side must be at least 10"),
        ("digit_order", {"width": 30}, "width must be at least 40"),
        ("thresholds", {"columns": 4}, "columns must be at least 5"),
        ("thresholds", {"steps": 10}, "no option 'steps'"),
    ],
)
def test_options_are_checked(name, options, message):
    with pytest.raises(OptionError, match=message):
        planted.generate(name, **options)


def test_clips_differ_by_their_motion_and_by_nothing_in_a_frame():

    made = planted.moving_shapes(n=800)
    assert made.x.shape == (800, 12, 16, 16, 1)
    clips, y = made.x[..., 0], made.y
    # A frame moved by a pixel fits the next one best where it moves with the class.
    fits = [
        (np.roll(clips[:, :-1], by, axis) * clips[:, 1:]).mean((1, 2, 3))
        for axis, by in ((3, -1), (3, 1), (2, -1), (2, 1))
    ]
    assert np.mean(np.argmax(fits, axis=0) == y) > 0.95
    # The mean clip of each class, and the size of its deviations, are those of all.
    for moment in (clips, (clips - clips.mean()) ** 2):
        error = moment.std(0) / np.sqrt(200)
        z = [(moment[y == k].mean(0) - moment.mean(0)) / error for k in range(4)]
        assert np.abs(np.std(z) - np.sqrt(0.75)) < 0.1
    frame = clips[np.arange(800), np.random.default_rng(0).integers(0, 12, 800)]
    for rows in (frame.reshape(800, -1), clips.reshape(800, -1)):
        linear = LogisticRegression(C=1e-3).fit(rows[:400], y[:400])
        assert linear.score(rows[400:], y[400:]) < 0.36
