"""The model that a run leaves: fitted on all development rows, saved, scored on the test part."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from selector.artifact.data import TEST_GROUPS, read_data, write_data
from selector.artifact.recommendation import TYPES
from selector.artifact.run import RunFolder
from selector.contract import Array, TrialSpec, Variable
from selector.search.budget import Budget
from selector.search.contenders import Finalist
from selector.search.planner import Planner, closing_seconds
from selector.search.records import Record, result_from_dict
from selector.search.runner import Runner
from selector.search.splits import CONFIRM_FOLDS
from selector.tasks.base import Task

CLOSING_SECONDS = 0.8
"""Kept free at the end for the report."""

EARLY_SECONDS = 10.0
"""Limit for the early model and its predictions; what is likely to take longer is not tried."""

EARLY_SHARE = 0.4
"""Share of the budget after which the early model does not wait for the rest of the floor."""

ENOUGH = 0.25
"""Share of the compared training that a network needs to take the place of a saved model: with
less of it, its scores were those of another."""

FINAL_SHARE = 0.8
"""Share of the time that is left for which a longer last fit is planned."""

LATEST_SECONDS = 1.2
"""Scoring may end so much after the budget, so that there is a score: T + 3 s is the promise."""

PROBE_SECONDS, MOST_PROBE_SECONDS = 1.0, 20.0
"""Less is not worth probing a model in; more is not spent on it."""

SCORING_SECONDS = 1.0
"""Kept free for loading the saved model again and scoring it."""

SAVING_SECONDS = 0.8
"""Kept free for saving the model once it is fitted."""


class FinalModel:
    """Has models fitted, saved and scored by the workers.

    Parameters
    ----------
    run : RunFolder
        Where they are saved.
    runner : Runner
        The workers.
    planner : Planner
        What was found.
    budget : Budget
        The clock.
    task : Task
        Scores its predictions.
    test_y : ndarray or None
        Target of the test part; None where rows are too few for one.
    on : str
        What the score is measured on, in words.
    schema : mapping
        Goes into the saved model.
    seed : int
        Seeds the fit.
    """

    def __init__(
        self,
        run: RunFolder,
        runner: Runner,
        planner: Planner,
        budget: Budget,
        *,
        task: Task,
        test_y: Array | None,
        on: str,
        schema: Mapping[str, Any],
        seed: int,
    ) -> None:
        self.run, self.runner, self.planner, self.budget = run, runner, planner, budget
        self.task, self.test_y, self.on, self.schema, self.seed = task, test_y, on, schema, seed
        self._refitted = False
        # a model of an earlier process counts as the early one
        self._early = str(self.saved().get("architecture", ""))
        self._too_slow: set[str] = set()
        self._predicted = False
        (run.path / "predictions" / "early.npy").unlink(missing_ok=True)

    def save_early(self) -> None:
        """Once the floor is done, have the best closed-form model saved: now there is a model.

        Where the machine is slow, the best of what there is then.
        """
        whole = self.planner.floor_done
        if not whole and self.budget.elapsed() < EARLY_SHARE * self.budget.seconds:
            return
        if self._early:
            self._predict_early()
            return
        closed = [c for c in self.planner.contenders.values() if c.candidate.type != "network"]
        closed = [c for c in closed if whole or c.candidate.role != "baseline"]
        done = [c.best for c in closed if c.best and c.candidate.name not in self._too_slow]
        splits = self.planner.splits
        rows = splits.n_confirm if splits.thinned else self.planner.profile.n
        fit = [
            r
            for r in done
            if 2 * r.predicted_seconds(rows) < EARLY_SECONDS
            and 2 * r.scoring_seconds(self.planner.scored) < EARLY_SECONDS
        ]
        best = max(fit, key=lambda record: record.value or 0.0, default=None)
        if best is None:
            return
        self._early, self._predicted = best.spec.architecture, True

        def saved(answer: dict[str, Any]) -> None:
            self._predicted = False
            if self._refitted:  # it took so long that the final model came first
                shutil.rmtree(self.run.path / ".early", ignore_errors=True)
            elif not self.adopt(answer, "early"):
                self._too_slow.add(self._early)
                self._early = ""  # another may be tried

        command = self.command(self._early, best.spec.params, None, "dev", "early", rows=rows)
        self.runner.submit(command, EARLY_SECONDS, saved)

    def _predict_early(self) -> None:
        """Have the early model predict now; looked at only where nothing better can be fitted."""
        if not self._predicted and not self._refitted and self.test_y is not None:
            self._predicted = True
            command = {**self.prediction("early"), "partial": True}
            self.runner.submit(command, EARLY_SECONDS, lambda _: None)

    def command(
        self,
        name: str,
        params: Mapping[str, Any],
        epochs: int | None,
        data: str,
        folder: str,
        seed: int = 0,
        rows: int | None = None,
    ) -> dict[str, Any]:
        """Return the worker command that fits a configuration and saves it.

        `seed` is added to the run's, for other initial weights; `rows` is how many to fit on
        at most.
        """
        seconds = max(0.5, self.budget.left() - CLOSING_SECONDS)
        spec = TrialSpec(
            f"final-{folder}", "final", name, params, None, self.seed + seed, seconds, epochs,
            timed=self.planner.timed, rows=rows,
            latency=self.planner.contenders[name].limits.latency_ms is not None,
        )  # fmt: skip
        draft = self.run.path / f".{folder}"
        shutil.rmtree(draft, ignore_errors=True)
        return {
            "op": "final",
            "spec": asdict(spec),
            "data": data,
            "folder": str(draft),
            "extra": {"schema": self.schema},
        }

    def adopt(self, answer: Mapping[str, Any], folder: str, into: str = "model") -> bool:
        """Put a freshly saved model in its place."""
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

    def saved(self) -> dict[str, Any]:
        """Return the description of the model that is saved; empty where there is none."""
        if not (self.run.path / "model" / "pipeline.json").exists():
            return {}
        return self.run.read("model/pipeline.json")

    def fit(self, rec: Mapping[str, Any]) -> dict[str, Any]:
        """Fit the recommended model; where that fails, the next best that fits in the time.

        A network that has time for a small part of the training that was compared does not
        take the place of what is saved already, unless that is the trivial baseline; nor
        does a closed form take that of a network.
        """
        name = rec["recommended"]["architecture"]
        ranked = [
            r["architecture"] for r in rec["leaderboard"] if r["state"] in ("confirmed", "searched")
        ]
        closed = [n for n in ranked if self.planner.contenders[n].candidate.type != "network"]
        answer: dict[str, Any] = {}
        others = [] if self._worth_keeping() == "network" else closed
        for choice in dict.fromkeys([name, *others]):
            slowness = min(max(self.runner.slowness, 1.0), 2.0)
            spare = self.budget.left() - CLOSING_SECONDS - SCORING_SECONDS * slowness
            entry = self.planner.finalists.get(choice) or self._stand_in(choice)
            if entry is None or spare < 0.3:
                continue
            saved = self._worth_keeping()
            if saved and self._trainable(entry, spare) < ENOUGH:
                self._lacked_time(choice, "it was not begun")
                continue
            epochs = self._epochs(entry)
            rows = self._rows(entry, spare)
            command = self.command(
                choice, entry.record.spec.params, epochs, "dev", "final", rows=rows
            )
            answer = self.runner.call(command, spare, patience=SAVING_SECONDS * slowness)
            fitted = answer.get("state") == "complete"
            if fitted and saved and self._trained(entry, answer) < ENOUGH:
                self._lacked_time(choice, f"{answer['epochs']} epochs of {entry.epochs}")
                shutil.rmtree(self.run.path / ".final", ignore_errors=True)
                answer = {}
                continue
            if self.adopt(answer, "final"):
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
                self.planner.records.append(record)
                return answer
            self.runner.failures.append(
                {"architecture": choice, "stage": "final", "reason": answer.get("reason", "")}
            )
        return answer

    def _lacked_time(self, name: str, made: str) -> None:
        reason = f"deadline: no time for a quarter of the training that was compared ({made})"
        self.runner.failures.append({"architecture": name, "stage": "final", "reason": reason})

    def _trainable(self, entry: Finalist, spare: float) -> float:
        """Return for what share of its compared training a network has time; 1 for others."""
        if entry.epochs is None or not self.planner.timed:
            return 1.0
        return spare / max(entry.seconds(self.planner.splits.n_confirm), 1e-9)

    def _trained(self, entry: Finalist, answer: Mapping[str, Any]) -> float:
        """Return what share of its compared training a network had; 1 for others."""
        epochs = float(answer.get("epochs") or 0)
        if not entry.epochs or not epochs:
            return 1.0
        if answer.get("stopped") == "deadline":  # the last of them was cut short
            epochs = min(epochs, answer["fit_seconds"] / max(answer["epoch_seconds"], 1e-9))
        compared = entry.epochs * self.planner.splits.n_confirm
        return epochs * self.planner.profile.n / max(compared, 1)

    def _worth_keeping(self) -> str:
        """Return the type of the model that is saved; empty where any network is better."""
        saved = self.saved()
        known = self.planner.contenders.get(str(saved.get("architecture", "")))
        if not saved or (known is not None and known.candidate.role == "baseline"):
            return ""
        return str(saved["type"])

    def _epochs(self, entry: Finalist) -> int | None:
        """Return for how many epochs to train the model that is saved.

        Those that were compared; more where the time had ended them and some is left now,
        and nobody has asked for an end.
        """
        longest, n = entry.longest(), self.planner.profile.n
        hurried = not self.planner.timed or self.runner.stop.is_set()
        if longest is None or entry.epochs is None or hurried:
            return entry.epochs
        scoring = entry.latest.scoring_seconds(self.planner.scored)
        spare = self.budget.left() - closing_seconds(self.budget.seconds) - scoring
        each = max(entry.seconds(n) / entry.epochs, 1e-9)
        return max(entry.epochs, min(longest, int(FINAL_SHARE * spare / each)))

    def _rows(self, entry: Finalist, spare: float) -> int | None:
        """Return on how many rows to fit an estimator that all would take too long; None for all.

        It cannot be asked to end.
        """
        n = self.planner.profile.n
        seconds, allowed = entry.seconds(n), FINAL_SHARE * spare
        if entry.record.type != "estimator" or not self.planner.timed or seconds <= allowed:
            return None
        return max(int(n * allowed / seconds), min(n, self.planner.splits.n_confirm))

    def over_limits(self, answer: Mapping[str, Any]) -> list[str]:
        """Say where the fitted model exceeds a limit that its trials kept, or was not measured."""
        if answer.get("state") != "complete":
            return []
        name, result = str(self.saved()["architecture"]), result_from_dict(answer)
        contender, entry = self.planner.contenders[name], self.planner.finalists.get(name)
        timed = result.latency_ms or (entry is not None and entry.latest.result.latency_ms)
        reason = contender.too_costly(result)
        said = [f"the saved model, fitted on all rows, is {reason}"] if reason else []
        if contender.limits.latency_ms is not None and not timed:
            said.append("--max-latency was not held against the saved model: no time to measure it")
        return said

    def trained_longer(self, answer: Mapping[str, Any]) -> list[str]:
        """Say where the saved model was trained for more epochs than were compared, or less."""
        entry = self.planner.finalists.get(str(self.saved().get("architecture", "")))
        epochs = int(answer.get("epochs") or 0)
        if entry is None or not entry.epochs or not epochs:
            return []
        if self._trained(entry, answer) < 0.9:
            return [
                f"the saved model had time for {epochs} epochs only; {entry.epochs} were compared"
            ]
        if epochs <= entry.epochs:
            return []
        return [
            f"the saved model is trained for {epochs} epochs, in the time that was left;"
            f" the comparison had time for {entry.epochs}"
        ]

    def rows_left_out(self) -> list[str]:
        """Say where the saved model was not fitted on all rows."""
        used, n = int(self.saved().get("n_train", 0)), self.planner.profile.n
        if not 0 < used < n:
            return []
        return [f"the saved model is fitted on {used} of {n} rows, for lack of time or memory"]

    def _stand_in(self, name: str) -> Finalist | None:
        contender = self.planner.contenders[name]
        best = contender.best
        return Finalist(contender, best, best.epochs_to_repeat) if best else None

    def name_what_is_saved(self, rec: dict[str, Any]) -> dict[str, Any]:
        """Where another model than the judge's choice is what was saved, say so."""
        saved = self.saved()
        wanted = rec["recommended"]
        if not saved or (
            saved["architecture"] == wanted["architecture"]
            and dict(saved["params"]) == dict(wanted["params"])
        ):
            return rec
        name = str(saved["architecture"])
        found = self.planner.contenders[name].candidate if name in self.planner.contenders else None
        rec["recommended"] = {
            "architecture": name,
            "family": saved["family"],
            "title": found.title if found else name,
            "params": saved["params"],
            "type": TYPES[saved["type"]],
        }
        rec["search_score"] = None
        rec["verdict"] = "undecided"
        other = name if name != wanted["architecture"] else f"{name} with other settings"
        rec["why"] = [
            f"The measurements favour {wanted['architecture']}, which {self._not_fitted(wanted)};"
            f" the model that is saved is {other}.",
            *rec["why"],
        ]
        return rec

    def _not_fitted(self, wanted: Mapping[str, Any]) -> str:
        """Say why the judge's choice was not fitted, and what to try."""
        reasons = [
            f["reason"]
            for f in self.runner.failures
            if f["stage"] == "final" and f["architecture"] == wanted["architecture"]
        ]
        late = ("deadline", "no answer within")
        if reasons and not any(words in reasons[-1] for words in late):
            return f"could not be fitted ({reasons[-1]})"
        return "could not be fitted in the time left (selector resume gives the run more)"

    def score(self, avoid: int | None) -> dict[str, Any] | None:
        """Score the saved model, reloaded in a worker, on the test part.

        Without a test part the choice among the finalists is scored, by their
        held-out predictions.
        """
        if self.test_y is None:
            return self._cross_validated()
        early = self.run.path / "predictions" / "early.npy"
        if not self._refitted and early.exists():
            return self.headline(np.load(early))
        command = {**self.prediction("test"), "partial": True}
        out = Path(command["out"])
        out.unlink(missing_ok=True)
        answer = self.runner.call(
            command, max(1.0, self.budget.left() + LATEST_SECONDS), avoid, LATEST_SECONDS
        )
        if answer["state"] != "complete":
            self.runner.failures.append(
                {"architecture": "saved model", "stage": "score", "reason": answer["reason"]}
            )
            return None
        return self.headline(np.load(out, allow_pickle=False))

    def headline(self, predictions: Array) -> dict[str, Any]:
        """Score predictions of the test part, of which some may be missing for lack of time."""
        from selector.judge.headline import headline

        assert self.test_y is not None
        known = ~np.isnan(predictions).reshape(len(predictions), -1).any(axis=1)
        on = self.on if known.all() else f"{known.sum()} rows drawn at random of: {self.on}"
        path = self.run.path / "data" / TEST_GROUPS
        groups = np.load(path, allow_pickle=False)[known] if path.exists() else None
        y = self.test_y[known]
        classes = predictions.shape[1] if predictions.ndim == 2 else None
        blind = self.task.baseline(target_of(self.run), len(y), classes)
        told = headline(self.task, y, predictions[known], on, groups)
        return {**told, "baseline": float(self.task.score(y, blind))}

    def _cross_validated(self) -> dict[str, Any] | None:
        """Score the choice among all finalists, the baseline too: it may be the one recommended."""
        from selector.artifact.held_out import held_out
        from selector.judge.cross_validated import cross_validated

        entered = [
            f
            for f in self.planner.finalists.values()
            if f.scores and not f.contender.too_costly(f.latest.result)
        ]
        if not entered:
            return None
        whole = min(CONFIRM_FOLDS, max(len(f.scores) for f in entered))
        rows, y, predictions = held_out(
            self.run.path, [f for f in entered if len(f.scores) >= whole]
        )
        return cross_validated(self.task, y, rows, predictions)

    def probe(self) -> dict[str, Any] | None:
        """Find out what the saved model uses, in the time that is left; None without any."""
        spare = self.budget.left() - CLOSING_SECONDS
        if spare < PROBE_SECONDS or self.test_y is None:
            return None
        command = {
            "op": "probe",
            "data": str(self.run.path / "data" / "test"),
            "model": str(self.run.path / "model"),
        }
        answer = self.runner.call(command, min(spare, MOST_PROBE_SECONDS), patience=0.5)
        if answer["state"] != "complete" or not answer["results"]:
            return None
        saved = self.saved()
        told = {"architecture": saved["architecture"], "family": saved["family"]}
        return {**told, "on": self.on, **{k: answer[k] for k in ("metric", "results")}}

    def prediction(self, name: str) -> dict[str, Any]:
        """Return the worker command that predicts the test part with the saved model."""
        return {
            "op": "predict",
            "data": str(self.run.path / "data" / "test"),
            "model": str(self.run.path / "model"),
            "out": str(self.run.path / "predictions" / f"{name}.npy"),
        }

    def refit_all(self, rec: dict[str, Any]) -> None:
        """Save a second model, fitted on all rows with the test part, and unscored."""
        if self.test_y is None:
            rec["notes"].append("there is no model_all: the model is fitted on all rows as it is.")
            return
        name = rec["recommended"]["architecture"]
        entry = self.planner.finalists.get(name) or self._stand_in(name)
        assert entry is not None
        parts = [read_data(self.run.path / "data" / part) for part in ("dev", "test")]
        x, y = _join([p[0] for p in parts]), _join([p[1] for p in parts if p[1] is not None])
        write_data(self.run.path / "data" / "all", x, y)
        command = self.command(name, entry.record.spec.params, entry.epochs, "all", "refit")
        answer = self.runner.call(command, max(0.5, self.budget.left() - 0.3))
        if self.adopt(answer, "refit", into="model_all"):
            cut = answer.get("stopped") == "deadline"
            rec["notes"].append(
                "model_all was fitted on all rows, the test part too: it is unscored"
                + (f" (the time ended it after {answer['epochs']} epochs)." if cut else ".")
            )
        else:
            rec["notes"].append(
                f"model_all could not be fitted in the time left: {answer['reason']}."
            )


def _join(variables: list[Variable]) -> Variable:
    values = np.concatenate([v.values for v in variables])
    lengths = None
    if variables[0].lengths is not None:
        lengths = np.concatenate([np.asarray(v.lengths) for v in variables])
    return replace(variables[0], values=values, lengths=lengths)


def target_of(run: RunFolder) -> Array:
    """Return the development rows' target."""
    target = read_data(run.path / "data" / "dev")[1]
    assert target is not None
    return target.values
