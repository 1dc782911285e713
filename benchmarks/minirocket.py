"""MiniRocket: selector's layer and closed-form head against aeon's compiled classifier.

    python benchmarks/minirocket.py --setup
    python benchmarks/minirocket.py [--only NAME ...]

Both are trained on the train part of each set and scored on its test part,
one process each, on one core: seconds of a whole process (imports,
compilation, training, test), seconds of a second training and test in the same
process, and accuracy. The caches of compiled code, JAX's and Numba's, are empty
for the first seed of a set ("cold") and filled for the others ("again"). Rows
go to ``minirocket.csv``; ``minirocket.md`` is written at the end. Run it on an
idle machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from quality import append, done_already
from training import ENVIRONMENTS, run

import selector_datasets

HERE = Path(__file__).parent
PARTS = HERE / "training_parts"
REAL = ("GunPoint", "ItalyPowerDemand", "BasicMotions", "JapaneseVowels", "PickupGestureWiimoteZ")
PLANTED = ("local_motif", "last_command", "motif_order")
FIELDS = ("dataset", "side", "seed", "process", "warm", "accuracy", "n_test")


def set_up() -> None:
    """Make an environment with aeon."""
    place = ENVIRONMENTS / "aeon"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    subprocess.run([str(place / "bin" / "pip"), "install", "--quiet", "aeon"], check=True)


def write(name: str, path: Path) -> None:
    """Write a set as arrays that both sides read: values one after another, lengths, labels."""
    from selector import readers
    from selector.contract import ReadOptions
    from selector.profile import describe

    if name in PLANTED:
        source = selector_datasets.make(name, path.with_name("made.npz"))
        found = describe(readers.read(source, ReadOptions())).dataset
        order = np.random.default_rng(0).permutation(len(found))
        half = len(found) // 2
        parts = {"train": found.take(order[:half]), "test": found.take(order[half:])}
    else:
        parts = {
            part: describe(readers.read(selector_datasets.path(name, part), ReadOptions())).dataset
            for part in ("train", "test")
        }
    arrays: dict[str, Any] = {}
    for part, dataset in parts.items():
        x, y = dataset.x, dataset.target
        assert y is not None
        lengths = x.lengths
        if lengths is None:
            lengths = np.full(len(x), x.values.shape[1])
        arrays[f"{part}_values"] = x.values.reshape(-1, x.values.shape[-1])
        arrays[f"{part}_lengths"] = lengths
        levels = sorted(y.columns[0].levels)
        labels = np.array([y.columns[0].levels[int(v)] for v in y.values])
        arrays[f"{part}_y"] = np.searchsorted(levels, labels)
    np.savez(path, **arrays)


def main() -> None:
    """Measure what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--setup", action="store_true", help="make aeon's environment, then stop")
    parser.add_argument("--only", nargs="+", default=[*REAL, *PLANTED])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--out", type=Path, default=HERE / "minirocket")
    options = parser.parse_args()
    if options.setup:
        set_up()
        return
    path = options.out.with_suffix(".csv")
    os.sched_setaffinity(0, {options.core})
    sides = {"selector": (sys.executable, "rocket_ours.py"),
             "aeon": (str(ENVIRONMENTS / "aeon" / "bin" / "python"), "rocket_aeon.py")}  # fmt: skip
    have = {(r["dataset"], r["side"], int(r["seed"])) for r in done_already(path)}
    for name in options.only:
        with tempfile.TemporaryDirectory() as room:
            data = Path(room) / "data.npz"
            write(name, data)
            for seed in range(options.seeds):
                for side, (python, script) in sides.items():
                    if (name, side, seed) in have:
                        continue
                    line = [python, str(PARTS / script), str(data), str(seed)]
                    cache = {"XDG_CACHE_HOME": room, "NUMBA_NUM_THREADS": "1",
                             "NUMBA_CACHE_DIR": str(Path(room) / "numba")}  # fmt: skip
                    started = time.perf_counter()
                    told = run(line, **cache)
                    whole = time.perf_counter() - started - told["second"]
                    row = {"dataset": name, "side": side, "seed": seed, "process": round(whole, 3),
                           "warm": round(told["warm"], 4), "accuracy": told["accuracy"],
                           "n_test": told["n_test"]}  # fmt: skip
                    append(path, row, FIELDS)
                    print(row, flush=True)
    options.out.with_suffix(".md").write_text(table(done_already(path)))


def table(rows: list[dict[str, str]]) -> str:
    """Return medians over seeds, side by side; a whole process apart by its caches."""
    lines = ["| set | cold s, aeon | cold s, selector | again s, aeon | again s, selector |"
             " warm s, aeon | warm s, selector | accuracy, aeon | accuracy, selector |",
             "|" + " --- |" * 9]  # fmt: skip
    kinds = (("process", 2, ("0",)), ("process", 2, ("1", "2")), ("warm", 3, None),
             ("accuracy", 4, None))  # fmt: skip
    for name in dict.fromkeys(r["dataset"] for r in rows):
        cells = [name]
        for what, digits, seeds in kinds:
            for side in ("aeon", "selector"):
                mine = [float(r[what]) for r in rows if (r["dataset"], r["side"]) == (name, side)
                        and (seeds is None or r["seed"] in seeds)]  # fmt: skip
                cells.append(f"{statistics.median(mine):.{digits}f}" if mine else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
