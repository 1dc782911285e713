"""Small real data sets with their cards, and generators of planted truth.

Three kinds of sets, one interface: those that lie in this package, those that
scikit-learn ships, and those that :mod:`selector_datasets.planted` makes. The
last two are written to files on demand.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from selector.errors import DataError, OptionError, did_you_mean
from selector_datasets import cards, planted, sklearn_sets

__all__ = ["card", "load", "make", "names", "path"]


def names() -> list[str]:
    """Return the names of all data sets: shipped, of scikit-learn, planted."""
    return [*cards.shipped(), *sklearn_sets.CARDS, *planted.CARDS]


def card(name: str) -> dict[str, Any]:
    """Return what is known about a data set.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    dict
        ``name``, ``title``, ``description``, ``source``, ``licence``,
        ``citation``, ``form``, ``kind``, ``task``, ``target``, ``n_train``,
        ``n_test``, ``published`` (a model's accuracy on the test part),
        ``files`` (part to file name; empty for sets that are made). Some have
        ``published_ranges`` (lowest and highest figure found) and ``measured``.

    Raises
    ------
    OptionError
        For an unknown name.
    """
    _known(name)
    if name in cards.shipped():
        return cards.read(name)
    about = sklearn_sets.CARDS.get(name) or planted.CARDS[name]
    return {"name": name, "published": {}, "files": {}, **about}


def path(name: str, part: str = "train") -> Path:
    """Return the file or folder of a data set.

    Parameters
    ----------
    name : str
        One of :func:`names`; ``"GunPoint/test"`` names a part as well.
    part : str
        ``"train"``, ``"test"`` or another key of the card's ``files``.

    Returns
    -------
    Path
        For a set that is made, a file in the user's cache folder, written
        there the first time.

    Raises
    ------
    OptionError
        For an unknown name or part.
    """
    name, part = _split(name, part)
    about = card(name)
    files: dict[str, str] = about["files"] or _made_parts(about)
    if part not in files:
        raise OptionError(
            f"the data set '{name}' has no part '{part}'.{did_you_mean(part, files)} "
            f"It has {', '.join(files)}."
        )
    if name in cards.shipped():
        return cards.folder(name) / files[part]
    return _cached(name, part)


def make(name: str, out: Path | str, **options: Any) -> Path:
    """Write a data set of scikit-learn, or a planted one, to a file.

    Parameters
    ----------
    name : str
        ``"iris"``, ``"digits"``, ``"last_command"`` …: see :func:`names`.
    out : Path
        A file name, or an existing folder (the file is then named after the
        set). The extension is that of the form: ``.csv`` or ``.npz``.
    **options
        For planted sets those of :mod:`selector_datasets.planted`: ``n``,
        ``steps``, ``seed`` and others.

    Returns
    -------
    Path
        The file written: ``.npz`` with ``X`` and ``y``, or ``.csv`` with the
        target as last column.

    Raises
    ------
    OptionError
        For an unknown name or option, and for a shipped set.
    DataError
        Where the file cannot be written.
    """
    _known(name)
    if name in cards.shipped():
        raise OptionError(
            f"'{name}' is shipped as files and is not made: use path('{name}') "
            f"(selector datasets path {name})."
        )
    if name in sklearn_sets.CARDS:
        if options:
            raise OptionError(
                f"'{name}' takes no options, and {', '.join(sorted(options))} was given."
            )
        table = sklearn_sets.load(name)
    else:
        table = planted.generate(name, **options)
    target = Path(out).expanduser()
    if target.is_dir():
        target = target / f"{name}{table.extension}"
    elif target.suffix != table.extension:
        target = target.with_name(target.name + table.extension)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        table.write(target)
    except OSError as error:
        raise DataError(f"cannot write '{target}': {error.strerror}.") from error
    return target


def load(name: str) -> tuple[Any, Any]:
    """Return the samples and the target of a data set.

    Parameters
    ----------
    name : str
        One of :func:`names`; ``"GunPoint/test"`` names a part as well.

    Returns
    -------
    X : ndarray, list of ndarray, or polars.DataFrame
        Series ``(n, steps, channels)``, a list of ``(steps, channels)`` where
        lengths differ, images ``(n, height, width, channels)``, or a table.
    y : ndarray, shape (n,)
        Labels in their original form, or numbers.

    Raises
    ------
    OptionError
        For an unknown name or part.
    """
    name, part = _split(name, "train")
    return cards.load(path(name, part), card(name))


def _known(name: str) -> None:
    if name not in names():
        raise OptionError(
            f"there is no data set '{name}'.{did_you_mean(name, names())} "
            f"Known are {', '.join(names())}."
        )


def _split(name: str, part: str) -> tuple[str, str]:
    head, slash, tail = name.partition("/")
    return (head, tail) if slash else (name, part)


def _made_parts(about: dict[str, Any]) -> dict[str, str]:
    parts = ("train", "test") if about["n_test"] else ("train",)
    return dict.fromkeys(parts, "")


def _cached(name: str, part: str) -> Path:
    """Return the file of a made set in the user's cache, written where it is missing."""
    import platformdirs

    folder = Path(platformdirs.user_cache_dir("selector")) / "datasets"
    options: dict[str, Any] = {}
    if name in planted.CARDS:
        folder = folder / f"v{planted.VERSION}"
        about = planted.CARDS[name]
        options = {"n": about[f"n_{part}"], "seed": 1 if part == "test" else 0}
    extension = ".csv" if card(name)["form"] == "CSV" else ".npz"
    stem = name if part == "train" else f"{name}_{part}"
    target = folder / f"{stem}{extension}"
    if not target.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                os.replace(make(name, Path(scratch), **options), target)
        except OSError as error:
            raise DataError(f"cannot write '{target}': {error.strerror}.") from error
    return target
