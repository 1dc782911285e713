"""A full recommendation dictionary, as a run writes it."""

from __future__ import annotations

from typing import Any


def _row(name: str, type_: str, score: float | None, **more: Any) -> dict[str, Any]:
    return {
        "architecture": name,
        "family": name.split(".")[0],
        "title": name.split(".")[1].replace("_", " "),
        "type": type_,
        "trained": type_ == "trained",
        "role": "candidate",
        "score": score,
        "interval": None if score is None else [max(score - 0.03, 0.0), min(score + 0.02, 1.0)],
        "splits": 5,
        "trials": 4,
        "fit_seconds": 2.31,
        "latency_ms": 0.42,
        "bytes": 51_200,
        "params_count": 12_802,
        "macs": 1_200_000,
        "epochs": 60,
        "stopped": "planned",
        "improving": False,
        "seconds": 9.1,
        "state": "confirmed",
        "reason": "",
        "params": {"units": 48, "learning_rate": 0.00213},
        **more,
    }


def recommendation(**changes: Any) -> dict[str, Any]:
    """Return the example with some entries changed."""
    board = [
        _row("cnn.inception", "trained", 0.993, macs=10**8, fit_seconds=14.2),
        _row("cnn.minirocket", "fixed features", 0.989, latency_ms=1.3),
        _row("hybrid.conv_gru", "trained", 0.966, improving=True),
        _row("rnn.gru", "trained", 0.931),
        _row("tabular.extra_trees", "estimator", 0.885, bytes=4_200_000, params_count=0),
        _row("rnn.lstm", "trained", 0.870, interval=None, state="searched", splits=0),
        _row(
            "tabular.baseline",
            "estimator",
            0.505,
            role="baseline",
            latency_ms=0,
            bytes=812,
            params_count=0,
        ),
        _row("cnn.fcn", "trained", None, state="failed", reason="needed over 2.0 GB of memory"),
    ]
    rec: dict[str, Any] = {
        "run": "runs/2026-11-22-gunpoint",
        "name": "GunPoint",
        "kind": "sequential",
        "task": "classification",
        "target": "class",
        "profile": {
            "name": "GunPoint",
            "axes": ["time", "channel"],
            "kind": "sequential",
            "task": "classification",
            "target": "class",
            "n": 160,
            "shape": [150, 1],
            "lengths": [150, 150, 150],
            "n_outputs": 2,
            "classes": ["1", "2"],
            "counts": [81, 79],
            "columns": [],
            "missing": 0.0,
            "signals": {"neighbour_correlation_time": 0.9931, "permuted_null": 0.081},
            "decisions": {
                "kind": {
                    "value": "sequential",
                    "confidence": 0.99,
                    "reason": "neighbouring columns correlate at .993, where shuffled ones reach "
                    ".081 at the most",
                    "option": "--kind",
                },
                "axes": {
                    "value": ["time", "channel"],
                    "confidence": 0.99,
                    "reason": "each row is one series of 150 steps",
                    "option": "--axes",
                },
                "task": {
                    "value": "classification",
                    "confidence": 1.0,
                    "reason": "the target has 2 distinct values",
                    "option": "--task",
                },
                "target": {
                    "value": "class",
                    "confidence": 0.9,
                    "reason": "the first column is named so",
                    "option": "--target",
                },
            },
            "warnings": [],
        },
        "recommended": {
            "architecture": "cnn.minirocket",
            "family": "cnn",
            "title": "MiniRocket",
            "params": {"kernels": 9996, "normalize": "sample", "ridge": 0.00123456},
            "type": "fixed features",
        },
        "verdict": "winner",
        "why": [
            "cnn.inception (trained) scored .993 on 5 common splits; the best of rnn, rnn.gru "
            "(trained), .931: cnn is better by more than 1 point with probability .97",
            "the trivial baseline scored .505: cnn.minirocket beats it with probability more than "
            ".99",
        ],
        "more_time": "",
        "score": {
            "metric": "accuracy",
            "value": 0.975,
            "interval": [0.868, 0.9993],
            "on": "test part of 40 rows (held out)",
            "n": 40,
        },
        "search_score": 0.989,
        "baseline": {"metric": "accuracy", "value": 0.505},
        "best_score": {"architecture": "cnn.inception", "family": "cnn", "score": 0.993},
        "tie_group": ["cnn.minirocket", "cnn.inception"],
        "probabilities": {
            "rnn": {"better": 0.97, "within": 0.02, "worse": 0.01, "splits": 5},
            "hybrid": {"better": 0.913, "within": 0.07, "worse": 0.017, "splits": 5},
            "tabular": {"better": 0.9996, "within": 0.0003, "worse": 0.0001, "splits": 5},
        },
        "expected_loss": 0.004,
        "rope": 0.01,
        "leaderboard": board,
        "families": {
            f: {"best": b, "score": s, "trials": t, "core_seconds": c, "share": c / 100}
            for f, b, s, t, c in (
                ("cnn", "cnn.inception", 0.993, 14, 41.0),
                ("hybrid", "hybrid.conv_gru", 0.966, 9, 28.5),
                ("rnn", "rnn.gru", 0.931, 8, 27.1),
                ("tabular", "tabular.extra_trees", 0.885, 6, 3.4),
            )
        },
        "failures": [
            {
                "architecture": "cnn.fcn",
                "stage": "search",
                "reason": "needed over 2.0 GB of memory",
                "count": 2,
            }
        ],
        "refused": [
            {
                "architecture": "cnn.conv2d",
                "family": "cnn",
                "reason": "made for grid data, not sequential",
            }
        ],
        "plugins": [{"name": "selector_cnn", "version": "0.1.0"}],
        "trials": 37,
        "wall_seconds": 61.2,
        "stage": "final",
        "complete": True,
        "seed": 0,
        "time": 60.0,
        "versions": {"selector": "0.1.0", "keras": "3.15.1", "python": "3.11.7"},
        "command": ["selector", "recommend", "Gun Point.ts", "--time", "60s"],
        "notes": ["3 rows without a target were left out"],
    }
    return {**rec, **changes}
