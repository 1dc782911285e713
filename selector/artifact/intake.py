"""From a source into the run folder: read, split off the test part, decide, write."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from selector.artifact.data import TEST_GROUPS, write_data
from selector.artifact.run import RunFolder
from selector.contract import Array, Dataset, Variable
from selector.errors import DataError
from selector.options import Options

if TYPE_CHECKING:
    from selector.readers import PluginReaders

TEST_SHARE = 0.2
"""Share of the rows that is split off, untouched, where no test file is given."""

FEWEST_ROWS = 50
"""Rows below which none are split off: a test part of under ten rows tells nothing."""

LISTING_SECONDS = 20.0
"""What plugins may take to say which readers they offer."""

LIBRARIES = ("selector-automl", "keras", "jax", "jaxlib", "numpy", "optuna", "scikit-learn")


def describe_run(options: Options, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a run before its data is read: ``run.json`` at the start.

    `data` holds the arguments of :meth:`selector.session.Session.recommend`;
    ``arrays`` names those that are no paths, and so cannot be read again.
    """

    def path(given: Any) -> str | None:
        known = isinstance(given, str | Path)
        return str(Path(given).expanduser().absolute()) if known else None

    return {
        "name": name_of(data["source"]),
        "path": path(data["source"]),
        "test_path": path(data["test"]),
        "arrays": [name for name, v in data.items() if v is not None and path(v) is None],
        "command": list(options.command),
        "options": asdict(options),
        "versions": versions(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def take_in(
    run: RunFolder,
    about: Mapping[str, Any],
    o: Options,
    source: Any,
    y: Any = None,
    test: Any = None,
    test_y: Any = None,
    groups: Any = None,
    order: Any = None,
) -> dict[str, Any]:
    """Read a source and put its arrays, profile and schema into the run folder.

    The test part is split off before anything is decided or measured, but for
    the columns that only identify rows. Below :data:`FEWEST_ROWS` rows there
    is none, and no ``data/test``.

    Parameters
    ----------
    run : RunFolder
        Gets ``data/``, ``profile.json``, ``schema.json`` and, last, ``run.json``.
    about : mapping
        From :func:`describe_run`.
    o : Options
        What the user said about the data.
    source, y, test, test_y, groups, order
        As for :meth:`selector.session.Session.recommend`.

    Returns
    -------
    dict
        `about`, with ``on`` (what the score will be measured on), ``notes``
        and ``fingerprint``.

    Raises
    ------
    DataError
        Where the data cannot be used.
    """
    notes: list[str] = []
    from selector import readers
    from selector.contract import ReadOptions
    from selector.profile import ProfileOptions, describe
    from selector.profile.aside import attach, set_aside

    read_options = ReadOptions(o.target, o.id, o.step, aside=o.group or o.order)
    raw = readers.read(source, read_options, y=y, extra_readers=plugin_readers)
    raw = attach(set_aside(raw, o.group, o.order), groups, order)
    wanted = ProfileOptions(o.target, o.kind, o.task, o.axes, o.metric, o.group, o.order)
    apart, left_out = None, None
    if test is None:
        raw, apart, left_out = split_off(raw, wanted, o.seed, notes)
    described = describe(raw, wanted, left_out)
    schema, told = described.schema, described.dataset.notes
    notes = [*(n for n in notes if n not in told), *told]
    if test is not None:
        expect = ReadOptions(o.target, o.id, o.step, expect=schema.source)
        apart = readers.read(test, expect, y=test_y, extra_readers=plugin_readers)
    test_x, y_test, test_groups, on = None, None, None, "cross-validation"
    if apart is not None:
        where = name_of(test) if test is not None else "the part held out"
        applied = schema.apply(apart)
        test_x, y_test, more = _with_known_target(applied, described.profile.target, where)
        notes += [f"test: {n}" for n in more] if test is not None else []
        if test is None and len(test_x) < len(apart):
            notes.append(
                f"{len(apart) - len(test_x)} of {len(apart)} rows held out do not count for the"
                " score: their target does not occur in the rows before them or beside them"
            )
        if apart.groups is not None and test is None and applied.y is not None:
            test_groups = apart.groups[~np.isnan(applied.y.values)]
        on = _scored_on(raw, o, len(test_x), test_groups, test is not None)
    else:
        notes.append(
            f"with fewer than {FEWEST_ROWS} rows none is held back: the score is that of choosing"
            " and fitting by cross-validation, corrected for the choice, not of the saved model"
        )
    write_data(run.path / "data" / "dev", described.dataset.x, described.dataset.target)
    if test_x is not None:
        write_data(run.path / "data" / "test", test_x, y_test)
    if test_groups is not None:
        np.save(run.path / "data" / TEST_GROUPS, test_groups, allow_pickle=False)
    for name in ("groups", "order"):
        values = getattr(described.dataset, name)
        if values is not None:
            np.save(run.path / "data" / f"{name}.npy", values, allow_pickle=False)
    run.write("profile.json", described.profile.to_dict())
    run.write("schema.json", schema.to_dict())
    made = {
        **about,
        "on": on,
        "fingerprint": fingerprint(described.dataset, test_x),
        "notes": notes,
    }
    run.write("run.json", made)
    return made


def _scored_on(raw: Dataset, o: Options, n: int, groups: Array | None, own: bool) -> str:
    """Say what `n` test rows are: a file's own, whole groups, the last, or any."""
    if own:
        return f"test file, {n} rows"
    if groups is not None:
        by = f" by '{o.group}'" if o.group else ""
        return f"{n} rows, of {len(np.unique(groups))} groups{by} that nothing else has seen"
    if raw.order is not None:
        return f"the last {n} rows by '{o.order}'" if o.order else f"the last {n} rows in order"
    return f"{n} rows held out from everything else"


def split_off(
    raw: Dataset, wanted: Any, seed: int, notes: list[str]
) -> tuple[Dataset, Dataset | None, Mapping[str, str]]:
    """Split the samples that have a target in two, stratified by it; groups stay whole.

    The labels are all that is looked at, and which columns only identify
    rows: these are returned too, since a part of the rows does not show it.
    What the data is, is decided afterwards, on the first part only. Where
    samples are few, and neither grouped nor ordered, there is no second part.
    """
    from selector import tasks
    from selector.profile import describe
    from selector.tasks.arranged import holdout

    labels = describe(raw, wanted)
    applied = labels.schema.apply(raw)
    assert applied.y is not None
    known = np.flatnonzero(~np.isnan(applied.y.values))
    task = tasks.get(labels.profile.task)
    groups, order = (None if v is None else v[known] for v in (raw.groups, raw.order))
    dropped = [n for n in labels.dataset.notes if n not in raw.notes]
    notes += [n for n in dropped if "left out" in n]
    if len(known) < FEWEST_ROWS and groups is None and order is None:
        return raw.take(known), None, labels.left_out
    part = holdout(task, applied.y.values[known], TEST_SHARE, seed, groups, order)
    return raw.take(known[part == 0]), raw.take(known[part == 1]), labels.left_out


def name_of(source: Any) -> str:
    """Return a short name for a source: a file's stem, with its folder where that says more."""
    if not isinstance(source, str | Path):
        return "data"
    path = Path(source).expanduser().absolute()
    stem = path.name.split(".")[0] if not path.is_dir() else path.name
    if stem.lower() in ("train", "test", "data", "x") and path.parent.name:
        return f"{path.parent.name}-{stem}"
    return stem


def plugin_readers() -> PluginReaders:
    """Return the readers of plugins, and what is wrong with plugins.

    Only called where no built-in reader applies. Which plugins offer one is found out in
    another process, so that a plugin without any, or one that hangs, is not loaded here.
    What a plugin prints goes to standard error, so that ``--json`` stays pure.
    """
    from selector.plugins import Registry
    from selector.search.workers import list_plugins

    entries = list_plugins(LISTING_SECONDS)
    problems = [f"{e['name']} {problem}" for e in entries for problem in e["problems"]
                if e["state"] in ("failed", "partial")]  # fmt: skip
    if not entries:
        problems = [f"none has answered within {LISTING_SECONDS:g} s"]
    offering = [e["name"] for e in entries if e["readers"]]
    if not offering:
        return [], problems
    with contextlib.redirect_stdout(sys.stderr):
        return list(Registry(offering).readers.values()), problems


def _with_known_target(
    applied: Any, target: str, where: str
) -> tuple[Variable, Variable, tuple[str, ...]]:
    """Return the samples of a test part whose target the training data knows, and the notes."""
    if applied.y is None:
        raise DataError(
            f"a test part needs the target '{target}', and {where} has none."
            " Leave --test out to have one split off."
        )
    known = np.flatnonzero(~np.isnan(applied.y.values))
    if not len(known):
        raise DataError(
            f"no row of {where} has a target that the training data knows."
            " Give a test file of the same data, or leave --test out."
        )
    return applied.x.take(known), applied.y.take(known), tuple(applied.notes)


def versions() -> dict[str, str]:
    """Return the versions of Python, the platform and the libraries that matter."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def fingerprint(dataset: Dataset, test: Variable | None) -> str:
    """Return a SHA-256 of the development and test values."""
    digest = hashlib.sha256()
    arrays: list[Array | None] = [dataset.x.values, dataset.x.lengths]
    arrays.append(test.values if test is not None else None)
    if dataset.target is not None:
        arrays.append(dataset.target.values)
    for array in arrays:
        if array is not None:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
