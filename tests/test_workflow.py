"""Settings are read strictly, and a run writes what it promises."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mlwork.core import BadInput, MlworkError, NotFound
from mlwork.settings import Settings, for_other_table, read_settings, set_value, settings_text
from mlwork.workflow import run

SMALL = "[data]\nsource = {source}\ntarget = {target}\n[select]\nmodels = baseline, {model}\n[output]\nfolder = {folder}\n"


def test_settings_survive_writing_and_reading():
    settings = Settings(target="price", roles={"let": "ignored", "floor": "ordinal"}, test="3 months", drop=("a", "b"), open_test=False)
    assert read_settings(settings_text(settings)) == settings


def test_every_key_is_explained_where_it_stands(repository):
    text = (repository / "settings.ini").read_text(encoding="utf-8")
    lines = text.splitlines()
    keys = [i for i, line in enumerate(lines) if "=" in line and not line.startswith("#")]
    assert keys and all(lines[i - 1].startswith("# ") for i in keys)
    assert {lines[i].split("=")[0].strip() for i in keys} == set(Settings.__dataclass_fields__)
    assert read_settings(text)


@pytest.mark.parametrize(
    "text, words",
    [
        ("[dat]\nsource=x\n", "did you mean 'data'"),
        ("[data]\nsorce=x\n", "did you mean 'source'"),
        ("[data]\nby=time\n", r"by must stand in \[split\]"),
        ("[split]\ntarget=y\n", r"target must stand in \[data\]"),
        ("[split]\ncolour=red\n", "a key of"),
        ("[split]\nby=tmie\n", "did you mean 'time'"),
        ("[split]\ntest=many\n", "a share such as"),
        ("[split]\nseed=1.5\n", "whole number"),
        ("[evaluate]\nopen_test=perhaps\n", "yes or no"),
        ("[data]\nroles=price\n", "column: role"),
        ("source = x\n\n", "sections and"),
        ("[data]\nsource=a\nsource=b\n", "already exists"),
    ],
)
def test_wrong_settings_name_the_right_ones(text, words):
    with pytest.raises(MlworkError, match=words):
        read_settings(text)


def test_a_percent_sign_and_capitals_are_kept():
    assert read_settings("[data]\ntarget = Share %(of) All\n").target == "Share %(of) All"


def test_an_unreadable_settings_file_is_one_line(tmp_path):
    with pytest.raises(BadInput, match="mlwork init"):
        read_settings(tmp_path / "settings.ini")
    (tmp_path / "latin.ini").write_bytes(b"[data]\ntarget = caf\xe9\n")
    with pytest.raises(BadInput, match="UTF-8"):
        read_settings(tmp_path / "latin.ini")


def test_paths_start_at_the_settings_file(tmp_path, monkeypatch):
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    (tmp_path / "settings.ini").write_text("[data]\nsource = table.csv\ntarget = b\n")
    monkeypatch.chdir(tmp_path.parent)
    settings = read_settings(tmp_path / "settings.ini")
    assert settings.source == str(tmp_path / "table.csv") and settings.folder == str(tmp_path / "runs")


def test_column_bound_keys_do_not_move_to_another_table():
    settings = Settings(time="listed_on", group="building", by="time", test="3 months", models=("baseline",))
    other, ignored = for_other_table(settings, "other.csv", "y")
    assert set(ignored) == {"time", "group", "by", "test"} and other.models == ("baseline",)


def test_set_value_refuses_unknown_keys():
    with pytest.raises(NotFound, match="did you mean 'seed'"):
        set_value(Settings(), "sed", "1")


TABLES = [
    ("sample:rentals", "let_within_week", "boosting"),
    ("sample:diabetes", "", "linear"),
    ("sample:wine", "", "forest"),
]


@pytest.mark.parametrize("source, target, model", TABLES, ids=[t[0] for t in TABLES])
def test_the_plain_script_gives_the_same_metrics(source, target, model, tmp_path):
    text = SMALL.format(source=source, target=target, model=model, folder=tmp_path)
    if source == "sample:rentals":
        text = text.replace("[select]", "[split]\nby = time\ntime = listed_on\ngroup = building\ntest = 3 months\n[select]")
    done = run(text + f"[train]\nmodel = {model}\n[evaluate]\nimportance = no\n")
    written = {p.name for p in done.folder.iterdir()}
    assert {"report.html", "model", "recipe.json", "workflow.py", "settings.ini", "leaderboard.csv", "findings.json"} <= written
    script = (done.folder / "workflow.py").read_text(encoding="utf-8")
    assert "import mlwork" not in script and "from mlwork" not in script
    answer = subprocess.run([sys.executable, "-W", "error", str(done.folder / "workflow.py")], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr[-2000:]
    ours = json.loads((done.folder / "model" / "metrics.json").read_text(encoding="utf-8"))["test"]
    theirs = json.loads(answer.stdout)
    assert theirs and set(theirs) == set(ours)
    for name, value in theirs.items():
        assert value == pytest.approx(ours[name]["value"], rel=0, abs=1e-9), name


def test_a_report_is_self_contained_and_small(tmp_path):
    done = run(SMALL.format(source="sample:tumours", target="", model="logistic", folder=tmp_path))
    page = (done.folder / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) <= 2_000_000
    assert 'src="http' not in page and 'href="http' not in page and "prefers-color-scheme: dark" in page


def test_an_interrupted_run_keeps_what_is_finished(tmp_path, monkeypatch):
    import mlwork.workflow as workflow

    def interrupted(run):
        raise KeyboardInterrupt

    stages = tuple((n, interrupted if n == "train" else s) for n, s in workflow.STAGES)
    monkeypatch.setattr(workflow, "STAGES", stages)
    with pytest.raises(KeyboardInterrupt):
        run(SMALL.format(source="sample:wine", target="", model="ridge", folder=tmp_path).replace("ridge", "logistic"))
    (left,) = tmp_path.iterdir()
    assert "unfinished" in left.name and {"recipe.json", "leaderboard.csv"} <= {p.name for p in left.iterdir()}


def same_as_the_script(done):
    "Run workflow.py and tell whether it prints the run's test metrics."
    answer = subprocess.run([sys.executable, "-W", "error", str(done.folder / "workflow.py")], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr[-2000:]
    ours = json.loads((done.folder / "model" / "metrics.json").read_text(encoding="utf-8"))["test"]
    return json.loads(answer.stdout) == pytest.approx({name: score["value"] for name, score in ours.items()}, rel=0, abs=1e-9)


def few_combinations(rng, rows=600):
    "An experiment with an id and two yes-no columns: everything repeats, nothing is a copy."
    frame = {"user_id": np.arange(rows) + 1000, "variant": rng.choice(["A", "B"], rows), "device": rng.choice(["m", "d"], rows)}
    return pd.DataFrame(frame | {"y": rng.integers(0, 2, rows)})


def patients(rng, rows=900):
    "Stays of patients who come back, forty of them exported twice."
    who = rng.integers(0, 250, rows)
    frame = {"stay_id": [f"S{i:05d}" for i in rng.permutation(rows)], "patient_id": [f"P{p:04d}" for p in who]}
    frame |= {"age": rng.integers(18, 95, 250)[who], "crp": rng.gamma(2, 3, rows).round(3), "y": rng.normal(size=250)[who] > 0}
    frame = pd.DataFrame(frame)
    return pd.concat([frame, frame.iloc[:40].assign(stay_id=[f"T{i:05d}" for i in range(40)])])


def readings(rng, rows=900):
    "A sensor that drifts."
    frame = pd.DataFrame({"timestamp": pd.date_range("2024-03-01", periods=rows, freq="h"), "temp": np.cumsum(rng.normal(0, 0.1, rows))})
    return frame.assign(noise=rng.normal(size=rows).round(3), y=(frame["temp"] * 3 + rng.normal(size=rows)).round(3))


CASES = {  # table: (what collect says, kind, group, time)
    few_combinations: ("600 rows x 4 columns, rows that repeat others by chance stay", "stratified", "", ""),
    patients: ("900 rows x 5 columns, 40 duplicates put aside", "stratified-group", "patient_id", ""),
    readings: ("900 rows x 4 columns", "time", "", "timestamp"),
}


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_a_run_puts_aside_and_splits_as_the_table_calls_for(make, tmp_path):
    collected, kind, group, time = CASES[make]
    make(np.random.default_rng(0)).to_csv(tmp_path / "table.csv", index=False)
    text = (
        SMALL.format(source=tmp_path / "table.csv", target="y", model="forest", folder=tmp_path / "runs") + "[evaluate]\nimportance = no\n"
    )
    said = []
    done = run(text, say=said.append)
    assert collected in said[0] and done.split.kind == kind
    written = read_settings(done.folder / "settings.ini")
    assert (written.group, written.time) == (group, time) and (not (group or time) or "proposed" in said[1])
    assert group not in done.model.features and same_as_the_script(done)
    assert run(written).split.identity == done.split.identity
    if kind != "stratified":
        assert run(text + "[split]\nby = random\n").split.kind == "random"
