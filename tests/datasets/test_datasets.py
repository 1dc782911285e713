"""The shipped data sets, those of scikit-learn and the planted ones."""

from __future__ import annotations

import numpy as np
import pytest

import selector_datasets
from selector.errors import DataError, OptionError
from selector.readers import read

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
