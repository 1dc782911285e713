"""The best closed-form model of a run, fitted on all its rows and scored on the test part.

    python benchmarks/floor.py RUN

Prints the architecture that no gradient descent trained and that scored best
on the common splits, and its score on the untouched test part. ``quality.py``
asks this of every run, so that what a network adds can be seen.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from selector import tasks
from selector.artifact.data import read_data
from selector.contract import Profile, TrialSpec
from selector.plugins import Registry


def floor(run: Path) -> dict[str, Any]:
    """Return ``floor`` (the architecture) and ``floor_score`` of a run in this process."""
    from selector.training import backend, saved
    from selector.training.fit import TrialData, fit_final

    rec = json.loads((run / "recommendation.json").read_text())
    rows = [
        row
        for row in rec["leaderboard"]
        if not row["trained"] and row["role"] != "baseline" and row["state"] == "confirmed"
    ]
    if not rows:
        return {"floor": "", "floor_score": ""}
    best = max(rows, key=lambda row: row["score"])
    profile = Profile.from_dict(json.loads((run / "profile.json").read_text()))
    backend.prepare()
    name = best["architecture"]
    spec = TrialSpec("floor", "final", name, best["params"], None, rec["seed"], 600.0)
    x, y = read_data(run / "data" / "dev")
    test_x, test_y = read_data(run / "data" / "test")
    assert y is not None
    assert test_y is not None
    with tempfile.TemporaryDirectory() as room:
        made = Path(room) / "model"
        fit_final(spec, Registry().architecture(name), profile, TrialData(x, y.values), made)
        predictions = saved.load(made).predict(test_x)
    score = tasks.get(profile.task, profile.metric).score(test_y.values, predictions)
    return {"floor": name, "floor_score": score}


def floor_of(run: Path) -> dict[str, Any]:
    """Return the same, measured in a fresh process; empty where that failed."""
    line = [sys.executable, __file__, str(run)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return {"floor": "", "floor_score": ""}
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    print(json.dumps(floor(Path(sys.argv[1]))))
