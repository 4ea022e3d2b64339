"""How fast is an exported model in C? One row against scikit-learn, and against the C of m2cgen, emlearn and tl2cgen.

`python benchmarks/edge.py [--quick]` fits five models of twelve columns of numbers, writes each as C by every tool that can carry it, compiles all with the
same options, and asks the same 1,000 rows in turn (A B C A B C ...). It prints nanoseconds a row (median), the ratio to ours (above 1: we are
faster) and the largest difference to scikit-learn's probabilities; a peer that is off by more than 1e-12 answers another question, and none that
answers ours may be faster by more than the clock's 5 %. `mlwork` is asked as the peers are, with plain numbers (`model_scores`); `mlwork, cells` looks at
each cell first, as it must where it may be text or missing.
"""

import argparse
import ctypes
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from peers import interpreter

OPTIONS = ("gcc", "-O2", "-ffp-contract=off", "-shared", "-fPIC")
LOOP = "void run(const double *rows, int n, double *out) {{ {local} for (int i = 0; i < n; i++, rows += 12, out += 2) {{ {body} }} }}\n"
EACH = "for (int j = 0; j < 12; j++)"
DRIVERS = {
    "mlwork": LOOP.format(local="", body="model_scores(rows, out);"),
    "mlwork, cells": LOOP.format(
        local="model_cell c[12]; model_answer a;",
        body=f"{EACH} {{ c[j].kind = MODEL_NUMBER; c[j].number = rows[j]; }} model_predict(c, &a); out[0] = a.scores[0]; out[1] = a.scores[1];",
    ),
    "m2cgen": LOOP.format(local="", body="score((double *)rows, out);"),
    "m2cgen-margin": LOOP.format(local="", body="out[1] = 1 / (1 + exp(-score((double *)rows))); out[0] = 1 - out[1];"),
    "emlearn": LOOP.format(
        local="float x[12], p[2];", body=f"{EACH} x[j] = (float)rows[j]; em_predict_proba(x, 12, p, 2); out[0] = p[0]; out[1] = p[1];"
    ),
    "tl2cgen": LOOP.format(
        local="union Entry x[12]; double p[2];", body=f"{EACH} x[j].fvalue = rows[j]; p[0] = p[1] = 0; predict(x, 0, p); PAIR"
    ),
}
PEERS = """
import json, pickle, sys, warnings
warnings.simplefilter("ignore")
sys.setrecursionlimit(100_000)
import emlearn, m2cgen, tl2cgen, treelite
made = {}
def attempt(tool, write):
    try:
        write(); made[tool] = True
    except Exception as error:
        print(tool, "cannot:", str(error)[:80], file=sys.stderr)
model = pickle.load(open("model.pkl", "rb"))
attempt("m2cgen", lambda: open("m2cgen.c", "w").write(m2cgen.export_to_c(model)))
attempt("emlearn", lambda: emlearn.convert(model, dtype="float", method="inline", leaf_bits=8).save(file="emlearn.h", name="em"))
attempt("tl2cgen", lambda: tl2cgen.generate_c_code(treelite.sklearn.import_model(model), dirpath="tl2cgen", params={}))
json.dump({"made": made, "include": emlearn.includedir}, open("made.json", "w"))
"""


def models(quick):
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    yield "logistic", LogisticRegression(max_iter=500)
    yield "tree of depth 6", DecisionTreeClassifier(max_depth=6, random_state=0)
    yield "forest, 50 of depth 8", RandomForestClassifier(10 if quick else 50, max_depth=8, random_state=0)
    if not quick:
        yield "boosting, 100 trees", HistGradientBoostingClassifier(random_state=0)


def table():
    import pandas as pd
    from sklearn.datasets import make_classification

    X, y = make_classification(4000, 12, n_informative=8, random_state=0)
    frame = pd.DataFrame(X.astype(np.float32).astype(float), columns=[f"c{i}" for i in range(12)])
    return frame.assign(y=np.where(y, "yes", "no"))


def written(fitted, folder):
    "Write a model by every tool that can: {tool: what to compile}."
    from mlwork.deploy import bundle
    from mlwork.deploy.c_code import model_h
    from mlwork.deploy.c_program import model_c

    found, made = {}, bundle(fitted)
    for number in ("double", "ranks"):
        place = folder / number
        place.mkdir()
        (place / "model.c").write_text(model_c(made.spec, number), encoding="utf-8")
        (place / "model.h").write_text(model_h(made, number), encoding="utf-8")
        sources = [f"-I{place}", str(place / "model.c")]
        found["mlwork" if number == "double" else "mlwork, ranks"] = '#include "model.h"\n' + DRIVERS["mlwork"], sources
        if number == "double":
            found["mlwork, cells"] = '#include "model.h"\n' + DRIVERS["mlwork, cells"], sources
    (folder / "model.pkl").write_bytes(pickle.dumps(fitted.pipeline[-1]))
    subprocess.run([interpreter("c_models"), "-c", PEERS], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    told = json.loads((folder / "made.json").read_text())
    if "m2cgen" in told["made"]:
        margin = "double score(" in (folder / "m2cgen.c").read_text()
        head = "#include <math.h>\n" + ("double score(double *);\n" if margin else "void score(double *, double *);\n")
        found["m2cgen"] = head + DRIVERS["m2cgen-margin" if margin else "m2cgen"], ["m2cgen.c"]
    if "emlearn" in told["made"] and (folder / "emlearn.h").exists():
        found["emlearn"] = '#include "emlearn.h"\n' + DRIVERS["emlearn"], [f"-I{told['include']}", "-I."]
    if "tl2cgen" in told["made"]:
        one = "HistGradient" in type(fitted.pipeline[-1]).__name__
        pair = "out[0] = 1 - p[0]; out[1] = p[0];" if one else "out[0] = p[0]; out[1] = p[1];"
        files = [str(f.relative_to(folder)) for f in (folder / "tl2cgen").glob("*.c")]
        found["tl2cgen"] = '#include "header.h"\n' + DRIVERS["tl2cgen"].replace("PAIR", pair), ["-Itl2cgen", *files]
    return found


def compiled(name, source, more, folder):
    driver, library = folder / f"{name.replace(', ', '_')}.drive.c", folder / f"{name.replace(', ', '_')}.so"
    driver.write_text(source, encoding="utf-8")
    subprocess.run([*OPTIONS, str(driver), *more, "-lm", "-o", str(library)], cwd=folder, check=True, stderr=subprocess.DEVNULL)
    return ctypes.CDLL(str(library))


def raced(libraries, rows, turns):
    "Ask all in turn: {tool: nanoseconds a row}, {tool: answers}."
    took, answers = {name: [] for name in libraries}, {}
    for _ in range(turns):
        for name, library in libraries.items():
            out = np.zeros((len(rows), 2))
            start = time.perf_counter()
            library.run(ctypes.c_void_p(rows.ctypes.data), len(rows), ctypes.c_void_p(out.ctypes.data))
            took[name].append((time.perf_counter() - start) / len(rows) * 1e9)
            answers[name] = out
    return {name: float(np.median(t)) for name, t in took.items()}, answers


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="fewer models and turns")
    quick = asked.parse_args().quick
    os.environ["MLWORK_PROGRESS"] = "0"
    from mlwork.collect import load
    from mlwork.recipe import Recipe
    from mlwork.split import holdout
    from mlwork.train import fit

    frame, failed = table(), 0
    split, rows = holdout(load(frame, target="y")), np.ascontiguousarray(frame.drop(columns="y").to_numpy()[np.arange(1000) * 3])
    print("| model | tool | ns a row | peer / ours | off by |\n|---|---|---|---|---|")
    for title, model in models(quick):
        fitted = fit(split, Recipe([], split.train.roles, target="y"), model)
        one = frame.drop(columns="y").iloc[[0]]
        start = time.perf_counter()
        for _ in range(20):
            fitted.pipeline.predict_proba(one)
        slow = (time.perf_counter() - start) / 20 * 1e9
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            libraries = {name: compiled(name, *what, folder) for name, what in written(fitted, folder).items()}
            took, answers = raced(libraries, rows, 5 if quick else 40)
        import pandas as pd

        right = fitted.pipeline.predict_proba(pd.DataFrame(rows, columns=one.columns))
        print(f"| {title} | scikit-learn, one row | {slow:,.0f} | {slow / took['mlwork']:,.0f} | |", flush=True)
        failed += slow / took["mlwork"] < 1000
        for name, ns in took.items():
            off = np.abs(answers[name] - right).max()
            print(f"| {title} | {name} | {ns:,.0f} | {ns / took['mlwork']:.2f} | {off:.1e} |", flush=True)
            failed += not name.startswith("mlwork") and off <= 1e-12 and ns < 0.95 * took["mlwork"]
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
