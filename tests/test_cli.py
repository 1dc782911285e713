"""The command line: light at the start, quiet on standard output, every command described."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading

import pytest

import selector_datasets

HEAVY = ("keras", "jax", "optuna", "sklearn", "polars", "scipy", "pandas", "numpy", "psutil")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "selector.cli", *arguments]
    return subprocess.run(line, capture_output=True, text=True)


@pytest.mark.parametrize("arguments", [["--help"], ["recommend", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import sys\nfrom selector.cli import app\n"
        f"try: app({arguments!r})\nexcept SystemExit: pass\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    assert "Usage" in done.stdout


def test_the_driver_imports_no_keras():
    code = (
        "import sys, selector.session, selector.api, selector.judge.verdict, selector.readers\n"
        "import selector.profile, selector.report.html, selector.artifact.predict\n"
        "print([m for m in ('keras', 'jax', 'torch', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_plugins_are_listed():
    done = run("plugins", "--json")
    entries = {e["name"]: e for e in json.loads(done.stdout)["plugins"]}
    for family in ("rnn", "cnn", "hybrid", "tabular"):
        assert entries[f"selector_{family}"]["state"] == "loaded"


def test_data_sets_are_listed_found_and_made(tmp_path):
    names = [line.split()[0] for line in run("datasets", "list").stdout.splitlines()]
    assert {"GunPoint", "penguins", "digits", "last_command"} <= set(names)
    assert run("datasets", "path", "GunPoint/test").stdout.strip().endswith(".csv")
    out = tmp_path / "made.npz"
    assert run("datasets", "make", "last_command", "-o", str(out), "--n", "30").returncode == 0
    assert out.stat().st_size > 0
    wrong = run("datasets", "path", "GunPint")
    assert wrong.returncode == 2
    assert "Did you mean 'GunPoint'" in wrong.stderr


def test_a_profile_says_what_was_decided_and_why():
    path = run("datasets", "path", "GunPoint").stdout.strip()
    done = run("profile", path, "--json")
    told = json.loads(done.stdout)
    assert told["kind"] == "sequential"
    assert told["decisions"]["kind"]["reason"]
    assert told["decisions"]["kind"]["option"] == "--kind"


def test_families_are_compared_in_general_where_there_is_no_run():
    done = run("compare", "rnn", "cnn", "--json")
    told = json.loads(done.stdout)
    assert told["families"] == ["rnn", "cnn"]
    assert set(told["answers"]) == {
        "structure", "usage", "long_term", "efficiency", "inputs_outputs",
    }  # fmt: skip
    wrong = run("compare", "rmn")
    assert wrong.returncode == 2
    assert "Did you mean 'rnn'" in wrong.stderr


def on_terminal(*line: str) -> tuple[int, str, str]:
    """Run Python with standard error on a terminal; return its code and what it wrote to each."""
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        while True:
            try:
                shown.append(os.read(ours, 4096))
            except OSError:  # the last writer has closed the terminal
                return

    process = subprocess.Popen(
        [sys.executable, *line],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    reader = threading.Thread(target=read)
    reader.start()
    out, _ = process.communicate(timeout=120)
    reader.join()
    os.close(ours)
    return process.returncode, out.decode(), b"".join(shown).decode()


def cursor_is_shown(text: str) -> bool:
    return text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l") >= 0


def test_typed_at_a_terminal_the_result_goes_to_standard_output(tmp_path):
    code, out, shown = on_terminal(
        "-m", "selector.cli", "recommend", str(selector_datasets.path("penguins")), "--json",
        "--trials", "1", "--families", "tabular", "--out", str(tmp_path / "run"),
    )  # fmt: skip
    assert code == 0, shown
    assert json.loads(out)["recommended"]["architecture"]
    assert "running" in shown
    assert cursor_is_shown(shown)


@pytest.mark.parametrize("found", [True, False])
def test_the_watchdog_leaves_standard_output_and_the_terminal_in_order(found):
    code, out, shown = on_terminal(
        "-c",
        f"""
import threading, time
from types import SimpleNamespace
from selector import cli
from selector.report.progress import Progress

session = SimpleNamespace(
    budget=SimpleNamespace(left=lambda: -10.0 if started.is_set() else 10.0),
    pool=None, stop=threading.Event(), recommendation={{"a": 1}} if {found} else None,
)
started = threading.Event()
progress = Progress()

def hangs():
    progress.update("search", 3.0, 60.0, {{}}, 4, 2)
    started.set()
    time.sleep(60)

cli._run(session, progress, hangs, True)
""",
    )
    assert code == (0 if found else 2), shown
    assert out == ('{"a": 1}\n' if found else "")
    assert ("the time was over" in shown) is not found
    assert cursor_is_shown(shown)
