"""From the bytes of a text table to columns of text.

Finds the encoding, the separator, the quoting and whether there is a header.
Every cell stays text; :mod:`selector.readers.columns` decides what it holds.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from selector.errors import DataError
from selector.readers.columns import MISSING, is_number

if TYPE_CHECKING:
    import polars as pl

WHITESPACE = " "
SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_NAMES = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "pipe",
    WHITESPACE: "whitespace",
    "": "none",
}
_SAMPLE_ROWS = 200
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = {
    b"PK\x03\x04": "a zip archive (.npz, .xlsx)",
    b"\x93NUMPY": "a NumPy array (.npy)",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x89HDF": "an HDF5 file",
    b"\x80\x04\x95": "a Python pickle",
    b"\x7fELF": "a program",
}
_GZIP = b"\x1f\x8b"
_PLAIN = ((0.0, 1.0), (1.0, 1.0))
"""Start and step of a count that may stand above numbers in steps of another size."""


@dataclass(frozen=True)
class Grid:
    """The cells of a text table, all as text.

    Parameters
    ----------
    columns : list of polars.Series
        Text columns of one length, the header (if any) not among them.
    header : tuple of str or None
        The header's cells; None where the first row is data.
    separator : str
        As found out.
    """

    columns: list[pl.Series]
    header: tuple[str, ...] | None
    separator: str


def decode(raw: bytes, name: str) -> tuple[str, str, list[str]]:
    """Return ``(text, encoding, notes)`` of the bytes of a text file.

    UTF-8, and UTF-16 or UTF-32 with a byte order mark, are recognised; other
    text is read as Windows-1252 (or Latin-1, where it holds bytes that
    Windows-1252 does not define), which a note says.

    Raises
    ------
    DataError
        Where the bytes are not text.
    """
    raw = _decompress(raw, name)
    notes: list[str] = []
    _refuse_binary(raw, name)
    encoding = next((e for bom, e in _BOMS if raw.startswith(bom)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise DataError(
                f"'{name}' begins as {encoding} text but is not: byte {error.start} cannot be "
                "decoded. Save the file as UTF-8."
            ) from error
        text, encoding = _decode_single_byte(raw)
        notes.append(f"the file is not UTF-8: read as {encoding}")
    if "\0" in text:
        raise DataError(
            f"'{name}' is not a text table: it holds NUL characters. "
            "Save it as CSV in UTF-8 (UTF-16 needs its byte order mark)."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n"), encoding, notes


def _decompress(raw: bytes, name: str) -> bytes:
    if not raw.startswith(_GZIP):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"'{name}' is a broken gzip file: {error}. Unpack it by hand.") from error


def _refuse_binary(raw: bytes, name: str) -> None:
    what = next((text for magic, text in _MAGIC.items() if raw.startswith(magic)), None)
    if what is None and not any(raw.startswith(bom) for bom, _ in _BOMS[1:]):
        head = raw[: 1 << 16]
        strange = sum(head.count(bytes([c])) for c in range(32) if c not in (9, 10, 12, 13, 26, 27))
        if head and strange > len(head) // 100:
            what = "binary data"
    if what:
        raise DataError(
            f"'{name}' is not a text table but {what}. Give it the extension of what it is, "
            "or save the table as CSV."
        )


def _decode_single_byte(raw: bytes) -> tuple[str, str]:
    try:
        return raw.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "latin-1"


def parse(
    text: str, name: str, known: Sequence[str] = (), headed: bool = True
) -> tuple[Grid, list[str]]:
    """Split `text` into columns, and say which repairs that took.

    Parameters
    ----------
    text : str
        The whole file, with lines that end in a newline.
    name : str
        The file's name, for messages.
    known : sequence of str
        Column names that are expected (those of the training data); a first
        row that holds half of them or more is a header.
    headed : bool
        Whether there may be a header that only its form gives away; the training
        data of a new file may have had none.

    Raises
    ------
    DataError
        For an empty file, a header without rows, and rows of different
        lengths.
    """
    text, comment, skipped, notes = _skip_comments(text)
    if not text.strip():
        raise DataError(f"'{name}' is empty. It must hold a table: a header and rows.")
    separator = find_separator(text)
    columns = _split(text, separator, name, skipped)
    if comment is not None:
        cells = _cells(comment, separator)
        if len(cells) == len(columns):
            return Grid(columns, tuple(cells), separator), notes
    first = [str(c[0]) for c in columns]
    if not is_header(first, [c[1:1001].to_list() for c in columns], known, headed):
        return Grid(columns, None, separator), notes
    if len(columns[0]) == 1:
        raise DataError(f"'{name}' holds only a header and no rows of data.")
    return Grid([c[1:] for c in columns], tuple(first), separator), notes


def _skip_comments(text: str) -> tuple[str, str | None, int, list[str]]:
    """Cut leading lines that begin with ``#``; the last may be a header."""
    lines, start = [], 0
    while text.startswith("#", start):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        lines.append(text[start:end])
        start = min(end + 1, len(text))
    if not lines:
        return text, None, 0, []
    note = f"skipped {len(lines)} comment line{'s' if len(lines) > 1 else ''} at the beginning"
    return text[start:], lines[-1].lstrip("# "), len(lines), [note]


def find_separator(text: str) -> str:
    """Return the separator under which most rows have one number of fields.

    Comma, semicolon, tab and pipe are tried, then runs of white space. The
    empty string means that there is a single column.
    """
    scored = []
    for separator in SEPARATORS:
        rows = _sample(text, separator)
        score = _score(rows, separator)
        if score is not None:
            scored.append((score, separator))
    if scored:
        best = max(scored)
        if best[0][0] > 0.5:
            return best[1]
    rows = _sample(text, WHITESPACE)
    score = _score(rows, WHITESPACE)
    if score is not None and score[0] > 0.5 and _share_of_numbers(rows[1:] or rows) >= 0.5:
        return WHITESPACE
    return max(scored)[1] if scored else ""


def _score(rows: list[list[str]], separator: str) -> tuple[float, float, int] | None:
    """Consistency, cleanness and number of fields; None without two fields."""
    if not rows:
        return None
    width, count = Counter(len(r) for r in rows).most_common(1)[0]
    if max(len(r) for r in rows) < 2:
        return None
    others = [s for s in SEPARATORS if s != separator]
    cells = [cell for row in rows for cell in row]
    clean = sum(
        not any(s in cell for s in others) or is_number(cell.replace(",", ".")) for cell in cells
    )
    share = count / len(rows) if width > 1 else 0.0
    return (round(share, 3), round(clean / max(len(cells), 1), 3), width)


def _share_of_numbers(rows: list[list[str]]) -> float:
    cells = [cell for row in rows for cell in row]
    return sum(is_number(c) or c in MISSING for c in cells) / max(len(cells), 1)


def _sample(text: str, separator: str) -> list[list[str]]:
    rows = []
    for _, row in _records(text, separator):
        rows.append(row)
        if len(rows) == _SAMPLE_ROWS:
            break
    return rows


def _cells(line: str, separator: str) -> list[str]:
    return next((row for _, row in _records(line, separator)), [])


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield ``(line number, fields)`` of each record that is not blank."""
    if separator == "":
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield number, [line.strip().strip('"')]
        return
    stream: Iterator[str] = io.StringIO(text, newline="")
    if separator == WHITESPACE:
        stream = (" ".join(line.split()) + "\n" for line in stream)
    reader = csv.reader(stream, delimiter=separator)
    last = 0
    try:
        for row in reader:
            number, last = last + 1, reader.line_num
            if row and (len(row) > 1 or row[0].strip()):
                yield number, row
    except csv.Error as error:
        raise DataError(f"line {reader.line_num} cannot be split into fields: {error}.") from error


def _split(text: str, separator: str, name: str, skipped: int) -> list[pl.Series]:
    """Return the text columns of `text`, the first row among them."""
    import polars as pl

    if '"' in text or separator in ("", WHITESPACE):
        numbers, rows = [], []
        for number, row in _records(text, separator):
            numbers.append(number)
            rows.append(row)
        _refuse_ragged([len(r) for r in rows], numbers, separator, name, skipped)
        cells = zip(*rows, strict=True)
        return [pl.Series(f"c{i}", c, dtype=pl.String) for i, c in enumerate(cells)]
    lines = text.split("\n")
    numbers = [i for i, line in enumerate(lines, 1) if line.strip(" \t\f\x1a") or "\t" in line]
    kept = [lines[i - 1] for i in numbers]
    _refuse_ragged([x.count(separator) + 1 for x in kept], numbers, separator, name, skipped)
    frame = pl.read_csv(
        io.BytesIO("\n".join(kept).encode()),
        separator=separator,
        has_header=False,
        infer_schema=False,
        quote_char=None,
    )
    return [c.fill_null("") for c in frame.get_columns()]


def _refuse_ragged(
    widths: list[int], numbers: list[int], separator: str, name: str, skipped: int
) -> None:
    if len(set(widths)) == 1:
        return
    expected = Counter(widths).most_common(1)[0][0]
    wrong = [i for i, w in enumerate(widths) if w != expected]
    first = wrong[0]
    more = f" ({len(wrong)} such lines in all)" if len(wrong) > 1 else ""
    raise DataError(
        f"'{name}' has rows of different lengths: line {numbers[first] + skipped} has "
        f"{widths[first]} fields, {expected} are expected{more}. The separator was taken to be "
        f"a {SEPARATOR_NAMES[separator]}; correct or remove the line, or quote the field that "
        "holds a separator."
    )


def is_header(
    first: Sequence[str], rest: Sequence[Sequence[str]], known: Sequence[str], headed: bool = True
) -> bool:
    """Say whether the cells `first` are names, and not a row of data.

    A row of numbers is data, except for four or more that go on in equal
    steps, as years and wavelengths do, and the next row does not. A word over
    nothing but numbers is a name, whatever stands beside it. Otherwise each
    column votes: other text over numbers is a name; a number over numbers, or
    text that occurs again below, is data. Without a majority, cells that are
    all different and all there are names.
    """
    cells = [c.strip() for c in first]
    names = set(known)
    if names and sum(c in names for c in cells) * 2 >= len(cells):
        return True
    count, after = _count(cells), _count([r[0] if len(r) else "" for r in rest])
    if headed and count and (not after or (count in _PLAIN and after[1] != 1)):
        return True
    votes = 0
    for cell, below in zip(cells, rest, strict=True):
        filled = [b.strip() for b in below if b.strip() not in MISSING]
        if cell in MISSING:
            continue
        if is_number(cell):
            votes -= 1
        elif filled and all(is_number(b) for b in filled):
            if headed and _is_word(cell):
                return True
            votes += 1
        elif cell in filled:
            votes -= 1
    if votes:
        return votes > 0
    filled_cells = [c for c in cells if c]
    distinct = len(set(filled_cells)) == len(filled_cells) >= len(cells) - 1
    return distinct and not all(is_number(c) for c in filled_cells)


def _is_word(cell: str) -> bool:
    """Whether a cell has letters, and is no word for a missing value, as n.a. is one."""
    has_letters = re.search(r"[^\W\d_]", cell) is not None
    return has_letters and _letters(cell) not in {_letters(word) for word in MISSING}


def _letters(cell: str) -> str:
    return re.sub(r"\W", "", cell).casefold()


def _count(cells: Sequence[str]) -> tuple[float, float] | None:
    """Return start and step of the numbers among `cells`, where four or more go on evenly."""
    numbers = [float(c) for c in cells if is_number(c)]
    if len(numbers) < 4 or len(cells) - len(numbers) > 2:
        return None
    step, *others = (b - a for a, b in pairwise(numbers))
    even = step != 0 and all(math.isclose(other, step, rel_tol=1e-6) for other in others)
    return (numbers[0], step) if even else None
