"""Families side by side, by the five questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.artifact.run import RunFolder
from selector.errors import OptionError, RunError, did_you_mean
from selector.judge.questions import IN_GENERAL, QUESTIONS, answers
from selector.report.text import sentence

if TYPE_CHECKING:
    from rich.console import Console


def comparison(names: Sequence[str]) -> dict[str, Any]:
    """Return the answers for some families.

    Parameters
    ----------
    names : sequence of str
        Families, and at most one run folder; with a folder alone, all of its
        families. Of one that the run did not try, what holds in general.

    Returns
    -------
    dict
        ``run`` (path or None), ``families`` and ``answers``: question to
        family to words.

    Raises
    ------
    OptionError
        Where a name is neither, or there are several runs.
    RunError
        Where the run has nothing to compare.
    """
    runs = [n for n in names if Path(n).is_dir() and n not in IN_GENERAL]
    families = [n for n in names if n not in runs]
    if len(runs) > 1:
        raise OptionError(f"compare takes one run folder; received {', '.join(runs)}.")
    measured = _measured(Path(runs[0])) if runs else IN_GENERAL
    untried = {
        family: {q: f"not tried in this run; in general: {words}" for q, words in of.items()}
        for family, of in IN_GENERAL.items()
    }
    told = {**untried, **measured}
    where = f"the run {runs[0]}" if runs else "general (give a run folder to see what it measured)"
    for family in families:
        if family not in told:
            raise OptionError(
                f"'{family}' is neither a run folder nor a family in {where}; there are"
                f" {', '.join(measured)}.{did_you_mean(family, told)}"
            )
    chosen = list(dict.fromkeys(families or measured))
    by_question = {q: {f: told[f][q] for f in chosen} for q in QUESTIONS}
    return {"run": runs[0] if runs else None, "families": chosen, "answers": by_question}


def _measured(path: Path) -> Mapping[str, Mapping[str, str]]:
    run = RunFolder.open(path)
    if not (run.path / "recommendation.json").exists():
        raise RunError(
            f"the run in {path} has no recommendation yet. Try 'selector resume {path}'."
        )
    told = answers(run.read("recommendation.json"))
    if not told:
        raise RunError(f"no family was tried in the run {path}. Try 'selector resume {path}'.")
    return told


def print_comparison(told: Mapping[str, Any], console: Console) -> None:
    """Print the answers, question by question."""
    from rich.padding import Padding
    from rich.text import Text

    source = f"As measured in {told['run']}" if told["run"] else "What holds in general"
    console.print(Text(sentence(source), style="bold"))
    for question, by_family in told["answers"].items():
        console.print(Text(f"\n{QUESTIONS[question]}", style="bold"))
        for family, answer in by_family.items():
            console.print(Padding(Text(f"{family}: {sentence(answer)}"), (0, 0, 0, 2)))
