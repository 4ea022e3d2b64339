"""What can be known is checked before the work, and what is finished when an error comes is kept."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

import mlwork.workflow as workflow
from mlwork.core import BadInput, MlworkError
from mlwork.settings import Settings, set_value
from mlwork.subgroups import cut_column
from mlwork.workflow import run

SMALL = "[data]\nsource = sample:wine\n[select]\nmodels = baseline, logistic\n[evaluate]\nimportance = no\n"


@pytest.fixture
def never(monkeypatch):
    "Fail where a long stage is reached."

    def reached(run):
        raise AssertionError("a long stage was reached")

    monkeypatch.setattr(workflow, "STAGES", tuple((n, reached if n in ("explore", "select") else s) for n, s in workflow.STAGES))


@pytest.mark.parametrize(
    "lines, words",
    [
        ("[select]\nmodels = logistic, forrest\n", "did you mean 'forest'"),
        ("[train]\nmodel = bosting\n", "did you mean 'boosting'"),
        ("[select]\nmetric = acuracy\n", "did you mean 'accuracy'"),
        ("[select]\nmetric = rmse\n", "must suit a multiclass task"),
        ("[select]\nmodels = ridge\n", "needs a model for it"),
        ("[train]\nmodel = ridge\n", "needs a model for it"),
        ("[preprocess]\nrecipe = nowhere.json\n", "readable recipe.json"),
        ("[preprocess]\nrecipe = broken.json\n", "a recipe must be the JSON"),
        ("[preprocess]\nrecipe = other.json\n", "must be for the target 'cultivar'"),
        ("[preprocess]\ndrop = ash, cultivar\n", "drop must leave the target"),
    ],
)
def test_wrong_settings_are_told_before_the_long_stages(lines, words, never, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text("[1, 2]")
    (tmp_path / "other.json").write_text('{"format": 1, "target": "price", "roles": {"alcohol": "numeric"}, "orders": {}, "steps": []}')
    with pytest.raises(MlworkError, match=words):
        run(f"[data]\nsource = sample:wine\n[output]\nfolder = {tmp_path / 'a' / 'b'}\n{lines}")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken.json", "other.json"]


def test_a_place_that_cannot_be_written_to_is_told_before_the_work(never, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("here")
    with pytest.raises(BadInput, match="the output folder must be writable"):
        run(SMALL + f"[output]\nfolder = {tmp_path / 'file' / 'runs'}\n")
    monkeypatch.setenv("MLWORK_LEDGER", str(tmp_path / "file" / "ledger"))
    with pytest.raises(BadInput, match="ledger"):
        run(SMALL + f"[output]\nfolder = {tmp_path / 'runs'}\n")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


LEFT = {"settings.ini", "findings.json", "recipe.json", "leaderboard.csv"}


@pytest.mark.parametrize("stage, left", [("train", LEFT), ("evaluate", LEFT | {"model"}), ("write", LEFT | {"model", "report.html"})])
def test_an_error_after_the_split_loses_nothing_that_is_finished(stage, left, tmp_path, monkeypatch):
    def broken(run):
        raise RuntimeError("something went wrong")

    monkeypatch.setattr(workflow, "STAGES", tuple((n, broken if n == stage else s) for n, s in workflow.STAGES))
    if stage == "write":
        monkeypatch.setattr(workflow, "workflow_code", broken)
    lines = []
    with pytest.raises(RuntimeError, match="something went wrong"):
        run(SMALL + f"[output]\nfolder = {tmp_path}\n", say=lines.append)
    (folder,) = tmp_path.iterdir()
    assert "unfinished" in folder.name and {p.name for p in folder.iterdir()} == left
    assert lines[-1] == f"stopped while in {stage}; what is finished is in {folder}"


def test_an_error_while_keeping_does_not_hide_the_first(tmp_path, monkeypatch):
    def broken(run, *others):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workflow, "_write", broken)
    monkeypatch.setattr(workflow, "_write_notes", broken)
    lines = []
    with pytest.raises(OSError, match="No space left"):
        run(SMALL + f"[output]\nfolder = {tmp_path / 'new' / 'runs'}\n", say=lines.append)
    assert "could not all be kept" in lines[-1] and not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["99999999999999999999", "4294967296", "-1", "1.5"])
def test_a_seed_says_how_large_it_may_be(text):
    with pytest.raises(BadInput, match="0 to 4294967295"):
        set_value(Settings(), "seed", text)
    assert set_value(Settings(), "seed", "4294967295").seed == 2**32 - 1


@pytest.mark.parametrize("roles", ["ash: datetime", "ash: datetime, alcohol: datetime"])
def test_numbers_called_dates_are_refused_before_the_work(roles, never, tmp_path):
    with pytest.raises(BadInput, match="must hold dates; got numbers in '(ash|alcohol)'"):
        run(SMALL.replace("[select]", f"roles = {roles}\n[select]") + f"[output]\nfolder = {tmp_path / 'runs'}\n")


def test_numbers_called_dates_are_cut_as_numbers():
    assert len(cut_column(pd.Series(range(1990, 2020)), "datetime").cat.categories) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is POSIX")
@pytest.mark.parametrize("seconds", [0.3, 0.7, 1.2])
def test_ctrl_c_while_importing_is_one_line(seconds, tmp_path):
    hears = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # whoever started the tests may have told all to ignore it
    code = f"{hears}; import sys; from mlwork.cli import main; print('ready', flush=True); main()"
    command = [sys.executable, "-c", code, "run", "--data", "sample:rentals", "--target", "price", "--out", str(tmp_path / "runs")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and "Traceback" not in said
    assert sum(line.startswith("mlwork: ") for line in said.splitlines()) == 1
