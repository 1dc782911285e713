"""A folder of images, with a sub-folder for each class."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from selector.contract import IMAGE_AXES, Array, Column, Dataset, Reader, ReadOptions, Variable
from selector.errors import DataError
from selector.readers.columns import plural, some

if TYPE_CHECKING:
    from PIL.Image import Image

_S = TypeVar("_S")
_T = TypeVar("_T")

LONGEST_SIDE = 256
"""Larger images are read smaller: photos of full size fit neither the memory nor the networks."""
MOST_BYTES = 2**30
"""What all images may take as float32; where they would take more, they are read smaller still."""
SHORTEST_SIDE = 32
"""Images are not made smaller than that to fit :data:`MOST_BYTES`."""
EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
_GREY_MODES = ("1", "L", "LA", "I", "F")
_ORIENTATION_TAG = 0x0112
_TURNS = (
    "FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_270", "TRANSVERSE",
    "ROTATE_90",
)  # fmt: skip
"""What undoes the orientations 2 to 8."""
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})
"""Orientations in which height and width change places."""
_PARTS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation"})


class ImageReader(Reader):
    """Reads images into one size and one number of channels.

    The size is the median of all sizes, with a longer side of
    :data:`LONGEST_SIDE` at most, so that all images fit :data:`MOST_BYTES`; or
    that of the training data. The images are grey where all of them are, else
    RGB.
    """

    name: ClassVar[str] = "images"
    extensions: ClassVar[tuple[str, ...]] = EXTENSIONS

    def matches(self, source: Any) -> bool:
        """Whether `source` is a folder of images, or of folders of them, or an image file."""
        if not isinstance(source, Path):
            return False
        if not source.is_dir():
            return source.suffix.lower() in EXTENSIONS
        try:
            return any(_is_image(f) for folder in _folders(source) for f in folder.iterdir())
        except OSError:
            return True  # `read` says what is wrong with it

    def read(self, source: Any, options: ReadOptions) -> Dataset:
        """Read the folder; see :meth:`selector.contract.Reader.read`."""
        path = Path(source)
        paths, labels = _find(path, options.expect)
        expect = options.expect if (options.expect or {}).get("reader") == self.name else None
        seen = _each(lambda p: _seen(p, _head), paths)
        heads = {i: head for i, head in enumerate(seen) if head is not None}
        if not heads:
            raise _unreadable(path, paths)
        size, channels, shrunk = _form(list(heads.values()), expect)
        values, kept = _decoded({i: paths[i] for i in heads}, size, channels)
        if not kept:
            raise _unreadable(path, paths)
        broken = [paths[i] for i in sorted(set(range(len(paths))) - set(kept))]
        notes = _notes(broken, [heads[i] for i in kept], size, channels, shrunk)
        root = path if path.is_dir() else path.parent
        ids = tuple(paths[i].relative_to(root).as_posix() for i in kept)
        source_info = {
            "reader": self.name,
            "path": str(path),
            "size": list(size),
            "channels": channels,
            "target": "class",
        }
        target = None if labels is None else _target([labels[i] for i in kept])
        x = Variable(IMAGE_AXES, values)
        return Dataset(path.resolve().name, {"x": x}, target, ids, tuple(notes), source_info)


def _find(path: Path, expect: Mapping[str, Any] | None) -> tuple[list[Path], list[str] | None]:
    """Return the image files and the class of each; None for the classes of loose images."""
    if path.is_file():
        if not expect:
            raise DataError(
                f"'{path}' is a single image. Training needs a folder with a sub-folder of images "
                "for each class."
            )
        return [path], None
    _, *folders = _folders(path)
    by_class = {d.name: _images(d) for d in folders}
    by_class = {name: files for name, files in by_class.items() if files}
    if by_class:
        pairs = sorted(
            (file.relative_to(path).as_posix(), file, name)
            for name, files in by_class.items()
            for file in files
        )
        return [file for _, file, _ in pairs], [name for _, _, name in pairs]
    _refuse_parts(path, folders)
    loose = _images(path)
    if not loose:
        raise DataError(
            f"the folder '{path}' holds no images. A sub-folder for each class is needed, with "
            f"{', '.join(EXTENSIONS)} files in it."
        )
    if not expect:
        raise DataError(
            f"the {len(loose)} images in '{path}' have no classes. Put the images of each class "
            "into a sub-folder of its name."
        )
    return loose, None


def _images(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if _is_image(f))


def _folders(path: Path) -> list[Path]:
    """Return a folder and the folders in it that are not hidden."""
    inner = (d for d in path.iterdir() if not d.name.startswith(".") and d.is_dir())
    return [path, *sorted(inner)]


def _is_image(path: Path) -> bool:
    named = path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")
    return named and path.is_file()


def _refuse_parts(path: Path, folders: Sequence[Path]) -> None:
    """Raise for a folder that holds train/ and test/ in place of classes."""
    parts = [d for d in folders if d.name.lower() in _PARTS]
    if not parts or not any(_images(c) for d in parts for c in d.iterdir() if c.is_dir()):
        return
    train = next((d for d in parts if d.name.lower().startswith("train")), parts[0])
    test = next((d for d in parts if d != train), None)
    command = f"{train}" + (f" --test {test}" if test else "")
    raise DataError(
        f"'{path}' holds the parts {some(d.name for d in parts)}, not a sub-folder for each "
        f"class. Give the parts one by one: {command}"
    )


class _Head(NamedTuple):
    """What is known of an image before it is decoded."""

    height: int
    width: int
    grey: bool


def _head(image: Image) -> _Head:
    height, width = image.height, image.width
    if _orientation(image) in _ON_ITS_SIDE:
        height, width = width, height
    if image.mode == "P":  # whether all colours in use are grey shows in the pixels
        return _Head(height, width, _plain(image).mode == "L")
    grey = image.mode in _GREY_MODES or image.mode.startswith("I;16")
    return _Head(height, width, grey)


def _orientation(image: Image) -> int:
    """Return how a camera held it (the tag of Exif, 1 to 8); 1 for all but JPEG."""
    if image.format not in {"JPEG", "MPO"}:
        return 1  # Pillow would have to decode a PNG to know
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # whatever is wrong with the tags, the pixels may be whole
        return 1
    return value if value in range(1, 9) else 1


def _seen(path: Path, see: Callable[[Image], _T]) -> _T | None:
    """Return what `see` makes of an image; None where the file cannot be read."""
    from PIL import Image as pillow

    try:
        with pillow.open(path) as image:
            return see(image)
    except (OSError, ValueError, SyntaxError, pillow.DecompressionBombError):
        return None


def _unreadable(path: Path, paths: Sequence[Path]) -> DataError:
    return DataError(
        f"none of the {len(paths)} image files in '{path}' can be read; the first is "
        f"'{paths[0].name}'. Readable are {', '.join(EXTENSIONS)}."
    )


def _each(make: Callable[[_S], _T], items: Iterable[_S]) -> list[_T]:
    """Return what `make` makes of each item; Pillow decodes outside Python's lock."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(make, items))


def _decoded(
    paths: Mapping[int, Path], size: tuple[int, int], channels: int
) -> tuple[Array, list[int]]:
    """Decode the images; return their pixels, and the keys of those that are whole."""
    values = np.empty((len(paths), *size, channels), dtype=np.float32)
    keys = list(paths)

    def decode(row: int) -> bool:
        pixels = _seen(paths[keys[row]], lambda image: _pixels(image, size, channels))
        if pixels is not None:
            values[row] = pixels
        return pixels is not None

    whole = np.flatnonzero(_each(decode, range(len(keys))))
    for i, row in enumerate(whole):  # in place: a copy may not fit the memory
        if i != row:
            values[i] = values[row]
    return values[: len(whole)], [keys[row] for row in whole]


def _plain(image: Image) -> Image:
    """Return an image in mode L or RGB; 16 bits become 8, transparency is dropped."""
    from PIL import Image as pillow

    if image.mode.startswith("I;16") or image.mode == "I":
        wide = np.asarray(image).astype(np.float64)
        scale = 257.0 if image.mode.startswith("I;16") or wide.max(initial=0) > 255 else 1.0
        return pillow.fromarray(np.clip(wide / scale, 0, 255).round().astype(np.uint8))
    if image.mode in _GREY_MODES:
        return image.convert("L")
    if image.mode == "P" and image.palette is not None:
        colours = np.asarray(image.convert("RGB"))
        grey = (colours == colours[..., :1]).all()
        return image.convert("RGB").convert("L") if grey else image.convert("RGB")
    return image.convert("RGB")


class _Form(NamedTuple):
    """The one form in which all images are read."""

    size: tuple[int, int]
    channels: int
    shrunk: bool = False
    """Whether the size is smaller than it would be for fewer images."""


def _form(heads: Sequence[_Head], expect: Mapping[str, Any] | None) -> _Form:
    """Return the common ``(height, width)`` and number of channels."""
    if expect:
        return _Form((int(expect["size"][0]), int(expect["size"][1])), int(expect["channels"]))
    median = np.median([(head.height, head.width) for head in heads], axis=0)
    height, width = (median * min(1, LONGEST_SIDE / median.max())).round().astype(int).tolist()
    size, channels = (max(1, height), max(1, width)), 1 if all(head.grey for head in heads) else 3
    fitting = _fitting(len(heads), size, channels)
    return _Form(fitting, channels, fitting != size)


def _fitting(count: int, size: tuple[int, int], channels: int) -> tuple[int, int]:
    """Return `size`, or the smaller one at which so many images fit :data:`MOST_BYTES`.

    Raises
    ------
    DataError
        Where a side would be shorter than :data:`SHORTEST_SIDE`.
    """
    height, width = size
    share = math.sqrt(MOST_BYTES / (count * _bytes(size, channels)))
    if share >= 1:
        return size
    smaller = int(height * share), int(width * share)
    if min(smaller) >= SHORTEST_SIDE:
        return smaller
    least = min(1, SHORTEST_SIDE / min(size))
    smallest = max(1, round(height * least)), max(1, round(width * least))
    raise DataError(
        f"{count} images of {height} × {width} pixels (height × width) and "
        f"{plural(channels, 'channel')} are too many: to fit {MOST_BYTES / 2**30:g} GiB they would "
        f"be read with {smaller[0]} × {smaller[1]}, and no side may be under {SHORTEST_SIDE}. At "
        f"{smallest[0]} × {smallest[1]}, {MOST_BYTES // _bytes(smallest, channels)} of them fit. "
        "Leave out a part of each class."
    )


def _bytes(size: tuple[int, int], channels: int) -> int:
    """Return what one image takes as float32."""
    return 4 * size[0] * size[1] * channels


def _notes(
    broken: Sequence[Path],
    heads: Sequence[_Head],
    size: tuple[int, int],
    channels: int,
    shrunk: bool,
) -> list[str]:
    """Say which images were left out or changed."""
    notes = []
    if broken:
        names = some(f"{path.parent.name}/{path.name}" for path in broken)
        notes.append(f"{plural(len(broken), 'unreadable image')} skipped: {names}")
    sizes = np.array([(head.height, head.width) for head in heads])
    changed = int((sizes != np.array(size)).any(axis=1).sum())
    if changed:
        limit = ""
        if shrunk:
            limit = f"; that is so small to fit {MOST_BYTES / 2**30:g} GiB in all"
        elif max(size) == LONGEST_SIDE < sizes.max():
            limit = f"; the longer side is at most {LONGEST_SIDE}"
        notes.append(
            f"{changed} of {plural(len(heads), 'image')} of another size were resized to "
            f"{size[0]} × {size[1]} (height × width){limit}"
        )
    grey = sum(head.grey for head in heads)
    if 0 < grey < len(heads) and channels == 3:
        notes.append(f"{plural(grey, 'grey image')} among coloured ones: all read as RGB")
    return notes


def _pixels(image: Image, size: tuple[int, int], channels: int) -> Array:
    """Return one image as float32 in 0..255, shape ``(height, width, channels)``."""
    from PIL import Image as pillow

    turned = _orientation(image)
    wanted = size if turned in _ON_ITS_SIDE else size[::-1]
    image.draft(None, wanted)  # a JPEG much larger is not decoded in full
    if turned != 1:
        image = image.transpose(pillow.Transpose[_TURNS[turned - 2]])
    image = _plain(image)
    mode = "L" if channels == 1 else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    if (image.height, image.width) != size:
        image = image.resize((size[1], size[0]), pillow.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float32).reshape(*size, channels)


def _target(labels: Sequence[str]) -> Variable:
    levels = sorted(set(labels))
    index = {name: float(i) for i, name in enumerate(levels)}
    column = Column("class", "categorical", tuple(levels), "string")
    return Variable((), np.array([index[x] for x in labels]), (column,))
