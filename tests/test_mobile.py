"""What a phone gets: packed trees, types, icons, scripts; the page in a browser has its own tests."""

import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from portable_cases import made
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from mlwork.collect import load
from mlwork.core import BadInput, NotFound
from mlwork.deploy.bundle import Bundle, bundle
from mlwork.deploy.golden import golden, golden_rows
from mlwork.deploy.javascript import to_javascript
from mlwork.deploy.mobile import icon_png, pack_trees, row_types, to_mobile, to_page, to_swift, tried_in_swift
from mlwork.split import holdout
from mlwork.train import fit


def needs(program):
    "Skip where a program is missing, but never in CI."
    missing = shutil.which(program) is None and not os.environ.get("MLWORK_CI")
    return pytest.mark.skipif(missing, reason=f"no {program} on this machine")


@lru_cache
def case(task, model):
    "A bundle of one of the cases that all exports are tried on."
    return bundle(made(task, HistGradientBoostingClassifier(max_iter=9) if model is None else model, {}))


def few(portable):
    return golden(portable, golden_rows(portable, mixed=20)[::11])


@needs("node")
@pytest.mark.parametrize(("task", "model"), [("binary", "boosting"), ("binary", "forest"), ("multiclass", None), ("regression", "forest")])
def test_packed_trees_are_laid_out_again_to_the_last_bit(task, model, tmp_path, repository):
    portable = case(task, model)
    small = pack_trees(portable.spec)
    assert len(json.dumps(small)) < 0.7 * len(json.dumps(portable.spec)) and all(
        "packed" in op for op in small["ops"] if op["op"] == "trees"
    )
    (tmp_path / "spec.json").write_text(json.dumps(small), encoding="utf-8")
    shutil.copy(repository / "mlwork" / "templates" / "phone_unpack.js", tmp_path / "unpack.mjs")
    script = 'import { readFileSync } from "node:fs"; import { unpacked } from "./unpack.mjs";'
    script += 'process.stdout.write(JSON.stringify(unpacked(JSON.parse(readFileSync("spec.json", "utf8")))));'
    (tmp_path / "run.mjs").write_text(script)
    out = subprocess.run(["node", "run.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    assert json.loads(out) == portable.spec


def test_trees_in_another_order_stay_as_they_are():
    spec = case("binary", "forest").spec
    op = next(op for op in spec["ops"] if op["op"] == "trees")
    assert op["left"][0] > 0
    turned = op | {"left": [op["right"][0], *op["left"][1:]], "right": [op["left"][0], *op["right"][1:]]}
    (same,) = pack_trees({"ops": [turned]})["ops"]
    assert same == turned


@needs("node")
def test_the_page_is_proved_or_stamped(tmp_path, monkeypatch):
    portable = case("multiclass", None)
    certificate = to_page(portable, tmp_path / "a", few(portable))
    assert certificate["proved"] and certificate["target"] == "page"
    done = subprocess.run(["node", "try.js"], cwd=tmp_path / "a", capture_output=True, text=True, check=True)
    assert re.fullmatch(r"(\d+) of \1 golden rows as in Python", done.stdout.strip())
    held = json.loads((tmp_path / "a" / "golden.json").read_text(encoding="utf-8"))
    held["answers"][0]["scores"][0] += 1e-6
    (tmp_path / "a" / "golden.json").write_text(json.dumps(held))
    assert subprocess.run(["node", "try.js"], cwd=tmp_path / "a", capture_output=True).returncode == 1
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotFound, match="Node"):
        to_page(portable, tmp_path / "b", few(portable))
    assert to_page(portable, tmp_path / "b", few(portable), proved=False)["stamp"] == "UNPROVED"


def test_the_same_model_gives_the_same_files_and_another_one_another_version(tmp_path):
    portable, other = case("binary", "logistic"), case("binary", "boosting")
    for name, b in (("a", portable), ("b", portable), ("c", other)):
        to_page(b, tmp_path / name, few(b), proved=False)
    a, b, c = (
        {p.name: p.read_bytes() for p in (tmp_path / name).iterdir() if p.name not in ("certificate.json", "golden.json")} for name in "abc"
    )
    assert a == b and a["worker.js"] != c["worker.js"]
    kept = json.loads(re.search(rb"FILES = (\[.*?\])", a["worker.js"])[1])
    assert set(kept) < set(a) and {"index.html", "packed.json", "form.js", "portable.js", "manifest.webmanifest"} <= set(kept)
    referred = set(re.findall(r'(?:href|src)="([\w.-]+)"', a["index.html"].decode())) | set(
        re.findall(r'from "\./([\w.-]+)"', b"".join(a[n] for n in kept if n.endswith(".js")).decode())
    )
    assert referred <= set(kept)


def test_pages_are_filled_and_a_target_cannot_become_html(tmp_path):
    portable = case("binary", "logistic")
    odd = Bundle(portable.spec | {"answer": portable.spec["answer"] | {"target": "<script>x</script>"}}, portable.model)
    to_page(odd, tmp_path, few(portable), proved=False)
    pages = "".join(p.read_text(encoding="utf-8") for p in tmp_path.glob("*.html"))
    assert "<script>x" not in pages and "&lt;script&gt;x" in pages
    assert not [
        p.name for p in tmp_path.iterdir() if p.suffix != ".png" and "{{" in p.read_text(encoding="utf-8") and p.name != "golden.json"
    ]
    assert not re.findall(
        r"https?://(?!localhost|www\.w3\.org/2000/svg)",
        "".join(p.read_text(encoding="utf-8") for p in tmp_path.glob("*.[hjc]*") if "json" not in p.name),
    )


@pytest.mark.parametrize("side", [1, 180, 512])
def test_an_icon_is_a_picture_of_its_size(side):
    picture = imread(io.BytesIO(icon_png(side)))
    assert picture.shape == (side, side, 3)
    assert side == 1 or (picture[0, 0] * 255).round().tolist() == [0, 104, 163] and len({tuple(p) for p in picture.reshape(-1, 3)}) > 3


def scripts(folder):
    return sorted(p.name for p in folder.glob("*.js") if p.name != "portable.js")


@needs("node")
def test_an_engine_and_a_linter_find_nothing_in_the_scripts(tmp_path, repository):
    portable = case("binary", "logistic")
    to_page(portable, tmp_path, few(portable), proved=False)
    for name in scripts(tmp_path):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "innerHTML" not in text and "eval(" not in text
        subprocess.run(["node", "--check", tmp_path / name], check=True)
    oxlint = Path(sys.executable).with_name("oxlint")
    rules = ["--deny=correctness", "--deny=suspicious", "--allow=no-array-sort", "--allow=no-array-reverse"]  # toSorted is too new
    rules += ["--allow=require-post-message-target-origin"]  # a worker's message has none
    found = subprocess.run([oxlint, "--deny-warnings", *rules, *scripts(tmp_path)], cwd=tmp_path, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


@pytest.fixture(scope="session")
def tsc(tmp_path_factory):
    "The compiler of TypeScript, from npm."
    place = tmp_path_factory.mktemp("typescript")
    try:
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", place, "typescript@5"]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as e:
        if os.environ.get("MLWORK_CI"):
            raise
        pytest.skip(f"npm cannot install TypeScript here: {e}")
    return place / "node_modules" / ".bin" / "tsc"


USE = """import { form } from "./form.js";
import { load, type Row } from "./model.js";
import { portable } from "./portable.js";

const row: Row = ROW;
const model = await load();
const found = model.predict(row);
const label: "high" | "low" = found.prediction;
const p: number = found.probabilities.low + found.probabilities["high"];
const told: string[] = found.warnings;
form(document.body, model.columns, cells => model.predict(cells as unknown as Row), { target: "y" });
portable({}).predict(row);
const other: Row = { ...row, town: "a town that training never saw", ok: null };
// @ts-expect-error: a column is missing
model.predict({ size: 3 });
// @ts-expect-error: a misspelt column
model.predict({ ...row, siez: 3 });
// @ts-expect-error: a number is no list
model.predict({ ...row, size: [3] });
// @ts-expect-error: no such class
const wrong: "medium" = found.prediction;
console.log(label, p, told, other, wrong);
"""


def test_a_misspelt_column_does_not_compile(tmp_path, tsc):
    portable = case("binary", "logistic")
    held = few(portable)
    to_page(portable, tmp_path, held, proved=False)
    row = {c["name"]: c.get("usual", "2021-03-05") for c in portable.columns}
    (tmp_path / "use.ts").write_text(USE.replace("ROW", json.dumps(row)), encoding="utf-8")
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext"]
    found = subprocess.run([tsc, *options, "--lib", "es2022,dom", "use.ts"], cwd=tmp_path, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_types_may_hold_any_name(tmp_path, tsc):
    names = ['a "b"', "*/ x", "__proto__", "line\nbreak", "\\", "new", "Größe (m²)", "</script>"]
    columns = [{"name": n, "kind": "text", "role": "categorical", "optional": False, "levels": ['"', "\\", "*/", "\n"]} for n in names]
    spec = {"columns": columns, "answer": {"task": "binary", "target": "y", "classes": [True, False], "probabilities": True}}
    (tmp_path / "portable.d.ts").write_text(row_types(Bundle(spec)), encoding="utf-8")
    use = 'import type { Class, Row } from "./portable.js";\nconst c: Class = true;\nconst k: keyof Row = "*/ x";\nexport { c, k };\n'
    (tmp_path / "use.ts").write_text(use)
    found = subprocess.run([tsc, "--strict", "--noEmit", "use.ts", "portable.d.ts"], cwd=tmp_path, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_a_regression_without_levels_has_types_too():
    types = row_types(bundle(fit(holdout(load("sample:diabetes")), model="ridge")))
    assert "prediction: number;" in types and "probabilities" not in types


@needs("node")
def test_classes_that_are_whole_numbers_keep_their_order(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    frame = pd.DataFrame({"x": x, "z": rng.normal(size=200), "y": np.where(x + rng.normal(size=200) > 0, 1, -1)})
    portable = bundle(fit(holdout(load(frame, target="y")), model="logistic"))
    assert portable.spec["answer"]["classes"] == [-1, 1]
    for write in (to_page, to_javascript):
        assert write(portable, tmp_path / write.__name__, few(portable))["proved"]


def test_a_boosting_of_100_trees_and_its_script_are_below_60_kb(tmp_path):
    model = HistGradientBoostingRegressor(max_iter=100, random_state=0)
    portable = bundle(fit(holdout(load("sample:rentals", target="price")), model=model))
    assert sum(len(op["root"]) for op in portable.spec["ops"] if op["op"] == "trees") == 100
    to_page(portable, tmp_path, golden(portable, golden_rows(portable, mixed=2)[-2:]), proved=False)
    zipped = {
        name: len(gzip.compress((tmp_path / name).read_bytes())) for name in ("portable.js", "unpack.js", "packed.json", "model.json")
    }
    assert zipped["portable.js"] + zipped["unpack.js"] + zipped["packed.json"] <= 60_000 < zipped["model.json"], zipped


@needs("node")
@needs("gcc")
@needs("javac")
@pytest.mark.parametrize(("task", "model"), [("multiclass", None), ("regression", "ridge")])
def test_all_platforms_are_proved_and_summed_up(task, model, tmp_path):
    portable = case(task, model)
    found = to_mobile(portable, tmp_path, few(portable))
    summary = json.loads((tmp_path / "certificates.json").read_text(encoding="utf-8"))
    assert summary == {"model_sha256": portable.sha256, "proved": True, "platforms": found} and set(found) == {"web", "android", "ios"}
    for folder in ("web", "android", "ios/Sources/CModel"):
        spec = json.loads((tmp_path / folder / "model.json").read_text(encoding="utf-8"))
        assert spec == portable.spec and (tmp_path / folder / "golden.json").exists()
        assert json.loads((tmp_path / folder / "certificate.json").read_text(encoding="utf-8"))["proved"]
    for name in found:
        text = (tmp_path / name / "README.md").read_text(encoding="utf-8")
        assert "predict(" in text and portable.columns[0]["name"] in text and "{{" not in text


@needs("gcc")
def test_the_c_of_the_swift_package_is_the_proved_one_and_its_self_test_runs_as_told(tmp_path):
    portable = case("multiclass", None)
    to_swift(portable, tmp_path, few(portable))
    place = tmp_path / "Sources" / "CModel"
    told = re.search(r"`cd Sources/CModel && (cc .*?) && (\./try .*?)`", (tmp_path / "README.md").read_text(encoding="utf-8"))
    subprocess.run(told[1].replace("cc", "gcc", 1), shell=True, cwd=place, check=True)
    assert subprocess.run(told[2], shell=True, cwd=place, capture_output=True).returncode == 0
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-c", "whole.c", "-o", tmp_path / "whole.o"], cwd=place, check=True)
    manifest = (tmp_path / "Package.swift").read_text(encoding="utf-8")
    beside = {p.name for p in place.iterdir()} - {"whole.c", "model.h", "shim.h", "module.modulemap", "try"}
    assert beside == set(re.findall(r'"([\w.]+)"', re.search(r"exclude: \[(.*?)\]", manifest)[1]))


def test_the_swift_package_says_that_it_was_not_compiled_where_it_was_not(tmp_path):
    portable = case("regression", "ridge")
    certificate = to_swift(portable, tmp_path, few(portable), proved=False)
    assert certificate["stamp"] == "UNPROVED" and certificate["swift"] == "not compiled here"
    assert "The Swift was not compiled here." in (tmp_path / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("swift") is None, reason="no Swift on this machine")
@pytest.mark.parametrize(("task", "model"), [("binary", "logistic"), ("regression", "ridge"), ("multiclass", "svm")])
def test_the_swift_package_compiles_and_answers_as_python_does(task, model, tmp_path):
    portable = case(task, model)
    assert "compiled and tested here" in to_swift(portable, tmp_path, few(portable))["swift"]
    held = json.loads((tmp_path / "Sources" / "CModel" / "golden.json").read_text(encoding="utf-8"))
    held["answers"][0]["scores"][0] += 1e-3
    (tmp_path / "Sources" / "CModel" / "golden.json").write_text(json.dumps(held), encoding="utf-8")
    with pytest.raises(BadInput, match="Swift package"):
        tried_in_swift(tmp_path)
