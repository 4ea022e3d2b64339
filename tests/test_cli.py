"""The command line on good and bad input: one clear line, exit code 2, nothing lost."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from typer.testing import CliRunner

from mlwork.cli import app

TABLE = pd.DataFrame(
    {"size": [round(50 + 37.7 * i % 91, 1) for i in range(60)], "city": list("abc") * 20, "y": [i * i % 7 % 2 for i in range(60)]}
)


def call(*words):
    "Run a command in this process: (exit code, stdout, stderr)."
    done = CliRunner().invoke(app, [str(w) for w in words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def refused(*words):
    "Run a command that must be refused, and give its one line."
    code, _, err = call(*words)
    assert code == 2, err
    lines = [line for line in err.splitlines() if line.startswith("mlwork: ")]
    assert len(lines) == 1 and "Traceback" not in err
    return lines[0]


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    "The folder of a small finished run."
    folder = tmp_path_factory.mktemp("trained")
    TABLE.to_csv(folder / "table.csv", index=False)
    os.environ["MLWORK_LEDGER"] = str(folder)
    text = f"[data]\nsource = {folder / 'table.csv'}\ntarget = y\n[select]\nmodels = baseline, logistic\n[output]\nfolder = {folder / 'runs'}\n"
    write(folder / "settings.ini", text)
    code, out, err = call("run", "--settings", folder / "settings.ini")
    assert code == 0, err
    assert "Leaderboard" in out and "Final metrics" in out and "[1/8] collect" in err
    return next((folder / "runs").iterdir())


BAD_TABLES = {
    "empty": (b"", "empty"),
    "header only": ("a,b\n", "row"),
    "one column": ("y\n1\n0\n1\n", "column"),
    "one row": ("a,y\n1,0\n", "row"),
    "no such target": ("a,yy\n" + "1,0\n2,1\n" * 30, "did you mean 'yy'"),
    "target all missing": ("a,y\n" + "1,\n2,\n" * 30, "missing"),
    "one class": ("a,y\n" + "1,x\n2,x\n" * 30, "at least two"),
    "as many classes as rows": ("a,y\n" + "".join(f"{i},name{i}\n" for i in range(40)), "class"),
    "duplicate names": ("a,a,y\n" + "1,2,0\n2,3,1\n" * 30, "a"),
    "a zip file": (b"PK\x03\x04" + bytes(range(256)) * 4, ""),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_tables_are_refused_in_one_line(name, tmp_path):
    text, words = BAD_TABLES[name]
    line = refused("run", "--data", write(tmp_path / "t.csv", text), "--target", "y", "--out", tmp_path / "runs")
    assert words in line
    assert not (tmp_path / "runs").exists()


def test_a_missing_file_is_named(tmp_path):
    write(tmp_path / "rentals.csv", "a,b\n1,2\n")
    assert "rentals.csv" in refused("run", "--data", tmp_path / "rental.csv", "--target", "b")


def test_options_that_cannot_be_meant(tmp_path):
    path = write(tmp_path / "t.csv", TABLE.to_csv(index=False))
    base = ("run", "--data", path, "--target", "y", "--out", tmp_path / "runs")
    assert "KEY=VALUE" in refused(*base, "--set", "seed")
    assert "did you mean 'seed'" in refused(*base, "--set", "sed=1")
    assert "test" in refused(*base, "--set", "test=900")
    assert "did you mean 'boosting'" in refused(*base, "--set", "models=boostin")
    assert "target" in refused("run", "--data", path)


def test_odd_but_usable_tables_run(tmp_path):
    odd = TABLE.assign(inf=[float("inf"), 1.0, -2.0] * 20, huge=[2**53 + i for i in range(60)], empty=None, **{"größe €": range(60)})
    latin = odd.to_csv(index=False, sep=";").encode("cp1252")
    code, _, err = call(
        "run", "--data", write(tmp_path / "t.csv", latin), "--target", "y", "--out", tmp_path / "runs", "--set", "models=baseline,logistic"
    )
    assert code == 0, err


def test_predict_scores_a_table(trained, tmp_path):
    path = write(tmp_path / "new.csv", TABLE.drop(columns="y").to_csv(index=False))
    assert call("predict", trained, path, "--out", tmp_path / "p.csv")[0] == 0
    scored = pd.read_csv(tmp_path / "p.csv")
    assert len(scored) == 60 and {"prediction", "p:0", "p:1"} <= set(scored)
    code, _, _ = call("predict", trained / "model", path, "--out", tmp_path / "p.parquet")
    assert code == 0 and len(pd.read_parquet(tmp_path / "p.parquet")) == 60


def test_predict_on_changed_tables(trained, tmp_path):
    new = TABLE.drop(columns="y")
    tables = {"missing": new[["size"]], "renamed": new.rename(columns={"city": "City"}), "retyped": new.assign(size="many")}
    for name, table in tables.items():
        line = refused("predict", trained, write(tmp_path / f"{name}.csv", table.to_csv(index=False)), "--out", tmp_path / "p.csv")
        assert ("size" if name == "retyped" else "city") in line
        told = call("predict", trained, tmp_path / f"{name}.csv", "--out", tmp_path / "p.csv")[2]
        assert told.count(line.split("(")[1].split(")")[0]) == 1  # the code and the name of what is wrong
        assert not (tmp_path / "p.csv").exists()
    extra = write(tmp_path / "extra.csv", new.assign(more=1).to_csv(index=False))
    code, _, err = call("predict", trained, extra, "--out", tmp_path / "p.csv")
    assert code == 0 and "more" in err


def test_predict_refuses_models_it_cannot_trust(trained, tmp_path):
    table = write(tmp_path / "new.csv", TABLE.to_csv(index=False))
    assert "model" in refused("predict", tmp_path / "nowhere", table)
    model = tmp_path / "model"
    shutil.copytree(trained / "model", model)
    (model / "model.skops").write_bytes(pickle.dumps({"a": 1}))
    assert "SHA-256" in refused("predict", model, table)
    assert "csv" in refused("predict", trained, table, "--out", tmp_path / "p.xyz")


def test_export_proves_or_stamps_and_writes_over_nothing(trained, tmp_path, monkeypatch):
    code, out, err = call("export", trained, "--to", "javascript", "--out", tmp_path / "page")
    if shutil.which("node"):
        assert code == 0 and out.startswith("javascript: proved on ") and "portable.js" in err
        assert json.loads((tmp_path / "page" / "certificate.json").read_text())["proved"]
    assert "--number is for c and edge" in refused("export", trained, "--to", "java", "--number", "float", "--out", tmp_path / "other")
    assert "javascript" in refused("export", trained, "--to", "java script", "--out", tmp_path / "other")
    (tmp_path / "mine").mkdir()
    mine = write(tmp_path / "mine" / "package.json", "{}")
    assert "package.json" in refused("export", trained, "--to", "javascript", "--out", tmp_path / "mine")
    assert mine.read_text() == "{}" and len(list(mine.parent.iterdir())) == 1
    before = {p.name: p.read_bytes() for p in (tmp_path / "page").iterdir()} if shutil.which("node") else {}
    monkeypatch.setenv("PATH", "")
    for place in ("page", "new"):
        line = refused("export", trained, "--to", "javascript", "--out", tmp_path / place)
        assert "nodejs" in line and "--unproved" in line
    assert before == ({p.name: p.read_bytes() for p in (tmp_path / "page").iterdir()} if before else {})
    assert not (tmp_path / "new").exists()
    code, out, _ = call("export", trained, "--to", "javascript", "--out", tmp_path / "page", "--unproved")
    assert code == 0 and out.startswith("javascript: UNPROVED")
    assert json.loads((tmp_path / "page" / "certificate.json").read_text())["stamp"] == "UNPROVED"


@pytest.mark.parametrize("to", ["mobile", "container", "tiny-image", "edge", "c", "java", "onnx"])
def test_every_target_is_reached_and_takes_its_own_folder_only(to, trained, tmp_path):
    how = [] if to == "container" else ["--unproved"]
    code, out, err = call("export", trained, "--to", to, "--out", tmp_path / "out", *how)
    assert code == 0 and f"written to {tmp_path / 'out'}: " in err
    assert ("Containerfile" in err) if to == "container" else ("UNPROVED" in out)
    assert to == "mobile" or (tmp_path / "out" / "README.md").exists()
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    line = refused("export", trained, "--to", "javascript", "--out", tmp_path / "out", "--unproved")
    assert f"an export to {to} in it" in line and "an earlier export to javascript" in line
    assert before == {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert call("export", trained, "--to", to, "--out", tmp_path / "out", *how)[0] == 0


@pytest.mark.parametrize("words", [("serve",), ("export", "--to", "onnx"), ("export", "--to", "container")], ids=lambda words: words[-1])
def test_a_missing_package_is_answered_by_the_extra(words, trained, tmp_path):
    names = ("fastapi", "uvicorn", "prometheus_client", "onnx", "onnxruntime")
    hidden = "import importlib.metadata as m, sys\n"
    hidden += f"sys.modules.update(dict.fromkeys({names}))\n"  # None: as if it were not installed
    hidden += "whole = m.distribution\n"
    hidden += f"def distribution(name):\n    if name in {names}: raise m.PackageNotFoundError(name)\n    return whole(name)\n"
    hidden += "m.distribution = distribution\nfrom mlwork.cli import main\nmain()\n"
    out = [] if words == ("serve",) else ["--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", hidden, words[0], trained, *words[1:], *out], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and 'pip install "mlwork[deploy]"' in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def test_a_container_is_built_only_where_it_is_asked_for(trained, tmp_path, monkeypatch):
    assert "--vendor is for container" in refused("export", trained, "--to", "java", "--out", tmp_path / "other", "--vendor")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert "fetch every wheel" in refused("export", trained, "--to", "container", "--out", tmp_path / "image", "--vendor")
    assert not (tmp_path / "image").exists()
    monkeypatch.setenv("PATH", "")
    said = refused("export", trained, "--to", "container", "--out", tmp_path / "image", "--build", "localhost/x:1")
    assert "buildah, podman, docker" in said and "apt-get install buildah" in said
    assert (tmp_path / "image" / "Containerfile").is_file()  # the files are complete all the same


def test_explore_writes_a_page(tmp_path):
    path = write(tmp_path / "t.csv", TABLE.to_csv(index=False))
    assert call("explore", path, "--out", tmp_path / "p.html")[0] == 0
    assert "<svg" in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_the_notebook_of_init_runs_from_top_to_bottom(tmp_path):
    assert call("init", tmp_path / "mine")[0] == 0
    text = (tmp_path / "mine" / "first_look.ipynb").read_text(encoding="utf-8")
    notebook = nbformat.reads(text.replace("sample:rentals", "sample:wine"), as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path / "mine")}}).execute()
    assert (tmp_path / "mine" / "model" / "recipe.json").exists()
    streams = [o.text for c in notebook.cells for o in c.get("outputs", []) if o.output_type == "stream" and o.name == "stderr"]
    assert not [text for text in streams if "Warning" in text]


def test_the_table_that_is_read_is_never_written_over(tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    before = (tmp_path / "t.csv").read_bytes()
    assert "another file than the table" in refused("explore", tmp_path / "t.csv", "--out", tmp_path / "t.csv")
    assert "another file than the table" in refused("predict", tmp_path, tmp_path / "t.csv", "--out", tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == before


def test_init_starts_a_folder_that_runs_and_never_overwrites(tmp_path):
    assert call("init", tmp_path / "mine")[0] == 0
    assert json.loads((tmp_path / "mine" / "first_look.ipynb").read_text(encoding="utf-8"))["cells"]
    assert "settings.ini" in refused("init", tmp_path / "mine")
    settings = tmp_path / "mine" / "settings.ini"
    code, _, err = call("run", "--settings", settings, "--set", "source=sample:wine", "--set", "models=baseline,logistic")
    assert code == 0, err


COMMANDS = ("run", "explore", "predict", "export", "serve", "init")


def test_help_names_every_command_and_its_options():
    code, out, _ = call("--help")
    assert code == 0 and all(word in out for word in COMMANDS)
    assert all("--debug" in call(word, "--help")[1] for word in COMMANDS)


@pytest.mark.skipif(sys.platform == "win32", reason="a folder of limited size needs Linux")
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(trained, tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("/dev/full is Linux")
    code = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500));"
    code += "import sys; from mlwork.cli import main; main()"
    table = write(tmp_path / "t.csv", TABLE.to_csv(index=False))
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", str(trained), str(table), "--out", str(tmp_path / "p.csv")], capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr.count("mlwork: ") == 1, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is POSIX")
@pytest.mark.parametrize("wait_for", ["[1/8]", "[3/8]", "[4/8]"])
def test_ctrl_c_is_one_line_and_leaves_nothing_half_written(wait_for, tmp_path):
    command = [
        sys.executable,
        "-c",
        "from mlwork.cli import main; main()",
        "run",
        "--data",
        "sample:rentals",
        "--target",
        "let_within_week",
    ]
    process = subprocess.Popen([*command, "--out", str(tmp_path)], stderr=subprocess.PIPE, text=True)
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith(wait_for):
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            break
    said += process.stderr.readlines()
    process.stderr.close()
    assert process.wait(60) == 2
    assert sum(line.startswith("mlwork: ") for line in said) == 1 and "Traceback" not in "".join(said)
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
