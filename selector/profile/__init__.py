"""What is known about a data set before any model is tried.

``describe`` chooses the target, the task, the axes, the kind and the metric, each with a
confidence, a reason and the option that overrides it, brings the data into its
final form, and measures it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from selector.contract import KIND_OF_AXES, Dataset, Decision, Profile, Variable
from selector.errors import DataError
from selector.profile.checks import find_warnings
from selector.profile.decide import choose_form
from selector.profile.form import Form
from selector.profile.options import KINDS, TASKS, ProfileOptions
from selector.profile.schema import Applied, Schema
from selector.profile.signals import measure_signals
from selector.profile.table import drop_identifiers, unused_text
from selector.profile.target import choose_metric, choose_task, drop_missing, encode, split_target

__all__ = [
    "KINDS",
    "TASKS",
    "Applied",
    "Described",
    "Form",
    "ProfileOptions",
    "Schema",
    "assign",
    "describe",
    "profile",
]

DOUBT = 0.7
"""Confidence below which a decision becomes a warning."""

_NO_OPTIONS = ProfileOptions()


@dataclass(frozen=True, eq=False)
class Described:
    """A data set in its final form, with what is known about it.

    Parameters
    ----------
    dataset : Dataset
        Final axes, target in codes, repairs in its notes.
    profile : Profile
        What was measured and decided.
    schema : Schema
        How to bring another file into the same form.
    left_out : mapping of str to str
        Columns of a table that only identify its rows, with the reasons.
    """

    dataset: Dataset
    profile: Profile
    schema: Schema
    left_out: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class _Assigned:
    dataset: Dataset
    decisions: dict[str, Decision]
    schema: Schema
    left_out: Mapping[str, str]


def assign(
    dataset: Dataset, options: ProfileOptions = _NO_OPTIONS
) -> tuple[Dataset, dict[str, Decision]]:
    """Choose target, task, axes and kind, and bring the data into that form.

    Parameters
    ----------
    dataset : Dataset
        As a reader gives it.
    options : ProfileOptions
        What the user said; goes before every guess.

    Returns
    -------
    dataset : Dataset
        With a target in its final codes and an input in its final axes.
        Samples without a target, and classes of one sample, are left out and
        noted.
    decisions : dict of str to Decision
        For ``target``, ``task``, ``axes``, ``kind`` and ``metric``.

    Raises
    ------
    selector.errors.DataError
        Where the data cannot be learnt from: no target, one class, fewer than
        ten samples, no usable column.
    selector.errors.OptionError
        Where an option does not fit the data.
    """
    made = _assign(dataset, options)
    return made.dataset, made.decisions


def _assign(
    dataset: Dataset, options: ProfileOptions, known: Mapping[str, str] | None = None
) -> _Assigned:
    dataset, target_decision = split_target(dataset, options.target)
    dataset, left_out = drop_identifiers(dataset, known)
    dropped = (*left_out, *(name for name in (options.group, options.order) if name))
    dataset = drop_missing(dataset)
    assert dataset.target is not None
    task = choose_task(dataset.target, options.task)
    dataset = encode(dataset, task.value)
    raw = dataset.x
    choice = choose_form(raw, dataset.source, options)
    x = choice.form.apply(raw)
    if not np.isfinite(x.values).any():
        raise DataError(f"'{dataset.name}' has no value at all beside its target: all are missing.")
    final = replace(dataset, inputs={next(iter(dataset.inputs)): x})
    metric = choose_metric(final.target, task.value, options.metric)
    decisions = {"target": target_decision, "task": task, **choice.decisions(), "metric": metric}
    return _Assigned(
        final, decisions, _schema(final, raw, choice.form, task.value, dropped), left_out
    )


def _schema(
    dataset: Dataset, raw: Variable, form: Form, task: str, dropped: tuple[str, ...]
) -> Schema:
    assert dataset.target is not None
    target = dataset.target.columns[0]
    return Schema(
        task=task,
        target=target,
        raw_axes=raw.axes,
        raw_shape=raw.sample_shape,
        raw_columns=raw.columns,
        form=form,
        axes=dataset.x.axes,
        shape=dataset.x.sample_shape,
        columns=dataset.x.columns,
        dropped=dropped,
        source={**dataset.source, "target": dataset.source.get("target") or target.name},
    )


def profile(dataset: Dataset, decisions: Mapping[str, Decision]) -> Profile:
    """Measure an assigned data set.

    Parameters
    ----------
    dataset : Dataset
        From :func:`assign`, or a part of it.
    decisions : mapping of str to Decision
        From :func:`assign`.

    Returns
    -------
    Profile
        With all classes of the whole data set, also those that have no
        sample in this part.
    """
    assert dataset.target is not None
    x, column = dataset.x, dataset.target.columns[0]
    classes = column.levels if column.type == "categorical" else ()
    counts: tuple[int, ...] = ()
    if classes:
        codes = dataset.target.values.astype(np.int64)
        counts = tuple(int(c) for c in np.bincount(codes, minlength=len(classes)))
    signals = measure_signals(dataset)
    return Profile(
        name=dataset.name,
        axes=x.axes,
        kind=KIND_OF_AXES[x.axes],
        task="classification" if classes else "regression",
        target=column.name,
        n=len(dataset),
        shape=tuple(None if extent is None else int(extent) for extent in x.sample_shape),
        lengths=_lengths(x),
        n_outputs=len(classes) or 1,
        classes=classes,
        counts=counts,
        columns=x.columns,
        missing=signals["missing"],
        signals=signals,
        decisions=dict(decisions),
        warnings=(*_doubts(decisions), *find_warnings(dataset)),
        metric=str(decisions["metric"].value) if "metric" in decisions else "",
    )


def _doubts(decisions: Mapping[str, Decision]) -> tuple[str, ...]:
    """Return a sentence for each decision that is far from certain; kind speaks for axes."""
    return tuple(
        f"{name} '{d.value}' is not certain ({d.confidence:.0%}): {d.reason}; "
        f"{d.option} overrides it"
        for name, d in decisions.items()
        if name != "axes" and d.confidence < DOUBT
    )


def _lengths(x: Variable) -> tuple[int, ...]:
    """Return the minimum, median and maximum number of steps; empty without a time axis."""
    if "time" not in x.axes:
        return ()
    if x.lengths is None:
        return (int(x.values.shape[1]),) * 3
    lengths = x.lengths
    return int(lengths.min()), int(np.median(lengths)), int(lengths.max())


def describe(
    dataset: Dataset,
    options: ProfileOptions = _NO_OPTIONS,
    known: Mapping[str, str] | None = None,
) -> Described:
    """Assign and profile a data set.

    Parameters
    ----------
    dataset : Dataset
        As a reader gives it.
    options : ProfileOptions
        What the user said.
    known : mapping of str to str, optional
        What was left out of a table that `dataset` is a part of.

    Returns
    -------
    Described
        The data in its final form, its profile, and the schema for other files.

    Raises
    ------
    selector.errors.DataError, selector.errors.OptionError
        As :func:`assign`.
    """
    made = _assign(dataset, options, known)
    found = profile(made.dataset, made.decisions)
    found = replace(found, warnings=(*unused_text(made.left_out), *found.warnings))
    return Described(made.dataset, found, made.schema, made.left_out)
