"""Which column is predicted, whether it is classes or numbers, and its codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from selector.contract import FEATURE_AXES, Array, Column, Dataset, Decision, Variable
from selector.errors import DataError, OptionError, did_you_mean
from selector.profile.decide import MIN_WIDE, named_by_counting
from selector.tasks.metrics import METRICS

TARGET_NAMES = (
    "target", "label", "labels", "class", "classes", "y", "outcome", "species", "diagnosis",
    "response", "output", "category", "survived", "class_label", "target_class", "activity",
)  # fmt: skip
"""Names that announce a target, in order of precedence."""

FEW_CLASSES = 20
MANY_CLASSES = 100
MIN_ROWS = 10


def split_target(dataset: Dataset, wanted: str | None) -> tuple[Dataset, Decision]:
    """Choose the target and take it out of the table.

    Parameters
    ----------
    dataset : Dataset
        As read; its target may still be a column of a table.
    wanted : str or None
        The column that the user named.

    Returns
    -------
    dataset : Dataset
        With a target.
    decision : Decision
        The target's name, with the reason.

    Raises
    ------
    selector.errors.OptionError
        Where there is no column of the name `wanted`.
    selector.errors.DataError
        Where nothing can be a target, or nothing is left beside it.
    """
    if dataset.target is not None:
        name = dataset.target.columns[0].name
        return dataset, _given(name, wanted, dataset.source.get("guessed") == name)
    x = dataset.x
    if x.axes != FEATURE_AXES:
        raise DataError(
            f"'{dataset.name}' has no target: its samples have the axes {', '.join(x.axes)} and "
            "no labels. Give labels with the data (y, a target column, a sub-folder each class)."
        )
    names = [c.name for c in x.columns]
    if len(names) < 2:
        raise DataError(
            f"'{dataset.name}' has one column ('{names[0] if names else ''}'). At least one "
            "feature and a target are needed; check the separator of the file."
        )
    position, decision = _choose(names, wanted, x)
    return take_column(dataset, position), decision


def _given(name: str, wanted: str | None, guessed: bool) -> Decision:
    """Decide on the target that the data came with; the reader may have `guessed` it."""
    if wanted is not None and wanted != name:
        raise OptionError(
            f"target '{wanted}' cannot be chosen: the data comes with its own target, '{name}'. "
            "Leave --target out."
        )
    if wanted is None and guessed and name.strip().lower() not in TARGET_NAMES:
        reason = (
            "no column has the name of a target (such as target, label, class), so the last that "
            f"is constant within each series: '{name}'"
        )
        return Decision(name, 0.6, reason, "--target")
    reason = "given by --target" if wanted is not None else "the data comes with this target"
    return Decision(name, 1.0, reason, "--target")


def _choose(names: Sequence[str], wanted: str | None, x: Variable) -> tuple[int, Decision]:
    if wanted is not None:
        if wanted not in names:
            shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
            raise OptionError(
                f"target '{wanted}' is not a column. Allowed: {shown}.{did_you_mean(wanted, names)}"
            )
        return names.index(wanted), Decision(wanted, 1.0, "given by --target", "--target")
    lower = [name.strip().lower() for name in names]
    found = [lower.index(known) for known in _telling_names(lower) if known in lower]
    if found:
        name = names[found[0]]
        others = [names[i] for i in found[1:]]
        reason = f"a column is called '{name}'"
        if others:
            reason += f" (also possible: {', '.join(others)})"
        return found[0], Decision(name, 0.6 if others else 0.95, reason, "--target")
    if _label_in_front(names, x):
        reason = (
            f"the columns have no names of their own; the first, '{names[0]}', holds a few whole "
            "numbers, as labels do, and the last does not"
        )
        return 0, Decision(names[0], 0.65, reason, "--target")
    name, last = names[-1], len(names) - 1
    reason = (
        f"no column has the name of a target (such as target, label, class), so the last: '{name}'"
    )
    confidence = 0.75 if x.columns[last].type == "categorical" else 0.6
    return last, Decision(name, confidence, reason, "--target")


def _telling_names(names: Sequence[str]) -> list[str]:
    """Return the names that announce a target; right after x, y is a coordinate."""
    coordinate = len(names) > 2 and ("x", "y") in pairwise(names)
    return [known for known in TARGET_NAMES if known != "y" or not coordinate]


def _label_in_front(names: Sequence[str], x: Variable) -> bool:
    """Whether a wide table without names has labels in its first column, and none in its last."""
    if len(names) < MIN_WIDE or not named_by_counting(list(names))[0]:
        return False
    numbers = x.columns[0].type == "numeric"
    return numbers and _like_labels(x.values[:, 0]) and not _like_labels(x.values[:, -1])


def _like_labels(values: Array) -> bool:
    """Whether a column holds several whole numbers (or codes), few and repeated."""
    levels = np.unique(values[np.isfinite(values)])
    few = 2 <= len(levels) <= FEW_CLASSES and len(values) >= 3 * len(levels)
    return few and bool((levels == np.round(levels)).all())


def take_column(dataset: Dataset, position: int) -> Dataset:
    """Move one column of the table into the target."""
    x = dataset.x
    target = Variable((), x.values[:, position], (x.columns[position],))
    keep = [i for i in range(len(x.columns)) if i != position]
    rest = replace(x, values=x.values[:, keep], columns=tuple(x.columns[i] for i in keep))
    return replace(dataset, inputs={next(iter(dataset.inputs)): rest}, target=target)


def drop_missing(dataset: Dataset) -> Dataset:
    """Drop the samples without a target, with a note.

    Raises
    ------
    selector.errors.DataError
        Where no target is given at all, or fewer than ten samples have one.
    """
    assert dataset.target is not None
    present = np.isfinite(dataset.target.values)
    name, total = dataset.target.columns[0].name, len(dataset)
    if not present.any():
        raise DataError(
            f"the target '{name}' is missing in all {total} samples. Name another column with "
            "--target, or check the file."
        )
    if not present.all():
        note = f"{total - int(present.sum())} of {total} samples have no target and were left out"
        dataset = dataset.take(np.flatnonzero(present))
        dataset = replace(dataset, notes=(*dataset.notes, note))
    require_rows(dataset)
    return dataset


def require_rows(dataset: Dataset) -> None:
    """Raise where there are fewer than ten samples."""
    if len(dataset) < MIN_ROWS:
        raise DataError(
            f"'{dataset.name}' has {len(dataset)} usable samples; at least {MIN_ROWS} are needed. "
            "Give more data."
        )


# ------------------------------------------------------------------- the task


def choose_task(target: Variable, wanted: str | None) -> Decision:
    """Decide between classification and regression.

    Parameters
    ----------
    target : Variable
        Without missing values.
    wanted : {"classification", "regression"} or None
        What the user said.

    Raises
    ------
    selector.errors.DataError
        Where a regression is asked for and the target holds text.
    """
    column = target.columns[0]
    if wanted == "regression" and column.type == "categorical":
        shown = ", ".join(sorted(column.levels, key=lambda text: number(text) is not None)[:3])
        raise DataError(
            f"task 'regression' needs numbers, and the target '{column.name}' holds text "
            f"({shown}). "
            "Leave --task out, or name a numeric column with --target."
        )
    if wanted is not None:
        return Decision(wanted, 1.0, "given by --task", "--task")
    if column.type == "categorical":
        what = "yes and no" if column.dtype == "boolean" else "text"
        return Decision("classification", 0.99, f"the target holds {what}", "--task")
    return _task_of_numbers(target.values)


def _task_of_numbers(values: Array) -> Decision:
    levels, counts = np.unique(values, return_counts=True)
    k, n = len(levels), len(values)
    whole = bool((levels == np.round(levels)).all())
    rows = n / k
    if not whole:
        if k == 2:
            reason = "the target has two distinct values"
            return Decision("classification", 0.8, reason, "--task")
        reason = f"the target holds real numbers ({k} distinct values in {n} samples)"
        return Decision("regression", 0.97 if k > FEW_CLASSES else 0.8, reason, "--task")
    figures = f"{k} distinct whole numbers in {n} samples"
    if k <= FEW_CLASSES and (rows >= 3 or k <= 2):
        confidence = 0.97 if k <= 10 and rows >= 5 else 0.8
        return Decision("classification", confidence, f"the target has only {figures}", "--task")
    unbroken = levels[-1] - levels[0] + 1 == k and levels[0] in (0, 1)
    if k <= MANY_CLASSES and unbroken and rows >= 20 and counts.min() >= rows / 3:
        reason = f"the target has {figures}, without gaps and of similar frequency"
        return Decision("classification", 0.7, reason, "--task")
    return Decision("regression", 0.9, f"the target has {figures}", "--task")


RARE = 0.2
"""Share of an even class below which a class is rare, and accuracy says little of it."""


def choose_metric(target: Variable | None, task: str, wanted: str | None) -> Decision:
    """Choose the metric by task and balance of the classes.

    Raises
    ------
    selector.errors.OptionError
        Where the task has no metric of that name.
    """
    usual, *others = METRICS[task]
    if wanted is not None:
        if wanted not in METRICS[task]:
            raise OptionError(
                f"--metric '{wanted}' does not score a {task}. Allowed: {', '.join(METRICS[task])}."
            )
        return Decision(wanted, 1.0, "given by --metric", "--metric")
    if task != "classification" or target is None:
        return Decision(usual, 1.0, f"the metric of a {task}", "--metric")
    counts = np.bincount(target.values.astype(np.int64))
    counts = counts[counts > 0]
    share = float(counts.min() * len(counts) / counts.sum())
    rarest = f"the rarest of {len(counts)} classes has {int(counts.min())} of {int(counts.sum())}"
    if share < RARE:
        reason = f"{rarest} samples, of which accuracy would say little"
        return Decision(others[0], 0.8, reason, "--metric")
    return Decision(usual, 0.95, f"{rarest} samples", "--metric")


def encode(dataset: Dataset, task: str) -> Dataset:
    """Give the target its final form.

    For classification: codes 0 to k-1 into the labels that occur, as written,
    in the order of their numbers where all are numbers, else of the alphabet.
    A class of a single sample is left out, with a note.

    Raises
    ------
    selector.errors.DataError
        Where fewer than two classes have two samples, or all values are equal.
    """
    assert dataset.target is not None
    column, values = dataset.target.columns[0], dataset.target.values.astype(np.float64)
    if task == "regression":
        if len(np.unique(values)) < 2:
            raise DataError(
                f"the target '{column.name}' has the same value in all samples: there is nothing "
                "to predict. Name another column with --target."
            )
        made = replace(column, type="numeric", levels=())
        return replace(dataset, target=Variable((), values, (made,)))
    labels = texts(column, values)
    counts = {str(u): int(c) for u, c in zip(*np.unique(labels, return_counts=True), strict=True)}
    if len(counts) < 2:
        raise DataError(
            f"the target '{column.name}' has one class only ('{next(iter(counts))}'): there is "
            "nothing to tell apart. Name another column with --target."
        )
    single = sorted(label for label, count in counts.items() if count < 2)
    kept = sorted((label for label in counts if counts[label] >= 2), key=_order_key(counts))
    if len(kept) < 2:
        raise DataError(
            f"the target '{column.name}' has {len(counts)} classes in {len(values)} samples, and "
            f"only {len(kept)} of them with two samples or more; two are needed. Is it a name or "
            "an id? Name another column with --target."
        )
    index = {label: float(i) for i, label in enumerate(kept)}
    codes = np.array([index.get(str(label), np.nan) for label in labels])
    levels = replace(column, type="categorical", levels=tuple(kept))
    dataset = replace(dataset, target=Variable((), codes, (levels,)))
    if single:
        shown = ", ".join(f"'{s}'" for s in single[:5]) + (", …" if len(single) > 5 else "")
        note = f"{len(single)} class(es) with a single sample were left out: {shown}"
        dataset = dataset.take(np.flatnonzero(~np.isnan(codes)))
        dataset = replace(dataset, notes=(*dataset.notes, note))
        require_rows(dataset)
    return dataset


def _order_key(labels: Iterable[str]) -> Callable[[str], tuple[float, str]]:
    """Order by number where all labels are numbers, else by the alphabet."""
    if all(number(label) is not None for label in labels):
        return lambda label: (number(label) or 0.0, label)
    return lambda label: (0.0, label)


def number(text: str) -> float | None:
    """Return the finite number that `text` is, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def texts(column: Column, values: Array) -> Array:
    """Return the values of a target as written; missing ones become empty."""
    if column.type == "categorical":
        known = np.array([*column.levels, ""], dtype=object)
        return known[np.where(np.isnan(values), len(column.levels), values).astype(np.int64)]
    written = {
        value: text for text in reversed(column.levels) if (value := number(text)) is not None
    }
    distinct, inverse = np.unique(values, return_inverse=True)
    out = [
        "" if np.isnan(v) else written.get(float(v)) or plain(float(v), column.dtype)
        for v in distinct
    ]
    return np.array(out, dtype=object)[inverse]


def plain(value: float, dtype: str) -> str:
    """Write a number, without a point where the column holds whole numbers."""
    return str(int(value)) if dtype != "float" and value == int(value) else repr(value)


def match(column: Column, values: Array, classes: Sequence[str]) -> Array:
    """Return the codes of labels in `classes`, by text or by number; NaN where unknown.

    Parameters
    ----------
    column : Column
        Describes `values`.
    values : ndarray of float64, shape (n,)
        Targets as read.
    classes : sequence of str
        The trained labels.
    """
    exact = {label: float(i) for i, label in enumerate(classes)}
    folded = {label.strip().casefold(): code for label, code in exact.items()}
    numbers: dict[float, float] = {}
    for label, code in exact.items():
        value = number(label)
        if value is not None:
            numbers.setdefault(value, code)
    folds = folded if len(folded) == len(exact) else {}

    def code_of(label: str) -> float:
        if label in exact:
            return exact[label]
        value = number(label)
        if value is not None and value in numbers:
            return numbers[value]
        return folds.get(label.strip().casefold(), np.nan)

    labels, inverse = np.unique(texts(column, values).astype(str), return_inverse=True)
    codes = np.array([code_of(str(label)) for label in labels], dtype=np.float64)
    return codes[inverse]
