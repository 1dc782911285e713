"""From a source to a recommendation: one run, stage by stage.

:class:`Session` ties the stations together, and nothing else: it reads,
profiles, splits off the test part, has workers propose and try, judges, has
the winner fitted and scored, and writes the run folder. The command line and
the Python API both go through it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import platform
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from selector.artifact.data import read_data, write_data
from selector.artifact.recommendation import TYPES, compose, failures, race
from selector.artifact.run import RunFolder, plain, write_atomically
from selector.contract import Array, Dataset, Profile, TrialSpec, Variable
from selector.errors import DataError, OptionError, RunError, did_you_mean
from selector.search.budget import Budget, parse_time
from selector.search.planner import Finalist, Planner
from selector.search.records import Record, result_from_dict
from selector.search.runner import Runner
from selector.search.workers import WorkerPool

TEST_SHARE = 0.2
"""Share of the rows that is split off, untouched, where no test file is given."""

CLOSING_SECONDS = 0.8
"""Kept free at the end for the report."""

SCORING_SECONDS = 1.5
"""Kept free for loading the saved model again and scoring it."""

LIBRARIES = ("selector-automl", "keras", "jax", "jaxlib", "numpy", "optuna", "scikit-learn")


@dataclass(frozen=True)
class Options:
    """What the user asked for; see ``selector recommend --help``."""

    time: float = 60.0
    trials: int | None = None
    seed: int = 0
    workers: int | None = None
    families: tuple[str, ...] = ()
    trained_only: bool = False
    target: str | None = None
    kind: str | None = None
    task: str | None = None
    axes: str | None = None
    id: str | None = None
    step: str | None = None
    prefer: str = "balanced"
    refit_all: bool = False
    command: tuple[str, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        from selector.judge.verdict import ROPES

        object.__setattr__(self, "time", parse_time(self.time))
        if self.trials is not None and self.trials < 1:
            raise OptionError(f"--trials is at least 1; received {self.trials}.")
        if not 0 <= self.seed < 2**31:
            raise OptionError(f"--seed is from 0 to {2**31 - 1}; received {self.seed}.")
        if self.workers is not None and not 1 <= self.workers <= 256:
            raise OptionError(f"--workers is from 1 to 256; received {self.workers}.")
        if self.prefer not in ROPES:
            raise OptionError(
                f"--prefer is one of {', '.join(ROPES)}; received '{self.prefer}'."
                f"{did_you_mean(self.prefer, ROPES)}"
            )

    @classmethod
    def stored(cls, about: Mapping[str, Any], time: str | float | None = None) -> Options:
        """Return the options of an earlier run from its ``run.json``, with another time if given.

        Raises
        ------
        RunError
            Where they are damaged.
        """
        try:
            kept = dict(about["options"])
            kept["families"], kept["command"] = tuple(kept["families"]), tuple(kept["command"])
            return cls(**{**kept, **({"time": time} if time else {})})
        except (KeyError, TypeError) as error:
            raise RunError(
                f"run.json has no usable options ({error}). Start again with 'selector recommend'."
            ) from error


ProgressCallback = Callable[[dict[str, Any]], None]


class Session:
    """One run.

    Parameters
    ----------
    options : Options
        What was asked for.
    start : float, optional
        Monotonic time at which the budget began; now by default.
    on_progress : callable, optional
        Called with ``stage``, ``elapsed``, ``budget``, ``best_by_family``,
        ``trials`` and ``running`` whenever something happened.
    """

    def __init__(
        self,
        options: Options,
        start: float | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> None:
        self.options = options
        self.budget = Budget(options.time, start)
        self.stop = threading.Event()
        self.recommendation: dict[str, Any] = {}
        self.run: RunFolder | None = None
        self.pool: WorkerPool | None = None
        self.notes: list[str] = []
        self._on_progress = on_progress
        self._stage = ""
        self._best_model = ""
        self._refitted = False
        self._finished = False
        self._planner: Planner | None = None

    # ------------------------------------------------------------------- roads

    def recommend(
        self,
        source: Any,
        y: Any = None,
        test: Any = None,
        test_y: Any = None,
        out: Path | None = None,
    ) -> dict[str, Any]:
        """Run everything on a new source and return the recommendation.

        Parameters
        ----------
        source : path or array-like
            See :func:`selector.readers.read`.
        y : array-like, optional
            Target, where the source is an array.
        test, test_y : optional
            The same for a test part of its own.
        out : Path, optional
            The run folder to make.

        Raises
        ------
        SelectorError
            Where the data or the options cannot be used; the run folder is
            then removed again.
        """
        self.run = RunFolder.create(out, name_of(source))
        try:
            self.about = self._describe_run(source, test)
            self.run.write("run.json", self.about)
            self._start_workers()
            self._read(source, y, test, test_y)
            return self._carry_out([])
        except BaseException as error:
            self._close()
            if not self._planner or isinstance(error, OptionError):
                shutil.rmtree(self.run.path, ignore_errors=True)
            raise

    def resume(self, run: RunFolder) -> dict[str, Any]:
        """Go on with a run that was stopped or killed; no finished trial is lost."""
        run.lock()
        run.mend()
        self.run = run
        self.about = run.read("run.json")
        (run.path / "predictions" / "early.npy").unlink(missing_ok=True)
        records = [Record.from_dict(r) for r in run.trials()]
        self._start_workers()
        try:
            if "on" not in self.about:  # killed before the data was in the folder
                self._read(*self._source_again())
            self.profile = Profile.from_dict(run.read("profile.json"))
            self._schema = run.read("schema.json")
            self.notes = list(self.about.get("notes", []))
            if (run.path / "model" / "pipeline.json").exists():
                self._best_model = str(self._saved()["architecture"])
            if (run.path / "recommendation.json").exists():
                # what is there stays until there is something as complete
                self._finished = bool(run.read("recommendation.json").get("complete"))
            self._load_data()
        except BaseException:
            self._close()
            raise
        return self._carry_out(records)

    def _source_again(self) -> tuple[Any, Any, Any, Any]:
        if not self.about.get("path"):
            raise RunError(
                "the run was stopped before its data was stored, and the data was no file."
                " Start it again with selector.recommend."
            )
        return self.about["path"], None, self.about.get("test_path"), None

    def _start_workers(self) -> None:
        assert self.run is not None
        self.pool = WorkerPool(
            self.run.path, self.options.workers, load_seconds=min(5.0, 0.2 * self.budget.seconds)
        )

    def _carry_out(self, records: list[Record]) -> dict[str, Any]:
        try:
            self._search(records)
            self._conclude()
        finally:
            self._close()
        return self.recommendation

    def _close(self) -> None:
        if self.pool is not None:
            self.pool.close()
        if self.run is not None:
            self.run.release()

    # -------------------------------------------------------------------- data

    def _describe_run(self, source: Any, test: Any) -> dict[str, Any]:
        def path(given: Any) -> str | None:
            return str(Path(given).absolute()) if isinstance(given, str | Path) else None

        return {
            "name": name_of(source),
            "path": path(source),
            "test_path": path(test),
            "command": list(self.options.command),
            "options": asdict(self.options),
            "versions": versions(),
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }

    def _read(self, source: Any, y: Any, test: Any, test_y: Any) -> None:
        """Read, and split off the test part before anything is decided or measured."""
        from selector import readers
        from selector.contract import ReadOptions
        from selector.profile import ProfileOptions, describe

        assert self.run is not None
        o = self.options
        read_options = ReadOptions(target=o.target, id=o.id, step=o.step)
        raw = readers.read(source, read_options, y=y, extra_readers=plugin_readers)
        wanted = ProfileOptions(o.target, o.kind, o.task, o.axes)
        apart = None
        if test is None:
            raw, apart = self._split_off(raw, wanted)
        described = describe(raw, wanted)
        schema = described.schema
        self.profile = described.profile
        self._schema = schema.to_dict()
        self.notes += list(described.dataset.notes)
        if test is not None:
            expect = ReadOptions(o.target, o.id, o.step, expect=schema.source)
            apart = readers.read(test, expect, y=test_y, extra_readers=plugin_readers)
        assert apart is not None
        where = name_of(test) if test is not None else "the part held out"
        test_x, y_test, notes = _with_known_target(schema.apply(apart), self.profile.target, where)
        if test is not None:
            self.notes += [f"test: {n}" for n in notes]
        on = f"test file, {len(test_x)} rows"
        if test is None:
            on = f"{len(test_x)} rows held out from everything else"
        write_data(self.run.path / "data" / "dev", described.dataset.x, described.dataset.target)
        write_data(self.run.path / "data" / "test", test_x, y_test)
        self.run.write("profile.json", self.profile.to_dict())
        self.run.write("schema.json", self._schema)
        self.about |= {
            "on": on,
            "fingerprint": fingerprint(described.dataset, test_x),
            "notes": self.notes,
        }
        self.run.write("run.json", self.about)
        self._load_data()

    def _split_off(self, raw: Dataset, wanted: Any) -> tuple[Dataset, Dataset]:
        """Split the samples that have a target in two, stratified by it.

        The labels are all that is looked at; what the data is, is decided
        afterwards, on the first part only.
        """
        from selector import tasks
        from selector.profile import describe

        labels = describe(raw, wanted)
        applied = labels.schema.apply(raw)
        assert applied.y is not None
        known = np.flatnonzero(~np.isnan(applied.y.values))
        task = tasks.get(labels.profile.task)
        part = task.holdout(applied.y.values[known], TEST_SHARE, self.options.seed)
        dropped = [n for n in labels.dataset.notes if n not in raw.notes]
        self.notes += [n for n in dropped if "left out" in n]
        return raw.take(known[part == 0]), raw.take(known[part == 1])

    def _load_data(self) -> None:
        assert self.run is not None
        _, dev_y = read_data(self.run.path / "data" / "dev")
        _, test_y = read_data(self.run.path / "data" / "test")
        assert dev_y is not None
        assert test_y is not None
        self.dev_y, self.test_y = dev_y.values, test_y.values

    # ------------------------------------------------------------------ search

    def _search(self, records: list[Record]) -> None:
        from selector import tasks
        from selector.search.space import candidate_to_dict
        from selector.search.splits import Splits
        from selector.search.studies import Studies

        assert self.run is not None
        assert self.pool is not None
        self.task = tasks.get(self.profile.task)
        self.runner = Runner(self.run, self.pool, self.budget, self.stop, self._changed)
        candidates = self.runner.propose(self.options.families, self.options.trained_only)
        self._check_families()
        self.run.write(
            "candidates.json", {"candidates": [candidate_to_dict(c) for c in candidates]}
        )
        splits = Splits(self.run.path / "splits", self.task, self.dev_y, self.options.seed)
        studies = Studies(self.run.path / "study.journal", self.options.seed)

        planner = Planner(
            candidates,
            self.profile,
            self.budget,
            splits,
            studies,
            lambda p: race(p, self.task.metric, self.options.prefer),
            cores=len(self.pool.workers),
            max_trials=self.options.trials,
            seed=self.options.seed,
            finals=1 + self.options.refit_all,
        )
        self._planner = planner
        planner.replay(records)
        self.runner.failures += [
            {
                "architecture": r.spec.architecture,
                "stage": r.spec.stage,
                "reason": r.result.reason,
            }
            for r in records
            if not r.ok
        ]
        if records:
            self._restore(studies, planner, records)
        try:
            self.runner.search(planner, studies)
        except KeyboardInterrupt:  # from Python; the command line sets `stop` itself
            self.stop.set()
            self.runner.clear()
            planner.start_confirmation()

    def _restore(self, studies: Any, planner: Planner, records: list[Record]) -> None:
        for name, contender in planner.contenders.items():
            told = {
                r.number: r.value
                for r in records
                if r.spec.architecture == name and r.number is not None
            }
            if told:
                studies.restore(contender.candidate, told)

    def _check_families(self) -> None:
        """Refuse families that no plugin offers, and runs with nothing to try."""
        candidates = self.runner.candidates
        if self.stop.is_set() or not candidates:
            return
        known = sorted({c.family for c in candidates})
        for family in self.options.families:
            if known and family not in known:
                raise OptionError(
                    f"--families takes names of families, and '{family}' is none; there are "
                    f"{', '.join(known)}.{did_you_mean(family, known)}"
                )
        if self.options.families and not any(
            c.admitted and c.role != "baseline" for c in candidates
        ):
            reasons = "; ".join(
                f"{c.name}: {c.reason}" for c in candidates if c.family in self.options.families
            )
            raise OptionError(
                f"no architecture of the families asked for fits this data ({reasons})."
            )

    def _changed(self) -> None:
        """After each event: show progress; after each stage: write what is known."""
        planner = self._planner
        assert planner is not None
        if planner.stage != self._stage:
            self._stage = planner.stage
            if planner.records and not self._finished:
                self._write_recommendation(self._compose())
        if not self._best_model and planner.floor_done:
            self._save_early(planner)
        if self._on_progress is not None:
            best: dict[str, tuple[str, float]] = {}
            for contender in planner.contenders.values():
                score = contender.best.result.score if contender.best else None
                family = contender.candidate.family
                if score is None or contender.candidate.role == "baseline":
                    continue
                if family not in best or score > best[family][1]:
                    best[family] = (contender.candidate.name, score)
            running = sum(w.command is not None for w in self.pool.workers) if self.pool else 0
            self._on_progress(
                {
                    "stage": planner.stage,
                    "elapsed": self.budget.elapsed(),
                    "budget": self.budget.seconds,
                    "best_by_family": best,
                    "trials": len(planner.records),
                    "running": running,
                }
            )

    def _save_early(self, planner: Planner) -> None:
        """After the floor, have the best closed-form model saved: from here on there is a model."""
        closed = [
            c for c in planner.contenders.values() if c.best and c.candidate.type != "network"
        ]
        best = max(closed, key=lambda c: c.best.value or 0.0, default=None)  # type: ignore[union-attr]
        if best is None or best.best is None:
            return
        name = best.candidate.name
        self._best_model = name

        def saved(answer: dict[str, Any]) -> None:
            # scored now, looked at only where nothing better can be fitted in the time
            if self._adopt(answer, "early"):
                self.runner.submit(self._predict_command("early"), 10.0, lambda _: None)
            else:
                self._best_model = ""  # another may be tried

        command = self._final_command(name, best.best.spec.params, None, "dev", "early")
        self.runner.submit(command, 10.0, saved)

    # ---------------------------------------------------------------- the model

    def _final_command(
        self, name: str, params: Mapping[str, Any], epochs: int | None, data: str, folder: str
    ) -> dict[str, Any]:
        assert self.run is not None
        seconds = max(0.5, self.budget.left() - CLOSING_SECONDS)
        spec = TrialSpec(
            f"final-{folder}", "final", name, params, None, self.options.seed, seconds, epochs
        )
        draft = self.run.path / f".{folder}"
        shutil.rmtree(draft, ignore_errors=True)
        return {
            "op": "final",
            "spec": asdict(spec),
            "data": data,
            "folder": str(draft),
            "extra": {"schema": self._schema},
        }

    def _adopt(self, answer: Mapping[str, Any], folder: str, into: str = "model") -> bool:
        """Put a freshly saved model in its place."""
        assert self.run is not None
        if answer.get("state") != "complete":
            return False
        target = self.run.path / into
        old = self.run.path / f".{into}.old"
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        (self.run.path / f".{folder}").rename(target)
        shutil.rmtree(old, ignore_errors=True)
        return True

    def _saved(self) -> dict[str, Any]:
        """Return the description of the model that is saved; empty where there is none."""
        assert self.run is not None
        if not (self.run.path / "model" / "pipeline.json").exists():
            return {}
        return self.run.read("model/pipeline.json")

    def _conclude(self) -> None:
        """Judge, fit the recommended model on all development rows, score it, report."""
        from selector.judge.headline import gap_sentence

        planner = self._planner
        assert planner is not None
        assert self.run is not None
        rec = self._compose()
        if rec["recommended"] is None:
            raise RunError(
                f"no trial ended within {self.budget.seconds:g} s: there is nothing to recommend."
                f" The logs are in {self.run.path / 'logs'}. Try more time with 'selector resume'."
            )
        if not self._finished:
            self._write_recommendation(rec)
        final = self._fit_recommended(planner, rec)
        rec = self._rename(rec, planner)
        if (self.run.path / "model").exists():
            rec["score"] = self._score(avoid=final.get("worker"))
        rec["complete"] = rec["score"] is not None
        if rec["complete"]:
            gap = gap_sentence(rec["search_score"], rec["score"])
            rec["notes"] += [gap] if gap else []
        rec["failures"] = failures(self.runner.failures)
        rec["final"] = {
            k: final.get(k) for k in ("fit_seconds", "epochs", "reason") if final.get(k)
        }
        if self.options.refit_all and rec["complete"]:
            self._refit_all(rec)
        self._write_recommendation(rec)

    def _fit_recommended(self, planner: Planner, rec: Mapping[str, Any]) -> dict[str, Any]:
        """Fit the recommended model; where that fails, the next best that fits in the time."""
        name = rec["recommended"]["architecture"]
        ranked = [
            r["architecture"] for r in rec["leaderboard"] if r["state"] in ("confirmed", "searched")
        ]
        closed = [n for n in ranked if planner.contenders[n].candidate.type != "network"]
        answer: dict[str, Any] = {}
        for choice in dict.fromkeys([name, *closed]):
            spare = self.budget.left() - CLOSING_SECONDS - SCORING_SECONDS
            entry = planner.finalists.get(choice) or self._stand_in(choice)
            if entry is None or spare < 0.3:
                continue
            command = self._final_command(
                choice, entry.record.spec.params, entry.epochs, "dev", "final"
            )
            answer = self.runner.call(command, spare)
            if self._adopt(answer, "final"):
                self._refitted = True
                found = entry.contender.candidate
                record = Record(
                    TrialSpec(**command["spec"]),
                    result_from_dict(answer),
                    found.family,
                    found.type,
                    worker=answer["worker"],
                    elapsed=self.budget.elapsed(),
                )
                planner.records.append(record)
                return answer
            self.runner.failures.append(
                {"architecture": choice, "stage": "final", "reason": answer.get("reason", "")}
            )
        return answer

    def _stand_in(self, name: str) -> Finalist | None:
        assert self._planner is not None
        contender = self._planner.contenders[name]
        best = contender.best
        return Finalist(contender, best, best.planned_epochs) if best else None

    def _rename(self, rec: dict[str, Any], planner: Planner) -> dict[str, Any]:
        """Where another model than the judge's choice is what was saved, say so."""
        saved = self._saved()
        wanted = rec["recommended"]
        if not saved or (
            saved["architecture"] == wanted["architecture"]
            and dict(saved["params"]) == dict(wanted["params"])
        ):
            return rec
        name = str(saved["architecture"])
        found = planner.contenders[name].candidate if name in planner.contenders else None
        rec["recommended"] = {
            "architecture": name,
            "family": saved["family"],
            "title": found.title if found else name,
            "params": saved["params"],
            "type": TYPES[saved["type"]],
        }
        rec["search_score"] = None
        rec["verdict"] = "undecided"
        rec["why"] = [
            f"The measurements favour {wanted['architecture']}, which could not be fitted in the "
            f"time left; the model that is saved is {name}. Give the run more time: "
            "selector resume.",
            *rec["why"],
        ]
        return rec

    def _score(self, avoid: int | None) -> dict[str, Any] | None:
        """Score the saved model, reloaded in a worker, on the test part."""
        from selector.judge.headline import headline

        assert self.run is not None
        early = self.run.path / "predictions" / "early.npy"
        if not self._refitted and early.exists():
            return headline(self.profile.task, self.test_y, np.load(early), on=self.about["on"])
        command = self._predict_command("test")
        out = Path(command["out"])
        out.unlink(missing_ok=True)
        answer = self.runner.call(command, max(0.5, self.budget.left() - 0.2), avoid=avoid)
        if answer["state"] != "complete":
            self.runner.failures.append(
                {"architecture": "saved model", "stage": "score", "reason": answer["reason"]}
            )
            return None
        predictions = np.load(out, allow_pickle=False)
        return headline(self.profile.task, self.test_y, predictions, on=self.about["on"])

    def _predict_command(self, name: str) -> dict[str, Any]:
        assert self.run is not None
        return {
            "op": "predict",
            "data": str(self.run.path / "data" / "test"),
            "model": str(self.run.path / "model"),
            "out": str(self.run.path / "predictions" / f"{name}.npy"),
        }

    def _refit_all(self, rec: dict[str, Any]) -> None:
        """Save a second model, fitted on all rows with the test part, and unscored."""
        assert self.run is not None
        assert self._planner is not None
        name = rec["recommended"]["architecture"]
        entry = self._planner.finalists.get(name) or self._stand_in(name)
        assert entry is not None
        parts = [read_data(self.run.path / "data" / part) for part in ("dev", "test")]
        x, y = _join([p[0] for p in parts]), _join([p[1] for p in parts if p[1] is not None])
        write_data(self.run.path / "data" / "all", x, y)
        command = self._final_command(name, entry.record.spec.params, entry.epochs, "all", "refit")
        answer = self.runner.call(command, max(0.5, self.budget.left() - 0.3))
        if self._adopt(answer, "refit", into="model_all"):
            rec["notes"].append(
                "model_all was fitted on all rows, the test part too: it is unscored."
            )
        else:
            rec["notes"].append(
                f"model_all could not be fitted in the time left: {answer['reason']}."
            )

    # ------------------------------------------------------------------ writing

    def _compose(self) -> dict[str, Any]:
        assert self._planner is not None
        assert self.run is not None
        rec = compose(
            planner=self._planner,
            profile=self.profile,
            metric=self.task.metric,
            prefer=self.options.prefer,
            noted_failures=self.runner.failures,
            candidates=self.runner.candidates,
        )
        rec |= {
            "run": str(self.run.path),
            "name": self.about["name"],
            "plugins": self.runner.plugins,
            "seed": self.options.seed,
            "time": self.options.time,
            "versions": self.about["versions"],
            "command": self.about["command"],
            "notes": list(self.notes),
            "peak_memory": self.pool.peak_memory if self.pool else 0,
            "restarts": self.runner.restarts,
            "complete": False,
        }
        return rec

    def _write_recommendation(self, rec: dict[str, Any]) -> None:
        from selector.report.html import render_html

        assert self.run is not None
        rec["wall_seconds"] = round(self.budget.elapsed(), 2)
        self.recommendation = rec = plain(rec)
        self.run.write("recommendation.json", rec)
        write_atomically(self.run.path / "report.html", render_html(rec))


def name_of(source: Any) -> str:
    """Return a short name for a source: a file's stem, with its folder where that says more."""
    if not isinstance(source, str | Path):
        return "data"
    path = Path(source).absolute()
    stem = path.name.split(".")[0] if not path.is_dir() else path.name
    if stem.lower() in ("train", "test", "data", "x") and path.parent.name:
        return f"{path.parent.name}-{stem}"
    return stem


def plugin_readers() -> Any:
    """Load the plugins' readers; only called where no built-in reader applies.

    What a plugin prints goes to standard error, so that ``--json`` stays pure.
    """
    from selector.plugins import Registry

    with contextlib.redirect_stdout(sys.stderr):
        return list(Registry().readers.values())


def _with_known_target(
    applied: Any, target: str, where: str
) -> tuple[Variable, Variable, tuple[str, ...]]:
    """Return the samples of a test part whose target the training data knows, and the notes."""
    if applied.y is None:
        raise DataError(
            f"a test part needs the target '{target}', and {where} has none."
            " Leave --test out to have one split off."
        )
    known = np.flatnonzero(~np.isnan(applied.y.values))
    if not len(known):
        raise DataError(
            f"no row of {where} has a target that the training data knows."
            " Give a test file of the same data, or leave --test out."
        )
    return applied.x.take(known), applied.y.take(known), tuple(applied.notes)


def _join(variables: list[Variable]) -> Variable:
    values = np.concatenate([v.values for v in variables])
    lengths = None
    if variables[0].lengths is not None:
        lengths = np.concatenate([np.asarray(v.lengths) for v in variables])
    return replace(variables[0], values=values, lengths=lengths)


def versions() -> dict[str, str]:
    """Return the versions of Python, the platform and the libraries that matter."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def fingerprint(dataset: Dataset, test: Variable) -> str:
    """Return a SHA-256 of the development and test values."""
    digest = hashlib.sha256()
    arrays: list[Array | None] = [dataset.x.values, dataset.x.lengths, test.values]
    if dataset.target is not None:
        arrays.append(dataset.target.values)
    for array in arrays:
        if array is not None:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


__all__ = ["Options", "Session", "fingerprint", "versions"]
