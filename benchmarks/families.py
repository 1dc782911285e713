"""Each family of networks alone, trained architectures only, on three shipped sets.

    python benchmarks/families.py [--time 60] [--out PATH]

Runs ``selector recommend --families F --trained-only`` and prints the score on
the untouched test part. Rows are appended to ``OUT.csv`` as they are measured,
and a run that was broken off goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from common import append, done_already
from quality import measure

SETS = ("GunPoint", "JapaneseVowels", "digits")
FAMILIES = ("rnn", "cnn", "hybrid")


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--time", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("families"))
    options = parser.parse_args()
    path = options.out.with_suffix(".csv")
    have = {(float(r["time"]), r["dataset"], r["family"]) for r in done_already(path)}
    for name in SETS:
        for family in FAMILIES:
            if (options.time, name, family) not in have:
                row = measure(name, options.time, 0, ["--families", family, "--trained-only"])
                append(path, row)
                print(name, family, row["score"], row["architecture"], row["process_seconds"])


if __name__ == "__main__":
    main()
