"""A convolution and its gradients, by Keras on JAX and by selector's layers.

    python benchmarks/convolutions.py [--out PATH]

For shapes that networks here meet: milliseconds of a layer's output with the
gradients of its input and its kernel, compiled with the options that training
uses, on one core. ``OUT.md`` is written at the end. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from common import markdown

from selector.search import workers

SHAPES = (
    # batch, space, channels, filters, kernel
    (64, (2, 2), 32, 64, (3, 3)),
    (64, (4, 2), 32, 32, (3, 3)),
    (64, (4, 4), 32, 32, (3, 3)),
    (64, (14, 14), 32, 64, (3, 3)),
    (64, (28, 28), 32, 32, (3, 3)),
    (64, (14, 14), 32, 64, (1, 1)),
    (64, (28, 28), 16, 32, (1, 1)),
    (32, (4,), 32, 32, (8,)),
    (32, (16,), 16, 16, (20,)),
    (32, (29,), 32, 64, (5,)),
    (64, (150,), 32, 64, (5,)),
    (64, (150,), 64, 32, (1,)),
    (64, (1000,), 32, 32, (9,)),
)
REPEATS = 30


def main() -> None:
    """Measure each shape both ways, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("convolutions"))
    options = parser.parse_args()
    if not os.environ.keys() >= workers.MALLOC.keys():  # as a worker is started
        os.environ |= workers.MALLOC
        os.execv(sys.executable, [sys.executable, *sys.argv])
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from selector.training import backend

    backend.prepare()
    rows = []
    for shape in SHAPES:
        theirs, ours = measure(*shape, fast=False), measure(*shape, fast=True)
        row = [*map(str, shape), theirs, ours, theirs / ours]
        print(*row, flush=True)
        rows.append(row)
    names = ("batch", "space", "channels", "filters", "kernel", "Keras: ms",
             "selector: ms", "times as fast")  # fmt: skip
    ratios = [row[-1] for row in rows]
    told = f"\nTimes as fast: median {statistics.median(ratios):.2f}, least {min(ratios):.2f}.\n"
    options.out.with_suffix(".md").write_text(markdown(names, rows) + told)


def measure(
    batch: int, space: tuple[int, ...], channels: int, filters: int, kernel: tuple[int, ...],
    fast: bool,
) -> float:  # fmt: skip
    """Return milliseconds of output and gradients."""
    import jax
    import keras
    import numpy as np

    from selector.training import compiler, layers

    kind: Any = {
        (1, False): keras.layers.Conv1D, (1, True): layers.FastConv1D,
        (2, False): keras.layers.Conv2D, (2, True): layers.FastConv2D,
    }[len(space), fast]  # fmt: skip
    inputs = keras.Input((*space, channels))
    model = keras.Model(inputs, kind(filters, kernel, padding="same", use_bias=False)(inputs))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, *space, channels)).astype(np.float32)
    slope = rng.normal(size=(batch, *space, filters)).astype(np.float32)

    def all_three(weights: Any, x: Any, slope: Any) -> Any:
        def output(weights: Any, x: Any) -> Any:
            return model.stateless_call(weights, [], x)[0]

        out, pulled = jax.vjp(output, weights, x)
        return out, pulled(slope)

    arguments = [v.value for v in model.trainable_variables], x, slope
    lowered = jax.jit(all_three).lower(*arguments)
    program = compiler.compiled(lowered, compiler.options(model))
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        jax.block_until_ready(program(*arguments))
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


if __name__ == "__main__":
    main()
