"""The shipped data sets, those of scikit-learn and the planted ones."""

from __future__ import annotations

import numpy as np
import pytest

import selector_datasets
from selector.errors import DataError, OptionError
from selector.readers import read
from selector_datasets import planted

SHIPPED = {
    "BasicMotions": (40, 100, 6),
    "GunPoint": (50, 150, 1),
    "ItalyPowerDemand": (67, 24, 1),
    "mnist": (800, 28, 28, 1),
}


def test_names():
    names = selector_datasets.names()
    assert len(names) == len(set(names))
    assert {"GunPoint", "penguins", "iris", "digits", "last_command", "noise"} <= set(names)


@pytest.mark.parametrize("name", selector_datasets.names())
def test_cards(name):
    card = selector_datasets.card(name)
    assert card["name"] == name
    for key in ("title", "description", "source", "licence", "form"):
        assert card[key].strip(), key
    assert card["kind"] in ("sequential", "grid", "tabular", "sequential-grid")
    assert card["task"] in ("classification", "regression")
    assert all(0.5 < value <= 1 for value in card["published"].values())
    assert card["n_train"] > 0
    for part in card["files"]:
        assert selector_datasets.path(name, part).exists()
        assert selector_datasets.path(f"{name}/{part}") == selector_datasets.path(name, part)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_arrays(name):
    x, y = selector_datasets.load(name)
    assert x.shape == SHIPPED[name]
    assert y.shape == x.shape[:1]
    held, held_y = selector_datasets.load(f"{name}/test")
    assert held.shape == (selector_datasets.card(name)["n_test"], *x.shape[1:])
    assert set(y.tolist()) == set(held_y.tolist())


def test_ragged_and_table():
    x, y = selector_datasets.load("PickupGestureWiimoteZ")
    assert len(x) == len(y) == 50
    assert (min(map(len, x)), max(map(len, x))) == (29, 361)
    assert sorted(set(y.tolist())) == list(range(1, 11))
    frame, species = selector_datasets.load("penguins")
    assert frame.shape == (344, 7)
    assert frame["sex"].null_count() == 11
    assert frame["bill_length_mm"].null_count() == 2
    assert set(species.tolist()) == {"Adelie", "Chinstrap", "Gentoo"}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("iris", (150, 5)),
        ("wine", (178, 14)),
        ("breast_cancer", (569, 31)),
        ("diabetes", (442, 11)),
    ],
)
def test_tables_of_scikit_learn(tmp_path, name, shape):
    from sklearn import datasets

    path = selector_datasets.make(name, tmp_path)
    assert path == tmp_path / f"{name}.csv"
    dataset = read(path)
    assert dataset.x.values.shape == shape
    bunch = getattr(datasets, f"load_{name}")()
    np.testing.assert_array_equal(dataset.x.values[:, :-1], bunch.data)
    column = dataset.x.columns[-1]
    if name == "diabetes":
        np.testing.assert_array_equal(dataset.x.values[:, -1], bunch.target)
    else:
        labels = np.array(column.levels)[dataset.x.values[:, -1].astype(int)]
        np.testing.assert_array_equal(labels, bunch.target_names[bunch.target])


def test_digits(tmp_path):
    path = selector_datasets.make("digits", tmp_path / "d.npz")
    assert path == tmp_path / "d.npz"
    dataset = read(path)
    assert dataset.x.values.shape == (1797, 8, 8, 1)
    assert dataset.target.columns[0].levels == tuple("0123456789")


def test_made_sets_lie_in_the_cache(tmp_path, monkeypatch):
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda _: str(tmp_path / "cache"))
    path = selector_datasets.path("motif_order", "test")
    assert path.is_relative_to(tmp_path / "cache")
    stamp = path.stat().st_mtime_ns
    assert selector_datasets.path("motif_order/test").stat().st_mtime_ns == stamp
    x, y = selector_datasets.load("motif_order")
    held, _ = selector_datasets.load("motif_order/test")
    assert (x.shape, held.shape, y.dtype) == ((1200, 100, 1), (600, 100, 1), np.int64)
    assert not np.array_equal(x[:600], held)
    assert len(list(path.parent.iterdir())) == 2


@pytest.mark.parametrize("name", list(planted.GENERATORS))
def test_planted_sets(tmp_path, name):
    path = selector_datasets.make(name, tmp_path / "set", n=60, steps=50, seed=3)
    assert path == tmp_path / "set.npz"
    dataset = read(path)
    assert (dataset.x.axes[0], dataset.x.axes[-1]) == ("time", "channel")
    assert dataset.x.values.shape[:2] == (60, 50)
    counts = np.bincount(dataset.target.values.astype(int))
    assert counts.max() == counts.min()
    again, other = (planted.generate(name, n=60, steps=50, seed=s) for s in (3, 4))
    np.testing.assert_array_equal(again.x, dataset.x.values)
    assert not np.array_equal(other.x, again.x)


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


def _match(x, wave):
    return np.array([np.correlate(series, wave, "valid") for series in x])


def test_the_last_command_is_the_class():
    made = planted.last_command(n=200)
    signal = np.stack([_match(made.x[..., c], planted._PULSE) for c in range(4)], axis=-1)
    last = [max(range(4), key=lambda c: np.flatnonzero(s[:, c] > 3)[-1:].sum()) for s in signal]
    assert np.mean(np.array(last) == made.y) > 0.98
    lags = [made.x.shape[1] - np.flatnonzero(s.max(axis=1) > 3)[-1] for s in signal]
    assert min(lags) < 10
    assert max(lags) > 50


def test_a_matched_filter_finds_the_motif_and_order():
    made = planted.local_motif(n=300)
    motif = planted._chirp(16)
    reverse = _match(made.x[..., 0], motif[::-1]).max(axis=1)
    assert np.mean((reverse > _match(made.x[..., 0], motif).max(axis=1)) == made.y) > 0.95
    order = planted.motif_order(n=300)
    first = _match(order.x[..., 0], planted._chirp(10)).argmax(axis=1)
    bump = planted._standardised(np.abs(np.linspace(-1, 1, 10)))
    second = _match(order.x[..., 0], bump).argmax(axis=1)
    assert np.mean((second < first) == order.y) > 0.95


def test_clips_differ_by_their_motion_and_by_nothing_in_a_frame():
    from sklearn.linear_model import LogisticRegression

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


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: selector_datasets.card("Gunpoint"), OptionError, "Did you mean 'GunPoint'"),
        (lambda p: selector_datasets.load("penguin"), OptionError, "Did you mean 'penguins'"),
        (lambda p: selector_datasets.path("GunPoint", "tets"), OptionError, "Did you mean 'test'"),
        (lambda p: selector_datasets.path("penguins/test"), OptionError, "no part 'test'"),
        (lambda p: selector_datasets.path("iris/test"), OptionError, "no part 'test'"),
        (lambda p: selector_datasets.make("GunPoint", p), OptionError, "path.'GunPoint'."),
        (lambda p: selector_datasets.make("iris", p, n=3), OptionError, "takes no options"),
        (
            lambda p: selector_datasets.make("noise", p, sed=1),
            OptionError,
            "no option 'sed'. Did you mean 'seed'",
        ),
        (lambda p: selector_datasets.make("noise", p, kind="x"), OptionError, "kind must be one"),
        (lambda p: selector_datasets.make("noise", p, n=1), OptionError, "n must be at least 4"),
        (lambda p: selector_datasets.make("moving_shapes", p, side=9), OptionError, "at least 12"),
        (lambda p: selector_datasets.make("last_command", p, steps=9), OptionError, "at least 40"),
        (
            lambda p: selector_datasets.make("iris", p / "file" / "x.csv"),
            DataError,
            "cannot write",
        ),
    ],
)
def test_errors(tmp_path, call, error, message):
    (tmp_path / "file").write_text("")
    with pytest.raises(error, match=message):
        call(tmp_path)
