"""One core or two for a training, and whether a process can change over.

    python benchmarks/pinning.py [--models FCN LSTM ResNet-2D]

Each model trains 512 rows in a process of its own: on one core; on two; and
with threads for two, all of which are then moved to one core, and back. Prints
the median seconds of an epoch. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROWS, BATCH, EPOCHS = 512, 64, 6


def main() -> None:
    """Measure each model in each way, one process each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", nargs="+", default=["FCN", "LSTM", "ResNet-2D"])
    parser.add_argument("--way", choices=("one", "two"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measure(options.models[0], options.way)))
        return
    for model in options.models:
        told = {}
        for way in ("one", "two"):
            line = [sys.executable, __file__, "--models", model, "--way", way]
            done = subprocess.run(line, capture_output=True, text=True, check=True)
            told |= json.loads(done.stdout)
        print(model, told, flush=True)


def measure(name: str, way: str) -> dict[str, float]:
    """Return seconds an epoch; the cores are chosen before JAX counts them."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cores[:1] if way == "one" else cores)
    sys.path.insert(0, str(Path(__file__).parent / "training_parts"))
    from selector.training import backend

    backend.prepare()
    import numpy as np
    from models import CLASSES, MODELS, data, profile

    from selector.plugins import Registry
    from selector.training import models, steps
    from selector.training.preprocess import Prepared

    timed = next(m for m in MODELS if m.name == name)
    about = profile(timed.shape, ROWS)
    architecture = Registry().architecture(timed.architecture)
    params = {**architecture.portfolio(about)[0], **timed.params}
    x, y = data(timed.shape, ROWS)
    samples = Prepared(x, None)
    built = models.build(architecture, params, about, samples, 0, CLASSES)
    engine = steps.JaxEngine(built, samples, y, name, "classification", 1e-4, 0.0)
    batches = np.arange(ROWS, dtype=np.int32).reshape(-1, BATCH)
    engine.warm(batches[0])

    def epoch() -> float:
        times = []
        for _ in range(EPOCHS):
            started = time.perf_counter()
            for rows in batches:
                loss = engine.step(rows, 1e-3)
            engine.wait(loss)
            times.append(time.perf_counter() - started)
        return round(float(np.median(times)), 4)

    def move(where: list[int]) -> None:
        for thread in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(thread), where)

    if way == "one":
        return {"one core": epoch()}
    told = {"two cores": epoch()}
    move(cores[:1])
    told["moved to one"] = epoch()
    move(cores)
    told["moved back"] = epoch()
    return told


if __name__ == "__main__":
    main()
