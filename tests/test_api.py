"""The Python API: what it hands on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import selector
from selector import api
from selector.contract import Column


class Handed(Exception):
    """Ends a run before it begins."""


@pytest.fixture
def handed(monkeypatch):
    """Return what a session was given: its options, and the arguments of its run."""
    told = []

    class Session:
        def __init__(self, options, on_progress):
            told.append(options)

        def recommend(self, *data):
            told.extend(data)
            raise Handed

    monkeypatch.setattr(api, "Session", Session)
    return told


@pytest.mark.parametrize("number", [int, np.int64])
def test_columns_may_be_named_by_numbers(handed, number):
    names = {"target": number(4), "id": number(0), "step": number(1), "group": number(2)}
    with pytest.raises(Handed):
        selector.recommend(np.zeros((20, 5)), **names)
    options, *_, groups, order = handed
    assert (options.target, options.id, options.step) == ("4", "0", "1")
    assert (options.group, options.order, groups, order) == ("2", None, None, None)


def test_arrays_are_no_names_of_columns(handed):
    with pytest.raises(Handed):
        selector.recommend(np.zeros((20, 5)), target="c4", order=np.arange(20))
    options, *_, groups, order = handed
    assert (options.target, options.id, options.order, groups) == ("c4", None, None, None)
    assert order.tolist() == list(range(20))


def test_families_may_be_given_as_on_the_command_line(handed):
    with pytest.raises(Handed):
        selector.recommend(np.zeros((20, 5)), families="rnn, cnn")
    assert handed[0].families == ("rnn", "cnn")


def test_what_a_prediction_had_to_repair_is_warned_of():
    rec = api.Recommendation.__new__(api.Recommendation)
    told = SimpleNamespace(labels=["a"], probabilities=np.ones((1, 1)), notes=("a new category",))
    target = Column("y", "categorical", ("a",), "string")
    ready = SimpleNamespace(
        predict=lambda X: told,
        schema=SimpleNamespace(target=target),
        check_probabilities=lambda: None,
    )
    rec._predictors = {"model": ready}
    for ask in (rec.predict, rec.predict_proba):
        with pytest.warns(UserWarning, match="a new category") as warned:
            ask(np.zeros((1, 2)))
        assert warned[0].filename == __file__
