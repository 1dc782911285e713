"""Train and test selector's MiniRocket twice; print one JSON object."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from selector.contract import SERIES_AXES, Column, Profile, TrialSpec, Variable
from selector.training import backend


def main() -> None:
    """Train, test, again."""
    backend.prepare()
    from selector.plugins import Registry
    from selector.training.fit import TrialData, run_trial

    stored = np.load(sys.argv[1])
    lengths = np.concatenate([stored["train_lengths"], stored["test_lengths"]])
    values = np.concatenate([stored["train_values"], stored["test_values"]]).astype(np.float32)
    y = np.concatenate([stored["train_y"], stored["test_y"]]).astype(float)
    columns = tuple(Column(str(i)) for i in range(values.shape[1]))
    if len(set(lengths)) == 1:
        x = Variable(SERIES_AXES, values.reshape(len(y), lengths[0], -1), columns)
    else:
        x = Variable(SERIES_AXES, values, columns, lengths.astype(np.int64))
    split = np.repeat([0, 1], [len(stored["train_y"]), len(stored["test_y"])]).astype(np.int8)
    classes = tuple(str(c) for c in np.unique(y))
    profile = Profile(
        name="timed", axes=SERIES_AXES, kind="sequential", task="classification", target="y",
        n=len(stored["train_y"]), shape=x.sample_shape,
        lengths=(int(min(lengths)), int(np.median(lengths)), int(max(lengths))),
        n_outputs=len(classes), classes=classes, columns=columns,
    )  # fmt: skip
    architecture: Any = Registry().architecture("cnn.minirocket")
    params = architecture.portfolio(profile)[0]

    def once() -> tuple[float, float]:
        spec = TrialSpec("t", "search", architecture.name, params, "a", int(sys.argv[2]), 600.0)
        started = time.perf_counter()
        result = run_trial(spec, architecture, profile, TrialData(x, y), split)
        if result.score is None:
            raise RuntimeError(result.reason)
        return time.perf_counter() - started, result.score

    _, accuracy = once()
    warm, _ = once()
    told = {"warm": warm, "second": warm, "accuracy": accuracy, "n_test": int(split.sum())}
    print(json.dumps(told))


main()
