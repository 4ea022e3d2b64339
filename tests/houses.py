"""Where things are: notebooks, modules and their order, shared by the tests on the house itself."""

import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
PACKAGE = ROOT / "mlwork"
HAND_WRITTEN = {"__init__.py"}
GENERATED = {"_modidx.py"}


def notebooks():
    "All notebooks, in reading order."
    return sorted(p for p in NBS.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)


def cells(path):
    "The cells of a notebook, each with its source as one string."
    return [c | {"source": "".join(c["source"])} for c in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def default_exp(path):
    "The module that a notebook exports, or None."
    for cell in cells(path):
        if m := re.search(r"^#\|\s*default_exp\s+(\S+)", cell["source"], re.M):
            return m.group(1)
    return None


def modules():
    "Exported modules: dotted name -> (file, number of its notebook)."
    return {name: (PACKAGE / (name.replace(".", "/") + ".py"), str(p.relative_to(NBS))) for p in notebooks() if (name := default_exp(p))}


def tree(path):
    "The syntax tree of a Python file."
    return ast.parse(path.read_text(encoding="utf-8"))


def public_names(path):
    "The names in a module's __all__."
    for node in tree(path).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return ast.literal_eval(node.value)
    return []
