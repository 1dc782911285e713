"""Every architecture, saved and loaded in a fresh process, predicts what it predicted here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from selector.artifact.data import write_data
from selector.contract import Column, Profile, TrialSpec, Variable
from selector.plugins import Registry, candidate
from selector.training import backend
from selector.training.fit import TrialData, fit_final

N = 40
LOAD = """
import sys
from pathlib import Path
import numpy as np
from selector.training import backend
backend.prepare()
from selector.artifact.data import read_data
from selector.training import saved
for room in map(Path, sys.argv[1:]):
    x, _ = read_data(room.parent / "data")
    model = saved.load(room)
    np.save(room / "fresh.npy", model.predict(x))
    np.save(room / "one.npy", model.predict(x.take([3])))
"""


def series(ragged: bool) -> Variable:
    rng = np.random.default_rng(0)
    columns = (Column("a"), Column("b"))
    if ragged:
        lengths = rng.integers(9, 20, N)
        values = rng.normal(size=(int(lengths.sum()), 2)).astype("float32")
        return Variable(("time", "channel"), values, columns, lengths)
    return Variable(("time", "channel"), rng.normal(size=(N, 20, 2)).astype("float32"), columns)


FORMS = {
    "series": series(False),
    "ragged": series(True),
    "images": Variable(
        ("height", "width", "channel"),
        np.random.default_rng(1).uniform(0, 255, (N, 10, 9, 1)).astype("float32"),
    ),
    "clips": Variable(
        ("time", "height", "width", "channel"),
        np.random.default_rng(3).uniform(0, 255, (N, 5, 8, 7, 1)).astype("float32"),
    ),
    "table": Variable(
        ("feature",),
        np.column_stack([np.random.default_rng(2).normal(size=(N, 3)), np.arange(N) % 3]),
        (Column("a"), Column("b"), Column("c"), Column("d", "categorical", ("x", "y", "z"))),
    ),
}
SELDOM = ("series", "images", "clips")
"""Forms whose networks take long to compile; by themselves with ``-m slow``."""
KINDS = {
    "series": "sequential",
    "ragged": "sequential",
    "images": "grid",
    "clips": "sequential-grid",
    "table": "tabular",
}


def profile_of(form: str) -> Profile:
    x = FORMS[form]
    steps = (20, 20, 20) if form == "series" else (9, 14, 19) if form == "ragged" else ()
    if form == "clips":
        steps = (5, 5, 5)
    return Profile(
        name=form, axes=x.axes, kind=KINDS[form], task="classification", target="y", n=N,
        shape=x.sample_shape, lengths=steps, n_outputs=2, classes=("u", "v"), counts=(20, 20),
        columns=x.columns,
    )  # fmt: skip


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "form", [pytest.param(f, marks=[pytest.mark.slow] if f in SELDOM else []) for f in FORMS]
)
def test_a_fresh_process_predicts_the_same_and_a_single_row_too(
    tmp_path: Path, form: str, every: bool
) -> None:
    """Of each family the first trained and the first other architecture; all with ``-m slow``."""
    backend.prepare()
    from selector.training import saved

    registry, profile, x = Registry(), profile_of(form), FORMS[form]
    y = (np.arange(N) % 2).astype(float)
    write_data(tmp_path / "data", x)
    rooms: list[Path] = []
    seen: set[tuple[str, str, str]] = set()
    for name, architecture in registry.architectures.items():
        made = candidate(architecture, "p", profile)
        if not made.admitted or (not every and (made.family, made.type, made.role) in seen):
            continue
        seen.add((made.family, made.type, made.role))
        spec = TrialSpec("f", "final", name, made.portfolio[0], None, 0, 60.0, epochs=1)
        room = tmp_path / name
        result = fit_final(spec, architecture, profile, TrialData(x, y), room)
        assert result.state == "complete", (name, result.reason)
        rooms.append(room)
    assert len(rooms) >= 3
    subprocess.run([sys.executable, "-c", LOAD, *map(str, rooms)], check=True, capture_output=True)
    for room in rooms:
        here, fresh = saved.load(room).predict(x), np.load(room / "fresh.npy")
        np.testing.assert_array_equal(here, fresh, err_msg=room.name)
        np.testing.assert_array_equal(np.load(room / "one.npy")[0], fresh[3], err_msg=room.name)
        assert json.loads((room / "pipeline.json").read_text())["architecture"] == room.name
