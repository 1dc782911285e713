"""From a source to a recommendation: one run, stage by stage.

:class:`Session` ties the stations together, and nothing else: it reads,
profiles, splits off the test part, has workers propose and try, judges, has
the winner fitted and scored, and writes the run folder. The command line and
the Python API both go through it.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.artifact.data import read_data
from selector.artifact.ensemble import Ensemble
from selector.artifact.final import FinalModel
from selector.artifact.intake import describe_run, name_of, take_in
from selector.artifact.learning import second_half
from selector.artifact.recommendation import compose, failures, race
from selector.artifact.run import RunFolder, plain, write_atomically
from selector.contract import Candidate, Profile
from selector.errors import OptionError, PluginError, RunError, did_you_mean
from selector.options import Options
from selector.search.budget import Budget
from selector.search.planner import Planner
from selector.search.proposal import Proposal
from selector.search.records import Record
from selector.search.runner import Runner
from selector.search.workers import LOAD_SECONDS, WorkerPool

SPLIT_SHARE = 0.4
"""Share of the time left that workers may take to import scikit-learn and make the splits."""

if TYPE_CHECKING:
    from selector.search.splits import Splits

_MODEL = ("architecture", "params")
"""What of a recommendation names the model."""

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
        self._proposal: Proposal | None = None
        self._candidates: list[Candidate] = []
        self._on_progress = on_progress
        self._stage = ""
        self._finished: dict[str, Any] = {}
        """The complete recommendation of an earlier process, where there is one."""
        self._planner: Planner | None = None
        self._timeline: dict[str, float] = {}
        self._resumed = False

    # ------------------------------------------------------------------- roads

    def recommend(
        self,
        source: Any,
        y: Any = None,
        test: Any = None,
        test_y: Any = None,
        out: Path | None = None,
        groups: Any = None,
        order: Any = None,
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
        groups, order : array-like, shape (n,), optional
            See :func:`selector.profile.aside.attach`.

        Raises
        ------
        SelectorError
            Where the data or the options cannot be used; the run folder is
            then removed again.
        """
        self.run = RunFolder.create(out, name_of(source))
        try:
            data = {"source": source, "y": y, "test": test, "test_y": test_y}
            data |= {"groups": groups, "order": order}
            self.about = describe_run(self.options, data)
            self.run.write("run.json", self.about)
            self._start_workers()
            self.about = take_in(self.run, self.about, self.options, **data)
            self._load()
            self._end_if_asked()
            return self._carry_out([])
        except BaseException as error:
            self._close()
            from_files = bool(self.about) and not self.about["arrays"]
            resumable = isinstance(error, KeyboardInterrupt) and from_files
            if not resumable and (not self._planner or isinstance(error, OptionError)):
                shutil.rmtree(self.run.path, ignore_errors=True)
            raise

    def resume(self, run: RunFolder) -> dict[str, Any]:
        """Go on with a run that was stopped or killed; no finished trial is lost."""
        run.lock()
        run.mend()
        self.run = run
        self.about = run.read("run.json")
        records = [Record.from_dict(r) for r in run.trials()]
        self._resumed = bool(records)
        self._start_workers()
        try:
            if "on" not in self.about:  # killed before the data was in the folder
                self.about = take_in(run, self.about, self.options, *self._source_again())
            if (run.path / "recommendation.json").exists():
                # what is there stays until there is something as complete
                told = run.read("recommendation.json")
                self._finished = told if told.get("complete") else {}
                self.recommendation = self._finished
            self._load()
        except BaseException:
            self._close()
            raise
        return self._carry_out(records)

    def _end_if_asked(self) -> None:
        """End by KeyboardInterrupt where that was asked for before there was anything to judge."""
        if self.stop.is_set():
            assert self.run is not None
            raise KeyboardInterrupt(
                f"Nothing was tried yet; 'selector resume {self.run.path}' takes the run up."
            )

    def _source_again(self) -> tuple[Any, Any, Any, Any]:
        if not self.about.get("path") or self.about.get("arrays"):
            raise RunError(
                "the run was stopped before its data was stored, and not all of it was in files."
                " Start it again with selector.recommend."
            )
        return self.about["path"], None, self.about.get("test_path"), None

    def _mark(self, what: str) -> None:
        """Note when a station of the run was reached, in seconds from its start."""
        self._timeline[what] = round(self.budget.elapsed(), 3)

    def _start_workers(self) -> None:
        assert self.run is not None
        self._mark("workers started")
        seconds = min(LOAD_SECONDS, 0.2 * self.budget.seconds)
        self.pool = WorkerPool(
            self.run.path,
            self.options.workers,
            load_seconds=seconds,
            pinned=self.options.trials is not None,
        )
        asked = WorkerPool(
            self.run.path,
            1,
            memory=self.pool.memory,
            warm=(),
            load_seconds=seconds,
            name="proposer",
        )
        self._proposal = Proposal(asked, self.budget, self.stop)

    def _carry_out(self, records: list[Record]) -> dict[str, Any]:
        try:
            self._search(records)
            self._conclude()
        finally:
            self._close()
        return self.recommendation

    def _close(self) -> None:
        for pool in (self.pool, self._proposal.pool if self._proposal else None):
            if pool is not None:
                pool.close()
        if self.run is not None:
            self.run.release()

    # -------------------------------------------------------------------- data

    def _load(self) -> None:
        """Read what the driver needs of the data: the profile, the schema, the targets."""
        assert self.run is not None
        self._mark("data profiled and stored")
        self.profile = Profile.from_dict(self.run.read("profile.json"))
        self._schema = self.run.read("schema.json")
        test = self.run.path / "data" / "test"
        test_y = read_data(test)[1] if test.exists() else None
        self.test_y = test_y.values if test_y is not None else None

    # ------------------------------------------------------------------ search

    def _search(self, records: list[Record]) -> None:
        from selector import tasks
        from selector.search.counted import CountedPlanner
        from selector.search.space import candidate_to_dict
        from selector.search.studies import Studies

        assert self.run is not None
        assert self.pool is not None
        self.task = tasks.get(self.profile.task, self.profile.metric)
        self.runner = Runner(self.run, self.pool, self.budget, self.stop, self._changed)
        candidates = self._propose()
        self.run.write(
            "candidates.json", {"candidates": [candidate_to_dict(c) for c in candidates]}
        )
        splits = self._splits()
        studies = Studies(self.run.path / "study.journal", self.options.seed)

        planner = (CountedPlanner if self.options.trials else Planner)(
            candidates,
            self.profile,
            self.budget,
            splits,
            studies,
            lambda p: race(p, self.task.metric, self.options.prefer, whole=self.test_y is None),
            cores=len(self.pool.workers),
            max_trials=self.options.trials,
            seed=self.options.seed,
            finals=1 + self.options.refit_all,
            ensemble=self.options.ensemble,
            limits=self.options.limits,
            scored=0 if self.test_y is None else len(self.test_y),
        )
        self._planner = planner
        self._final = FinalModel(
            self.run,
            self.runner,
            planner,
            self.budget,
            task=self.task,
            test_y=self.test_y,
            on=self.about["on"],
            schema=self._schema,
            seed=self.options.seed,
        )
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
        self._mark("search began")
        try:
            self.runner.search(planner, studies)
        except KeyboardInterrupt:  # from Python; the command line sets `stop` itself
            self.stop.set()
            self.runner.clear()
            planner.start_confirmation()
        self._mark("search ended")

    def _splits(self) -> Splits:
        """Have a worker make the splits, since it imports scikit-learn anyway."""
        from selector.search.splits import MADE, Splits

        assert self.run is not None
        if not (self.run.path / "splits" / MADE).exists() and not self.stop.is_set():
            command = {"op": "splits", "seed": self.options.seed}
            self.runner.call(command, SPLIT_SHARE * self.budget.left(), avoid=0)
        # where it could not, they are made here
        return Splits.of_run(self.run.path, self.profile, self.options.seed)

    def _restore(self, studies: Any, planner: Planner, records: list[Record]) -> None:
        for name, contender in planner.contenders.items():
            told = {
                r.number: r.value
                for r in records
                if r.spec.architecture == name and r.number is not None
            }
            studies.restore(contender.candidate, told)

    def _propose(self) -> list[Candidate]:
        """Return what each architecture says of the profile, asked while the workers warm up."""
        assert self._proposal is not None
        proposal, options = self._proposal, self.options
        self._candidates = proposal.candidates(
            options.families, options.trained_only, lambda: self.runner.events(0.0)
        )
        proposal.pool.close()
        self._mark("architectures asked")
        self.runner.failures += proposal.failures
        self._check_families(self._candidates)
        return self._candidates

    def _check_families(self, candidates: list[Candidate]) -> None:
        """Refuse families that no plugin offers, and runs with nothing to try."""
        assert self._proposal is not None
        if self.stop.is_set():
            return
        known, entries = sorted({c.family for c in candidates}), self._proposal.plugins
        broken = [f for f in self._proposal.failures if f["architecture"].startswith("plugin ")]
        told = "; ".join(f"{f['architecture']} {f['reason']}" for f in broken)
        told = f" Not loaded: {told}. See 'selector plugins'." if told else ""
        if not candidates and entries and not any(entry["architectures"] for entry in entries):
            raise PluginError(f"no plugin offers an architecture, so there is none to try.{told}")
        if not candidates:
            return  # nobody has answered in time
        for family in self.options.families:
            if family not in known:
                raise OptionError(
                    f"--families takes names of families, and '{family}' is none; there are "
                    f"{', '.join(known)}.{did_you_mean(family, known)}{told}"
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
        self._final.save_early()
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

    # -------------------------------------------------------------- conclusion

    def _conclude(self) -> None:
        """Judge, fit the recommended model on all development rows, score it, report."""
        from selector.judge.headline import gap_sentence

        planner = self._planner
        assert planner is not None
        assert self.run is not None
        rec = self._compose()
        if rec["recommended"] is None:
            self._end_if_asked()
            raise RunError(
                f"no trial ended within {self.budget.seconds:g} s: there is nothing to recommend."
                f" The logs are in {self.run.path / 'logs'}. Try more time with 'selector resume'."
            )
        if not self._finished:
            self._write_recommendation(rec)
        final = self._final.fit(rec)
        rec = self._final.name_what_is_saved(rec)
        if final.get("state") == "complete":  # a kill from here on leaves both of one model
            self._write_recommendation(rec)
        if self._final.saved():
            rec["score"] = self._final.score(avoid=final.get("worker"))
        rec["notes"] += self._final.over_limits(final) + self._final.rows_left_out()
        rec["notes"] += self._final.trained_longer(final)
        rec["complete"] = rec["score"] is not None
        if rec["complete"]:
            gap = "" if self.test_y is None else gap_sentence(rec["search_score"], rec["score"])
            rec["notes"] += [gap] if gap else []
            self._more(rec, final)
        if not planner.timed and (self._resumed or self.runner.out_of_time or self.stop.is_set()):
            rec["notes"].append(
                "only where all trials are carried out in one go (--time) is the result the same"
                " each time: this run was resumed, or ended before its trials did."
            )
        rec["failures"] = failures(self.runner.failures)
        rec["final"] = {
            k: final.get(k) for k in ("fit_seconds", "epochs", "reason") if final.get(k)
        }
        if self._finished and not rec["complete"] and final.get("state") != "complete":
            rec = self._as_before()
        self._write_recommendation(rec)

    def _as_before(self) -> dict[str, Any]:
        """Return what an earlier process had found, where this one had too little time for more."""
        note = (
            f"resumed with {self.budget.seconds:g} s, which was too little to fit and score a"
            " model: this is what was known before."
        )
        return {**self._finished, "notes": [*self._finished.get("notes", []), note]}

    def _more(self, rec: dict[str, Any], final: dict[str, Any]) -> None:
        """In what time is left: a model of all rows, an ensemble, probes, what more rows bring.

        What an earlier process made of these, and this one has no time for, stays.
        """
        before = self._finished
        if "members" in (before.get("ensemble") or {}):
            rec["ensemble"] = before["ensemble"]
        chosen = rec["recommended"]
        if all((before.get("recommended") or {}).get(k) == chosen[k] for k in _MODEL):
            rec |= {name: before.get(name) for name in ("probes", "learning")}
        if self.options.refit_all:
            self._write_recommendation(rec)
            self._final.refit_all(rec)
        if self.stop.is_set():
            return
        if self.options.ensemble:
            self._write_recommendation(rec)
            rec["ensemble"] = Ensemble(self._final).make(rec, final, earlier=rec["ensemble"])
        self._write_recommendation(rec)
        rec["probes"] = self._final.probe() or rec["probes"]
        if not self.stop.is_set():
            self._write_recommendation(rec)
            rec["learning"] = second_half(self._final, chosen) or rec["learning"]

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
            candidates=self._candidates,
        )
        rec |= {
            "run": str(self.run.path),
            "name": self.about["name"],
            "plugins": self._proposal.plugins if self._proposal else [],
            "seed": self.options.seed,
            "time": self.options.time,
            "versions": self.about["versions"],
            "command": self.about["command"],
            "notes": [*self.about["notes"], *self._planner.splits.notes],
            "peak_memory": self.pool.peak_memory if self.pool else 0,
            "restarts": self.runner.restarts,
            "recycled": self.runner.recycled,
            "compile_cache": self.runner.cache,
            "timeline": {**self.runner.timeline, **self._timeline},
            "probes": None,
            "learning": None,
            "ensemble": None,
            "complete": False,
        }
        return rec

    def _write_recommendation(self, rec: dict[str, Any]) -> None:
        from selector.judge.questions import answers
        from selector.report.html import render_html

        assert self.run is not None
        rec["wall_seconds"] = round(self.budget.elapsed(), 2)
        rec["answers"] = answers(rec)
        self.recommendation = rec = plain(rec)
        self.run.write("recommendation.json", rec)
        write_atomically(self.run.path / "report.html", render_html(rec))


__all__ = ["Options", "Session"]
