"""Models in C: built in every way a firmware is, run on other processors, and fed with what no one should feed them."""

import json
import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
import pytest
from portable_cases import CASES, made, split_of
from sklearn.datasets import load_wine
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeClassifier

from mlwork.collect import load
from mlwork.core import BadInput, BadType, NotFound
from mlwork.deploy import bundle, certify, golden, golden_rows
from mlwork.deploy.c_code import C_OPTIONS, built_c, run_c, single_rows, to_c
from mlwork.deploy.c_tables import needed_definitions, template_definitions
from mlwork.deploy.edge import fit_for, footprint, to_edge
from mlwork.follow import OPERATIONS
from mlwork.preprocess import impute
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.train import fit

SANITIZED = (
    "gcc",
    "-std=c99",
    "-g",
    "-O1",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-pedantic",
)
EVERYTHING, POWERS, FOREST, NEIGHBOURS, BOOSTING = 0, 1, 3, 8, 2  # numbers of cases


def needs(*programs):
    "Skip where a program is absent, unless everything must be there."
    absent = [p for p in programs if shutil.which(p) is None]
    return pytest.mark.skipif(bool(absent) and "MLWORK_CI" not in os.environ, reason=f"no {', '.join(absent)} on this machine")


@lru_cache
def asked(case):
    "Make the bundle of a case and all its golden rows."
    portable = bundle(made(*CASES[case]))
    return portable, golden(portable)


@lru_cache
def exported(case, number="double"):
    "Export a case: its bundle, golden rows, folder and certificate."
    (portable, held), folder = asked(case), Path(mkdtemp())
    return portable, held, folder, to_edge(portable, folder, number, held)


def run(program, lines, *arguments):
    data = lines if isinstance(lines, bytes) else lines.encode()
    return subprocess.run([*program, *arguments], input=data, capture_output=True, timeout=60)


def rows_of(held):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in held.rows)


@needs("gcc")
@pytest.mark.parametrize("case", [EVERYTHING, FOREST, NEIGHBOURS, BOOSTING])
def test_no_undefined_behaviour_and_no_address_out_of_bounds(tmp_path, case):
    portable, held, folder, _ = exported(case)
    certificate = certify(portable, "sanitized", "", run_c(folder, SANITIZED), held)
    assert certificate["proved"], certificate


@needs("gcc", "valgrind")
@pytest.mark.parametrize("case", [EVERYTHING, FOREST, NEIGHBOURS, BOOSTING])
def test_valgrind_finds_no_error_and_no_leak(case):
    portable, held, folder, _ = exported(case)
    valgrind = ["valgrind", "--quiet", "--leak-check=full", "--errors-for-leak-kinds=all", "--error-exitcode=99"]  # 99 is no answer
    certificate = certify(portable, "valgrind", "", run_c(folder, ["gcc", *C_OPTIONS, "-g"], valgrind), held)
    assert certificate["proved"], certificate


@needs("gcc", "nm")
@pytest.mark.parametrize("number", ["double", "ranks", "float"])
def test_a_model_allocates_nothing_and_keeps_nothing(tmp_path, number):
    folder = exported(FOREST, number)[2]
    subprocess.run(["gcc", *C_OPTIONS, "-fno-pie", "-c", "model.c", "-o", str(tmp_path / "model.o")], cwd=folder, check=True)
    listed = subprocess.run(["nm", str(tmp_path / "model.o")], capture_output=True, text=True, check=True).stdout
    called = set(re.findall(r" U (\w+)", listed))
    assert "strtod" in called and not called & {"malloc", "calloc", "realloc", "free", "alloca", "printf", "setlocale"}
    assert not re.findall(r" [BbDd] ", listed)  # nothing that could change


@needs("gcc", "make")
def test_make_builds_and_proves(tmp_path):
    folder = shutil.copytree(exported(FOREST, "ranks")[2], tmp_path / "copy")
    done = subprocess.run(["make", "test"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and "golden rows as in Python" in done.stdout, done.stderr


@needs("gcc", "cmake", "ctest")
def test_cmake_builds_and_proves(tmp_path):
    folder = exported(FOREST)[2]
    for command in (["cmake", "-S", str(folder), "-B", "."], ["cmake", "--build", "."], ["ctest", "--output-on-failure"]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@needs("g++")
def test_the_sketch_is_cpp(tmp_path):
    folder = exported(FOREST)[2] / "sketch"
    declared = "struct { void begin(long); template <class T> void print(T); template <class T> void println(T, int = 0); } Serial; void delay(long);\n"
    declared += "static const int A0 = 0; int analogRead(int);\n"
    sketch = (folder / "sketch.ino").read_text(encoding="utf-8")
    with_sensor = sketch.replace("  // cells[", "  cells[")
    assert with_sensor.count("\n  cells[") == 2
    (tmp_path / "sketch.cpp").write_text(declared + with_sensor, encoding="utf-8")
    command = ["g++", "-std=c++11", "-fsyntax-only", "-Wall", f"-I{folder}", str(tmp_path / "sketch.cpp")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


other_processors = pytest.mark.parametrize(
    "cross, emulator",
    [
        pytest.param("arm-linux-gnueabihf-gcc", "qemu-arm", marks=needs("arm-linux-gnueabihf-gcc", "qemu-arm")),
        pytest.param("aarch64-linux-gnu-gcc", "qemu-aarch64", marks=needs("aarch64-linux-gnu-gcc", "qemu-aarch64")),
    ],
)


@pytest.mark.parametrize("case", [EVERYTHING, FOREST, BOOSTING])
@other_processors
def test_other_processors_answer_the_same(case, cross, emulator):
    portable, held, folder, _ = exported(case)
    certificate = certify(portable, cross, "", run_c(folder, [cross, *C_OPTIONS, "-static"], [emulator]), held)
    assert certificate["proved"] and footprint(folder, [cross, *C_OPTIONS])["flash"] > 1000, certificate


@other_processors
def test_other_processors_raise_years_to_the_same_power_in_single_precision(tmp_path, cross, emulator):
    folder = exported(POWERS, "float")[2]
    program = built_c(folder, tmp_path / "model", [cross, *C_OPTIONS, "-static"])
    assert run([emulator, program], b"", "--test", str(folder / "golden.lines")).returncode == 0


ROW = json.dumps(golden_rows(bundle(made(*CASES[EVERYTHING])), mixed=0)[0], ensure_ascii=False)
HOSTILE = {
    "empty line": b"",
    "not JSON": b"size,temp\n",
    "open": b"{",
    "open text": b'{"size": "',
    "broken escape": b'{"size": "\\u12',
    "half a surrogate": b'{"size": "\\ud800"}',
    "nested": b'{"size": {"a": [1]}}',
    "more behind": ROW.encode() + b"}",
    "a comma too many": ROW[:-1].encode() + b",}",
    "a column missing": b'{"size": 3}',
    "NaN": ROW.replace('"count": 4.0', '"count": NaN').encode(),
    "too long": b'{"size": "' + b"x" * 70000 + b'"}',
    "a nought": b'{"size": \0}',
    "deep": b"[" * 60000,
}


@needs("gcc")
@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_a_line_that_cannot_be_read_is_answered_by_an_error(tmp_path_factory, line):
    done = run([hostile_program()], line + b"\n" + ROW.encode() + b"\n")
    answers = [json.loads(answer) for answer in done.stdout.splitlines()]
    assert done.returncode == 2 and "error" in answers[0] and answers[-1]["scores"] and not done.stderr


@lru_cache
def hostile_program():
    return str(built_c(exported(EVERYTHING)[2], Path(mkdtemp()) / "model", SANITIZED))


@needs("gcc")
@pytest.mark.parametrize(
    "value", ['"\udcff\udcfe"', '"a\udc80"', '"zz"', '"' + "9" * 60000 + '"', "1e999", "-1e400", "1" * 5000, '"1e99999999999"', '""']
)
def test_cells_that_no_one_would_send(value):
    row = re.sub(r'"size": [^,]*', lambda m: f'"size": {value}', ROW)
    done = run([hostile_program()], row.encode("utf-8", "surrogateescape"))
    answer = json.loads(done.stdout)
    assert done.returncode == ("error" in answer) and not done.stderr


@needs("gcc")
def test_an_empty_file_is_an_error():
    done = run([hostile_program()], b"")
    assert done.returncode == 2 and b"at least one row" in done.stderr


@needs("gcc")
def test_a_wrong_answer_fails_the_self_test(tmp_path):
    folder = exported(FOREST)[2]
    program = built_c(folder, tmp_path / "model")
    lines = (folder / "golden.lines").read_text(encoding="utf-8").split("\n")
    lines[1] = "0.123 0.877 size 1.0"
    assert run([program], "\n".join(lines), "--test").returncode == 1
    assert run([program], b"", "--test", str(folder / "golden.lines")).returncode == 0


NUMBERS = """
#include <stdio.h>
#include "model.h"
int main(void) {
  double row[MODEL_COLUMNS], read;
  model_num scores[MODEL_SCORES];
  for (int i = 0; scanf("%lf", &read) == 1; i++) {
    row[i % MODEL_COLUMNS] = read;
    if ((i + 1) % MODEL_COLUMNS != 0) continue;
    int error = model_scores(row, scores);
    printf("[%d", error);
    for (int k = 0; k < MODEL_SCORES; k++) printf(", %.17g", (double)scores[k]);
    puts("]");
  }
  return 0;
}
"""


@needs("gcc")
@pytest.mark.parametrize("number", ["double", "ranks", "float"])
@pytest.mark.parametrize(
    "model", [LogisticRegression(max_iter=5000), DecisionTreeClassifier(random_state=0), "boosting"], ids=["linear", "tree", "boosting"]
)
def test_a_row_of_numbers_needs_no_cells(tmp_path, model, number):
    frame = load_wine(as_frame=True).frame.astype({"target": str})
    frame = frame.round(1).iloc[:, -6:]
    frame.iloc[::7, 2] = np.nan if model == "boosting" else frame.iloc[::7, 2]
    split = holdout(load(frame, target="target"))
    portable = bundle(fit(split, Recipe([], split.train.roles, target="target"), model))
    to_edge(portable, tmp_path, number)
    (tmp_path / "numbers.c").write_text(NUMBERS)
    command = ["gcc", *C_OPTIONS, "numbers.c", "model.c", "-lm", "-o", "numbers"]
    subprocess.run(command, cwd=tmp_path, check=True)
    rows = single_rows(frame.drop(columns="target").to_dict("records"))
    lines = "".join(" ".join(repr(float(v)) for v in row.values()) + "\n" for row in rows)
    found = [json.loads(line) for line in run([tmp_path / "numbers"], lines).stdout.splitlines()]
    cells = run_c(tmp_path)([{k: None if v != v else v for k, v in row.items()} for row in rows])
    assert found == [[0, *answer["scores"]] for answer in cells] and len(found) >= len(frame)


@needs("gcc")
def test_a_model_with_text_takes_cells_only():
    assert "#define MODEL_TAKES_NUMBERS 0" in (exported(EVERYTHING)[2] / "model.h").read_text(encoding="utf-8")


@needs("gcc")
def test_no_locale_matters(tmp_path):
    _, held, folder, _ = exported(EVERYTHING)
    program = built_c(folder, tmp_path / "model")
    told = [
        subprocess.run([program], input=rows_of(held), capture_output=True, text=True, env={"LC_ALL": name}).stdout
        for name in ("C", "de_DE.UTF-8")
    ]
    assert told[0] == told[1]


@needs("gcc")
@pytest.mark.parametrize("case", [FOREST, BOOSTING, 26])
def test_ranks_keep_every_decision(tmp_path, case):
    portable, held, folder, certificate = exported(case)
    small = to_edge(portable, tmp_path, "ranks", held)
    assert small["proved"] and small["size"]["flash"] < certificate["size"]["flash"]
    assert run_c(tmp_path)(held.rows) == run_c(folder)(held.rows)


@needs("gcc")
@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda case: f"{case}-{CASES[case][0]}")
def test_single_precision_is_proved_in_every_case(tmp_path, case):
    portable, held = asked(case)
    certificate = to_c(portable, tmp_path, held, number="float")
    assert certificate["proved"] and certificate["bound"].startswith("1e-05") and certificate["largest_difference"] < 3e-6


@needs("gcc")
@pytest.mark.parametrize("case", [EVERYTHING, BOOSTING, NEIGHBOURS, 5, 29])
def test_single_precision_keeps_to_its_arrays_and_to_its_type(tmp_path, case):
    folder = exported(case, "float")[2]
    subprocess.run(["gcc", *C_OPTIONS, "-Wdouble-promotion", "-c", "model.c", "-o", str(tmp_path / "m.o")], cwd=folder, check=True)
    assert run([built_c(folder, tmp_path / "model", SANITIZED)], b"", "--test", str(folder / "golden.lines")).returncode == 0


def places(model):
    "A model of three columns as they came: a street of Berlin in degrees, and a moment in seconds."
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"lat": rng.normal(52.52, 0.03, 300), "lon": rng.normal(13.4, 0.05, 300), "at": rng.integers(1_600_000_000, 1_600_100_000, 300)}
    )
    frame["price"] = 1e6 * np.exp(8 * (frame.lat - 52.5) + 5 * (frame.lon - 13.4))
    split = holdout(load(frame, target="price", roles=dict.fromkeys(["lat", "lon", "at"], "numeric")))
    return bundle(fit(split, Recipe([impute("numeric", strategy="median")], split.train.roles, target="price"), model))


@needs("gcc")
@pytest.mark.parametrize(
    "model",
    [
        KNeighborsRegressor(5, algorithm="kd_tree"),
        LinearRegression(),
        HistGradientBoostingRegressor(loss="poisson", max_iter=300),
        GradientBoostingRegressor(n_estimators=300),
    ],
    ids=lambda model: type(model).__name__,
)
def test_columns_far_from_nought_lose_nothing_in_single_precision(tmp_path, model):
    certificate = to_c(places(model), tmp_path, number="float")
    assert certificate["proved"] and certificate["largest_difference"] < 3e-6


@needs("gcc")
@pytest.mark.parametrize(
    "model", [KNeighborsRegressor(3, weights="distance", algorithm="kd_tree"), SVR(C=1e5, gamma=10)], ids=["near", "steep"]
)
def test_small_distances_between_unscaled_columns_need_double_precision(tmp_path, model):
    portable = places(model)
    with pytest.raises(BadInput, match='answers_too_far.*number="ranks"'):
        to_c(portable, tmp_path, number="float")
    assert to_c(portable, tmp_path, number="ranks")["proved"]


@needs("gcc")
def test_what_single_precision_cannot_hold_is_refused(tmp_path):
    cubes = places(make_pipeline(StandardScaler(), SVR(kernel="poly", C=1000)))
    with pytest.raises(BadInput, match='answer as Python does.*refusals_that_differ.*number="ranks"; single precision.*3e38'):
        to_c(cubes, tmp_path, number="float")
    assert not list(tmp_path.iterdir()), "what was not proved leaves nothing"
    assert to_c(cubes, tmp_path, golden(cubes, single_rows(golden_rows(cubes))), number="ranks")["proved"]
    portable = asked(FOREST)[0]
    with pytest.raises(BadInput, match="half"):
        to_c(portable, tmp_path, number="half")


def test_rows_that_single_precision_cannot_hold_are_left_out():
    rows = [
        {"a": 0.1, "b": "1e300", "c": True},
        {"a": 1e300, "b": None, "c": 1},
        {"a": -4e38, "b": None, "c": 1},
        {"a": None, "b": "", "c": 0},
    ]
    assert single_rows(rows) == [rows[0], rows[3]]


@needs("gcc")
def test_single_precision_takes_numbers_as_texts_and_refuses_what_it_cannot_hold(tmp_path):
    portable, held = asked(BOOSTING)
    folder = exported(BOOSTING, "float")[2]
    numbers = [c["name"] for c in portable.columns if c["kind"] == "number" and c["role"] == "numeric"]
    base, rng = dict(held.rows[0]), np.random.default_rng(0)
    rows = [base | {n: float(v) for n, v in zip(numbers, rng.normal(10, 20, len(numbers)), strict=True)} for _ in range(200)]
    texts = [{n: repr(v) if n in numbers else v for n, v in row.items()} for row in rows]
    assert run_c(folder)(rows) == run_c(folder)(texts)
    plain = places(LinearRegression())
    to_c(plain, tmp_path, number="float")
    huge = {c["name"]: 1e300 for c in plain.columns}
    done = run([built_c(tmp_path, tmp_path / "model")], json.dumps(huge) + "\n")
    assert b"too large for single precision" in done.stdout and done.returncode == 1, done.stdout


def test_every_operation_is_known_in_c():
    known = template_definitions()
    assert not [name for name in OPERATIONS if f"op_{name}" not in known and name not in ("refuse_text", "trees")]
    assert not [chunk for chunk in needed_definitions("op_gap(x)", known) if "op_" in chunk and "op_gap" not in chunk]


@needs("gcc")
def test_the_best_model_that_fits_is_found_or_the_smallest_named():
    models = {
        "logistic": LogisticRegression(max_iter=1000),
        "tree": DecisionTreeClassifier(max_depth=3),
        "forest": RandomForestClassifier(100),
    }
    small = fit_for(split_of("binary"), flash_kb=30, ram_kb=8, models=models)
    assert not small.standings.loc["forest", "fits"] and small.standings.loc["forest", "score"] != small.standings.loc["forest", "score"]
    assert small.name in ("logistic", "tree") and small.standings["score"].iloc[0] == small.standings["score"].max()
    assert footprint_kb(small) == pytest.approx(small.standings.loc[small.name, "flash_kb"])
    with pytest.raises(BadInput, match=r"smallest, \w+, needs \d+\.\d kB"):
        fit_for(split_of("binary"), flash_kb=1, ram_kb=1, models={"tree": models["tree"]})


def footprint_kb(choice):
    folder = mkdtemp()
    to_c(choice.bundle, folder, number="ranks", proved=False)
    return footprint(folder)["flash"] / 1024


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), -1, 0])
def test_a_budget_must_be_a_number_of_kb_before_anything_is_fitted(limit):
    with pytest.raises(BadInput, match="ram_kb must be above 0 and finite; got"):
        fit_for(split_of("binary"), 64, limit, models=["no such model"])
    with pytest.raises(BadType, match="flash_kb must be a number of kB; got '32'"):
        fit_for(split_of("binary"), "32", 8, models=["no such model"])
    with pytest.raises(BadInput, match="number must be one of double, ranks, float; got 'half'"):
        fit_for(split_of("binary"), 32, 8, number="half")
    with pytest.raises(NotFound, match="must be on the path; got 'no-such-gcc'"):
        fit_for(split_of("binary"), 32, 8, command=["no-such-gcc", "-Os"])
    with pytest.raises(BadType, match="must be given a Split; got DataFrame"):
        fit_for(split_of("binary").train.frame, 32, 8)
