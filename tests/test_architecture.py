"""The house: which notebook writes which module, which way imports point, and that every public name explains itself."""

import ast
import re
import subprocess
import sys
import zipfile
from collections import Counter

import pytest
from houses import GENERATED, HAND_WRITTEN, NBS, PACKAGE, ROOT, default_exp, modules, notebooks, public_names, tree

MODULES = modules()
STAGES = {k: v for k, v in MODULES.items() if k not in ("all", "widgets.__init__", "deploy.__init__")}


def internal_imports(path):
    "Names of our modules that a module imports, wherever in the file."
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module and (node.level or node.module.startswith("mlwork.")):
            home = ".".join([*path.relative_to(PACKAGE).parent.parts][: None if node.level == 1 else 0])  # `.x` in a folder is FOLDER.x
            yield ".".join(filter(None, [home, node.module.removeprefix("mlwork.")])), [a.name for a in node.names]
        elif isinstance(node, ast.Import):
            yield from ((a.name.removeprefix("mlwork."), []) for a in node.names if a.name.startswith("mlwork."))


def test_one_notebook_one_module():
    exports = [default_exp(p) for p in notebooks()]
    assert not [m for m, n in Counter(e for e in exports if e).items() if n > 1]
    files = {str(p.relative_to(PACKAGE)) for p in PACKAGE.rglob("*.py")} - HAND_WRITTEN - GENERATED
    assert files == {m.replace(".", "/") + ".py" for m in MODULES}
    for path in notebooks():
        assert not re.search(r"^#\|\s*exports?\s+\w+\.", path.read_text(encoding="utf-8"), re.M), path


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_to_lower_numbers(name):
    path, number = MODULES[name]
    for other, names in internal_imports(path):
        assert other in MODULES, f"{name} imports mlwork.{other}, which no notebook exports"
        assert MODULES[other][1] < number, f"{number} imports {MODULES[other][1]}: numbers are floors"
        assert "*" not in names, f"{name} imports * from {other}"


def test_public_names_are_unique():
    names = Counter(n for m, (path, _) in STAGES.items() for n in public_names(path))
    assert not [n for n, count in names.items() if count > 1]


def test_all_offers_names_that_exist():
    offered = public_names(MODULES["all"][0])
    exist = {n for path, _ in STAGES.values() for n in public_names(path)}
    assert offered and set(offered) <= exist
    assert len(offered) == len(set(offered))


NOUNS = {"Dataset", "Split", "Profile", "Recipe", "Leaderboard", "Model", "Report", "Finding", "OutOfFold", "Predicted", "Contest", "Step"}


def described(function, lines):
    "Name a parameter that nothing explains: no comment on its line or in a one-line signature, no help text, no noun of ours as its type."
    end = function.body[0].lineno - 1
    signature = "\n".join(lines[function.lineno - 1 : end])
    args = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    args += [a for a in (function.args.vararg, function.args.kwarg) if a]
    for a in args:
        words = set(re.findall(r"\w+", ast.unparse(a.annotation))) if a.annotation else set()
        own = "\n".join(lines[a.lineno - 1 : a.end_lineno])
        explained = "#" in own or "help=" in own or re.search(rf"#.*\b{a.arg}\b", signature)
        if a.arg not in ("self", "cls") and not explained and not words & (NOUNS | {"_Debug", "_Target"}):
            return a.arg
    return None


STEP_METHODS = {"check", "transformers", "becomes", "joint"}  # explained once, in `Step`


def public_functions(path):
    names = set(public_names(path))
    for node in tree(path).body:
        if getattr(node, "name", None) in names:
            yield node
            if isinstance(node, ast.ClassDef):
                methods = [f for f in node.body if isinstance(f, ast.FunctionDef) and not f.name.startswith("_")]
                is_step = any(ast.unparse(b) in ("Step", "_OnNumbers") or "Step" in ast.unparse(b) for b in node.bases)
                yield from (f for f in methods if not (is_step and f.name in STEP_METHODS))


@pytest.mark.parametrize("name", STAGES)
def test_public_names_are_documented(name):
    path = STAGES[name][0]
    lines, missing = path.read_text(encoding="utf-8").splitlines(), []
    for node in public_functions(path):
        if not ast.get_docstring(node):
            missing.append(f"{node.name} has no docstring")
        elif isinstance(node, ast.FunctionDef) and (arg := described(node, lines)):
            missing.append(f"{node.name}({arg}) has no comment")
    assert not missing, missing


def test_finding_codes_are_unique_and_belong_to_their_stage():
    codes = Counter()
    for path, _ in STAGES.values():
        for call in (n for n in ast.walk(tree(path)) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "Kind"):
            codes[ast.literal_eval(call.args[0])] += 1
    assert codes and not [c for c, n in codes.items() if n > 1]
    assert all(re.fullmatch(r"MLW-[A-Z]\d\d", c) for c in codes)


def test_importing_mlwork_loads_nothing_heavy():
    code = "import sys, mlwork; print([m for m in ('numpy', 'pandas', 'sklearn', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_importing_all_leaves_plotting_for_later():
    heavy = "('matplotlib', 'seaborn', 'shap', 'sqlalchemy', 'openpyxl', 'IPython', 'skops', 'skrub', 'typer')"
    code = f"import sys; from mlwork.all import *; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_wheel_holds_modules_and_samples(tmp_path):
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = set(wheel.namelist())
    tracked = subprocess.run(["git", "ls-files", "mlwork"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert set(tracked) - held == set()
    assert {f"mlwork/samples/{n}.csv" for n in ("rentals", "tumours", "wine", "diabetes")} <= held
    assert NBS.name not in {n.split("/")[0] for n in held}
