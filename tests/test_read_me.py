"""An exported folder explains itself: what its README.md says is done here, word for word, where the program for it is at hand."""

import json
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from needs import needs
from portable_cases import made

from mlwork.collect import load
from mlwork.core import BadInput, NotFound
from mlwork.deploy.bundle import bundle
from mlwork.deploy.c_code import to_c
from mlwork.deploy.container import to_container
from mlwork.deploy.edge import to_edge
from mlwork.deploy.golden import export_proved, golden, golden_rows
from mlwork.deploy.java import to_java
from mlwork.deploy.javascript import to_javascript
from mlwork.deploy.mobile import to_mobile, to_page
from mlwork.deploy.onnx_graph import to_onnx
from mlwork.deploy.read_me import usual_row
from mlwork.deploy.tiny_image import tiny_image
from mlwork.preprocess import scale
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.train import fit

MAKERS = {"c": to_c, "edge": to_edge, "javascript": to_javascript, "onnx": to_onnx, "page": to_page, "java": to_java, "tiny": tiny_image}


@lru_cache
def portable():
    "A bundle, and some of its golden rows."
    found = bundle(made("binary", "logistic", {}))
    return found, golden(found, golden_rows(found, mixed=5)[::9])


@lru_cache
def folder(target):
    "An exported folder, of which nothing was tried."
    place = Path(mkdtemp()) / target
    MAKERS[target](portable()[0], place, held=portable()[1], proved=False)
    return place


def blocks(text, language):
    "The blocks of a README in a language."
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def page(target):
    return (folder(target) / "README.md").read_text(encoding="utf-8")


def done(*command, cwd=None, **more):
    return subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True, encoding="utf-8", **more)


def chances():
    "What Python says of the row that all pages show."
    model, row = portable()[0], usual_row(portable()[0].columns)
    answers = model.predict([row])
    assert not answers["refused"].any()
    return answers.filter(like="p:").to_numpy()[0].tolist()


@pytest.mark.parametrize("target", [t for t in MAKERS if t != "tiny"])
def test_every_folder_says_what_it_holds_and_names_no_file_that_is_not_there(target):
    text = page(target)
    assert "{{" not in text and "certificate.json" in text and "\n\n\n" not in text
    named = set(re.findall(r"`([\w./]+\.(?:c|h|js|py|json|onnx|lines|tar))`", text)) - {"ask.js", "rows.json", "size.json"}
    assert named and all((folder(target) / name).is_file() for name in named)
    if target != "java":
        assert all(f"`{c['name']}`: " in text for c in portable()[0].columns)


@needs("gcc")
@pytest.mark.parametrize(("target", "prompt"), [("c", "cc "), ("edge", "make")])
def test_the_lines_for_c_compile_and_answer(target, prompt):
    first, *_, last = blocks(page(target), "sh")
    assert first.startswith(prompt)
    answer = json.loads(done("sh", "-e", "-c", first, cwd=folder(target)).stdout.splitlines()[-1])
    assert answer["scores"] == pytest.approx(chances(), abs=1e-12)
    assert "golden rows as in Python" in done("sh", "-e", "-c", last, cwd=folder(target)).stdout


@needs("node")
@pytest.mark.parametrize("target", ["javascript"])
def test_the_lines_for_node_answer(target):
    (script,) = blocks(page(target), "js")
    (folder(target) / "ask.js").write_text(script, encoding="utf-8")
    said = done("node", "ask.js", cwd=folder(target)).stdout
    assert [float(v) for v in re.findall(r": ([\d.e-]+)", said)] == pytest.approx(chances(), abs=1e-12)
    assert "golden rows as in Python" in done("sh", "-c", blocks(page(target), "sh")[-1], cwd=folder(target)).stdout


def test_the_lines_for_onnx_answer():
    (script,) = blocks(page("onnx"), "python")
    said = done(sys.executable, "-c", script, cwd=folder("onnx"))
    assert eval(said.stdout)[0]["scores"] == pytest.approx(chances(), abs=1e-12), said.stderr


@needs("gcc")
def test_the_tiny_image_says_how_it_is_loaded():
    text = page("tiny")
    assert "podman load --input image.tar" in text and "localhost/mlwork-model:tiny" in text
    assert {"image.tar", "golden.lines"} <= {p.name for p in folder("tiny").iterdir()}


def test_the_container_says_how_it_is_built_and_asked(tmp_path):
    made("binary", "logistic", {}).save(tmp_path / "model")
    text = (to_container(tmp_path / "model", tmp_path / "out") / "README.md").read_text(encoding="utf-8")
    assert "{{" not in text and "podman build" in text
    asked = json.loads(re.search(r"--data '(.*)'", text)[1])
    assert asked["rows"] == [usual_row(portable()[0].columns)]


ASKED = {
    "javascript": ["node", "try.js"],
    "page": ["node", "try.js"],
    "onnx": [sys.executable, "try.py"],
}


@needs("node")
@pytest.mark.parametrize("target", ASKED)
def test_a_file_of_rows_is_read_from_where_one_is(target, tmp_path):
    program, script = ASKED[target]
    row = usual_row(portable()[0].columns)
    (tmp_path / "rows.json").write_text(json.dumps([row, row | {"temp": "zz"}]), encoding="utf-8")
    found = done(program, folder(target) / script, "rows.json", cwd=tmp_path)
    first, refused = json.loads(found.stdout)
    assert first["scores"] == pytest.approx(chances(), abs=1e-12) and refused is None
    (tmp_path / "one.json").write_text(json.dumps(row), encoding="utf-8")
    for name in ("none.json", "one.json", "."):
        found = done(program, folder(target) / script, name, cwd=tmp_path)
        assert found.returncode == 2 and found.stderr.startswith(f"{name} must be a file with a JSON list of rows; got: ")
        assert len(found.stderr.splitlines()) == 1 and not found.stdout


@needs("gcc")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"temp": "zz"}, "line 2, 'temp': the cell is none that the column can have"),
        ({"temp": "zz", "size": "zz"}, "line 2, 'size': the cell is none that the column can have"),
        ({"town": ...}, "line 2, 'town': a row must have every column; unknown values may be null"),
    ],
)
def test_c_names_line_and_column(change, said, tmp_path):
    assert error_in_c(portable()[0], change, tmp_path) == said


@needs("gcc")
@pytest.mark.parametrize(
    ("model", "change"),
    [("logistic", {"ash": None}), ("logistic", {"ash": None, "hue": None}), ("forest", {"hue": 1e300}), ("bayes", {"hue": 1e300})],
)
def test_c_names_the_column_of_what_the_model_refuses(model, change, tmp_path):
    split = holdout(load("sample:wine", target="cultivar"))
    found = bundle(fit(split, Recipe([scale("numeric")], split.train.roles, target="cultivar"), model))
    why = "the model has no answer" if model == "bayes" else "the value is missing or too large"
    assert error_in_c(found, change, tmp_path) == f"line 2, '{next(iter(change))}': {why}"


def error_in_c(model, change, place):
    "What the program in C says of a usual row that is changed, in its second line."
    to_c(model, place, golden(model, golden_rows(model, mixed=1)[-1:]), proved=False)
    row = usual_row(model.columns)
    bad = {k: v for k, v in (row | change).items() if v is not ...}
    assert done("gcc", "-std=c99", "main.c", "model.c", "-lm", "-o", "model", cwd=place).returncode == 0
    found = done("./model", cwd=place, input="".join(json.dumps(r) + "\n" for r in (row, bad, row))).stdout.splitlines()
    assert found[0] == found[2] and "scores" in found[0]
    return json.loads(found[1])["error"]


@pytest.mark.parametrize("maker", [to_c, to_edge, to_javascript, to_page, to_java, to_mobile, tiny_image])
def test_where_a_runtime_is_missing_nothing_is_left(maker, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotFound, match="proved=False .on the command line --unproved., which is stamped UNPROVED"):
        maker(portable()[0], tmp_path / "out", held=portable()[1])
    assert not (tmp_path / "out").exists()


def test_what_answers_otherwise_leaves_an_earlier_export_as_it_was(tmp_path):
    model, held = portable()
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(BadInput, match="must answer as Python does"):
        export_proved(model, tmp_path, "wrong", {"x": "y"}, lambda place: ("none", lambda rows: [None] * len(rows)), held)
    assert [p.name for p in tmp_path.iterdir()] == ["model.json"] and (tmp_path / "model.json").read_text() == "{}"
