"""The best score there is: a weighted mean of several models, apart from the recommendation."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from selector.artifact.final import CLOSING_SECONDS, SCORING_SECONDS, FinalModel
from selector.artifact.held_out import held_out
from selector.artifact.predict import WEIGHTS, weighted_mean
from selector.contract import Array
from selector.judge.ensemble import greedy_selection
from selector.search.contenders import Finalist
from selector.search.planner import Planner
from selector.search.splits import MINIMUM_SPLITS

ROOM = Path(WEIGHTS).parent.name
"""Of the run folder: a saved model in each sub-folder."""

MOST_SEEDS = 3
"""Networks fitted at most, from different initial weights, in place of one that weighs much."""

MOST_ROWS = 20_000
"""Held-out rows that models are chosen by at most."""

FITTING_SHARE = 0.6
"""Share of the time left that fitting may be predicted to take."""

LEAST_SECONDS = 2.0
"""Less is not worth beginning in."""

MEMBER_SECONDS = 0.5
"""Kept free for loading and scoring each model, on one core."""


@dataclass
class Member:
    """A finalist that was chosen, and the models that were fitted of it.

    Parameters
    ----------
    finalist : Finalist
        The configuration.
    drawn : int
        How often greedy selection drew it.
    predictions : ndarray
        Of the held-out rows.
    models : list of Model
        One for each seed that was fitted, and then only those that were scored.
    """

    finalist: Finalist
    drawn: int
    predictions: Array
    models: list[Model] = field(default_factory=list)

    @property
    def seeds(self) -> int:
        """Number of models to fit of it."""
        network = self.finalist.contender.candidate.type == "network"
        return min(self.drawn, MOST_SEEDS) if network else 1


@dataclass
class Model:
    """A fitted model: its folder, the worker's answer, and its test predictions."""

    folder: Path
    answer: Mapping[str, Any]
    predictions: Array | None = None


class NoTimeError(RuntimeError):
    """There is not enough time left for an ensemble."""


class Ensemble:
    """Chooses, fits, saves and scores the ensemble of a run.

    Parameters
    ----------
    final : FinalModel
        Knows the run, its workers, its clock and its finalists.
    """

    def __init__(self, final: FinalModel) -> None:
        self.final, self.run, self.planner = final, final.run, final.planner
        self._room = self.run.path / f".{ROOM}"

    def make(
        self,
        rec: Mapping[str, Any],
        saved: Mapping[str, Any],
        earlier: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Make the ensemble and return what the recommendation says of it.

        Parameters
        ----------
        rec : mapping
            The recommendation; its model is saved.
        saved : mapping
            The worker's answer when that model was fitted.
        earlier : mapping, optional
            What was said of an ensemble that is saved already; it stays where there is no time
            for another.

        Returns
        -------
        dict
            ``members`` (architecture, family, weight, number of models),
            ``search_score``, ``score`` as the recommendation's, ``macs``,
            ``bytes``, ``params_count``; or only ``reason`` where there is none.
        """
        shutil.rmtree(self._room, ignore_errors=True)
        self._room.mkdir()
        try:
            told = self._make(rec, saved)
        except NoTimeError as error:
            told = dict(earlier or {"reason": str(error)})
        except (OSError, ValueError) as error:  # the run has its recommendation all the same
            reason = f"what models predicted is not all there ({error})"
            told = dict(earlier or {"reason": reason})
        finally:
            for draft in (self._room, *self.run.path.glob(f".{ROOM}-*")):
                shutil.rmtree(draft, ignore_errors=True)
        if "members" not in told:
            shutil.rmtree(self.run.path / ROOM, ignore_errors=True)
        return told

    def _make(self, rec: Mapping[str, Any], saved: Mapping[str, Any]) -> dict[str, Any]:
        if self.final.test_y is None:
            return {"reason": "there is no test part to score it on"}
        entered = _compared(self.planner)
        if len(entered) < 2:
            raise NoTimeError("fewer than two models were compared")
        if self._spare(0) < LEAST_SECONDS:
            raise NoTimeError("there was no time for one")
        y, members = self._choose(entered)
        if len(members) < 2:
            return {"reason": "averaging several models is no better than the best alone"}
        self._fit(members, rec, saved)
        self._predict(members)
        members = [m for m in members if m.models]
        if len(members) < 2:
            raise NoTimeError("there was no time to fit and score more than one model")
        told = self._describe(y, members)
        shutil.rmtree(self.run.path / ROOM, ignore_errors=True)
        shutil.move(self._room, self.run.path / ROOM)
        return told

    def _spare(self, models: int) -> float:
        """Return the seconds left for fitting, where so many models are to be scored after it."""
        scoring = SCORING_SECONDS + MEMBER_SECONDS * models / self.planner.cores
        return self.final.budget.left() - CLOSING_SECONDS - scoring

    def _choose(self, entered: Sequence[Finalist]) -> tuple[Array, list[Member]]:
        """Choose by the finalists' predictions on common splits; the most drawn come first.

        Returned beside the held-out target that was chosen by.
        """
        _, y, predictions = held_out(self.run.path, entered)
        if len(y) > MOST_ROWS:
            rows = np.random.default_rng(self.final.seed).choice(len(y), MOST_ROWS, replace=False)
            y, predictions = y[rows], [p[rows] for p in predictions]
        counts = greedy_selection(predictions, lambda p: self.final.task.loss(y, p))
        drawn = zip(entered, counts, predictions, strict=True)
        members = [Member(f, count, p) for f, count, p in drawn if count]
        return y, sorted(members, key=lambda member: -member.drawn)

    # ------------------------------------------------------------------ models

    def _fit(
        self, members: Sequence[Member], rec: Mapping[str, Any], saved: Mapping[str, Any]
    ) -> None:
        """Fit what is likely to end in time; the model that is saved already is taken as it is.

        Further seeds of a network come after one model of each member.
        """
        final, n = self.final, self.planner.profile.n
        spare = self._spare(sum(m.seeds for m in members))
        core_seconds = FITTING_SHARE * spare * self.planner.cores
        planned: list[tuple[Member, int]] = []
        for member, seed in sorted(
            ((m, seed) for m in members for seed in range(m.seeds)), key=lambda pair: pair[1]
        ):
            if seed == 0 and self._is_saved(member.finalist, rec, saved):
                shutil.copytree(self.run.path / "model", self._room / "saved")
                member.models.append(Model(self._room / "saved", saved))
                continue
            seconds = member.finalist.seconds(n)
            if seconds <= min(FITTING_SHARE * spare, core_seconds):
                core_seconds -= seconds
                planned.append((member, seed))
        commands = [
            final.command(
                m.finalist.name, m.finalist.record.spec.params, m.finalist.epochs, "dev",
                f"{ROOM}-{i}", seed=seed,
            )
            for i, (m, seed) in enumerate(planned)
        ]  # fmt: skip
        answers = final.runner.call_all(commands, spare) if commands else []
        for i, (command, answer) in enumerate(zip(commands, answers, strict=True)):
            if answer.get("state") == "complete" and answer.get("stopped") != "deadline":
                Path(command["folder"]).rename(self._room / str(i))
                planned[i][0].models.append(Model(self._room / str(i), answer))

    @staticmethod
    def _is_saved(finalist: Finalist, rec: Mapping[str, Any], saved: Mapping[str, Any]) -> bool:
        wanted = rec["recommended"]
        return bool(
            saved.get("state") == "complete"
            and finalist.name == wanted["architecture"]
            and dict(finalist.record.spec.params) == dict(wanted["params"])
        )

    def _predict(self, members: Sequence[Member]) -> None:
        """Have the models, reloaded in workers, predict the test part; drop those that did not."""
        models = [model for member in members for model in member.models]
        commands = [
            {**self.final.prediction(f"{ROOM}-{i}"), "model": str(model.folder)}
            for i, model in enumerate(models)
        ]
        seconds = max(0.5, self.final.budget.left() - CLOSING_SECONDS / 2)
        answers = self.final.runner.call_all(commands, seconds, patience=0.2)
        for model, command, answer in zip(models, commands, answers, strict=True):
            if answer["state"] == "complete":
                model.predictions = np.load(command["out"], allow_pickle=False)
        for member in members:
            for model in member.models:
                if model.predictions is None:
                    shutil.rmtree(model.folder, ignore_errors=True)
            member.models = [m for m in member.models if m.predictions is not None]

    def _describe(self, y: Array, members: Sequence[Member]) -> dict[str, Any]:
        """Write the weights; return the members, their scores together, and what all cost."""
        final = self.final
        drawn = [float(m.drawn) for m in members]
        weighed = [
            (model, member.drawn / len(member.models))
            for member in members
            for model in member.models
        ]
        self.run.write(
            f".{WEIGHTS}", {"weights": {model.folder.name: weight for model, weight in weighed}}
        )
        parts = [m.predictions for m, _ in weighed if m.predictions is not None]
        mean = weighted_mean(parts, [weight for _, weight in weighed])
        together = weighted_mean([m.predictions for m in members], drawn)
        rows = [
            {
                "architecture": member.finalist.name,
                "family": member.finalist.contender.candidate.family,
                "weight": member.drawn / sum(drawn),
                "models": len(member.models),
            }
            for member in members
        ]
        costs = {}
        for what in ("macs", "bytes", "params_count"):
            counts = [int(model.answer.get(what) or 0) for model, _ in weighed]
            costs[what] = sum(counts) if all(counts) else 0  # 0: not known of all
        return {
            "members": rows,
            **costs,
            "search_score": final.task.score(y, together),
            "score": final.headline(mean),
        }


def _compared(planner: Planner) -> list[Finalist]:
    """Return the finalists with enough splits, but the baseline and what exceeds a limit."""
    return [
        f
        for f in planner.finalists.values()
        if len(f.scores) >= MINIMUM_SPLITS
        and f.contender.candidate.role != "baseline"
        and not f.contender.too_costly(f.latest.result)
    ]
