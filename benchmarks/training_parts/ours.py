"""Time selector's own engine on one model; print one JSON object.

With ``--save FOLDER`` the same network is written there with stock layers, and
the data beside it, for ``stock.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from selector.training import backend


def main() -> None:
    """Time one model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("rows", type=int)
    parser.add_argument("--cores", default="0")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--options", type=json.loads, help="in place of the compiler's, as JSON")
    parser.add_argument("--unrolled", action="store_true", help="without selector's XLA_FLAGS")
    options = parser.parse_args()
    os.sched_setaffinity(0, {int(c) for c in options.cores.split(",")})
    if options.unrolled:
        backend.XLA_FLAGS = ""
    backend.prepare()
    print(json.dumps(measure(options)))


def measure(options: Any) -> dict[str, Any]:
    """Build and train twice: the second time with the compiled step there."""
    import numpy as np
    from models import CLASSES, MODELS, data, profile

    from selector.plugins import Registry
    from selector.training import compiler, cost, layers, models
    from selector.training.clock import Clock
    from selector.training.loop import Loop, Settings
    from selector.training.networks import batch_size, structure_key
    from selector.training.preprocess import Prepared
    from selector.training.steps import JaxEngine

    timed = next(m for m in MODELS if m.name == options.name)
    about = profile(timed.shape, options.rows)
    architecture: Any = Registry().architecture(timed.architecture)
    params = {**architecture.portfolio(about)[0], **timed.params}
    x, y = data(timed.shape, options.rows)
    samples = Prepared(x, None)
    size = batch_size(options.rows)
    warm_up()
    if options.options is not None:
        compiler.options = lambda model: options.options

    def train(seed: int) -> tuple[float, float, Any]:
        started = time.perf_counter()
        built = models.build(architecture, params, about, samples, seed, CLASSES)
        key = structure_key(architecture, params, about)
        engine = JaxEngine(built, samples, y, key, "classification", 1e-4, 0.0)
        settings = Settings(size, 2e-3, seed, epochs=options.epochs)
        loop = Loop(engine, np.arange(options.rows), settings, Clock(None))
        engine.warm(np.arange(size, dtype=np.int32))
        ready = time.perf_counter() - started
        history = loop.run()
        return ready, history.epoch_seconds, built

    first, epoch, built = train(0)
    again, second, _ = train(1)
    if options.save:
        options.save.mkdir(parents=True, exist_ok=True)
        layers.with_standard_layers(built.model).save(options.save / "model.keras")
        np.savez(options.save / "data.npz", x=x, y=y)
    return {
        "first": first, "again": again, "epoch": min(epoch, second), "start": first,
        "batch": size, "macs": cost.multiply_adds(built.model),
        "params": cost.parameters(built.model), "gflops_peak": peak(),
    }  # fmt: skip


def warm_up() -> None:
    """Start JAX as a worker has when a trial comes: one small program has run."""
    import jax

    jax.jit(lambda x: x + 1)(1.0).block_until_ready()


def peak(side: int = 1536) -> float:
    """Return the GFLOP/s of a large float32 matrix product, the best of five."""
    import numpy as np

    a = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - started)
    return float(2 * side**3 / min(times) / 1e9)


main()
