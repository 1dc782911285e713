"""Bad input: a clear error on one line with exit code 2, or a stated repair with exit code 0."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from selector.artifact.run import RunFolder

ROWS = [f"{i % 7}.5,{(i * 3) % 11},{'ab'[i % 2]}" for i in range(40)]
GOOD = "u,v,y\n" + "\n".join(ROWS) + "\n"


def selector(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "selector.cli", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, cwd=cwd)


def text(content: str, name: str = "data.csv") -> Callable[[Path], Path]:
    def write(room: Path) -> Path:
        (room / name).write_text(content)
        return room / name

    return write


def raw(content: bytes, name: str = "data.csv") -> Callable[[Path], Path]:
    def write(room: Path) -> Path:
        (room / name).write_bytes(content)
        return room / name

    return write


def npz(**arrays: np.ndarray) -> Callable[[Path], Path]:
    def write(room: Path) -> Path:
        np.savez(room / "data.npz", **arrays)
        return room / "data.npz"

    return write


def folder(*files: tuple[str, bytes | None]) -> Callable[[Path], Path]:
    def write(room: Path) -> Path:
        for number, (name, content) in enumerate(files):
            path = room / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                pixels = np.random.default_rng(number).integers(0, 255, (9, 9), dtype=np.uint8)
                Image.fromarray(pixels).save(path)
            else:
                path.write_bytes(content)
        (room / "images").mkdir(exist_ok=True)
        return room / "images"

    return write


def missing(room: Path) -> Path:
    text(GOOD)(room)
    return room / "dta.csv"


def column(values: list[str]) -> str:
    rows = [row.rsplit(",", 1)[0] + "," + v for row, v in zip(ROWS, values, strict=True)]
    return "u,v,y\n" + "\n".join(rows) + "\n"


X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.arange(40) % 2

ERRORS: dict[str, tuple[Callable[[Path], Path], list[str], str]] = {
    "no such file": (missing, [], "Did you mean 'data.csv'"),
    "empty file": (text(""), [], "empty"),
    "only a header": (text("u,v,y\n"), [], "row"),
    "one column": (text("y\n" + "a\nb\n" * 20), [], "column"),
    "one class": (text(column(["a"] * 40)), [], "class"),
    "target not there": (text(GOOD), ["--target", "z"], "'z'"),
    "target all missing": (text(column([""] * 40)), ["--target", "y"], "missing"),
    "too few rows": (text("\n".join(GOOD.splitlines()[:4])), [], "at least 10"),
    "one row a class": (text(column([f"c{i}" for i in range(40)])), ["--target", "y"], "class"),
    "text target as regression": (text(GOOD), ["--task", "regression"], "regression"),
    "ragged rows": (text(GOOD + "1,2\n"), [], "line 42"),
    "a binary file called .csv": (raw(bytes(range(256)) * 20), [], "binary"),
    "an image called .csv": (raw(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00"), [], "data.csv"),
    "an empty folder": (folder(), [], "image"),
    "a folder without images": (folder(("a/x.txt", b"x"), ("b/y.txt", b"y")), [], "image"),
    "only unreadable images": (folder(("a/x.png", b"x"), ("b/y.png", b"y")), [], "image"),
    "a pickled npz": (npz(X=X, y=np.array([{"a": 1}] * 40, dtype=object)), [], "pickle"),
    "X and y of different lengths": (npz(X=X, y=Y[:30]), [], "30"),
    "an npz without X": (npz(a=X, b=Y), [], "X"),
    "a torn npz": (raw(b"PK\x03\x04 and no more", "data.npz"), [], "data.npz"),
    "a pickle": (raw(b"\x80\x04K\x01.", "data.pkl"), [], "ickle"),
    "a form nobody reads": (raw(b"x", "data.xyz"), [], "Allowed"),
    "a .ts without data": (text("@problemName x\n@data\n", "data.ts"), [], "data.ts"),
    "an unknown kind": (text(GOOD), ["--kind", "tabluar"], "Did you mean 'tabular'"),
    "an unknown task": (text(GOOD), ["--task", "classify"], "classification"),
    "unknown axes": (text(GOOD), ["--axes", "time,chanel"], "channel"),
    "an unknown family": (text(GOOD), ["--families", "rnm"], "Did you mean 'rnn'"),
    "a family that cannot": (text(GOOD), ["--families", "rnn"], "fits"),
    "no time": (text(GOOD), ["--time", "soon"], "--time 90s"),
    "no trials": (text(GOOD), ["--trials", "0"], "--trials"),
    "an unknown preference": (text(GOOD), ["--prefer", "chaep"], "Did you mean 'cheap'"),
    "a test file that is not there": (text(GOOD), ["--test", "nowhere.csv"], "nowhere.csv"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_one_clear_line_and_exit_code_2(case, tmp_path):
    write, options, expected = ERRORS[case]
    done = selector(
        "recommend", write(tmp_path), "--time", "12", "--quiet", "--out", "run", *options,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert expected in lines[0]
    assert not (tmp_path / "run").exists()


PICTURES = tuple((f"{c}/{i}.png", None) for c in "ab" for i in range(8))
REPAIRS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "infinite values": (text(GOOD.replace("6.5,", "inf,")), "infinite"),
    "a duplicated header": (text(GOOD.replace("u,v,y", "u,u,y")), "numbered"),
    "latin-1": (raw(GOOD.replace("a\n", "ä\n").encode("latin-1")), "UTF-8"),
    "a constant feature": (
        text("k," + GOOD.replace("\n", "\n1,").removesuffix("1,")), "without any variation"),
    "missing targets": (text(column(["", *(["a", "b"] * 20)[:39]])), "no target"),
    "a class of one row": (text(column(["c", *(["a", "b"] * 20)[:39]])), "'c'"),
    "an unreadable image": (
        folder(*PICTURES, ("a/x.png", b"x")),
        "x.png",
    ),
    "images of different sizes": (
        lambda room: _resized(folder(*PICTURES)(room)),
        "size",
    ),
}  # fmt: skip


def _resized(images: Path) -> Path:
    Image.new("L", (12, 9)).save(images / "a" / "0.png")
    return images


@pytest.mark.parametrize("case", REPAIRS)
def test_a_repair_is_stated(case, tmp_path):
    write, expected = REPAIRS[case]
    done = selector("profile", write(tmp_path))
    assert done.returncode == 0, done.stderr
    told = [x for x in done.stdout.splitlines() if x.strip().startswith(("note:", "warning:"))]
    assert any(expected in line for line in told), done.stdout


def test_an_output_folder_in_use_or_not_writable_is_refused(tmp_path):
    source = text(GOOD)(tmp_path)
    run = RunFolder.create(tmp_path / "run", "x")
    run.write("run.json", {"options": {}})
    for out, expected in ((run.path, "resume"), (source, "--out"), (source / "x", "--out")):
        done = selector("recommend", source, "--time", "12", "--quiet", "--out", out)
        assert done.returncode == 2
        assert expected in done.stderr
        assert len(done.stderr.splitlines()) == 1
    done = selector("resume", run.path)
    assert done.returncode == 2
    assert "in use" in done.stderr or "no usable" in done.stderr


def test_predict_refuses_what_it_cannot_use(tmp_path):
    source = text(GOOD)(tmp_path)
    for arguments in (("predict", tmp_path / "none", source), ("show", tmp_path), ("resume", "x")):
        done = selector(*arguments)
        assert done.returncode == 2
        assert "run folder" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_traceback_is_there_for_who_asks(tmp_path):
    done = selector("recommend", tmp_path / "none.csv", "--verbose")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
