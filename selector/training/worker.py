"""A worker process: one core, one trial at a time, commands over a pipe.

Started by :mod:`selector.search.workers` as ``python -m selector.training.worker``.
Messages are JSON objects in both directions; arrays travel as files in the run
folder, never pickled. The worker ends as soon as its pipe does.

Commands (``op``): ``propose``, ``splits``, ``trial``, ``final``, ``predict``, ``probe``. Every
command is answered by exactly one message with ``event: "result"`` and the
command's ``id``, unless the process dies; before it come ``started``, when the
worker turns to the command, and perhaps ``candidate`` and ``progress``.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from selector.training import cache, clock

NEEDS = {
    "keras": ("selector.training.networks", "selector.training.features"),
    "sklearn": (
        "sklearn.compose", "sklearn.ensemble", "sklearn.linear_model", "sklearn.model_selection",
        "sklearn.pipeline", "selector.training.fit",
    ),
}  # fmt: skip
"""What trials of networks and fixed features, and trials of estimators, need to be imported."""

BETWEEN_SECONDS = 0.3
"""How long a worker waits for work that it can do already, before it imports more."""


def main(argv: list[str] | None = None) -> None:
    """Serve commands until the pipe closes."""
    parser = argparse.ArgumentParser(prog="selector.training.worker")
    parser.add_argument("--fd", type=int, required=True, help="file descriptor of the pipe")
    parser.add_argument("--parent", type=int, required=True, help="process id of the driver")
    parser.add_argument("--core", type=int, default=-1, help="core to stay on; -1 for any")
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument("--skip", default="", help="plugins not to load, separated by commas")
    parser.add_argument("--warm", default="keras,sklearn", help="what to import first")
    options = parser.parse_args(argv)
    _tie_to_parent(options.parent)
    if options.core >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {options.core})
    Worker(Connection(options.fd), options.run, _words(options.skip), _words(options.warm)).serve()


def _words(text: str) -> list[str]:
    return [w for w in text.split(",") if w]


def _tie_to_parent(parent: int) -> None:
    """Ask the kernel to end this process with its parent (Linux), and ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


class Worker:
    """The state of one worker process.

    Parameters
    ----------
    pipe : multiprocessing.connection.Connection
        To the driver.
    run : Path
        The run folder.
    skip : list of str
        Plugins not to load.
    warm : list of str
        What to import before the first command, in order: ``"keras"``, ``"sklearn"``.
    """

    def __init__(self, pipe: Connection, run: Path, skip: list[str], warm: list[str]) -> None:
        self.pipe = pipe
        self.run = run
        self._commands: queue.Queue[dict[str, Any]] = queue.Queue()
        self._sending = threading.Lock()
        self._skip = skip
        self._warm = warm
        self._data: dict[str, Any] = {}
        self._profile: Any = None

    # -------------------------------------------------------------- the loop

    def serve(self) -> None:
        """Load plugins, warm up, then run one command after the other."""
        threading.Thread(target=self._listen, daemon=True).start()
        from selector.plugins import Registry
        from selector.training import backend

        self.registry = Registry(
            skip=self._skip, on_load=lambda name: self.send("loading", plugin=name)
        )
        self.send("plugins", entries=[asdict(e) for e in self.registry.entries])
        if self._warm:
            backend.prepare()
        for step in self._warm:
            self._handle_all(0.0 if step == self._warm[0] else BETWEEN_SECONDS)
            started = time.monotonic()
            self._import(step)
            if step == self._warm[0]:
                gc.freeze()  # what was imported stays: no collection looks through it again
            self.send("warm", what=step, seconds=time.monotonic() - started)
        while True:
            self._handle(self._commands.get())

    def _handle_all(self, patience: float) -> None:
        """Run the commands that are there, or come within `patience` seconds of the last."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._handle(self._commands.get(timeout=patience or None, block=patience > 0))

    def send(self, event: str, **content: Any) -> None:
        """Send one message to the driver; without a driver there is nothing to live for."""
        try:
            with self._sending:
                self.pipe.send_bytes(json.dumps({"event": event, **content}).encode())
        except OSError:
            os._exit(0)

    def _listen(self) -> None:
        while True:
            try:
                command = json.loads(self.pipe.recv_bytes())
            except (EOFError, OSError):
                os._exit(0)
            if command["op"] == "stop":
                clock.STOP.set()
            else:
                clock.STOP.clear()
                self._commands.put(command)

    @staticmethod
    def _import(what: str) -> None:
        for module in NEEDS[what]:
            importlib.import_module(module)
        if what == "keras" and "jax" in sys.modules:
            cache.watch()

    def _handle(self, command: dict[str, Any]) -> None:
        self.send("started", id=command["id"])
        operation = getattr(self, f"_do_{command['op']}")
        try:
            answer = operation(command)
        except Exception as error:  # the driver is told; the worker lives on
            traceback.print_exc()
            from selector.plugins import describe

            answer = {"state": "failed", "reason": describe(error)}
        self.send("result", id=command["id"], cache=cache.counts(), **answer)

    # ----------------------------------------------------------- the commands

    def _do_propose(self, command: dict[str, Any]) -> dict[str, Any]:
        """Match every architecture to the profile, one ``candidate`` message each."""
        from selector.plugins import candidate, refusal
        from selector.search import space

        skip = set(command["skip"])
        for name, architecture in self.registry.architectures.items():
            if name in skip:
                continue
            self.send("progress", id=command["id"], architecture=name)
            made = candidate(architecture, self.registry.plugin_of[name], self.profile)
            try:
                told = space.candidate_to_dict(made)
                json.dumps(told)
            except (TypeError, ValueError) as error:
                told = space.candidate_to_dict(refusal(made, f"failed: {error}"))
            self.send("candidate", id=command["id"], candidate=told)
        return {"state": "complete"}

    def _do_splits(self, command: dict[str, Any]) -> dict[str, Any]:
        """Make the common splits here, where scikit-learn is imported anyway."""
        from selector.search.splits import Splits

        Splits.of_run(self.run, self.profile, command["seed"])
        return {"state": "complete"}

    def _do_trial(self, command: dict[str, Any]) -> dict[str, Any]:
        import numpy as np

        from selector.contract import TrialSpec
        from selector.training.fit import run_trial

        spec = TrialSpec(**command["spec"])
        split = np.load(self.run / "splits" / f"{spec.split}.npy", allow_pickle=False)
        result = run_trial(
            spec,
            self.registry.architecture(spec.architecture),
            self.profile,
            self._load("dev"),
            split,
            deadline=self._deadline(command),
            heartbeat=self._heartbeat(command),
            predictions_path=self.run / "predictions" / f"{spec.id}.npy",
        )
        return asdict(result)

    def _do_final(self, command: dict[str, Any]) -> dict[str, Any]:
        from selector.contract import TrialSpec
        from selector.training.fit import fit_final

        spec = TrialSpec(**command["spec"])
        result = fit_final(
            spec,
            self.registry.architecture(spec.architecture),
            self.profile,
            self._load(command["data"]),
            Path(command["folder"]),
            deadline=self._deadline(command),
            heartbeat=self._heartbeat(command),
            extra=command["extra"],
        )
        return asdict(result)

    def _do_predict(self, command: dict[str, Any]) -> dict[str, Any]:
        """Load a saved model afresh and write its predictions for a data folder.

        Where the command is content with a part, rows for which there is no time are NaN.
        """
        import numpy as np

        from selector.artifact.data import read_data
        from selector.training import saved
        from selector.training.partial import in_time

        x, _ = read_data(Path(command["data"]))
        started = time.perf_counter()
        model = saved.load(Path(command["model"]))
        loaded = time.perf_counter()
        if command.get("partial"):
            deadline = self._deadline(command)
            predictions = in_time(model.predict, x, lambda: deadline - time.monotonic())
        else:
            predictions = model.predict(x)
        np.save(command["out"], np.asarray(predictions), allow_pickle=False)
        return {
            "state": "complete",
            "load_seconds": loaded - started,
            "seconds": time.perf_counter() - loaded,
        }

    def _do_probe(self, command: dict[str, Any]) -> dict[str, Any]:
        """Score a saved model on altered inputs, as many as the time allows."""
        from selector.artifact.data import read_data
        from selector.training import saved
        from selector.training.probes import by_rows, probe

        x, y = read_data(Path(command["data"]))
        assert y is not None
        deadline = self._deadline(command)
        metric, row_scores = by_rows(self.profile)
        results = probe(
            saved.load(Path(command["model"])).predict,
            row_scores,
            x,
            y.values,
            lambda: deadline - time.monotonic(),
        )
        return {"state": "complete", "results": results, "metric": metric}

    # -------------------------------------------------------------- utilities

    @property
    def profile(self) -> Any:
        """The run's profile, read when first needed."""
        if self._profile is None:
            from selector.contract import Profile

            self._profile = Profile.from_dict(json.loads((self.run / "profile.json").read_text()))
        return self._profile

    def _load(self, part: str) -> Any:
        """Return one part of the run's data (``"dev"`` or ``"all"``), kept while it is used."""
        if part not in self._data:
            from selector.artifact.data import read_data
            from selector.training.fit import TrialData

            x, y = read_data(self.run / "data" / part)
            assert y is not None
            self._data = {part: TrialData(x, y.values)}
        return self._data[part]

    @staticmethod
    def _deadline(command: Mapping[str, Any]) -> float:
        """Soft deadline on this process's monotonic clock."""
        return time.monotonic() + float(command["seconds"])

    def _heartbeat(self, command: Mapping[str, Any]) -> Any:
        last = time.monotonic()

        def heartbeat(**progress: Any) -> None:
            nonlocal last
            if time.monotonic() - last > 0.5:
                last = time.monotonic()
                self.send("progress", id=command["id"], **progress)

        return heartbeat


if __name__ == "__main__":
    main()
