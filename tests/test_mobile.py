"""What a phone gets: packed trees, types, icons, scripts; the page in a browser has its own tests."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest
from matplotlib.image import imread
from portable_cases import made
from sklearn.ensemble import HistGradientBoostingClassifier

from mlwork.collect import load
from mlwork.core import NotFound
from mlwork.deploy.bundle import Bundle, bundle
from mlwork.deploy.golden import golden, golden_rows
from mlwork.deploy.mobile import icon_png, pack_trees, row_types, to_page
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
