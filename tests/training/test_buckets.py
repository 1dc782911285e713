"""Length buckets: what they spare, and that training in them is the same training."""

from __future__ import annotations

import numpy as np
import pytest
from toys import ToyConv, profile_of, series, spec_of, split_of

from selector.training import buckets, models, networks, steps
from selector.training.buckets import Buckets, plan
from selector.training.fit import run_trial
from selector.training.loop import batches
from selector.training.preprocess import Preprocessor, static_length

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def mask_of(lengths, longest):
    return np.arange(longest) < np.asarray(lengths)[:, None]


def test_a_few_long_series_do_not_pad_all_others():
    lengths = np.concatenate([np.full(1900, 40), np.full(300, 1000)])
    found = plan(mask_of(lengths, 1000), np.arange(2200), 64)
    assert found is not None
    assert found.lengths == (40, 1000)
    assert np.array_equal(found.of, np.repeat([0, 1], [1900, 300]))


def test_there_are_four_lengths_at_most_and_none_cuts_a_real_step():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 1600, 4000)
    rows = np.arange(3000)
    found = plan(mask_of(lengths, 1600), rows, 32)
    assert found is not None
    assert len(found.lengths) == buckets.MOST
    padded = np.asarray(found.lengths)[found.of]
    assert np.all(padded >= lengths)
    assert padded[rows].mean() < 0.65 * 1600
    assert np.bincount(found.of[rows]).min() >= 4 * 32


@pytest.mark.parametrize(
    ("lengths", "longest"),
    [(np.full(3000, 640), 640), (np.arange(270) % 22 + 7, 32), ([8] * 5000 + [640] * 40, 640)],
    ids=["of one length", "small", "too few long ones for a batch of their own"],
)
def test_one_length_where_more_would_not_pay(lengths, longest):
    mask = mask_of(lengths, longest)
    found = plan(mask, np.arange(len(mask)), 64)
    assert found is None
    assert plan(None, np.arange(10), 4) is None


def test_a_batch_is_of_one_group_and_every_row_is_seen():
    groups = np.arange(50) % 3
    seen = list(batches(np.arange(100, 150), 8, np.random.default_rng(0), groups))
    assert {len(b) for b in seen} == {8}
    of_batch = [set(groups[b - 100]) for b in seen]
    assert all(len(g) == 1 for g in of_batch)
    assert of_batch != sorted(of_batch, key=min), "groups come in turn, not at random"
    assert set(np.concatenate(seen)) == set(range(100, 150))


class Plain(ToyConv):
    name = "toy.plain"

    def build(self, inputs, params, profile):
        from selector.training import layers

        x, mask = layers.conv_block(inputs.x, inputs.mask, filters=4, kernel=5)
        return layers.pool(x, mask, "attention")


def test_a_shorter_step_is_the_same_step():
    data = series(n=64, steps=40, ragged=True)
    profile = profile_of(data)
    length = static_length(data.x)
    prepared = Preprocessor.fit(data.x).transform(data.x, length)
    ends = prepared.mask.sum(axis=1)
    short = Buckets((24, length), (ends > 24).astype(int))
    rows = np.flatnonzero(short.of == 0)[:8].astype(np.int32)
    trained = []
    for used in (None, short):
        built = models.build(Plain(), {}, profile, prepared, 0, 2)
        engine = steps.JaxEngine(
            built, prepared, data.y, "plain", "classification", 1e-4, buckets=used
        )
        for _ in range(3):
            loss = engine.step(rows, 1e-2)
        trained.append((engine.wait(loss), engine.outputs(np.arange(64))))
    assert trained[0][0] == pytest.approx(trained[1][0], rel=1e-5)
    np.testing.assert_allclose(trained[0][1], trained[1][1], atol=1e-5)


def test_a_trial_trains_in_buckets(monkeypatch):
    used = []
    monkeypatch.setattr(buckets, "LEAST_STEPS", 50)
    monkeypatch.setattr(networks, "batch_size", lambda *_: 4)
    original = steps.JaxEngine._step
    monkeypatch.setattr(
        steps.JaxEngine,
        "_step",
        lambda self, rows: used.append(self._buckets.length(rows)) or original(self, rows),
    )
    data = series(n=120, steps=40, ragged=True)
    result = run_trial(
        spec_of(ToyConv(), epochs=12), ToyConv(), profile_of(data), data, split_of(len(data.y))
    )
    assert result.state == "complete", result.reason
    assert result.score > 0.8
    assert len(set(used)) > 1
