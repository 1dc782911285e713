"""Train and test aeon's MiniRocket classifier twice; print one JSON object."""

import json
import sys
import time

import numpy as np

data = np.load(sys.argv[1])
seed = int(sys.argv[2])


def part(name):
    """Return series as aeon takes them: an array, or a list where lengths differ."""
    ends = np.cumsum(data[f"{name}_lengths"])
    series = [s.T.astype(np.float32) for s in np.split(data[f"{name}_values"], ends[:-1])]
    return series, data[f"{name}_y"]


def main():
    """Train, test, again."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    (x, y), (test_x, test_y) = part("train"), part("test")
    lengths = {s.shape[1] for s in [*x, *test_x]}
    if len(lengths) == 1:
        x, test_x = np.stack(x), np.stack(test_x)
    else:
        longest = max(lengths)
        x = np.stack([np.pad(s, ((0, 0), (0, longest - s.shape[1]))) for s in x])
        test_x = np.stack([np.pad(s, ((0, 0), (0, longest - s.shape[1]))) for s in test_x])

    def once():
        started = time.perf_counter()
        model = MiniRocketClassifier(random_state=seed).fit(x, y)
        right = float(np.mean(model.predict(test_x) == test_y))
        return time.perf_counter() - started, right

    _, accuracy = once()
    warm, _ = once()
    told = {"warm": warm, "second": warm, "accuracy": accuracy, "n_test": len(test_y)}
    print(json.dumps(told))


main()
