"""What the user said about the data: target, kind, task and axes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from selector.contract import CLIP_AXES, FEATURE_AXES, IMAGE_AXES, KIND_OF_AXES, SERIES_AXES, Kind
from selector.errors import OptionError, did_you_mean
from selector.tasks.metrics import METRICS

KINDS: tuple[Kind, ...] = ("sequential", "grid", "tabular", "sequential-grid")
TASKS: tuple[str, ...] = ("classification", "regression")
AXES_OF_SETS: dict[frozenset[str], tuple[str, ...]] = {
    frozenset(FEATURE_AXES): FEATURE_AXES,
    frozenset({"time"}): SERIES_AXES,
    frozenset(SERIES_AXES): SERIES_AXES,
    frozenset({"height", "width"}): IMAGE_AXES,
    frozenset(IMAGE_AXES): IMAGE_AXES,
    frozenset({"time", "height", "width"}): CLIP_AXES,
    frozenset(CLIP_AXES): CLIP_AXES,
}
"""The final axes for each set of names; a missing channel axis is added."""


@dataclass(frozen=True)
class ProfileOptions:
    """What the user said about the data; None where nothing was said.

    Parameters
    ----------
    target : str, optional
        Name of the column to predict.
    kind : {"sequential", "grid", "tabular", "sequential-grid"}, optional
        The kind of data.
    task : {"classification", "regression"}, optional
        What is to be predicted.
    axes : str, optional
        The names of a sample's axes in the order they are stored, separated
        by commas: ``"time,channel"``, ``"channel,time"``, ``"height,width"``.
    metric : str, optional
        By which models are scored, see :data:`selector.tasks.metrics.METRICS`.
    group, order : str, optional
        Column that was set aside, see :func:`selector.profile.aside.set_aside`.

    Raises
    ------
    selector.errors.OptionError
        Where a value is not allowed, or `kind` and `axes` contradict.
    """

    target: str | None = None
    kind: str | None = None
    task: str | None = None
    axes: str | None = None
    metric: str | None = None
    group: str | None = None
    order: str | None = None

    def __post_init__(self) -> None:
        _check("kind", self.kind, KINDS)
        _check("task", self.task, TASKS)
        _check("metric", self.metric, [m for task in METRICS.values() for m in task])
        names = self.axis_names
        if names is None:
            return
        for name in names:
            _check("axes", name, ("feature", *CLIP_AXES))
        final = AXES_OF_SETS.get(frozenset(names))
        if final is None or len(set(names)) != len(names):
            allowed = "; ".join(",".join(axes) for axes in KIND_OF_AXES)
            raise OptionError(
                f"axes '{self.axes}' do not describe a kind of data. Allowed, in the order in "
                f"which your array stores them (channel may be left out): {allowed}."
            )
        if self.kind is not None and KIND_OF_AXES[final] != self.kind:
            raise OptionError(
                f"kind '{self.kind}' and axes '{self.axes}' contradict each other: these axes "
                f"make {KIND_OF_AXES[final]} data. Give only one of the two."
            )

    @property
    def axis_names(self) -> tuple[str, ...] | None:
        """The names in `axes`, or None."""
        if self.axes is None:
            return None
        return tuple(part.strip().lower() for part in self.axes.split(","))


def _check(option: str, value: str | None, allowed: Iterable[str]) -> None:
    """Raise unless `value` is None or one of `allowed`."""
    known = tuple(allowed)
    if value is not None and value not in known:
        raise OptionError(
            f"{option} '{value}' is not known. Allowed: {', '.join(known)}."
            f"{did_you_mean(value, known)}"
        )
