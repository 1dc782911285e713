"""Tasks: what is predicted, and how predictions are scored, split and bounded."""

from __future__ import annotations

from selector.errors import OptionError, did_you_mean
from selector.tasks.base import Task
from selector.tasks.classification import Classification
from selector.tasks.regression import Regression

__all__ = ["TASKS", "Classification", "Regression", "Task", "get"]

TASKS: dict[str, Task] = {task.name: task for task in (Classification(), Regression())}


def get(name: str, metric: str = "") -> Task:
    """Return the task of this name, scored by `metric` or as usual.

    Raises
    ------
    selector.errors.OptionError
        Where there is none, or it has no such metric.
    """
    if name not in TASKS:
        raise OptionError(
            f"task '{name}' is not known. Allowed: {', '.join(TASKS)}.{did_you_mean(name, TASKS)}"
        )
    task = TASKS[name]
    return task if metric in ("", task.metric) else task.scored_by(metric)
