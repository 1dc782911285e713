"""The kernels of LITE that are not trained are the published ones."""

from __future__ import annotations

import numpy as np
import pytest

from selector_cnn.lite import PEAKS, TRENDS, fixed_kernels


def test_a_long_series_has_all_kernels():
    table = fixed_kernels(400)
    assert table.shape == (96, 2 * len(TRENDS) + len(PEAKS))
    lengths = [length for length in TRENDS for _ in range(2)] + list(PEAKS)
    assert np.count_nonzero(table, axis=0).tolist() == lengths


@pytest.mark.parametrize(("steps", "longest"), [(3, 2), (16, 8), (30, 12), (150, 64)])
def test_a_short_series_has_those_that_fit_into_half_of_it(steps, longest):
    assert len(fixed_kernels(steps)) == longest


def test_rises_and_falls_alternate_and_peaks_stand_between_hollows():
    table = fixed_kernels(30)
    rise, fall = table[table[:, 2] != 0, 2], table[table[:, 3] != 0, 3]
    assert rise.tolist() == [-1, 1, -1, 1]
    assert fall.tolist() == [1, -1, 1, -1]
    bump = np.array([0.25, 1.0, 1.0, 0.25])
    np.testing.assert_array_equal(table[:, -1], np.concatenate([-bump, 2 * bump, -bump]))
