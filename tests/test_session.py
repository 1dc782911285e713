"""What is left of a run that is given up, and what is said of plugins that are missing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from selector import session
from selector.errors import OptionError, PluginError
from selector.options import Options
from selector.session import Session


@pytest.mark.parametrize(("source", "kept"), [("d.csv", True), (np.zeros((4, 2)), False)])
def test_a_run_given_up_while_its_file_is_read_can_be_resumed(tmp_path, monkeypatch, source, kept):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "take_in", interrupted)
    monkeypatch.setattr(Session, "_start_workers", lambda self: None)
    with pytest.raises(KeyboardInterrupt):
        Session(Options()).recommend(source, out=tmp_path / "run")
    assert (tmp_path / "run" / "run.json").exists() == kept


@pytest.mark.parametrize(
    ("entries", "error", "said"),
    [
        ([{"architectures": []}], PluginError, "no plugin offers an architecture"),
        ([{"architectures": ["rnn.gru"]}], OptionError, "'mine' is none"),
    ],
)
def test_a_plugin_that_could_not_be_loaded_is_named(entries, error, said):
    given = Session(Options(families=("mine",)))
    failed = {"architecture": "plugin mine", "stage": "start", "reason": "ImportError: no x"}
    given._proposal = SimpleNamespace(plugins=entries, failures=[failed])
    known = [SimpleNamespace(name="rnn.gru", family="rnn")] if entries[0]["architectures"] else []
    with pytest.raises(error, match="plugin mine ImportError: no x") as told:
        given._check_families(known)
    assert said in str(told.value)


def test_a_family_is_not_refused_before_anybody_has_answered():
    given = Session(Options(families=("rnn",)))
    given._proposal = SimpleNamespace(plugins=[{"architectures": ["rnn.gru"]}], failures=[])
    given._check_families([])


def test_an_end_asked_for_before_anything_was_tried_is_no_lack_of_time(tmp_path, monkeypatch):
    given = Session(Options())
    monkeypatch.setattr(session, "take_in", lambda *_, **__: given.stop.set() or {"arrays": []})
    monkeypatch.setattr(Session, "_start_workers", lambda self: None)
    monkeypatch.setattr(Session, "_load", lambda self: None)
    with pytest.raises(KeyboardInterrupt, match="selector resume"):
        given.recommend("d.csv", out=tmp_path / "run")


def resumed(tmp_path, params, before):
    """Return a session that ends a resumption in which only the model was scored again."""
    given = Session(Options(ensemble=True))
    chosen = {"architecture": "cnn.fcn", "params": {"width": 1}}
    given._finished = {"recommended": {**chosen, "params": params}, **before}
    given._final = SimpleNamespace(probe=lambda: None)
    given._write_recommendation = lambda rec: None
    told = dict.fromkeys(("probes", "learning", "ensemble"))
    return given, {"recommended": chosen, **told}


def test_what_was_known_of_a_model_stays_where_there_is_no_time_for_more(tmp_path, monkeypatch):
    before = {"probes": {"results": []}, "ensemble": {"members": [1]}}
    monkeypatch.setattr(session, "Ensemble", lambda final: SimpleNamespace(make=made))
    monkeypatch.setattr(session, "second_half", lambda final, chosen: None)

    def made(rec, final, earlier):
        return earlier

    for params, probes in (({"width": 1}, before["probes"]), ({"width": 2}, None)):
        given, rec = resumed(tmp_path, params, before)
        given._more(rec, {})
        assert (rec["probes"], rec["ensemble"]) == (probes, before["ensemble"])
        given, rec = resumed(tmp_path, params, before)
        given.stop.set()
        given._more(rec, {})
        assert (rec["probes"], rec["ensemble"]) == (probes, before["ensemble"])


def test_a_resumption_too_short_to_score_leaves_what_there_was():
    given = Session(Options(time=7))
    given._finished = {"score": {"value": 0.9}, "notes": ["a"]}
    told = given._as_before()
    assert told["score"] == {"value": 0.9}
    assert "resumed with 7 s" in told["notes"][-1]


def test_numbers_of_numpy_are_options():
    options = Options(seed=np.int64(3), trials=np.int32(20), max_params=1e6, ensemble=np.True_)
    assert (options.seed, options.trials, options.max_params) == (3, 20, 1_000_000)
    assert all(type(v) in (int, bool) for v in (options.seed, options.trials, options.ensemble))
    with pytest.raises(OptionError, match="--seed is a whole number; received 1.5"):
        Options(seed=1.5)
