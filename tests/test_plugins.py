"""A broken plugin costs itself alone, and is told."""

from __future__ import annotations

import pytest

from selector.contract import Column, Profile
from selector.errors import PluginError
from selector.plugins import Registry, candidate

GOOD = """
from selector import hookimpl
from selector.contract import Categorical, EstimatorArchitecture, Fit

class Recipe(EstimatorArchitecture):
    name = "{name}"
    family = "tabular"
    kinds = ("tabular",)
    def space(self, profile):
        return {{"depth": Categorical((1, 2))}}
    def portfolio(self, profile):
        return {portfolio}
    def build(self, params, profile):
        from sklearn.tree import DecisionTreeClassifier
        return DecisionTreeClassifier(max_depth=params["depth"])

@hookimpl
def selector_architectures():
    return [Recipe()]
"""


def good(name: str, portfolio: str = '({"depth": 2},)') -> str:
    return GOOD.format(name=name, portfolio=portfolio)


@pytest.fixture
def profile() -> Profile:
    return Profile(
        name="x", axes=("feature",), kind="tabular", task="classification", target="y", n=20,
        shape=(2,), n_outputs=2, classes=("a", "b"), counts=(10, 10),
        columns=(Column("u"), Column("v")),
    )  # fmt: skip


def test_a_good_third_party_plugin_stands_beside_the_built_in_ones(make_plugin):
    make_plugin("good_one", good("tabular.good"))
    registry = Registry()
    entry = next(e for e in registry.entries if e.name == "good_one")
    assert entry.state == "loaded"
    assert entry.version == "1.0"
    assert registry.plugin_of["tabular.good"] == "good_one"
    assert {"rnn.gru", "cnn.minirocket", "tabular.baseline"} <= set(registry.architectures)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("x = 1", "registers nothing"),
        (
            "from selector import hookimpl\n@hookimpl\ndef selector_architectures():\n    1 / 0",
            "ZeroDivisionError",
        ),
        (
            "from selector import hookimpl\n@hookimpl\ndef selector_architectures():\n"
            "    return ['rnn.gru']",
            "allowed are instances",
        ),
        (
            "from selector import hookimpl\n@hookimpl\ndef selector_architectures():\n    return 3",
            "TypeError",
        ),
        (
            "from selector import hookimpl\n@hookimpl\ndef selector_architecture():\n    return []",
            "unknown hook",
        ),
        (good("rnn.gru"), "already offered"),
    ],
)
def test_a_broken_plugin_costs_itself_alone(make_plugin, source, problem):
    make_plugin("zz_broken", source)
    make_plugin("zz_good", good("tabular.good"))
    registry = Registry()
    entries = {e.name: e for e in registry.entries}
    assert entries["zz_broken"].state == "failed"
    assert problem in " ".join(entries["zz_broken"].problems)
    assert entries["zz_good"].state == "loaded"
    assert "tabular.good" in registry.architectures
    assert registry.plugin_of["rnn.gru"] == "selector_rnn"


def test_the_allow_list_keeps_others_out(make_plugin, monkeypatch):
    make_plugin("zz_good", good("tabular.good"))
    monkeypatch.setenv("SELECTOR_PLUGINS", "selector_rnn")
    registry = Registry()
    assert {e.name for e in registry.entries if e.state == "loaded"} == {"selector_rnn"}
    assert "tabular.good" not in registry.architectures


def test_an_unknown_architecture_is_an_error_that_helps():
    with pytest.raises(PluginError, match="Did you mean 'rnn.gru'"):
        Registry().architecture("rnn.gruu")


@pytest.mark.parametrize(
    ("portfolio", "reason"),
    [
        ('({"depth": 7},)', "outside"),
        ('({"dept": 1},)', "names"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_wrong_portfolio_refuses_the_architecture(make_plugin, profile, portfolio, reason):
    make_plugin("zz_odd", good("tabular.odd", portfolio))
    made = candidate(Registry().architecture("tabular.odd"), "zz_odd", profile)
    assert not made.admitted
    assert reason in made.reason


def test_a_right_one_is_admitted_with_its_space(make_plugin, profile):
    make_plugin("zz_fine", good("tabular.fine"))
    made = candidate(Registry().architecture("tabular.fine"), "zz_fine", profile)
    assert made.admitted
    assert made.type == "estimator"
    assert made.portfolio == ({"depth": 2},)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("Float(0.0, 0.5, log=True)", "above 0"),
        ("Float(0.5, 0.1)", "low must not be above high"),
        ("Int(1, 8, log=True, step=2)", "step 1"),
        ("Int(0, 64, log=True)", "at least 1"),
        ("Int(1, 8, step=0)", "step below 1"),
        ("Int(1.0, 8)", "whole numbers"),
        ("Categorical(())", "at least one"),
        ("Categorical(((3, 3), (5, 5)))", "None or a bool"),
    ],
)
def test_a_space_that_cannot_be_searched_refuses_the_architecture(
    make_plugin, profile, wrong, reason
):
    source = good("tabular.odd").replace("Categorical((1, 2))", wrong)
    make_plugin("zz_odd", source.replace("import Categorical", "import Categorical, Float, Int"))
    made = candidate(Registry().architecture("tabular.odd"), "zz_odd", profile)
    assert not made.admitted
    assert reason in made.reason


def test_a_name_in_the_allow_list_that_is_not_installed_is_told(monkeypatch):
    monkeypatch.setenv("SELECTOR_PLUGINS", "selector_rnm")
    [entry] = [e for e in Registry().entries if e.state == "failed"]
    assert "Did you mean 'selector_rnn'" in entry.problems[0]


def test_hooks_that_return_nothing_are_not_taken_for_unmarked_ones(make_plugin):
    make_plugin(
        "zz_empty",
        "from selector import hookimpl\n@hookimpl\ndef selector_architectures():\n    return []\n",
    )
    [entry] = [e for e in Registry().entries if e.name == "zz_empty"]
    assert "return no architecture" in entry.problems[0]
