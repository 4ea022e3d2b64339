"""Notebooks are read before they are run: limits on length and shape, outputs stored, clean, and in step with the package."""

import ast
import re
import shutil
import subprocess
import sys

import pytest
from houses import NBS, PACKAGE, ROOT, cells, default_exp, modules, notebooks, tree

IDS = [str(p.relative_to(NBS)) for p in notebooks()]
each_notebook = pytest.mark.parametrize("path", notebooks(), ids=IDS)


def lines_of(cell):
    return len(cell["source"].strip().splitlines())


@each_notebook
def test_a_notebook_is_a_chapter(path):
    all_cells = cells(path)
    code = [c for c in all_cells if c["cell_type"] == "code"]
    text = [c for c in all_cells if c["cell_type"] == "markdown"]
    assert len(all_cells) <= 100
    assert path.stat().st_size <= 300_000
    title = text[0]["source"]
    assert title.startswith("# ") and "\n> " in title, "a title and a promise come first"
    if len(code) > 3:
        assert len(text) / len(code) >= 0.8
        assert sum("#| hide" in c["source"] for c in code) <= 0.1 * len(code)


@each_notebook
def test_cells_are_short(path):
    for cell in cells(path):
        if cell["cell_type"] == "code":
            assert lines_of(cell) <= 80, cell["source"][:200]  # one class a cell; functions are held short below
            if "#| export" not in cell["source"]:
                assert lines_of(cell) <= 17, cell["source"][:200]


@each_notebook
def test_imports_stand_alone(path):
    "The documentation build runs cells that import, and nothing else of them should run there."
    for cell in (c for c in cells(path) if c["cell_type"] == "code"):
        source = re.sub(r"^[%!].*$", "", cell["source"], flags=re.M)
        kinds = {isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.parse(source).body}
        assert kinds != {True, False}, cell["source"][:200]


@each_notebook
def test_outputs_are_stored_and_calm(path):
    code = [c for c in cells(path) if c["cell_type"] == "code"]
    outputs = [o for c in code for o in c["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    if len(code) > 3 and path.name != "13_all.ipynb":
        assert outputs, "run the notebook: it stores no output"
    assert not [o for o in outputs if "application/vnd.jupyter.widget-view+json" in o.get("data", {})], "only a lab's twin is stored"
    assert str(ROOT) not in path.read_text(encoding="utf-8")


@each_notebook
def test_links_between_notebooks_lead_somewhere(path):
    for cell in (c for c in cells(path) if c["cell_type"] == "markdown"):
        for link in re.findall(r"\]\(([^)#:]+\.(?:ipynb|md|png|svg))\)", cell["source"]):
            assert (path.parent / link).exists(), link


@pytest.mark.parametrize("name", modules())
def test_modules_and_functions_are_short(name):
    path = modules()[name][0]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno + 1 <= 45, node.name
        if isinstance(node, ast.ExceptHandler):
            assert not (len(node.body) == 1 and isinstance(node.body[0], ast.Pass)), f"{name}:{node.lineno} swallows an exception"


def test_lessons_use_the_public_interface_only():
    for path in (NBS / "lessons").glob("*.ipynb"):
        imports = [
            line
            for c in cells(path)
            if c["cell_type"] == "code"
            for line in c["source"].splitlines()
            if "mlwork" in line and "import" in line
        ]
        assert default_exp(path) is None
        assert imports and all(line.startswith("from mlwork.all import") for line in imports), imports


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    "The project in a folder of its own, where exporting and cleaning harm nothing."
    folder = tmp_path_factory.mktemp("copy")
    for part in ("nbs", "mlwork"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "samples"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    return folder


def changed(folder, part, suffix):
    "Files under a part of the copy that differ from ours."
    for path in sorted((ROOT / part).rglob(f"*{suffix}")):
        twin = folder / path.relative_to(ROOT)
        if "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts and path.read_bytes() != twin.read_bytes():
            yield str(path.relative_to(ROOT))


def test_the_package_is_in_step_with_the_notebooks(copy):
    subprocess.run([sys.executable, "-c", "from nbdev.doclinks import nbdev_export; nbdev_export()"], cwd=copy, check=True)
    assert list(changed(copy, PACKAGE.name, ".py")) == []


def test_notebooks_are_clean(copy):
    subprocess.run([sys.executable, "-c", "from nbdev.clean import nbdev_clean; nbdev_clean()"], cwd=copy, check=True)
    assert list(changed(copy, NBS.name, ".ipynb")) == []


def test_the_readme_is_rendered_from_the_index():
    code = "import sys; sys.path.insert(0, 'docs'); import notebooks; print(notebooks.readme(), end='')"
    text = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert text == (ROOT / "README.md").read_text(encoding="utf-8")
