"""Supervised worker processes: one for each core, replaced when they fail.

The pool starts workers, sends them commands and reports what happens as
events. A watchdog thread ends a worker that overstays its deadline by
:data:`GRACE` seconds or grows past the memory limit, even while the driver is
busy. Nothing here knows what a trial is.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

GRACE = 2.0
"""Seconds between a command's soft deadline and the kill."""

LOAD_SECONDS = 5.0
"""Seconds that one plugin may take to be imported, where a run does not say less."""

LATE = "did not return by its deadline"
"""The reason where a worker was ended because it took too long."""

FOREIGN = "ended by signal"
"""How the reason begins where a worker was ended by a signal that nobody here sent."""

IMPORT_SECONDS = 60.0
"""Seconds that a worker may take to start and import its libraries."""


@dataclass
class Event:
    """Something that happened in a worker.

    ``name`` is the message's event (``plugins``, ``warm``, ``candidate``,
    ``progress``, ``result``) or ``died``, with ``content["reason"]``.
    """

    worker: WorkerProcess
    name: str
    content: dict[str, Any]


@dataclass
class WorkerProcess:
    """One worker as the driver sees it."""

    index: int
    core: int
    process: subprocess.Popen[bytes]
    pipe: Connection
    started: float
    warm: set[str] = field(default_factory=set)
    command: dict[str, Any] | None = None
    kill_at: float = float("inf")
    killed_for: str = ""
    loading: str = ""
    listed: bool = False
    built: set[str] = field(default_factory=set)
    used: int = 0

    @property
    def idle(self) -> bool:
        """Whether it can take a command."""
        return self.listed and self.command is None and not self.killed_for


MALLOC = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
}
"""Has glibc keep the buffers of a step for the next one.

Otherwise each step returns them to the system and faults every page in again,
which slows recurrent layers over long series. One arena, since those of other
threads are given back whatever the thresholds say.
"""

KEEPING_GLIBC = (2, 35)
"""Earlier ones refuse thresholds that large, and would then keep less than without them."""


def _keeps_memory() -> bool:
    """Whether the C library takes :data:`MALLOC`."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        return name == "glibc" and tuple(map(int, version.split("."))) >= KEEPING_GLIBC
    except (ValueError, OSError, AttributeError):  # another C library
        return False


def environment(core_count: int) -> dict[str, str]:
    """Return the environment of a worker: one thread for each library, memory that is kept."""
    made = dict(os.environ)
    threads = str(core_count)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        made[name] = threads
    made.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    made.setdefault("PYTHONHASHSEED", "0")
    if _keeps_memory() and not any(name.startswith("MALLOC_") for name in made):
        made |= MALLOC
    # just what the driver itself has: with -P a worker does not look into the folder of the data
    paths = (p or os.getcwd() for p in sys.path)
    made["PYTHONPATH"] = os.pathsep.join(p for p in paths if os.path.isdir(p))
    return made


def usable_cores() -> list[int]:
    """Return the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


class WorkerPool:
    """Starts, supervises and replaces the workers of one run.

    Parameters
    ----------
    run : Path
        The run folder; workers' output goes to ``logs/``.
    count : int, optional
        Number of workers; one for each usable core by default.
    memory : int, optional
        Limit for each worker, in bytes of resident memory; by default its
        share of four fifths of what is available now.
    warm : tuple of str
        What workers import before they are asked; every second worker begins
        at the other end, so that some kind of trial can start early.
    load_seconds : float
        Seconds that one plugin may take to be imported.
    pinned : bool
        Keep a single worker to one core too: sums over several threads differ
        in their last bits.
    name : str
        What their logs are called.
    """

    def __init__(
        self,
        run: Path,
        count: int | None = None,
        memory: int | None = None,
        warm: tuple[str, ...] = ("keras", "sklearn"),
        load_seconds: float = LOAD_SECONDS,
        pinned: bool = False,
        name: str = "worker",
    ) -> None:
        import psutil

        self.run, self.name = run, name
        cores = usable_cores()
        count = count or len(cores)
        self._cores = [cores[i % len(cores)] if count > 1 or pinned else -1 for i in range(count)]
        self.memory = memory or int(psutil.virtual_memory().available * 0.8 / count)
        self._warm, self._load_seconds = warm, load_seconds
        self.skip_plugins: dict[str, str] = {}
        self.peak_memory = 0
        self._closing = False
        self._guard = threading.RLock()
        self.workers: list[WorkerProcess] = []
        for index in range(count):
            self.workers.append(self._start(index))
        self._watch = threading.Thread(target=self._supervise, daemon=True)
        self._watch.start()

    def _start(self, index: int) -> WorkerProcess:
        ours, theirs = socket.socketpair()
        core = self._cores[index]
        warm = ",".join(self._warm if index % 2 == 0 else self._warm[::-1])
        command = [
            sys.executable, "-P", "-m", "selector.training.worker",
            "--fd", str(theirs.fileno()), "--parent", str(os.getpid()), "--core", str(core),
            "--run", str(self.run), "--skip", ",".join(self.skip_plugins), "--warm", warm,
        ]  # fmt: skip
        log = (self.run / "logs" / f"{self.name}-{index}.log").open("ab")
        with log, theirs:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                env=environment(1 if core >= 0 else len(usable_cores())),
                start_new_session=True,
            )
        pipe = Connection(os.dup(ours.fileno()))
        ours.close()
        return WorkerProcess(
            index, core, process, pipe, started=time.monotonic(),
        )  # fmt: skip

    # ------------------------------------------------------------- supervision

    def _supervise(self) -> None:
        import psutil

        while not self._closing:
            now = time.monotonic()
            for worker in list(self.workers):
                if worker.killed_for:
                    continue
                if now > worker.kill_at:
                    self.kill(worker, LATE)
                    continue
                try:
                    used = psutil.Process(worker.process.pid).memory_info().rss
                except psutil.Error:
                    continue
                worker.used = used
                self.peak_memory = max(self.peak_memory, used)
                if used > self.memory:
                    limit = self.memory / 2**30
                    self.kill(worker, f"used more memory than the limit of {limit:.1f} GiB")
            time.sleep(0.1)

    def kill(self, worker: WorkerProcess, reason: str) -> None:
        """End a worker at once, with everything it started."""
        with self._guard:
            if not worker.killed_for:
                worker.killed_for = reason
        if worker.process.poll() is not None:
            return  # it has ended, and its number may be another's by now
        try:
            os.killpg(worker.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            worker.process.kill()

    # ---------------------------------------------------------------- commands

    def send(self, worker: WorkerProcess, command: Mapping[str, Any], seconds: float) -> None:
        """Give an idle worker a command with a soft limit in seconds."""
        worker.command = {**command, "seconds": seconds}
        # it may still be importing; its own time runs from when it says "started"
        worker.kill_at = time.monotonic() + IMPORT_SECONDS + seconds + GRACE
        try:
            worker.pipe.send_bytes(json.dumps(worker.command).encode())
        except OSError:
            self.kill(worker, "ended")

    def ask_to_stop(self) -> None:
        """Ask busy workers to end their trial soon with what they have."""
        for worker in self.workers:
            if worker.command is not None and not worker.pipe.closed:
                try:
                    worker.pipe.send_bytes(json.dumps({"op": "stop"}).encode())
                except OSError:
                    self.kill(worker, "ended")

    def extend(self, worker: WorkerProcess, seconds: float) -> None:
        """Let a worker that shows progress run `seconds` from now before it is killed."""
        worker.kill_at = time.monotonic() + seconds

    def idle(self) -> list[WorkerProcess]:
        """Return the workers that can take a command."""
        return [w for w in self.workers if w.idle]

    def events(self, timeout: float) -> list[Event]:
        """Wait at most `timeout` seconds for something to happen and return it."""
        pipes: dict[Any, WorkerProcess] = {w.pipe: w for w in self.workers if not w.pipe.closed}
        if not pipes:
            time.sleep(timeout)
            return []
        found: list[Event] = []
        for pipe in wait(list(pipes), timeout=max(0.0, timeout)):
            worker = pipes[pipe]
            try:
                message = json.loads(worker.pipe.recv_bytes())
            except (EOFError, OSError, ValueError):
                found.append(self._died(worker))
            else:
                self._note(worker, message)
                found.append(Event(worker, message.pop("event"), message))
        return found

    def _note(self, worker: WorkerProcess, message: dict[str, Any]) -> None:
        event = message["event"]
        if event == "loading":
            worker.loading = message["plugin"]
            allowed = self._load_seconds if worker.loading else IMPORT_SECONDS
            worker.kill_at = time.monotonic() + allowed
        elif event == "plugins":
            worker.listed, worker.loading = True, ""
            if worker.command is None:
                worker.kill_at = float("inf")
        elif event == "started" and worker.command is not None:
            worker.kill_at = time.monotonic() + worker.command["seconds"] + GRACE
        elif event == "warm":
            worker.warm.add(message["what"])
        elif event == "result":
            message["command"] = worker.command
            worker.command, worker.kill_at = None, float("inf")

    def _died(self, worker: WorkerProcess) -> Event:
        try:
            code = worker.process.wait(timeout=1.0)  # the pipe closes a moment before the end
        except subprocess.TimeoutExpired:
            self.kill(worker, "closed its pipe")
            code = worker.process.wait()
        reason = worker.killed_for or (
            f"{FOREIGN} {-code}" if code < 0 else f"ended the process with exit code {code}"
        )
        if worker.loading:
            self.skip_plugins[worker.loading] = reason
        event = Event(worker, "died", {"reason": reason, "command": worker.command})
        worker.command, worker.killed_for = None, reason
        worker.pipe.close()
        return event

    def replace(self, worker: WorkerProcess) -> None:
        """Start another worker in the place of one that died."""
        place = self.workers.index(worker)
        self.workers[place] = self._start(worker.index)

    def recycle(self, worker: WorkerProcess) -> None:
        """Start another worker in the place of an idle one that has grown."""
        self.kill(worker, "has grown")
        worker.process.wait()
        worker.pipe.close()
        self.replace(worker)

    def close(self) -> None:
        """End all workers."""
        self._closing = True
        for worker in self.workers:
            self.kill(worker, "the run is over")
        for worker in self.workers:
            worker.process.wait()
            if not worker.pipe.closed:
                worker.pipe.close()
        self._watch.join(timeout=1)


def list_plugins(seconds: float = 60.0) -> list[dict[str, Any]]:
    """Load all plugins in a worker and return an entry for each, those that hang as failed.

    Parameters
    ----------
    seconds : float
        When to give up.
    """
    with tempfile.TemporaryDirectory(prefix="selector-") as room:
        (Path(room) / "logs").mkdir()
        pool = WorkerPool(Path(room), 1, warm=())
        give_up = time.monotonic() + seconds
        try:
            while time.monotonic() < give_up:
                for event in pool.events(0.2):
                    if event.name == "plugins":
                        entries: list[dict[str, Any]] = event.content["entries"]
                        return entries
                    if event.name == "died":
                        pool.replace(event.worker)
        finally:
            pool.close()
    return []
