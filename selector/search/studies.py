"""The Optuna studies of a run: one for each architecture that is searched.

The driver alone writes them (ask and tell), so a journal file in the run
folder is enough; the run's own lock keeps other processes out. A run that was
killed is continued from its trial records, which are written first: whatever
the journal missed is told to it again.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.artifact.run import cut_torn_line
from selector.contract import Candidate
from selector.search.space import distributions, space_to_dict

if TYPE_CHECKING:
    import optuna


class Studies:
    """Proposes configurations, architecture by architecture.

    Parameters
    ----------
    path : Path
        The journal file, made where it does not exist.
    seed : int
        Seeds the samplers.

    Notes
    -----
    Sampling is by the tree-structured Parzen estimator (Bergstra et al. 2011),
    multivariate, with few start-up trials, since a minute buys only tens of
    trials; the portfolio's configurations come first and count as start-up.
    """

    def __init__(self, path: Path, seed: int) -> None:
        import optuna
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        cut_torn_line(path)
        # left by a kill; the run's own lock is held, so nobody else can be writing
        path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
        self._seed = seed
        self._storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
        self._studies: dict[str, optuna.Study] = {}

    def _study(self, candidate: Candidate) -> optuna.Study:
        import optuna

        if candidate.name not in self._studies:
            offset = sum(map(ord, candidate.name))
            name = candidate.name if self._fits(candidate) else _other_name(candidate)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                sampler = optuna.samplers.TPESampler(
                    n_startup_trials=4,
                    n_ei_candidates=24,
                    multivariate=True,
                    group=False,
                    constant_liar=True,
                    seed=self._seed + offset,
                )
            study = optuna.create_study(
                storage=self._storage,
                sampler=sampler,
                pruner=optuna.pruners.NopPruner(),
                study_name=name,
                direction="maximize",
                load_if_exists=True,
            )
            self._studies[candidate.name] = study
        return self._studies[candidate.name]

    def _fits(self, candidate: Candidate) -> bool:
        """Whether the trials that there are were drawn from this space: Optuna refuses another."""
        import optuna

        space = distributions(candidate.space)
        try:
            study = optuna.load_study(study_name=candidate.name, storage=self._storage)
        except KeyError:
            return True
        try:
            for trial in study.get_trials(deepcopy=False):
                for name, known in trial.distributions.items():
                    if name in space:
                        optuna.distributions.check_distribution_compatibility(known, space[name])
        except ValueError:
            return False
        return True

    def ask(self, candidate: Candidate, given: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return the number of a new trial and its configuration.

        Parameters
        ----------
        candidate : Candidate
            The architecture.
        given : mapping
            Values to take as they are; the others are sampled.
        """
        study = self._study(candidate)
        if given:
            study.enqueue_trial(dict(given))
        trial = study.ask(fixed_distributions=distributions(candidate.space))
        return trial.number, dict(trial.params)

    def tell(self, candidate: Candidate, number: int, value: float | None) -> None:
        """Report a trial's value; None where it failed."""
        from optuna.trial import TrialState

        study = self._study(candidate)
        if value is None:
            study.tell(number, state=TrialState.FAIL, skip_if_finished=True)
        else:
            study.tell(number, value, skip_if_finished=True)

    def restore(self, candidate: Candidate, told: Mapping[int, float | None]) -> None:
        """Bring a study in line with the trial records of an earlier process.

        Parameters
        ----------
        candidate : Candidate
            The architecture.
        told : mapping of int to float or None
            Trial numbers and values from the records; trials that the study
            has and the records lack were running at the kill, and failed.
        """
        from optuna.trial import TrialState

        study = self._study(candidate)
        if study.study_name != candidate.name:
            told = {}  # the numbers are those of another space
        for _ in study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            study.ask()  # enqueued at the kill, and not asked for: only a running one can fail
        for trial in study.get_trials(deepcopy=False):
            if not trial.state.is_finished():
                self.tell(candidate, trial.number, told.get(trial.number))


def _other_name(candidate: Candidate) -> str:
    """Return a study's name that goes with the space, for a run resumed with another version."""
    space = json.dumps(space_to_dict(candidate.space), sort_keys=True)
    return f"{candidate.name} {hashlib.sha256(space.encode()).hexdigest()[:8]}"
