"""Models with every kind of column, step and estimator, and the targets they are exported to: what all exports are tried on."""

import os
import shutil
import warnings
from functools import lru_cache

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlwork.collect import load
from mlwork.deploy.c_code import run_c, to_c
from mlwork.deploy.golden import follow_in_python
from mlwork.deploy.java import run_in_java, to_java
from mlwork.deploy.javascript import run_in_node, to_javascript
from mlwork.deploy.mobile import to_page
from mlwork.deploy.onnx_graph import run_in_onnxruntime, to_onnx
from mlwork.features import dates, text_features
from mlwork.preprocess import clean_text, clip_outliers, encode, group_rare, impute, scale, standardise_formats
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.train import fit


def table(task, n=400):
    "A table with every kind of column and flaw."
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "size": rng.lognormal(4, 0.5, n).round(1),
            "temp": pd.Series(rng.normal(10, 8, n)).mask(rng.random(n) < 0.15),
            "count": rng.integers(0, 9, n),
            "ok": rng.random(n) < 0.5,
            "town": pd.Series(rng.choice(["Åa", "Bé", "C, c", "rare 1", "rare 2"], n, p=[0.4, 0.3, 0.26, 0.02, 0.02])).mask(
                rng.random(n) < 0.1
            ),
            "level": rng.choice([1, 2, 3], n),
            "when": pd.Series(pd.date_range("2021-03-01", periods=n, freq="31h")).dt.strftime("%d.%m.%Y %H:%M"),
            "note": rng.choice(["Quiet café, sunny", "Größe NICHT klar", "needs WORK 2x", "sunny  side", ""], n),
            "weight": [f"{v:.1f} kg" if rng.random() < 0.7 else f"{v * 2.2046:.2f} lb" for v in rng.normal(15, 3, n)],
        }
    )
    score = frame["size"] / 40 + (frame.town == "Åa") * 1.5 + frame.temp.fillna(10) / 10 + rng.normal(0, 0.7, n)
    cut = {"binary": [0.5], "multiclass": [0.3, 0.6]}.get(task)
    names = np.array(["low", "high", "top"])
    frame["y"] = score - score.min() + 0.1 if cut is None else names[np.searchsorted(score.quantile(cut), score)]
    return frame


@lru_cache
def split_of(task):
    "A split of the table for a task."
    roles = {"level": "ordinal", "count": "numeric", "note": "text", "when": "datetime", "weight": "numeric"}
    return holdout(load(table(task), target="y", roles=roles))


def recipe_for(split, scaler="auto", encoding="auto", gaps="auto"):
    "A recipe with every kind of step that can be exported."
    filled = impute("numeric") if gaps == "auto" else impute("numeric", strategy=gaps, indicator=True)
    steps = [
        standardise_formats("weight", unit="kg"),
        standardise_formats("when"),
        standardise_formats("count", kind="numbers", missing=[7]),
        dates("datetime", parts=("year", "month", "day", "weekday", "hour", "elapsed")),
        clean_text("note"),
        text_features("note", words=8),
        clip_outliers("numeric", method="quantile"),
        group_rare("town", min_share=0.05),
        filled,
        encode(["categorical", "boolean", "ordinal"], method=encoding),
        impute("numeric", strategy="median"),
        scale("numeric", method=scaler),
    ]
    return Recipe(steps, split.train.roles, target="y")


CASES = [
    ("binary", "logistic", {}),
    ("binary", "bayes", {"scaler": "power"}),
    ("binary", "boosting", {"scaler": "quantile"}),
    ("binary", "forest", {"scaler": "robust", "encoding": "target"}),
    ("binary", "svm", {"scaler": "minmax", "encoding": "ordinal", "gaps": "mean"}),
    ("binary", "network", {"encoding": "frequency"}),
    ("binary", "baseline", {}),
    ("binary", GradientBoostingClassifier(n_estimators=20), {"encoding": "onehot", "gaps": "mode"}),
    ("binary", KNeighborsClassifier(5, weights="distance", algorithm="kd_tree"), {"scaler": "standard", "gaps": "median"}),
    ("binary", CalibratedClassifierCV(RandomForestClassifier(20), cv=3, method="isotonic"), {"scaler": "power"}),
    ("multiclass", "logistic", {"scaler": "quantile"}),
    ("multiclass", "boosting", {}),
    ("multiclass", "svm", {"encoding": "target"}),
    ("multiclass", "network", {"scaler": "robust"}),
    ("multiclass", "bayes", {"encoding": "target"}),
    ("multiclass", SVC(), {}),
    ("multiclass", LinearSVC(), {"scaler": "minmax"}),
    ("multiclass", DecisionTreeClassifier(max_depth=5), {"scaler": "power"}),
    ("multiclass", VotingClassifier([("a", LogisticRegression()), ("b", RandomForestClassifier(10))], voting="soft"), {}),
    ("regression", "linear", {"encoding": "ordinal"}),
    ("regression", "ridge", {"scaler": "power", "encoding": "target"}),
    ("regression", "boosting", {"encoding": "frequency"}),
    ("regression", "forest", {"scaler": "quantile"}),
    ("regression", "svm", {}),
    ("regression", "network", {"gaps": "constant"}),
    ("regression", GradientBoostingRegressor(n_estimators=20), {"scaler": "minmax"}),
    ("regression", HistGradientBoostingRegressor(loss="poisson", max_iter=30), {}),
    ("regression", KNeighborsRegressor(5, algorithm="kd_tree"), {}),
    ("regression", ExtraTreesRegressor(10), {"scaler": "robust"}),
    ("regression", VotingRegressor([("a", LinearRegression()), ("b", DecisionTreeRegressor(max_depth=3))]), {}),
]


def made(task, model, options):
    "A fitted model of a case."
    split = split_of(task)
    if options.get("gaps") == "constant":
        recipe = recipe_for(split)
        steps = [impute("numeric", strategy="constant", value=0) if isinstance(s, impute) else s for s in recipe.steps]
        return fit(split, Recipe(steps, split.train.roles, target="y"), model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scikit-learn's, of powers
        return fit(split, recipe_for(split, **options), model)


def _in_onnxruntime(portable, folder, held):
    to_onnx(portable, folder, held, proved=False)
    return run_in_onnxruntime(portable, (folder / "model.onnx").read_bytes())


def _in_node(portable, folder, held):
    to_javascript(portable, folder, held, proved=False)
    return run_in_node(folder)


def _on_a_page(portable, folder, held):
    to_page(portable, folder, held, proved=False)
    return run_in_node(folder)


def _in_c(portable, folder, held):
    to_c(portable, folder, held, proved=False)
    return run_c(folder)


def _in_java(portable, folder, held):
    to_java(portable, folder, held, proved=False)
    return run_in_java(folder)


# {target: (what must be on this machine, function(bundle, folder, held) -> `run` of `certify`)}
TARGETS = {
    "python": (None, lambda portable, folder, held: follow_in_python(portable)),
    "javascript": ("node", _in_node),
    "page": ("node", _on_a_page),
    "c": ("gcc", _in_c),
    "java": ("javac", _in_java),
    "onnx": (None, _in_onnxruntime),
}


def targets_here():
    "The targets that can be tried on this machine; all of them in CI, where nothing may be missing."
    all_must_be_here = bool(os.environ.get("MLWORK_CI"))
    return {name: run for name, (needs, run) in TARGETS.items() if needs is None or all_must_be_here or shutil.which(needs)}
