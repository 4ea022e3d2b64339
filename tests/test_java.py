"""The Java of an exported model: its self-test, its reader of JSON, its texts and numbers against Python's, its threads, its bytecode."""

import json
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from portable_cases import made
from scipy.special import ndtri
from sklearn.tree import DecisionTreeClassifier

from mlwork.core import NotFound
from mlwork.deploy import bundle, golden, golden_rows
from mlwork.deploy.java import compile_java, to_java
from mlwork.follow import OPERATIONS, _moments
from mlwork.portable import READS_TEXT
from mlwork.steps import TRUTHS, UNITS, ascii_lower, cleaned_text, number_name, parse_dates, read_number_with, tidy_text
from mlwork.words import folded_words

CI = bool(os.environ.get("MLWORK_CI"))
pytestmark = pytest.mark.skipif(shutil.which("javac") is None and not CI, reason="no javac on this machine")
needs_kotlin = pytest.mark.skipif(shutil.which("kotlinc") is None, reason="no kotlinc on this machine")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    "A model of trees and words, with its folder, its classes and Peek beside them."
    portable = bundle(made("binary", "boosting", {"scaler": "quantile"}))
    folder = tmp_path_factory.mktemp("java")
    held = golden(portable, golden_rows(portable, mixed=10)[::7])
    certificate = to_java(portable, folder, held)
    peek = tmp_path_factory.mktemp("peek")
    command = ["javac", "--release", "8", "-encoding", "UTF-8", "-Xlint:all,-options", "-Werror", "-cp", compile_java(folder), "-d", peek]
    subprocess.run([*command, Path(__file__).parent / "java" / "Peek.java"], check=True)
    return portable, held, folder, certificate, f"{compile_java(folder)}:{peek}"


@pytest.fixture(scope="module")
def peek(exported, tmp_path_factory):
    "Ask Peek for something; gives lines."
    _, _, folder, _, classes = exported
    asked = tmp_path_factory.mktemp("asked") / "asked.json"

    def ask(what, **data):
        asked.write_text(json.dumps(data), encoding="utf-8")
        command = ["java", "-Dfile.encoding=ISO-8859-1", "-Duser.language=tr", "-cp", classes, "mlwork.Peek", what, asked]
        return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout.decode().split("\n")[:-1]

    return ask


def tried(folder, *arguments):
    "Run the self-test of a folder."
    command = ["java", "-cp", compile_java(folder), "mlwork.Try", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def copied(folder, to, **changed):
    "Copy a folder and change the text of some of its files."
    shutil.copytree(folder, to)
    for name, text in changed.items():
        (to / f"{name}.json").write_text(text, encoding="utf-8")
    return to


def test_the_self_test_agrees_and_says_by_its_exit_code_where_it_does_not(exported, tmp_path):
    _, held, folder, certificate, _ = exported
    n = len(held.rows)
    assert certificate["proved"] and certificate["rows"] == n and "for Java 8; Kotlin wrapper" in certificate["runtime"]
    assert (tried(folder).returncode, tried(folder).stdout) == (0, f"{n} of {n} golden rows as in Python\n")
    for wrong in ("scores", "refusal"):
        found = json.loads(held.to_json())
        i = next(i for i, a in enumerate(found["answers"]) if a)
        found["answers"][i] = (
            None if wrong == "refusal" else {"prediction": "high", "scores": [s + 1e-9 for s in held.answers[i]["scores"]]}
        )
        done = tried(copied(folder, tmp_path / wrong, golden=json.dumps(found)))
        assert (done.returncode, done.stdout) == (1, f"{n - 1} of {n} golden rows as in Python\n")
    done = tried(copied(folder, tmp_path / "cut", model="{"))
    assert done.returncode == 2 and "JSON must" in done.stderr
    (tmp_path / "cut" / "model.json").unlink()
    for done, name in ((tried(tmp_path / "cut"), "model.json"), (tried(folder, "none.json"), "none.json")):
        assert done.returncode == 2 and done.stderr.startswith(f"{name} must be a file that can be read; got ")
        assert len(done.stderr.splitlines()) == 1


def test_rows_are_answered_as_json_and_a_class_is_quoted(exported, tmp_path):
    portable, held, folder, _, _ = exported
    (tmp_path / "rows.json").write_text(json.dumps([held.rows[0], {}]), encoding="utf-8")
    first, refused = json.loads(tried(folder, tmp_path / "rows.json").stdout)
    assert refused is None and first["prediction"] == held.answers[0]["prediction"]
    assert np.allclose(first["scores"], held.answers[0]["scores"], atol=1e-12)


def test_without_java_nothing_is_proved(exported, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotFound, match="default-jdk-headless"):
        to_java(exported[0], tmp_path, exported[1])
    assert to_java(exported[0], tmp_path, exported[1], proved=False)["stamp"] == "UNPROVED"


def test_classes_are_of_java_8(exported):
    versions = {p.name: struct.unpack(">IHH", p.read_bytes()[:8]) for p in compile_java(exported[2]).rglob("*.class")}
    assert len(versions) > 10 and set(versions.values()) == {(0xCAFEBABE, 0, 52)}


def test_the_class_needs_nothing_but_the_core_of_java(repository):
    source = (repository / "mlwork" / "templates" / "Portable.java").read_text(encoding="utf-8")
    imports = {line.split()[1].rsplit(".", 1)[0] for line in source.splitlines() if line.startswith("import ")}
    assert imports <= {"java.io", "java.math", "java.nio.charset", "java.text", "java.util", "java.util.regex"}


def test_it_knows_the_operations_of_python(repository):
    source = (repository / "mlwork" / "templates" / "Portable.java").read_text(encoding="utf-8")
    steps = source[source.index("switch (op.name) {") : source.index("be a known operation")]
    assert set(re.findall(r'case "(\w+)"', steps)) == {"cell", *OPERATIONS}
    named = re.search(r"READS_TEXT = new HashSet<>\(Arrays.asList\((.*?)\)\)", source, re.DOTALL)[1]
    assert set(re.findall(r"\w+", named)) == set(READS_TEXT)


def test_columns_describe_the_row(exported, peek):
    wanted = [
        f"{c['name']}|{c['kind']}|{c.get('unit', 'null')}|{str(c['optional']).lower()}|{'_'.join(c.get('levels', []))}"
        for c in exported[0].columns
    ]
    assert peek("columns") == wanted


def test_eight_threads_get_what_one_gets(exported, peek):
    rows = exported[1].rows
    (line,) = peek("threads", rows=rows)
    assert line.startswith(f"0 of {160 * len(rows)} answers differ") and int(line.split()[-2]) > 20


def test_every_letter_is_lowered_folded_and_trimmed_as_in_python(peek):
    letters = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    cleaned = cleaned_text(pd.DataFrame({"t": pd.Series([f"a{c}b" for c in letters], dtype=object)}))["t"]
    wanted = [
        f"{low.replace(' ', '_')}|{'_'.join(folded_words(f'ab{c}cd'))}|{len(c.strip().encode('utf-16-le')) // 2}|"
        f"{len(tidy_text(f'a{c}b').encode('utf-16-le')) // 2}"
        for c, low in zip(letters, cleaned, strict=True)
    ]
    assert peek("letters") == wanted


def test_numbers_are_named_as_in_python(peek):
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**64, 3000, dtype=np.uint64).view(float)
    values = [*bits[np.isfinite(bits)].tolist(), *(rng.integers(-(10**6), 10**6, 500) / 8).tolist(), *10.0 ** np.arange(-20, 25)]
    values += [0.0, -0.0, 999999999999999.5, 1e15, 1e15 - 0.125, 123456789012344.5, 5e-324, 1.7976931348623157e308, 2.0**53]
    assert peek("names", numbers=values) == [f"{number_name(v)} {number_name(v, True)}" for v in values]


def test_the_bell_is_that_of_scipy(peek):
    shares = np.concatenate([np.linspace(0.001, 0.999, 500), 10.0 ** np.arange(-300, -1, 7), 1 - 10.0 ** np.arange(-16, -1)])
    assert np.allclose([float(v) for v in peek("bell", numbers=shares.tolist())], ndtri(shares), rtol=1e-14, atol=0)


def texts_to_read(n=6000):
    "Texts near the grammar: parts put together, and what Java would read but the grammar does not."
    rng = np.random.default_rng(1)
    numbers = ["1", "12", "1,234", "1.234", "12,34", "1 234", "1'234'567", "0", "007", "1d", "0x1p3", "1f", "NaN", "Infinity", "٣", "１"]
    parts = [
        "-",
        "+",
        " ",
        "€",
        "eur",
        "$",
        ".",
        ",",
        "5",
        "e5",
        "e-3",
        "E+400",
        "kg",
        " kg",
        " kg.",
        "m²",
        "km/h",
        " rooms",
        "\n",
        "\u00a0",
        "−",
        "😀",
    ]
    dates = [
        "2024-02-29",
        "2023-02-29",
        "3.4.05",
        "3/4/2025",
        "3/4/1868",
        "31-12-69",
        "7. Mar 2025",
        "Sept 7, 2025",
        "may 7 2025",
        "1-jan-01",
    ]
    dates += ["0001-01-01", "9999-12-31", "2025-1-1", "2025/01-01"]
    clocks = [
        "",
        "T07:05",
        " 7:05 pm",
        " 12:00 a.m.",
        " 23:59:59.999999999",
        " 24:00",
        " 0:30 am",
        "T00:30+02:00",
        " 23:30 -0200",
        " 1:00 Z",
        " x",
    ]
    words = ["yes", "Ja", " TRUE ", "1.0", "o", "f", "nein", "ſi"]
    made = ["".join(rng.choice(parts + numbers, rng.integers(1, 5))) for _ in range(n)]
    return made + [d + c for d in dates for c in clocks] + words + numbers


def test_numbers_dates_and_truths_are_read_as_in_python(peek):
    texts = texts_to_read()
    got = np.array([line.split() for line in peek("texts", texts=texts, units=list(UNITS))], float).T
    tidy = [tidy_text(text) for text in texts]
    numbers = [[read_number_with(text, None, mark) for text in tidy] for mark in ".,"]
    days = [column for first in (True, False) for column in _moments(parse_dates(pd.Series(texts, dtype="str"), first))]
    wanted = np.array([*numbers, *days, [TRUTHS.get(ascii_lower(text)) for text in tidy]], float)
    differ = ~((got == wanted) | (np.isnan(got) & np.isnan(wanted)))
    assert not differ.any(), [texts[i] for i in np.flatnonzero(differ.any(axis=0))][:5]
    assert (~np.isnan(wanted)).sum(axis=1).min() > 50 and (~np.isnan(wanted[0])).sum() > 500


def test_what_is_no_json_is_refused_with_the_place(exported, peek):
    text = exported[0].to_json()
    cut = [text[:i] for i in [*range(0, 3000, 7), *range(3000, len(text), len(text) // 200)]]
    broken = ["[" * 100_000, '{"a":' * 100_000, "[" * 90 + "]" * 90, text + "x", text.replace("true", "True"), text.replace(":[", ":[,", 1)]
    broken += [
        '{"format": "mlwork portable model", "version": 1, "x": ' + v + "}" for v in ("01", "1.", ".5", "NaN", "1e999", "+1", "0x1", "1d")
    ]
    broken += ['"\\x"', '"\\u12g4"', '"\n"', "", " ", "null", "[]", "{}", "{,}", '{"a" 1}', '{"a":1,}', "[1,]", "[1 2]", "nul", "truex"]
    for json_text, line in zip([*cut, *broken], peek("models", models=[*cut, *broken], rows=[]), strict=True):
        assert line.startswith("refused: ") and "must" in line, (json_text[:80], line)


def test_another_version_is_refused(exported, peek):
    other = [{**exported[0].spec, "version": 2}, {**exported[0].spec, "version": "1"}, {**exported[0].spec, "format": "pickle"}]
    for line in peek("models", models=[json.dumps(o) for o in other], rows=[]):
        assert line.startswith("refused: model.json must")


def changed_models(spec):
    "Break one thing of a model at a time: leave a key out, or put something else at it."
    for at, op in enumerate(spec["ops"]):
        for key in op:
            for value in ("gone", "x", -1, 1e9, 0.5, [], [[]], [-1], [10**6], {}, None, True):
                other = {k: v for k, v in op.items() if k != key} if value == "gone" else op | {key: value}
                yield {**spec, "ops": [*spec["ops"][:at], other, *spec["ops"][at + 1 :]]}
    for key in spec:
        yield {k: v for k, v in spec.items() if k != key}
        yield spec | {key: 3.5}
    for key in spec["answer"]:
        yield spec | {"answer": spec["answer"] | {key: [7]}}


@pytest.mark.parametrize(
    "task, model", [("binary", "logistic"), ("multiclass", DecisionTreeClassifier(max_depth=3))], ids=["layer", "trees"]
)
def test_a_broken_model_is_refused_when_it_is_read_or_answers_without_a_crash(task, model, peek):
    portable = bundle(made(task, model, {}))
    seen = {}  # one operation of each kind is enough
    ops = [op for op in portable.spec["ops"] if seen.setdefault(op["op"], op) is op]
    models = [json.dumps(m) for m in changed_models(portable.spec | {"ops": ops})]
    lines = peek("models", models=models, rows=golden_rows(portable, mixed=3)[::40])
    assert len(lines) == len(models) > 500
    assert sum(line.startswith("refused: ") for line in lines) > 0.8 * len(lines)


def code_of(folder, language):
    return (folder / "README.md").read_text(encoding="utf-8").split(f"```{language}\n")[1].split("```")[0]


def test_the_lines_of_the_readme_predict(exported, tmp_path):
    _, held, folder, _, classes = exported
    source = f"package mlwork;\nclass Ask {{ public static void main(String[] a) throws Exception {{\n{code_of(folder, 'java')} }} }}"
    (tmp_path / "Ask.java").write_text(source, encoding="utf-8")
    subprocess.run(["javac", "-encoding", "UTF-8", "-cp", classes, "-d", tmp_path, tmp_path / "Ask.java"], check=True)
    said = subprocess.run(
        ["java", "-cp", f"{classes}:{tmp_path}", "mlwork.Ask"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    assert said.split()[0] == held.answers[0]["prediction"]
    assert [float(p.split("=")[1]) for p in said[said.index("{") + 1 : said.index("}")].split(", ")] == pytest.approx(
        held.answers[0]["scores"]
    )


@needs_kotlin
def test_kotlin_predicts_as_java_does(exported, tmp_path):
    _, held, folder, certificate, classes = exported
    assert "Kotlin wrapper compiled by kotlinc" in certificate["runtime"]
    (tmp_path / "Ask.kt").write_text(f"package mlwork\n\nfun main() {{\n{code_of(folder, 'kotlin')}}}\n", encoding="utf-8")
    (tmp_path / "classes" / "mlwork").mkdir(parents=True)
    shutil.copy(folder / "model.json", tmp_path / "classes" / "mlwork")  # where Gradle puts it
    wrapper = folder / "src" / "main" / "kotlin" / "mlwork" / "Model.kt"
    jar = tmp_path / "ask.jar"
    command = ["kotlinc", "-cp", classes, "-include-runtime", "-d", jar, wrapper, tmp_path / "Ask.kt"]
    subprocess.run(command, check=True, capture_output=True)
    said = subprocess.run(
        ["java", "-cp", f"{classes}:{jar}:{tmp_path / 'classes'}", "mlwork.AskKt"], check=True, capture_output=True, text=True
    ).stdout
    assert said.split()[0] == held.answers[0]["prediction"]


@needs_kotlin
def test_what_gradle_reads_is_kotlin(exported, tmp_path):
    for name in ("build.gradle.kts", "settings.gradle.kts"):
        script = shutil.copy(exported[2] / name, tmp_path / name.replace("gradle.kts", "kts"))  # its names are Gradle's, and unknown here
        said = subprocess.run(["kotlinc", "-d", tmp_path / "o", script], capture_output=True, text=True).stderr
        assert "unresolved reference" in said and "syntax error" not in said, said
