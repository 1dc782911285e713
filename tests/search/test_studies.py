"""The studies of a run, and what becomes of them when a plugin has changed."""

from __future__ import annotations

from dataclasses import replace

from invented import candidate

from selector.contract import Categorical
from selector.search.records import Record, result_from_dict
from selector.search.studies import Studies


def test_a_run_goes_on_with_another_version_of_a_space(tmp_path):
    path, net = tmp_path / "study.journal", candidate("cnn.net")
    studies = Studies(path, 0)
    number, params = studies.ask(net, {"lr": 0.01, "u": 1})
    studies.tell(net, number, 0.9)
    wider = replace(net, space={**net.space, "u": Categorical((1, 2, 4))})
    again = Studies(path, 0)
    again.restore(wider, {number: 0.9})
    assert again.ask(wider, {"lr": 0.01, "u": 4})[1]["u"] == 4
    same = Studies(path, 0)
    same.restore(net, {number: 0.9})
    assert same.ask(net, {})[0] == number + 1, "an unchanged space keeps its study"
    assert params == {"lr": 0.01, "u": 1}
    ended = [t.value for t in Studies(path, 0)._study(net).get_trials() if t.value is not None]
    assert ended == [0.9]


def test_records_of_another_version_can_be_read():
    told = {"state": "complete", "score": 0.5, "colour": "red"}
    assert result_from_dict(told).score == 0.5
    spec = {
        "id": "0-floor-a", "stage": "floor", "architecture": "a", "params": {}, "split": "s",
        "seed": 0, "seconds": 1.0, "mood": "good",
    }  # fmt: skip
    record = Record.from_dict({"spec": spec, "result": told, "family": "cnn", "type": "network"})
    assert record.spec.architecture == "a"
