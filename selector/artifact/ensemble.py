"""The best score there is: a weighted mean of several models, apart from the recommendation."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selector.artifact.final import CLOSING_SECONDS, SCORING_SECONDS, FinalModel
from selector.artifact.held_out import compared, held_out
from selector.artifact.predict import WEIGHTS, weighted_mean
from selector.judge.ensemble import greedy_selection
from selector.search.contenders import Finalist

ROOM = Path(WEIGHTS).parent.name
"""Of the run folder: a saved model in each sub-folder."""

MOST_SEEDS = 3
"""Networks fitted at most, from different initial weights, in place of one that weighs much."""

FITTING_SHARE = 0.7
"""Share of the time left that fitting may be predicted to take."""


@dataclass(frozen=True)
class Member:
    """One model to be fitted: a finalist, from the initial weights of one seed.

    Parameters
    ----------
    finalist : Finalist
        The configuration.
    seed : int
        Added to the run's.
    drawn : float
        How often greedy selection drew the finalist, over its seeds.
    """

    finalist: Finalist
    seed: int
    drawn: float


class Ensemble:
    """Chooses, fits, saves and scores the ensemble of a run.

    Parameters
    ----------
    final : FinalModel
        Knows the run, its workers, its clock and its finalists.
    """

    def __init__(self, final: FinalModel) -> None:
        self.final, self.run, self.planner = final, final.run, final.planner
        self.search_score: float | None = None

    def make(self, rec: Mapping[str, Any], saved: Mapping[str, Any]) -> dict[str, Any]:
        """Make the ensemble and return what the recommendation says of it.

        Parameters
        ----------
        rec : mapping
            The recommendation; its model is saved.
        saved : mapping
            The worker's answer when that model was fitted.

        Returns
        -------
        dict
            ``members`` (architecture, family, weight, number of models),
            ``search_score``, ``score`` as the recommendation's, ``macs``,
            ``bytes``, ``params_count``; or only ``reason`` where there is none.
        """
        if self.final.test_y is None:
            return {"reason": "there is no test part to score it on"}
        members = self.choose()
        if len({m.finalist.name for m in members}) < 2:
            return {"reason": "averaging several models is no better than the best alone"}
        room = self.run.path / f".{ROOM}"
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir()
        fitted = self._fit(members, room, rec, saved)
        if len(fitted) < 2:
            return {"reason": "there was no time to fit more than one model"}
        score = self._score(fitted, room)
        if score is None:
            return {"reason": "there was no time to score it"}
        told = self._describe(fitted)
        weights = {str(i): m.drawn for i, (m, _) in enumerate(fitted)}
        self.run.write(f".{WEIGHTS}", {"weights": weights})
        shutil.rmtree(self.run.path / ROOM, ignore_errors=True)
        room.rename(self.run.path / ROOM)
        return {**told, "search_score": self.search_score, "score": score}

    # ------------------------------------------------------------------ choice

    def choose(self) -> list[Member]:
        """Choose by the finalists' predictions on common splits; the most drawn come first.

        Further seeds of a network come after one model of each.
        """
        entered = compared(self.planner)
        if len(entered) < 2:
            return []
        _, y, predictions = held_out(self.run.path, entered)
        task = self.final.task
        counts = greedy_selection(predictions, lambda p: task.loss(y, p))
        if not sum(counts):
            return []
        self.search_score = task.score(y, weighted_mean(predictions, counts))
        drawn = [(count, f) for count, f in zip(counts, entered, strict=True) if count]
        members = []
        for count, finalist in sorted(drawn, key=lambda pair: -pair[0]):
            network = finalist.contender.candidate.type == "network"
            seeds = min(count, MOST_SEEDS) if network else 1
            members += [Member(finalist, seed, count / seeds) for seed in range(seeds)]
        return sorted(members, key=lambda member: member.seed)

    # ------------------------------------------------------------------ models

    def _fit(
        self,
        members: Sequence[Member],
        room: Path,
        rec: Mapping[str, Any],
        saved: Mapping[str, Any],
    ) -> list[tuple[Member, Mapping[str, Any]]]:
        """Fit what is likely to end in time; the model that is saved already is taken as it is."""
        final, n = self.final, self.planner.profile.n
        spare = final.budget.left() - CLOSING_SECONDS - SCORING_SECONDS
        fitted: list[tuple[Member, Mapping[str, Any]]] = []
        planned: list[Member] = []
        core_seconds = FITTING_SHARE * spare * self.planner.cores
        for member in members:
            finalist = member.finalist
            wanted = rec["recommended"]
            same = finalist.name == wanted["architecture"] and saved.get("state") == "complete"
            if same and member.seed == 0 and wanted["params"] == dict(finalist.record.spec.params):
                shutil.copytree(self.run.path / "model", room / str(len(fitted)))
                fitted.append((member, saved))
                continue
            seconds = finalist.seconds(n)
            if seconds > FITTING_SHARE * spare or seconds > core_seconds:
                continue
            core_seconds -= seconds
            planned.append(member)
        commands = [
            final.command(
                m.finalist.name, m.finalist.record.spec.params, m.finalist.epochs, "dev",
                f"{ROOM}-{i}", seed=m.seed,
            )
            for i, m in enumerate(planned)
        ]  # fmt: skip
        answers = final.runner.call_all(commands, spare) if commands else []
        for member, command, answer in zip(planned, commands, answers, strict=True):
            if answer.get("state") == "complete":
                Path(command["folder"]).rename(room / str(len(fitted)))
                fitted.append((member, answer))
        return fitted

    def _score(
        self, fitted: Sequence[tuple[Member, Mapping[str, Any]]], room: Path
    ) -> dict[str, Any] | None:
        """Score the models, reloaded in workers, together on the test part."""
        from selector.judge.headline import headline

        final = self.final
        commands = [
            {**final.prediction(f"{ROOM}-{i}"), "model": str(room / str(i))}
            for i in range(len(fitted))
        ]
        answers = final.runner.call_all(commands, max(0.5, final.budget.left()))
        if any(answer["state"] != "complete" for answer in answers):
            return None
        parts = [np.load(c["out"], allow_pickle=False) for c in commands]
        mean = weighted_mean(parts, [m.drawn for m, _ in fitted])
        assert final.test_y is not None
        return headline(final.task, final.test_y, mean, on=final.on)

    @staticmethod
    def _describe(fitted: Sequence[tuple[Member, Mapping[str, Any]]]) -> dict[str, Any]:
        """Return the members with their weights, and what all of them cost together."""
        total = sum(m.drawn for m, _ in fitted)
        members: dict[str, dict[str, Any]] = {}
        for member, _ in fitted:
            name = member.finalist.name
            family = member.finalist.contender.candidate.family
            row = members.setdefault(
                name, {"architecture": name, "family": family, "weight": 0.0, "models": 0}
            )
            row["weight"] += member.drawn / total
            row["models"] += 1
        costs = {
            what: sum(int(answer.get(what) or 0) for _, answer in fitted)
            for what in ("macs", "bytes", "params_count")
        }
        return {"members": sorted(members.values(), key=lambda r: -r["weight"]), **costs}
