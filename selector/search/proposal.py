"""What the architectures propose for a profile, asked in a light process of its own.

The process imports neither Keras nor scikit-learn, so that the candidates are
known while the workers still import them, and so that an architecture that
hangs in :meth:`~selector.contract.Architecture.fit_for` costs no worker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from selector.contract import Candidate
from selector.options import NOT_ASKED_FOR, NOT_TRAINED
from selector.search.budget import Budget
from selector.search.space import candidate_from_dict
from selector.search.workers import FOREIGN, Event, WorkerPool, WorkerProcess

PROPOSE_SECONDS = 3.0
"""Seconds that one architecture may take to say whether it fits, where there is time for it."""

PROPOSE_SHARE = 0.15
"""Share of the budget that it may take at most."""


class Proposal:
    """Asks every architecture whether it fits the profile of a run.

    Parameters
    ----------
    pool : WorkerPool
        One process, with nothing imported.
    budget : Budget
        The clock.
    stop : threading.Event
        Set by Ctrl-C.

    Attributes
    ----------
    plugins : list of dict
        What the process found when it loaded the plugins.
    failures : list of dict
        What went wrong: ``architecture``, ``stage``, ``reason``.
    """

    def __init__(self, pool: WorkerPool, budget: Budget, stop: threading.Event) -> None:
        self.pool, self.budget, self.stop = pool, budget, stop
        self.plugins: list[dict[str, Any]] = []
        self.failures: list[dict[str, Any]] = []
        self._found: dict[str, Candidate] = {}
        self._blamed: dict[str, str] = {}
        self._asked = ""
        self._deaths = 0
        self._seconds = min(PROPOSE_SECONDS, PROPOSE_SHARE * budget.seconds)

    def candidates(
        self,
        families: tuple[str, ...] = (),
        trained_only: bool = False,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> list[Candidate]:
        """Return one candidate for each architecture, admitted or refused with the reason.

        An architecture that hangs or ends its process is refused, and the
        others are asked in another process.

        Parameters
        ----------
        families : tuple of str
            Refuse those of other families.
        trained_only : bool
            Refuse those that are not trained by gradient descent.
        meanwhile : callable
            Called again and again while the answers are awaited.
        """
        while self.budget.left() > 0.5 and not self.stop.is_set():
            for worker in self.pool.idle():
                skip = [*self._found, *self._blamed]
                self.pool.send(worker, {"op": "propose", "id": 0, "skip": skip}, self._seconds)
            events = self.pool.events(0.1)
            for event in events:
                self._note(event)
            if any(event.name == "result" for event in events):
                break
            meanwhile()
        self._note_broken_plugins()
        allowed = [_allow(c, families, trained_only) for c in self._found.values()]
        return allowed + [_hung(name, reason) for name, reason in self._blamed.items()]

    def _note_broken_plugins(self) -> None:
        """Count what is wrong with a plugin as failures; one that hung is among them already."""
        known = {f["architecture"] for f in self.failures}
        for entry in self.plugins:
            name = f"plugin {entry['name']}"
            if entry["state"] in ("failed", "partial") and name not in known:
                for problem in entry["problems"]:
                    self._fail(name, problem, "start")

    def _note(self, event: Event) -> None:
        if event.name == "plugins" and len(event.content["entries"]) >= len(self.plugins):
            self.plugins = event.content["entries"]
        elif event.name == "died":
            self._bury(event.worker, event.content["reason"])
        elif event.name == "progress":
            self._asked = event.content["architecture"]
            self.pool.extend(event.worker, self._seconds)
        elif event.name == "candidate":
            made = candidate_from_dict(event.content["candidate"])
            self._found[made.name] = made
            if made.reason.startswith("failed: "):
                self._fail(made.name, made.reason[8:])

    def _bury(self, worker: WorkerProcess, reason: str) -> None:
        """Blame who was asked, unless somebody else ended the process, and start another."""
        self._deaths += 1
        foreign = reason.startswith(FOREIGN) and self._deaths == 1
        asked, self._asked = self._asked, ""
        if worker.loading:
            self._fail(f"plugin {worker.loading}", f"worker {reason}", "start")
        elif asked and asked not in self._found:
            self._fail(asked, f"worker {reason}")
            if not foreign:
                self._blamed[asked] = reason
        if self._deaths < 50:
            self.pool.replace(worker)

    def _fail(self, what: str, reason: str, stage: str = "propose") -> None:
        self.failures.append({"architecture": what, "stage": stage, "reason": reason})


def _allow(candidate: Candidate, families: tuple[str, ...], trained_only: bool) -> Candidate:
    if candidate.role == "baseline" or not candidate.admitted:
        return candidate
    if families and candidate.family not in families:
        return replace(candidate, admitted=False, reason=NOT_ASKED_FOR)
    if trained_only and not candidate.trained:
        return replace(candidate, admitted=False, reason=NOT_TRAINED)
    return candidate


def _hung(name: str, reason: str) -> Candidate:
    return Candidate(
        name, name.split(".")[0], name, "", False, "network", "candidate", False,
        f"failed: worker {reason}",
    )  # fmt: skip
