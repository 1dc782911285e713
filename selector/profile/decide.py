"""Which axes a sample has: by what the user said, by the source, or by measurement."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np

from selector.contract import (
    CLIP_AXES,
    FEATURE_AXES,
    IMAGE_AXES,
    KIND_OF_AXES,
    SERIES_AXES,
    Array,
    Decision,
    Variable,
)
from selector.errors import OptionError
from selector.profile.form import Form, ends_missing
from selector.profile.measure import (
    MAX_COLUMNS,
    SCALE_LIMIT,
    Order,
    correlations,
    measure_axis,
    middle,
    pairs_against_null,
    sample_rows,
    scale_ratio,
)
from selector.profile.options import AXES_OF_SETS, ProfileOptions

MIN_WIDE = 8
MIN_SIDE = 5
TIME_PREFIXES = ("", "t", "time", "step", "time_step", "timestep", "timestamp", "att")


@dataclass(frozen=True)
class Choice:
    """A form with the reason for it, and what was measured on the way.

    Parameters
    ----------
    form : Form
        How to see the samples.
    confidence : float
        From 0 to 1.
    reason : str
        In words, with the measured figures.
    """

    form: Form
    confidence: float
    reason: str

    def decisions(self) -> dict[str, Decision]:
        """Return the decisions on axes and kind."""
        axes, confidence = self.form.axes, round(self.confidence, 2)
        return {
            "axes": Decision(",".join(axes), confidence, self.reason, "--axes"),
            "kind": Decision(KIND_OF_AXES[axes], confidence, self.reason, "--kind"),
        }


def choose_form(variable: Variable, source: Mapping[str, Any], options: ProfileOptions) -> Choice:
    """Choose how to see the samples of `variable`.

    Parameters
    ----------
    variable : Variable
        The input as read, the target taken out.
    source : mapping
        ``Dataset.source``; its ``axes_rule`` says that the reader only
        guessed the axes from the array's shape.
    options : ProfileOptions
        ``axes`` and ``kind`` go before everything else.

    Raises
    ------
    selector.errors.OptionError
        Where what the user asked for cannot be made of the data.
    """
    moved = bool(source.get("channels_moved"))
    if options.axis_names is not None:
        names = options.axis_names
        if moved and len(names) == 3:  # named as stored in the file, whose first axis is last now
            names = (*names[1:], names[0])
        return Choice(form_of_names(variable, names), 1.0, "given by --axes")
    measured = _measured(variable, source)
    if options.kind is None or KIND_OF_AXES[measured.form.axes] == options.kind:
        if options.kind is None:
            return measured
        return Choice(measured.form, 1.0, "given by --kind")
    if moved and options.kind == "sequential-grid":
        return Choice(Form(("height", "width", "time")), 1.0, "given by --kind")
    return Choice(form_of_kind(variable, options.kind), 1.0, "given by --kind")


def _measured(variable: Variable, source: Mapping[str, Any]) -> Choice:
    """Choose without being told."""
    if variable.axes == FEATURE_AXES:
        return _table(variable)
    shape = variable.values.shape
    guessed = bool(source.get("axes_rule")) and variable.lengths is None
    if guessed and variable.axes == SERIES_AXES and shape[2] > 1:
        return _array(variable.values, Form(SERIES_AXES))
    if guessed and variable.axes == IMAGE_AXES and shape[3] == 1:
        return _array(variable.values[..., 0], Form(("height", "width")), flat=False)
    rule = f": {source['axes_rule']}" if guessed else ""
    reason = f"the form of the source gives the axes {', '.join(variable.axes)}{rule}"
    return Choice(Form(variable.axes), 0.8 if guessed else 0.99, reason)


# ------------------------------------------------------------- by the user


def form_of_names(variable: Variable, names: tuple[str, ...]) -> Form:
    """Return the form in which the stored axes have these names.

    Raises
    ------
    selector.errors.OptionError
        Where the data has another number of axes.
    """
    axes = AXES_OF_SETS[frozenset(names)]
    if axes != FEATURE_AXES:
        _refuse_categories(variable, "--axes " + ",".join(names))
    if variable.lengths is not None:
        if axes != SERIES_AXES or names[0] != "time":
            raise OptionError(
                f"axes '{','.join(names)}' are not possible: the series differ in length. "
                "Allowed: time,channel."
            )
        return Form(SERIES_AXES)
    shape = variable.values.shape[1:]
    if axes == FEATURE_AXES:
        return Form(FEATURE_AXES, () if len(shape) == 1 else (int(np.prod(shape)),))
    if variable.axes == FEATURE_AXES:
        return _form_of_wide(variable, axes, names)
    if len(names) == len(shape):
        return Form(names)
    if len(names) == len(shape) - 1 and shape[-1] == 1:
        return Form(names, tuple(shape[:-1]))
    raise OptionError(
        f"axes '{','.join(names)}' name {len(names)} axes, and a sample has {len(shape)} "
        f"({' x '.join(map(str, shape))}). Allowed: one name for each, the channel axis only "
        "where it has more than one."
    )


def _form_of_wide(variable: Variable, axes: tuple[str, ...], names: tuple[str, ...]) -> Form:
    """Return the form of a table whose columns are steps or pixels."""
    p = variable.values.shape[1]
    if axes == SERIES_AXES:
        return Form(("time",), trim=ends_missing(variable.values))
    side = isqrt(p)
    if axes == IMAGE_AXES and side * side == p:
        return Form(("height", "width"), (side, side))
    raise OptionError(
        f"axes '{','.join(names)}' are not possible for a table of {p} columns: an image must "
        "be square. Allowed: feature; time. Give other shapes as an .npz file."
    )


def form_of_kind(variable: Variable, kind: str) -> Form:
    """Return the form that makes data of this kind from `variable`.

    Raises
    ------
    selector.errors.OptionError
        Where there is none.
    """
    if kind != "tabular":
        _refuse_categories(variable, f"--kind {kind}")
    if variable.lengths is not None:
        raise OptionError(
            f"kind '{kind}' is not possible: the series differ in length. Allowed: sequential."
        )
    shape = variable.values.shape[1:]
    if kind == "tabular":
        return form_of_names(variable, FEATURE_AXES)
    if variable.axes == FEATURE_AXES and kind != "sequential-grid":
        names = ("time",) if kind == "sequential" else ("height", "width")
        return form_of_names(variable, names)
    if kind == "sequential":
        return Form(SERIES_AXES, (shape[0], int(np.prod(shape[1:]))))
    if kind == "grid" and variable.axes == SERIES_AXES:
        return Form(("height", "width"))
    if kind == "sequential-grid" and variable.axes == IMAGE_AXES and shape[2] > 1:
        return Form(CLIP_AXES[:3])
    if kind == "grid" and variable.axes == CLIP_AXES and shape[3] == 1:
        return Form(IMAGE_AXES, tuple(shape[:3]))
    raise OptionError(
        f"kind '{kind}' cannot be made of samples with the axes {', '.join(variable.axes)} "
        f"({' x '.join(map(str, shape))}). Allowed: {KIND_OF_AXES[variable.axes]}, tabular."
    )


def _refuse_categories(variable: Variable, asked: str) -> None:
    names = [c.name for c in variable.columns if c.type == "categorical"]
    if names and variable.axes == FEATURE_AXES:
        raise OptionError(
            f"{asked} needs numbers only, and {len(names)} column(s) hold categories "
            f"({', '.join(names[:3])}). Allowed: --kind tabular; or remove these columns."
        )


# ----------------------------------------------------------- a wide table


def _table(variable: Variable) -> Choice:
    """Tell a table of features from series or images with a row each."""
    table = Form(FEATURE_AXES)
    values, p = variable.values, variable.values.shape[1]
    categories = sum(c.type == "categorical" for c in variable.columns)
    if categories:
        return Choice(table, 0.99, f"a table with {categories} column(s) of categories")
    if p < MIN_WIDE:
        return Choice(table, 0.97, f"a table of {p} columns: fewer than {MIN_WIDE} make no series")
    order = measure_axis(values[:, :, None], MAX_COLUMNS)
    if order is None:
        return Choice(table, 0.9, "a table whose columns do not vary")
    part = values[sample_rows(values)]
    ratio = scale_ratio(_spreads(part))
    if ratio > SCALE_LIMIT:
        reason = (
            f"a table: its columns differ in scale (the widest spreads {ratio:.0f} times as far as "
            f"the upper quartile of the columns), so they are no steps of one quantity"
        )
        return Choice(table, 0.95, reason)
    grid = _flat_image(part, p)
    return _series_or_table(variable, order) if grid is None else grid


def _spreads(values: Array) -> Array:
    """Return each column's standard deviation; 0 for a column without values."""
    empty = np.isnan(values).all(axis=0)
    out = np.zeros(values.shape[1])
    out[~empty] = np.nanstd(values[:, ~empty], axis=0)
    return out


def _series_or_table(variable: Variable, order: Order) -> Choice:
    names = [c.name for c in variable.columns]
    counted, timed = named_by_counting(names)
    figures = (
        f"neighbouring columns correlate {order.correlation:.2f} on average, against "
        f"{order.null:.2f} (95% bound {order.null95:.2f}) with the columns in random order"
    )
    unbroken = order.low > order.null95
    support = ", and the columns' names count" if counted else ""
    if order.ordered and (unbroken or timed):
        strength = min(1.0, order.gap / 0.6) * min(1.0, order.z / 6.0)
        confidence = 0.55 + 0.4 * strength + (0.04 if counted else 0.0)
        if not unbroken:
            confidence = min(confidence, 0.7)
        trim = ends_missing(variable.values)
        reason = f"series, a row each: the columns share one scale and {figures}{support}"
        return Choice(Form(("time",), trim=trim), min(confidence, 0.99), reason)
    if order.ordered:
        reason = (
            f"a table with groups of related columns: {figures}, but a tenth of the neighbours "
            f"correlate at most {order.low:.2f}, as between groups"
        )
        return Choice(Form(FEATURE_AXES), 0.6, reason)
    lack = min(1.0, max(0.0, 1.0 - max(order.gap, 0.0) / 0.3))
    confidence = 0.65 + 0.3 * lack
    reason = f"a table: {figures}"
    if timed:
        confidence = min(confidence, 0.6)
        reason += "; the names of the columns count, so check --kind sequential"
    return Choice(Form(FEATURE_AXES), confidence, reason)


def named_by_counting(names: list[str]) -> tuple[bool, bool]:
    """Say whether names are a prefix with a counter (``t0, t1, …``), and one of time.

    Returns
    -------
    counted : bool
        One prefix, and numbers going up by one.
    timed : bool
        Also the prefix is that of time steps, or empty.
    """
    parts = [re.fullmatch(r"(.*?)(\d+)", name.strip()) for name in names]
    if len(parts) < 2:
        return False, False
    found = [part for part in parts if part is not None]
    if len(found) < len(parts) or len({part[1] for part in found}) > 1:
        return False, False
    numbers = np.array([int(part[2]) for part in found])
    counted = bool((np.diff(numbers) == 1).all())
    return counted, counted and found[0][1].strip("_- ").lower() in TIME_PREFIXES


def _flat_image(values: Array, p: int) -> Choice | None:
    """Tell square images, a row each with their pixels side by side, from anything else."""
    side = isqrt(p)
    if side * side != p or side < MIN_SIDE:
        return None
    window = middle(p, MAX_COLUMNS)
    if window.stop - window.start < 3 * side:
        return None
    matrix = correlations(values[:, window, None].astype(np.float64))
    wraps = (np.arange(window.start, window.stop - 1) + 1) % side == 0
    along = np.diagonal(matrix, 1)
    across, null, _ = pairs_against_null(matrix, side)
    mean, spread = float(null.mean()), float(max(null.std(), 1e-9))
    row = _mean(along[~wraps])
    jump = _mean(along[wraps])
    between = _mean(np.diagonal(matrix, side // 2))
    bound = mean + 4.0 * spread
    gaps = [(value - mean) / max(1.0 - mean, 1e-9) for value in (row, across)]
    # A series also correlates at a lag of `side` steps, but never more than at half of it.
    if min(row, across) <= bound or min(gaps) < 0.15 or across < between + 0.1 or jump >= row:
        return None
    confidence = min(0.97, 0.6 + 0.5 * min(min(gaps), across - between))
    reason = (
        f"square images of {side} x {side} pixels, a row each: columns {side} apart (one above the "
        f"other) correlate {across:.2f} and columns side by side {row:.2f}, against {mean:.2f} in "
        f"random order and {between:.2f} half a row apart"
    )
    return Choice(Form(("height", "width"), (side, side)), confidence, reason)


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


# ------------------------------------------------------------- 3-D arrays


def _array(values: Array, default: Form, flat: bool = True) -> Choice:
    """Tell images from multivariate series in an array ``(n, a, b)``.

    Parameters
    ----------
    values : ndarray, shape (n, a, b)
        The array without a channel axis.
    default : Form
        What the reader took it for, used where nothing is measured.
    flat : bool, default True
        Whether the variable itself has the shape ``(a, b)``; otherwise it has
        ``(a, b, 1)``, and the form takes the last axis off first.
    """
    _, a, b = values.shape
    reshape = () if flat else (a, b)
    forms = {
        "grid": Form(("height", "width"), reshape),
        "series": Form(SERIES_AXES, reshape),
        "turned": Form(("channel", "time"), reshape),
    }
    first = measure_axis(values)
    second = measure_axis(values.transpose(0, 2, 1))
    one, two = (order is not None and order.ordered for order in (first, second))
    rows = values[sample_rows(values)]
    along_b = scale_ratio(_spreads(rows.reshape(-1, b)))
    along_a = scale_ratio(_spreads(rows.transpose(0, 2, 1).reshape(-1, a)))
    figures = f"{_figures('first', a, first)}; {_figures('second', b, second)}"
    sides = min(a, b) >= MIN_SIDE
    if one and two and sides and max(along_a, along_b) <= SCALE_LIMIT:
        even = min(a, b) / max(a, b)
        weak = min(first.gap if first else 0.0, second.gap if second else 0.0)
        confidence = min(0.98, 0.55 + 0.25 * even + 0.3 * weak)
        return Choice(forms["grid"], confidence, f"images: both axes are smooth ({figures})")
    if one or two:
        turned = two and (not one or _stronger(second, first))
        confidence = 0.9 if one != two else 0.75
        which = "second" if turned else "first"
        reason = f"multivariate series along the {which} axis ({figures})"
        return Choice(forms["turned" if turned else "series"], confidence, reason)
    guess = _by_shape(a, b, default, forms)
    reason = f"neither axis is smooth, so the shape {a} x {b} decides ({figures})"
    return Choice(guess, 0.5, reason)


def _by_shape(a: int, b: int, default: Form, forms: dict[str, Form]) -> Form:
    """Choose by the shape alone."""
    if a == b and a >= MIN_SIDE:
        return forms["grid"]
    if a == 1 or (a < MIN_SIDE and b > 4 * a):
        return forms["turned"]
    return forms["series"] if default.axes == SERIES_AXES or min(a, b) < MIN_SIDE else forms["grid"]


def _stronger(one: Order | None, other: Order | None) -> bool:
    return (one.gap if one else 0.0) > (other.gap if other else 0.0)


def _figures(which: str, extent: int, order: Order | None) -> str:
    if order is None:
        return f"{which} axis of {extent}: not measured"
    return (
        f"{which} axis of {extent}: neighbours correlate {order.correlation:.2f}, "
        f"in random order at most {order.null95:.2f}"
    )
