"""Random shifts: by how much, along which axes, and what fills the gap."""

from __future__ import annotations

import numpy as np

from selector.contract import FEATURE_AXES, IMAGE_AXES, SERIES_AXES
from selector.training.augment import Shifts, shift


def test_images_are_moved_along_height_and_width_series_along_time_tables_not_at_all():
    assert Shifts(IMAGE_AXES, (8, 9, 1), 0.1, 0).axes == (1, 2)
    assert Shifts(SERIES_AXES, (20, 3), 0.1, 0).axes == (1,)
    assert Shifts(FEATURE_AXES, (5,), 0.1, 0).axes == ()


def test_offsets_stay_within_the_share_and_use_it():
    drawn = Shifts(IMAGE_AXES, (20, 40, 1), 0.1, 0).draw(2000)
    assert drawn.shape == (2000, 2)
    assert set(drawn[:, 0]) == set(range(-2, 3))
    assert set(drawn[:, 1]) == set(range(-4, 5))
    assert not Shifts(IMAGE_AXES, (20, 40, 1), 0.0, 0).draw(50).any()


def test_offsets_follow_from_the_seed():
    draws = [Shifts(SERIES_AXES, (50, 1), 0.2, seed).draw(30) for seed in (1, 1, 2)]
    assert (draws[0] == draws[1]).all()
    assert (draws[0] != draws[2]).any()


def test_a_moved_image_repeats_its_edge():
    x = np.arange(12.0).reshape(1, 3, 4, 1)
    moved = shift(x, None, np.array([[1, -1]]), (1, 2))[0, :, :, 0]
    assert moved.tolist() == [[1, 2, 3, 3], [1, 2, 3, 3], [5, 6, 7, 7]]


def test_each_sample_moves_by_its_own_offset():
    x = np.stack([np.arange(5.0), np.arange(5.0)])[..., None]
    moved = shift(x, None, np.array([[2], [0]]), (1,))[..., 0]
    assert moved.tolist() == [[0, 0, 0, 1, 2], [0, 1, 2, 3, 4]]


def test_a_short_series_repeats_its_own_last_step_never_the_padding():
    x = np.array([1.0, 2.0, 3.0, -9.0, -9.0]).reshape(1, 5, 1)
    mask = np.array([[True, True, True, False, False]])
    moved = shift(x, mask, np.array([[-2]]), (1,))[0, :, 0]
    assert moved[:3].tolist() == [3, 3, 3]


def test_jax_moves_as_numpy_does():
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 7, 5, 2)).astype(np.float32)
    offsets = Shifts(IMAGE_AXES, (7, 5, 2), 0.3, 0).draw(6)
    ours = np.asarray(shift(jnp.asarray(x), None, offsets, (1, 2), jnp))
    assert np.array_equal(ours, shift(x, None, offsets, (1, 2)))
