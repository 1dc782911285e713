"""Runs a plan on the workers: hands out trials, takes results, survives failures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from selector.artifact.run import RunFolder
from selector.contract import TrialResult, TrialSpec
from selector.search.budget import Budget
from selector.search.planner import Planner
from selector.search.records import Record, failed, result_from_dict
from selector.search.studies import Studies
from selector.search.workers import FOREIGN, LATE, Event, WorkerPool, WorkerProcess

UNWANTED = ("was not needed any longer", "the run is over")
"""Reasons of kills that say nothing about what was killed."""

GROWN_BYTES = 3 << 29
"""Resident memory, 1.5 GiB, above which an idle worker is replaced."""

GROWN_SHARE = 0.7
"""The same, as a share of what one worker may use, where that is less."""

GROWN_AFTER = 3
"""Architectures that it has run by then."""

RECYCLE_SECONDS = 30.0
"""A worker that has grown is replaced only where this much time is left."""

USUAL_IMPORT_SECONDS = 2.5
"""A worker that takes longer to import Keras is taken to be as many times slower."""

LEAST_SECONDS = 0.5
"""A command that had to wait for a worker is begun only where it has this much time."""

RESTART_SECONDS = 6.0
"""A worker is replaced only where at least this much time is left to use it."""


class Runner:
    """Owns the conversation with the workers.

    Parameters
    ----------
    run : RunFolder
        Where records go.
    pool : WorkerPool
        The workers.
    budget : Budget
        The clock.
    stop : threading.Event
        Set by Ctrl-C: what runs is abandoned, and what there is, judged.
    on_change : callable
        Called after each event, to show progress.
    """

    def __init__(
        self,
        run: RunFolder,
        pool: WorkerPool,
        budget: Budget,
        stop: threading.Event,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.run, self.pool, self.budget, self.stop = run, pool, budget, stop
        self.on_change = on_change
        self.failures: list[dict[str, Any]] = []
        self.restarts = 0
        self.recycled = 0
        self.out_of_time = False
        self.slowness = 1.0
        self._cache: dict[int, dict[str, int]] = {}
        self.timeline: dict[str, float] = {}
        self.planner: Planner | None = None
        self._numbers: dict[str, int | None] = {}
        self._ids = 0
        self._waiting: list[tuple[dict[str, Any], float]] = []
        self._answers: dict[int, Callable[[dict[str, Any]], Any]] = {}

    # ------------------------------------------------------------------ events

    def events(self, timeout: float) -> list[Event]:
        """Return what happened, after the chores that every stage has in common.

        Parameters
        ----------
        timeout : float
            Seconds to wait for something to happen.
        """
        events = self.pool.events(timeout)
        for event in events:
            if event.name == "died":
                self._bury(event)
            elif event.name == "warm":
                what = f"worker {event.worker.index} imported {event.content['what']}"
                self.timeline.setdefault(what, round(self.budget.elapsed(), 3))
                if event.content["what"] == "keras":
                    took = float(event.content["seconds"])
                    self.slowness = max(self.slowness, took / USUAL_IMPORT_SECONDS)
            if "cache" in event.content:
                self._cache[id(event.worker)] = event.content["cache"]
            if event.name in ("result", "died"):
                self._take(event)
        return events

    def _bury(self, event: Event) -> None:
        if event.content["reason"] in UNWANTED:
            return
        command = event.content["command"] or {}
        what = command.get("spec", {}).get("architecture") or command.get("op", "starting")
        if event.worker.loading:
            what = f"plugin {event.worker.loading}"
        self.failures.append(
            {
                "architecture": what,
                "stage": command.get("spec", {}).get("stage", command.get("op", "start")),
                "reason": f"worker {event.content['reason']}",
            }
        )
        if self.budget.left() > RESTART_SECONDS and not self.stop.is_set() and self.restarts < 50:
            self.restarts += 1
            self.pool.replace(event.worker)

    @property
    def cache(self) -> dict[str, int]:
        """Compiled programs that the workers found in the cache, and did not."""
        found = self._cache.values()
        return {what: sum(c[what] for c in found) for what in ("hits", "misses")}

    def _command_id(self) -> int:
        self._ids += 1
        return self._ids

    def _note(self, architecture: str, stage: str, reason: str) -> None:
        self.failures.append({"architecture": architecture, "stage": stage, "reason": reason})

    # ------------------------------------------------------------------ trials

    def submit(
        self, command: Mapping[str, Any], seconds: float, then: Callable[[dict[str, Any]], Any]
    ) -> None:
        """Have a command run by the next idle worker during the search, before further trials."""
        number = self._command_id()
        self._answers[number] = then
        self._waiting.append(({**command, "id": number}, seconds))

    def search(self, planner: Planner, studies: Studies) -> None:
        """Run the plan until it has no more work, the time is up, or Ctrl-C."""
        self.planner, self.studies = planner, studies
        while not self.stop.is_set():
            spare = self.budget.left() - planner.reserve()
            if spare <= 0.3:
                self.out_of_time = True
                break
            planner.slowness = self.slowness
            busy = self._dispatch(planner, spare)
            if not busy and (planner.stage == "confirm" or self._no_worker_left()):
                break
            self.events(min(0.25, spare))
            self.on_change()
        self.clear()
        planner.start_confirmation()

    def _dispatch(self, planner: Planner, spare: float) -> bool:
        """Give idle workers work; say whether any worker has something to do."""
        for worker in self.pool.idle():
            if self._grown(worker) and spare > RECYCLE_SECONDS:
                self.recycled += 1
                self.pool.recycle(worker)
                continue
            if self._waiting and len(worker.warm) >= 2:
                command, seconds = self._waiting.pop(0)
                self.pool.send(worker, command, min(seconds, max(0.5, spare)))
                continue
            planned = planner.next(worker.warm, worker.built)
            if planned is None:
                continue
            spec, number = planned
            self._numbers[spec.id] = number
            message = {"op": "trial", "id": self._command_id(), "spec": asdict(spec)}
            self.pool.send(worker, message, min(spec.seconds, max(0.5, spare - 0.6)))
            worker.built.add(spec.architecture)
        alive = [w for w in self.pool.workers if not w.killed_for]
        return any(w.command is not None or not w.listed or len(w.warm) < 2 for w in alive)

    def _take(self, event: Event) -> None:
        """Take note of a command that ended: a trial, or one that was submitted."""
        command = event.content.get("command") or {}
        if command.get("id") in self._answers:
            self._answers.pop(command["id"])(event.content if event.name == "result" else {})
        if command.get("op") != "trial" or self.planner is None:
            return
        if event.content.get("reason") in UNWANTED:
            return
        guilty: bool | None = None
        spec = TrialSpec(**command["spec"])
        if spec.id not in self._numbers:
            return  # none of the plan's
        if event.name == "died":
            reason = event.content["reason"]
            result = failed(f"worker {reason}")
            # a signal that we did not send says nothing about the architecture
            guilty = not reason.startswith(FOREIGN)
            self.planner.crashed(spec.architecture, result.reason, guilty=guilty)
        else:
            result = result_from_dict(event.content)
            if self.stop.is_set() and result.state == "failed" and result.stopped == "deadline":
                return  # it was asked to end: that says nothing about what it was
            if result.state != "complete":
                self._note(spec.architecture, spec.stage, result.reason)
        self._record(spec, result, event.worker.index, guilty)

    def _record(
        self, spec: TrialSpec, result: TrialResult, worker: int, guilty: bool | None
    ) -> None:
        """Put a finished trial on disk first, then tell the planner and the study."""
        planner, number = self.planner, self._numbers.get(spec.id)
        assert planner is not None
        candidate = planner.contenders[spec.architecture].candidate
        record = Record(
            spec, result, candidate.family, candidate.type, number, worker,
            round(self.budget.elapsed(), 3), guilty,
        )  # fmt: skip
        self.run.append_trial(record.to_dict())
        if number is not None:
            self.studies.tell(candidate, number, record.value)
        planner.tell(record)

    def clear(self) -> None:
        """After Ctrl-C, have running trials end with what they have.

        One worker is kept, a warm one where there is any: the final model needs it.
        Without Ctrl-C nothing is ended, since trials were given no more time than
        there is.
        """
        if not self.stop.is_set():
            return
        self.pool.ask_to_stop()
        patience = Budget(3.0)
        while patience.left() > 0 and any(w.command is not None for w in self.pool.workers):
            self.events(0.1)
        busy = [w for w in self.pool.workers if w.command is not None and not w.killed_for]
        busy.sort(key=lambda w: -len(w.warm))
        for worker in busy if self._warm_and_idle() else busy[1:]:
            self.pool.kill(worker, UNWANTED[0])

    def _grown(self, worker: WorkerProcess) -> bool:
        """Whether to replace a worker; one that has done little yet will not be any smaller."""
        near = worker.used > GROWN_SHARE * self.pool.memory and len(worker.built) >= GROWN_AFTER
        return worker.used > GROWN_BYTES or near

    def _no_worker_left(self) -> bool:
        return all(w.pipe.closed for w in self.pool.workers)

    def _warm_and_idle(self) -> bool:
        return any(len(w.warm) >= 2 for w in self.pool.idle())

    # ----------------------------------------------------------------- commands

    def call(
        self,
        command: Mapping[str, Any],
        seconds: float,
        avoid: int | None = None,
        patience: float = 1.5,
    ) -> dict[str, Any]:
        """Run one command on a worker and return its result.

        Parameters
        ----------
        command : mapping
            With ``op`` and what it needs.
        seconds : float
            Soft limit, from now.
        avoid : int, optional
            Index of a worker that another is preferred to.
        patience : float
            Seconds between the limit that the worker is given and `seconds`.

        Returns
        -------
        dict
            The worker's answer; ``state`` is ``"failed"``, with a ``reason``,
            where there was none in time.
        """
        return self.call_all([command], seconds, avoid, patience)[0]

    def call_all(
        self,
        commands: Sequence[Mapping[str, Any]],
        seconds: float,
        avoid: int | None = None,
        patience: float = 1.5,
    ) -> list[dict[str, Any]]:
        """Run commands on whatever workers are idle, in order; see :meth:`call`.

        What has to wait until little time is left is not begun.
        """
        deadline = Budget(seconds)
        late = {"state": "failed", "reason": f"no answer within {seconds:.1f} s"}
        answers: list[dict[str, Any]] = [late for _ in commands]
        waiting = list(range(len(commands)))
        running: dict[int, tuple[int, WorkerProcess]] = {}
        while (waiting or running) and deadline.left() > 0:
            begun = len(waiting) + len(running) < len(commands)
            if begun and deadline.left() < patience + LEAST_SECONDS:
                waiting = []
            while waiting and (worker := self._idle_for(commands[waiting[0]], avoid)):
                number = self._command_id()
                running[number] = (waiting[0], worker)
                # it has to save, and answer, before nobody waits any longer
                allowed = max(0.5, deadline.left() - patience)
                self.pool.send(worker, {**commands[waiting.pop(0)], "id": number}, allowed)
            for event in self.events(0.05):
                self._answer(event, running, answers)
            if waiting and self._no_worker_left():
                none = {"state": "failed", "reason": "no worker is left"}
                answers = [none if i in waiting else a for i, a in enumerate(answers)]
                waiting = []
        for _, worker in running.values():
            self.pool.kill(worker, LATE)
        return answers

    def _idle_for(self, command: Mapping[str, Any], avoid: int | None) -> WorkerProcess | None:
        """Return the idle worker that suits a command best, or None."""
        architecture = command.get("spec", {}).get("architecture")
        return min(
            self.pool.idle(),
            key=lambda w: ("keras" not in w.warm, w.index == avoid, architecture not in w.built),
            default=None,
        )

    @staticmethod
    def _answer(
        event: Event, running: dict[int, tuple[int, WorkerProcess]], answers: list[dict[str, Any]]
    ) -> None:
        """Take what an event says of the commands that are running."""
        for number, (index, worker) in list(running.items()):
            if event.worker is worker and event.name == "died":
                reason = f"worker {event.content['reason']}"
                answers[index] = {"state": "failed", "reason": reason}
            elif event.name == "result" and event.content.get("id") == number:
                answers[index] = {**event.content, "worker": worker.index}
            else:
                continue
            del running[number]
