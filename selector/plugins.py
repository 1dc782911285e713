"""Finding, loading and checking plugins; a broken one costs itself alone.

Built-in and third-party plugins come through the same entry-point group,
``selector``. ``SELECTOR_PLUGINS`` (names separated by commas) is an allow-list.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pluggy

from selector import hookspecs
from selector.contract import (
    CONTRACT_VERSION,
    Architecture,
    Candidate,
    EstimatorArchitecture,
    FeatureArchitecture,
    NetworkArchitecture,
    Profile,
    Reader,
)
from selector.errors import PluginError, did_you_mean

ALLOW_LIST = "SELECTOR_PLUGINS"

_BASES: tuple[tuple[type[Architecture], str], ...] = (
    (NetworkArchitecture, "network"),
    (FeatureArchitecture, "feature"),
    (EstimatorArchitecture, "estimator"),
)


@dataclass
class PluginEntry:
    """One plugin and what became of it.

    Parameters
    ----------
    name : str
        Name of the entry point.
    module : str
        What it points to.
    distribution, version : str
        The installed distribution that declares it.
    state : {"loaded", "failed", "partial", "not allowed"}
        ``"partial"``: loaded, but some of what it offers was refused.
    problems : list of str
        What was wrong, one line each.
    architectures, readers : list of str
        Names of what it offers.
    """

    name: str
    module: str
    distribution: str = ""
    version: str = ""
    state: str = "loaded"
    problems: list[str] = field(default_factory=list)
    architectures: list[str] = field(default_factory=list)
    readers: list[str] = field(default_factory=list)

    def fail(self, problem: str) -> None:
        """Note a problem; the plugin counts as failed unless something of it works."""
        self.problems.append(problem)
        self.state = "partial" if self.architectures or self.readers else "failed"


def entry_points() -> list[importlib.metadata.EntryPoint]:
    """Return the entry points of the group ``selector``, each name once, in order of name."""
    found: dict[tuple[str, str], importlib.metadata.EntryPoint] = {}
    for point in importlib.metadata.entry_points(group=hookspecs.GROUP):
        found.setdefault((point.name, point.value), point)
    return [found[key] for key in sorted(found)]


def type_of(architecture: Architecture) -> str:
    """Return ``"network"``, ``"feature"`` or ``"estimator"``, or an empty string."""
    for base, name in _BASES:
        if isinstance(architecture, base):
            return name
    return ""


class Registry:
    """All plugins of this process, loaded once.

    Parameters
    ----------
    allowed : iterable of str, optional
        Names of plugins to load; by default those in ``SELECTOR_PLUGINS``, or all.
    skip : iterable of str
        Names of plugins not to load (those that hung a worker before).
    on_load : callable, optional
        Called with the name of each plugin before its code runs, and with an
        empty string afterwards, so that a supervisor knows whom to blame.
    """

    def __init__(
        self,
        allowed: Iterable[str] | None = None,
        skip: Iterable[str] = (),
        on_load: Callable[[str], None] | None = None,
    ) -> None:
        self.entries: list[PluginEntry] = []
        self.architectures: dict[str, Architecture] = {}
        self.readers: dict[str, Reader] = {}
        self.plugin_of: dict[str, str] = {}
        self._manager = pluggy.PluginManager(hookspecs.GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._on_load = on_load or (lambda name: None)
        if allowed is None:
            listed = os.environ.get(ALLOW_LIST)
            allowed = [w.strip() for w in listed.split(",") if w.strip()] if listed else None
        self._allowed = None if allowed is None else set(allowed)
        self._skip = set(skip)
        for point in entry_points():
            self._load(point)
        for name in sorted((self._allowed or set()) - {entry.name for entry in self.entries}):
            known = [entry.name for entry in self.entries]
            missing = PluginEntry(name, "")
            missing.fail(
                f"named in {ALLOW_LIST}, and not installed; there are {', '.join(known)}."
                f"{did_you_mean(name, known)}"
            )
            self.entries.append(missing)

    def _load(self, point: importlib.metadata.EntryPoint) -> None:
        entry = PluginEntry(point.name, point.value)
        self.entries.append(entry)
        if point.dist is not None:
            entry.distribution = point.dist.metadata["Name"]
            entry.version = point.dist.version
        if self._allowed is not None and point.name not in self._allowed:
            entry.state = "not allowed"
            entry.problems.append(f"not in {ALLOW_LIST}")
            return
        if point.name in self._skip:
            entry.fail("hung, or ended its worker, when it was loaded")
            return
        self._on_load(point.name)
        try:
            self.add(point.load(), point.name, entry)
        except (SystemExit, Exception) as error:  # third-party code may raise anything
            entry.fail(f"cannot be loaded: {describe(error)}")
        finally:
            self._on_load("")

    def add(self, plugin: Any, name: str, entry: PluginEntry | None = None) -> PluginEntry:
        """Register one plugin object and collect what it offers.

        Parameters
        ----------
        plugin : module or object
            Has functions marked with ``selector.hookimpl``.
        name : str
            The name it is known by.
        entry : PluginEntry, optional
            Where to note what became of it.

        Returns
        -------
        PluginEntry
            The entry, its problems filled in; nothing is raised.
        """
        if entry is None:
            entry = PluginEntry(name, getattr(plugin, "__name__", type(plugin).__name__))
            self.entries.append(entry)
        try:
            if self._manager.register(plugin, name=name) is None:
                raise PluginError(f"plugin name '{name}' is blocked")
            self._manager.check_pending()
            others = [p for n, p in self._manager.list_name_plugin() if n != name]
            for hook, accept in (
                ("selector_architectures", self._accept_architecture),
                ("selector_readers", self._accept_reader),
            ):
                caller = self._manager.subset_hook_caller(hook, others)
                for offered in caller():
                    for item in offered:
                        accept(item, entry)
        except (SystemExit, Exception) as error:  # third-party code may raise anything
            if self._manager.get_plugin(name) is not None:
                self._manager.unregister(name=name)
            entry.fail(describe(error))
        if not entry.architectures and not entry.readers and not entry.problems:
            marked = self._manager.get_hookcallers(plugin)
            entry.fail(
                "registers nothing: its hooks return no architecture and no reader"
                if marked
                else "registers nothing: none of its functions is marked with selector.hookimpl"
            )
        return entry

    def _accept_architecture(self, item: Any, entry: PluginEntry) -> None:
        if not isinstance(item, Architecture) or not type_of(item):
            entry.fail(
                f"selector_architectures gave {item!r}: allowed are instances of "
                "NetworkArchitecture, FeatureArchitecture or EstimatorArchitecture"
            )
            return
        name, family = getattr(item, "name", None), getattr(item, "family", None)
        if not isinstance(name, str) or not name or not isinstance(family, str) or not family:
            entry.fail(
                f"{type(item).__name__} has name {name!r} and family {family!r}: both are text"
            )
        elif name in self.architectures:
            entry.fail(f"architecture '{name}' is already offered by '{self.plugin_of[name]}'")
        else:
            self.architectures[name] = item
            self.plugin_of[name] = entry.name
            entry.architectures.append(name)

    def _accept_reader(self, item: Any, entry: PluginEntry) -> None:
        name = getattr(item, "name", None)
        if not isinstance(item, Reader) or not isinstance(name, str):
            entry.fail(f"selector_readers gave {item!r}: allowed are instances of Reader")
        elif name in self.readers:
            entry.fail(f"reader '{name}' is already offered")
        else:
            self.readers[name] = item
            entry.readers.append(name)

    def architecture(self, name: str) -> Architecture:
        """Return the architecture called `name`.

        Raises
        ------
        PluginError
            Where no loaded plugin offers it.
        """
        try:
            return self.architectures[name]
        except KeyError:
            raise PluginError(
                f"no plugin offers the architecture '{name}'; there are "
                f"{', '.join(sorted(self.architectures))}.{did_you_mean(name, self.architectures)}"
                " See 'selector plugins'."
            ) from None


def describe(error: BaseException) -> str:
    """Return ``"TypeName: message"`` on one line of at most some 300 characters."""
    text = " ".join(str(error).split())
    if len(text) > 300:
        text = f"{text[:150]} … {text[-150:]}"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def candidate(architecture: Architecture, plugin: str, profile: Profile) -> Candidate:
    """Match one architecture to a profile by asking it.

    Runs plugin code, so it is called in workers only. What the architecture
    answers is checked: a wrong type or a portfolio outside the space refuses it
    with the reason.
    """
    made = Candidate(
        name=architecture.name,
        family=architecture.family,
        title=str(architecture.title or architecture.name),
        plugin=plugin,
        trained=bool(architecture.trained),
        type=type_of(architecture),  # type: ignore[arg-type]
        role=str(architecture.role),
        admitted=False,
        reason="",
        variable_length=bool(architecture.variable_length),
    )
    try:
        made = replace(made, references=tuple(str(r) for r in architecture.references))
        fit = architecture.fit_for(profile)
        if not fit.admitted:
            return replace(made, reason=str(fit.reason))
        space = dict(architecture.space(profile))
        portfolio = tuple(dict(p) for p in architecture.portfolio(profile))
        problem = _portfolio_problem(space, portfolio)
        reason = str(fit.reason)
    except (SystemExit, Exception) as error:  # third-party code may raise anything
        return refusal(made, f"failed: {describe(error)}")
    if problem:
        return refusal(made, f"failed: {problem}")
    return replace(made, admitted=True, reason=reason, space=space, portfolio=portfolio or ({},))


def refusal(made: Candidate, reason: str) -> Candidate:
    """Return a candidate as refused, without the space and portfolio that may be at fault."""
    return replace(made, admitted=False, reason=reason, space={}, portfolio=())


def _portfolio_problem(space: dict[str, Any], portfolio: Iterable[dict[str, Any]]) -> str:
    from selector.contract import Categorical, Float, Int

    for name, range_ in space.items():
        if not isinstance(range_, Int | Float | Categorical):
            return f"the space gives {range_!r} for '{name}': allowed are Int, Float, Categorical"
        if problem := range_.problem():
            return f"the space has {name}={range_}, and {problem}"
    for params in portfolio:
        if set(params) != set(space):
            return f"a portfolio entry names {sorted(params)}, the space {sorted(space)}"
        for name, range_ in space.items():
            value = params[name]
            if isinstance(range_, Categorical):
                inside = value in range_.choices
            else:
                inside = isinstance(value, int | float) and range_.low <= value <= range_.high
            if not inside:
                return f"a portfolio entry has {name}={value!r}, outside {range_}"
    return ""


__all__ = [
    "ALLOW_LIST",
    "CONTRACT_VERSION",
    "PluginEntry",
    "Registry",
    "candidate",
    "describe",
    "entry_points",
    "refusal",
    "type_of",
]
