"""The run folder: one place with everything needed to understand and repeat a run.

::

    run.json             versions, seed, command, options, data fingerprint
    profile.json         what was known before any model was tried
    schema.json          how to bring another file into the same form
    data/dev  data/test  the arrays; no choice reads the test part
    splits/NAME.npy      0 train, 1 validation, 2 unused, for each development row
    candidates.json      what was admitted, what was refused, and why
    trials.jsonl         a line for each finished trial
    study.journal        the Optuna studies
    predictions/ID.npy   out-of-fold predictions of each trial
    logs/                what workers and plugins printed
    model/               the saved model
    ensemble/            several, with their weights, where asked for
    recommendation.json  replaced after every stage
    report.html          the same, to read
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selector.errors import OptionError, RunError, SourceNotFoundError, did_you_mean


class RunFolder:
    """A run folder on disk.

    Parameters
    ----------
    path : Path
        The folder; see :meth:`create` and :meth:`open`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @classmethod
    def create(cls, out: Path | None, name: str) -> RunFolder:
        """Make a new run folder and lock it.

        Parameters
        ----------
        out : Path or None
            The folder to make; by default ``runs/<date>-<name>``.
        name : str
            The data set's name.

        Raises
        ------
        OptionError
            Where the folder holds something already, or cannot be written.
        """
        if out is None:
            slug = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "data"
            stem = Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{slug}"
            out, tries = stem, 1
            while out.exists():
                tries += 1
                out = stem.with_name(f"{stem.name}-{tries}")
        out = out.expanduser().absolute()
        try:
            if out.exists() and (not out.is_dir() or any(out.iterdir())):
                hint = (
                    "It holds a run: use 'selector resume', or choose another with --out."
                    if (out / "run.json").exists()
                    else "Choose another with --out."
                )
                raise OptionError(
                    f"the output folder must be new or empty, and {out} is not. {hint}"
                )
            for part in ("data", "splits", "predictions", "logs"):
                (out / part).mkdir(parents=True, exist_ok=True)
            run = cls(out)
            run.lock()
        except OSError as error:
            raise OptionError(
                f"the output folder {out} cannot be written ({error.strerror or error})."
                " Choose another with --out."
            ) from error
        return run

    @classmethod
    def open(cls, path: Path | str) -> RunFolder:
        """Open an existing run folder (without locking it).

        Raises
        ------
        SourceNotFoundError
            Where there is no run.
        """
        path = Path(path).expanduser().absolute()
        if not (path / "run.json").is_file():
            siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            what = "is not a run folder (it has no run.json)" if path.exists() else "does not exist"
            raise SourceNotFoundError(
                f"a run folder, as 'selector recommend' writes it, is needed; {path} {what}."
                f"{did_you_mean(path.name, siblings)}"
            )
        return cls(path)

    def lock(self) -> None:
        """Take the run's lock; it is freed when the process ends, however it does.

        Raises
        ------
        OptionError
            Where another process holds it, or the folder cannot be written.
        """
        import fcntl

        try:
            handle = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise OptionError(
                f"the run folder {self.path} cannot be written ({error.strerror or error})."
                " Copy it to where it can, or choose another with --out."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise OptionError(
                f"one process at a time may use a run folder, and {self.path} is in use by another."
                " Wait for it, or choose another with --out."
            ) from None
        self._lock = handle

    def release(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # ---------------------------------------------------------- JSON documents

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a JSON document atomically."""
        text = json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(self.path / name, text + "\n")

    def read(self, name: str) -> dict[str, Any]:
        """Return a JSON document.

        Raises
        ------
        RunError
            Where it is missing or damaged.
        """
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f"the run in {self.path} has no usable {name} ({error})."
                " It was stopped too early, or changed; start it again with 'selector recommend'."
            ) from error
        return dict(content)

    # ------------------------------------------------------------------ trials

    def append_trial(self, record: Mapping[str, Any]) -> None:
        """Write one finished trial; it is on disk when this returns."""
        line = json.dumps(plain(record), ensure_ascii=False, allow_nan=False) + "\n"
        with (self.path / "trials.jsonl").open("a", encoding="utf-8") as handle:
            handle.write(line)
            handle.flush()
            os.fsync(handle.fileno())

    def trials(self) -> list[dict[str, Any]]:
        """Return all finished trials; a line torn by a kill, or being written, is left out."""
        path = self.path / "trials.jsonl"
        if not path.exists():
            return []
        whole = path.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in whole]

    def mend(self) -> None:
        """Undo what a kill may have left half done; needs the run's lock."""
        cut_torn_line(self.path / "trials.jsonl")
        for name in ("model", "model_all"):
            old = self.path / f".{name}.old"
            if old.exists() and not (self.path / name).exists():
                old.rename(self.path / name)


def plain(value: Any) -> Any:
    """Return a value that strict JSON can hold: NaN and infinity become None."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if getattr(value, "shape", None) == ():  # a number of NumPy
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that at any moment either the old or the new one is there, whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(draft, path)


def cut_torn_line(path: Path) -> None:
    """Cut what follows the last line end of a file of lines (left by a kill while writing)."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as handle:
            handle.truncate(whole)
