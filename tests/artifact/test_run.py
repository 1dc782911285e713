"""The run folder: new or empty, locked, atomic, and safe against a kill at any byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from selector.artifact.run import RunFolder
from selector.errors import OptionError, RunError, SourceNotFoundError


def test_a_run_folder_has_its_place_and_its_parts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = RunFolder.create(None, "my data!"), RunFolder.create(None, "my data!")
    assert first.path.parent == tmp_path / "runs"
    assert first.path.name.endswith("-my-data")
    assert first.path != second.path
    assert (first.path / "splits").is_dir()


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(OptionError, match="new or empty"):
        RunFolder.create(tmp_path, "x")
    assert (tmp_path / "x").read_text() == "mine"


def test_a_file_or_an_unwritable_place_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="cannot be written|new or empty"):
        RunFolder.create(tmp_path / "file" / "run", "x")


def test_a_run_in_use_is_refused_to_another_process(tmp_path):
    run = RunFolder.create(tmp_path / "run", "x")
    run.write("run.json", {})
    code = (
        "import sys; from selector.artifact.run import RunFolder\n"
        "try: RunFolder.open(sys.argv[1]).lock()\n"
        "except Exception as e: print(type(e).__name__, e)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(run.path)], capture_output=True, text=True, check=True
    )
    assert "OptionError" in told.stdout
    assert "in use" in told.stdout
    run.release()
    told = subprocess.run(
        [sys.executable, "-c", code, str(run.path)], capture_output=True, text=True, check=True
    )
    assert told.stdout == ""


def test_no_run_there_says_so(tmp_path):
    (tmp_path / "my-run").mkdir()
    with pytest.raises(SourceNotFoundError, match="Did you mean 'my-run'"):
        RunFolder.open(tmp_path / "my-rum")
    with pytest.raises(SourceNotFoundError, match="run.json"):
        RunFolder.open(tmp_path / "my-run")


@pytest.mark.parametrize("cut", range(1, 20, 3))
def test_a_torn_line_is_cut_and_every_finished_trial_stays(tmp_path, cut):
    run = RunFolder.create(tmp_path / "run", "x")
    for i in range(3):
        run.append_trial({"i": i, "text": "ä" * 10})
    path = run.path / "trials.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:cut])
    assert [t["i"] for t in run.trials()] == [0, 1, 2]
    run.mend()
    assert path.read_bytes() == whole


def test_a_damaged_document_is_told(tmp_path):
    run = RunFolder.create(tmp_path / "run", "x")
    run.write("a.json", {"x": 1})
    assert run.read("a.json") == {"x": 1}
    (run.path / "a.json").write_text('{"x":')
    with pytest.raises(RunError, match=r"a\.json"):
        run.read("a.json")


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    run = RunFolder.create(Path("~/run"), "x")
    assert run.path == tmp_path / "run"
    run.write("run.json", {})
    assert RunFolder.open("~/run").path == run.path
    run.release()


def test_a_run_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(OptionError, match=r"cannot be written \(Permission denied\)"):
        RunFolder(tmp_path).lock()
