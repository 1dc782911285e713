"""How many rows models are compared on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from selector import tasks
from selector.search.splits import LEAST_USED, Splits, most_rows


def splits(folder, n, most, groups=None):
    folder.mkdir()
    y = (np.arange(n) % 2).astype(float)
    return Splits(folder, tasks.get("classification"), y, 0, groups, most=most)


def test_many_rows_are_compared_on_a_part_of_them_drawn_anew(tmp_path):
    made = splits(tmp_path / "splits", 1000, 200)
    assert (made.n_confirm, made.n_validation, made.test_train_ratio) == (134, 66, 0.25)
    parts = [np.load(tmp_path / "splits" / f"{made.search(i)}.npy") for i in range(2)]
    assert [(np.sum(p == 0), np.sum(p == 1)) for p in parts] == [(134, 66)] * 2
    assert (parts[0] != parts[1]).any()
    assert "on 134 rows at a time of 1000" in made.notes[0]
    again = Splits(tmp_path / "splits", made._task, made._y, 0, most=500)
    assert (again.thinned, again._most) == (True, 200), "a run that is resumed goes on alike"


def test_a_run_begun_without_leaving_rows_out_goes_on_so(tmp_path):
    made = splits(tmp_path / "splits", 1000, None)
    again = Splits(tmp_path / "splits", made._task, made._y, 0, most=200)
    assert (again.thinned, again.n_confirm, again.notes) == (False, 800, [])


def test_a_few_more_rows_than_needed_are_all_used(tmp_path):
    made = splits(tmp_path / "splits", 290, 200)
    assert made.n_confirm == 232
    assert made.notes == []


def test_how_many_follows_from_the_size_of_a_sample_and_the_budget(profile):
    small = replace(profile, shape=(10, 1))
    assert most_rows(small, 60.0) == 36_000
    assert most_rows(small, 600.0) == 360_000
    photos = replace(profile, kind="grid", shape=(224, 224, 3), lengths=())
    assert most_rows(photos, 60.0) == LEAST_USED
    assert most_rows(replace(photos, shape=(28, 28, 1)), 60.0) > LEAST_USED
    ragged = replace(profile, shape=(None, 2), lengths=(5, 50, 500))
    assert most_rows(ragged, 60.0) == 3600


def test_rows_hang_together_where_groups_are_large(tmp_path):
    assert not splits(tmp_path / "a", 40, None).grouped
    assert splits(tmp_path / "b", 40, None, np.arange(40) // 4).grouped
    assert not splits(tmp_path / "c", 40, None, np.arange(40)).grouped
