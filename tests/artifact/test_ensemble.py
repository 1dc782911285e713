"""What is averaged keeps the weights that were chosen, whatever could be fitted of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from selector import tasks
from selector.artifact.data import write_data
from selector.artifact.ensemble import Ensemble
from selector.artifact.final import FinalModel
from selector.artifact.run import RunFolder
from selector.contract import Column, Variable

SPLITS = ("confirm-0", "confirm-1", "confirm-2")
N = 90
Answer = Callable[[str, int], dict[str, Any]]


class Finalist(SimpleNamespace):
    """What the ensemble asks of a finalist."""

    def seconds(self, n: int) -> float:
        return 1.0


def finalist(run: Path, name: str, y: np.ndarray, seed: int) -> Finalist:
    """Return a finalist whose stored predictions are right but for noise of its own."""
    rng = np.random.default_rng(seed)
    records = []
    for i, split in enumerate(SPLITS):
        rows = np.load(run / "splits" / f"{split}.npy") == 1
        path = f"predictions/{name}-{i}.npy"
        np.save(run / path, y[rows] + rng.normal(size=rows.sum()))
        record = SimpleNamespace(
            spec=SimpleNamespace(split=split), result=SimpleNamespace(predictions=path)
        )
        records.append(record)
    kind = "network" if name.endswith("net") else "estimator"
    candidate = SimpleNamespace(type=kind, role="candidate", family=name.split(".")[0])
    contender = SimpleNamespace(candidate=candidate, too_costly=lambda _: "")
    chosen = SimpleNamespace(spec=SimpleNamespace(params={}), result=None)
    return Finalist(
        name=name, contender=contender, records=records, latest=records[-1], epochs=3,
        record=chosen, scores=dict.fromkeys(SPLITS, 0.5),
    )  # fmt: skip


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that makes an ensemble of a network and an estimator, equally good."""
    run = RunFolder.create(tmp_path / "run", "x")
    y = np.random.default_rng(0).normal(size=N) * 3
    target = Variable((), y, (Column("y"),))
    write_data(run.path / "data" / "dev", Variable(("feature",), np.zeros((N, 1))), target)
    for i, split in enumerate(SPLITS):
        np.save(run.path / "splits" / f"{split}.npy", (np.arange(N) % 3 == i).astype(np.int8))
    entered = {n: finalist(run.path, n, y, i) for i, n in enumerate(("rnn.net", "tabular.gbt"))}
    planner = SimpleNamespace(finalists=entered, cores=2, profile=SimpleNamespace(n=N))

    def build(answer: Answer, left: float = 30.0, earlier: Any = None) -> dict[str, Any]:
        def call_all(commands: list[dict[str, Any]], *_: Any, **__: Any) -> list[dict[str, Any]]:
            answers = []
            for command in commands:
                if command["op"] == "predict":
                    np.save(command["out"], np.zeros(10))
                    answers.append({"state": "complete"})
                    continue
                Path(command["folder"]).mkdir()
                (Path(command["folder"]) / "pipeline.json").write_text("{}")
                answers.append(answer(command["name"], command["seed"]))
            return answers

        def command(name: str, _: Any, __: Any, ___: str, folder: str, seed: int) -> dict[str, Any]:
            place = str(run.path / f".{folder}")
            return {"op": "final", "name": name, "seed": seed, "folder": place}

        def prediction(name: str) -> dict[str, Any]:
            return {"op": "predict", "out": str(run.path / "predictions" / f"{name}.npy")}

        final = SimpleNamespace(
            run=run, planner=planner, task=tasks.get("regression", "r2"), seed=0, on="10 rows",
            test_y=np.arange(10.0), budget=SimpleNamespace(left=lambda: left), command=command,
            prediction=prediction, runner=SimpleNamespace(call_all=call_all),
        )  # fmt: skip
        final.headline = functools.partial(FinalModel.headline, final)
        told = Ensemble(final).make(  # type: ignore[arg-type]
            {"recommended": {"architecture": "cnn.other", "params": {}}},
            {"state": "complete"},
            earlier,
        )
        assert not list(run.path.glob(".ensemble*"))
        path = run.path / "ensemble" / "weights.json"
        told["saved"] = json.loads(path.read_text())["weights"] if path.exists() else {}
        return told

    return build


def complete(name: str, seed: int) -> dict[str, Any]:
    return {"state": "complete", "stopped": "planned", "bytes": 100, "macs": 10}


def shares(told: dict[str, Any]) -> dict[str, float]:
    return {m["architecture"]: m["weight"] for m in told["members"]}


def test_a_network_that_weighs_much_is_fitted_from_several_seeds(make):
    told = make(complete)
    models = {m["architecture"]: m["models"] for m in told["members"]}
    assert models["rnn.net"] > 1
    assert models["tabular.gbt"] == 1
    assert told["bytes"] == 100 * sum(models.values())
    assert len(told["saved"]) == sum(models.values())
    assert sum(shares(told).values()) == pytest.approx(1)
    assert told["score"]["n"] == 10
    assert 0 < told["search_score"] < 1


def test_a_seed_that_could_not_be_fitted_leaves_the_weights_as_chosen(make):
    whole = make(complete)

    def one_seed(name: str, seed: int) -> dict[str, Any]:
        return complete(name, seed) if seed == 0 else {"state": "failed"}

    told = make(one_seed)
    assert shares(told) == shares(whole)
    assert told["search_score"] == whole["search_score"]
    assert len(told["saved"]) == 2


def test_what_the_clock_ended_early_is_left_out(make):
    def squeezed(name: str, seed: int) -> dict[str, Any]:
        return {**complete(name, seed), "stopped": "deadline" if name == "rnn.net" else ""}

    assert "no time to fit and score" in make(squeezed)["reason"]


def test_an_earlier_ensemble_goes_where_a_new_one_cannot_be_made(make):
    assert make(complete)["saved"]
    told = make(complete, left=3.0)
    assert told["reason"] == "there was no time for one"
    assert told["saved"] == {}


def test_an_ensemble_that_is_known_stays_where_there_is_no_time_for_another(make):
    saved = make(complete)["saved"]
    told = make(complete, left=3.0, earlier={"members": ["these"]})
    assert told["members"] == ["these"]
    assert told["saved"] == saved


def test_a_cost_that_is_not_known_of_a_member_is_not_known_of_the_whole(make):
    def uncounted(name: str, seed: int) -> dict[str, Any]:
        return {**complete(name, seed), "macs": 10 if name == "rnn.net" else 0}

    told = make(uncounted)
    assert (told["macs"], told["bytes"] > 0) == (0, True)
