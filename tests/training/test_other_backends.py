"""Training, saving and loading on the other Keras backends, where they are installed.

Each runs in a process of its own, since a backend is chosen once.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from pathlib import Path
from selector.training import backend
backend.prepare()
import keras, numpy as np
from toys import profile_of, series, spec_of, split_of, table
from selector.plugins import Registry
from selector.training import saved
from selector.training.fit import fit_final, run_trial

assert keras.backend.backend() == sys.argv[1], keras.backend.backend()
registry = Registry()
for case, (name, data) in enumerate((
    ("rnn.gru", series(n=80, ragged=True)),
    ("cnn.fcn", series(n=80)),
    ("cnn.fcn", series(n=80, ragged=True)),
    ("cnn.minirocket", series(n=80)),
    ("tabular.mlp", table(n=120)),
)):
    architecture = registry.architecture(name)
    profile = profile_of(data)
    params = architecture.portfolio(profile)[0]
    epochs = 30 if name != "cnn.minirocket" else None
    spec = spec_of(architecture, params, epochs=epochs, stage="confirm")
    result = run_trial(spec, architecture, profile, data, split_of(len(data.y)))
    assert result.state == "complete", (name, result.reason)
    assert result.score > 0.8, (name, result.score)
    assert result.latency_ms > 0, name
    folder = Path(sys.argv[2]) / f"{case}-{name}"
    final = fit_final(spec, architecture, profile, data, folder)
    assert final.state == "complete", (name, final.reason)
    predicted = saved.load(folder).predict(data.x)
    assert np.mean(predicted.argmax(1) == data.y) > 0.8, name
"""


@pytest.mark.parametrize(("name", "module"), [("torch", "torch"), ("tensorflow", "tensorflow")])
def test_a_network_trains_and_is_saved(name, module, tmp_path):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    env = {**os.environ, "KERAS_BACKEND": name, "PYTHONPATH": os.pathsep.join(sys.path)}
    line = [sys.executable, "-c", SCRIPT, name, str(tmp_path)]
    done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
