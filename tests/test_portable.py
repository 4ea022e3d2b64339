"""Exported models: every step and every model, held against scikit-learn on golden rows, in Python and in JavaScript."""

import json
import re
import shutil
import warnings
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
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
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlwork.catalogue import catalogue
from mlwork.collect import load
from mlwork.core import BadInput, NotFound
from mlwork.deploy import bundle, certify, golden_rows, to_javascript
from mlwork.deploy.golden import demand_proof, expected, follow_in_python
from mlwork.deploy.javascript import run_in_node
from mlwork.features import dates, text_features
from mlwork.follow import OPERATIONS, follow_program
from mlwork.lower_steps import LOWERED, PYTHON_ONLY, lower_transformer, lowers
from mlwork.model import with_threshold
from mlwork.portable import READS_TEXT, Program, as_single, moved
from mlwork.preprocess import clean_text, clip_outliers, encode, group_rare, impute, scale, standardise_formats, transformer
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.stages import STEPS, Needs, Scene
from mlwork.train import fit

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no Node on this machine")


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


@pytest.fixture(scope="module")
def splits():
    roles = {"level": "ordinal", "count": "numeric", "note": "text", "when": "datetime", "weight": "numeric"}
    return {task: holdout(load(table(task), target="y", roles=roles)) for task in ("binary", "multiclass", "regression")}


def recipe_for(split, scaler="auto", encoding="auto", gaps="auto"):
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


def made(split, model, options):
    if options.get("gaps") == "constant":
        recipe = recipe_for(split)
        steps = [impute("numeric", strategy="constant", value=0) if isinstance(s, impute) else s for s in recipe.steps]
        return fit(split, Recipe(steps, split.train.roles, target="y"), model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scikit-learn's, of powers
        return fit(split, recipe_for(split, **options), model)


@pytest.mark.parametrize("task, model, options", CASES, ids=lambda v: v if isinstance(v, str) else type(v).__name__)
def test_a_program_answers_as_scikit_learn_does(splits, tmp_path, task, model, options):
    portable = bundle(made(splits[task], model, options))
    rows = golden_rows(portable, mixed=40)
    rows = rows if len(rows) < 260 else rows[:: len(rows) // 200]
    certificate = certify(portable, "python", "follow", follow_in_python(portable), rows)
    assert certificate["proved"], certificate
    assert 0 < certificate["refused"] < 0.3 * len(rows)
    if shutil.which("node"):
        to_javascript(portable, tmp_path, proved=False)
        certificate = certify(portable, "javascript", "Node", run_in_node(tmp_path), rows)
        assert certificate["proved"], certificate


def test_rows_that_are_asked_together_get_what_they_get_alone(splits):
    model = made(splits["binary"], "boosting", {})
    rows = golden_rows(bundle(model), mixed=5)[::9]
    together, alone = expected(model, rows), [expected(model, [row])[0] for row in rows]
    assert together == alone and None in alone


@pytest.mark.parametrize("key", [k for k, s in STEPS.items() if s.__module__.startswith("mlwork.")])
def test_every_step_is_lowered_or_says_why_not(key):
    step, roles = STEPS[key], {"n": "numeric", "c": "categorical", "d": "datetime", "t": "text", "b": "boolean", "o": "ordinal"}
    for model_needs in (Needs(), Needs(complete=False, scaled=False, native_categories=200, known_values=10)):
        scene = Scene(roles, {"o": ["low", "high"]}, model_needs)
        for name, words in step.options.items() or [("", ("",))]:
            for word in words:
                more = {name: word} if name else {}
                more |= {"value": 0} if word == "constant" else {"spellings": {"a": "b"}} if word == "spellings" else {}
                one = step("*", **{k: v for k, v in more.items() if k in {f.name for f in fields(step)}})
                for column in roles:
                    try:
                        entries = replace(one, columns=column).transformers([column], scene)
                    except BadInput:  # not for this kind of column
                        continue
                    for tool, _ in entries:
                        assert tool == "drop" or type(tool) in LOWERED or type(tool).__name__ in PYTHON_ONLY, tool


def test_every_model_of_the_catalogue_is_tried():
    tried = {(task, model) for task, model, _ in CASES if isinstance(model, str)}
    for task in ("binary", "regression"):
        assert not [name for name in catalogue(task) if (task, name) not in tried and name != "baseline"]


def test_what_cannot_be_carried_is_refused_by_name_with_the_way_out(splits):
    split = splits["regression"]
    steps = [s for s in recipe_for(split).steps if not isinstance(s, impute)]
    neighbours = Recipe([*steps[:5], impute("numeric", strategy="neighbours"), *steps[5:]], split.train.roles, target="y")
    with pytest.raises(BadInput, match="KNNImputer.*median"):
        bundle(fit(split, neighbours, "ridge"))
    other = Recipe(
        [*recipe_for(split).steps, transformer("numeric", "sklearn.preprocessing.SplineTransformer")], split.train.roles, target="y"
    )
    with pytest.raises(BadInput, match="SplineTransformer"):
        bundle(fit(split, other, "ridge"))
    with pytest.raises(BadInput, match="kd_tree"):
        bundle(fit(split, recipe_for(split), KNeighborsRegressor(5, algorithm="brute")))


def test_a_threshold_travels_with_the_model(splits):
    model = with_threshold(made(splits["binary"], "logistic", {}), 0.8)
    portable = bundle(model)
    rows = golden_rows(portable, mixed=60)[-60:]
    answers = portable.predict(rows)
    positive = f"p:{model.positive}"
    assert answers["prediction"].eq(model.positive).equals(answers[positive].ge(0.8)) and answers["prediction"].nunique() == 2
    assert answers["prediction"].tolist() == model.predict(pd.DataFrame(rows)).tolist()


def test_a_bundle_is_plain_json_and_always_the_same(splits, tmp_path):
    portable = bundle(made(splits["multiclass"], "logistic", {}))
    spec = json.loads(portable.save(tmp_path / "model.json").read_text(encoding="utf-8"))
    assert spec == portable.spec and spec["format"] == "mlwork portable model" and spec["version"] == 1
    assert bundle(portable.model).sha256 == portable.sha256
    with pytest.raises(BadInput, match="all columns"):
        portable.predict([{"size": 3}])


def test_a_wrong_target_is_found_and_named(splits):
    portable = bundle(made(splits["binary"], "forest", {}))
    right = follow_in_python(portable)

    def wrong(rows):
        return [None if a is None else a | {"scores": [s + 1e-9 for s in a["scores"]]} for a in right(rows)]

    rows = golden_rows(portable, mixed=20)[-20:]
    with pytest.raises(BadInput, match="answer as Python does"):
        demand_proof(certify(portable, "wrong", "", wrong, rows))
    assert not certify(portable, "refuses all", "", lambda rows: [None] * len(rows), rows)["proved"]


@needs_node
def test_javascript_is_proved_or_stamped(splits, tmp_path, monkeypatch):
    portable = bundle(made(splits["binary"], "logistic", {}))
    assert to_javascript(portable, tmp_path / "a")["proved"]
    assert json.loads((tmp_path / "a" / "certificate.json").read_text())["model_sha256"] == portable.sha256
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotFound, match="Node"):
        to_javascript(portable, tmp_path / "b")
    assert to_javascript(portable, tmp_path / "b", proved=False)["stamp"] == "UNPROVED"


def test_thresholds_move_to_the_last_bit():
    rng = np.random.default_rng(0)
    for transform in (as_single, np.cbrt, lambda x: (x - 3.7) / 0.3, lambda x: np.clip(x, -5, 5), np.floor):
        asked = np.concatenate([rng.normal(size=50), [0.0, -0.0, 1e-300, 4.9]])
        there = moved(asked, transform)
        assert (transform(there) <= asked).all() and (transform(np.nextafter(there, np.inf)) > asked).all()
    assert moved(np.array([9.0]), lambda x: np.clip(x, -5, 5)) == np.inf and moved(np.array([-9.0]), lambda x: np.clip(x, -5, 5)) == -np.inf


def test_every_reader_knows_the_same_operations(repository):
    script = (repository / "mlwork" / "templates" / "portable.js").read_text(encoding="utf-8")
    told = (repository / "nbs" / "09p_portable.ipynb").read_text(encoding="utf-8")
    found = set(re.findall(r"^  (\w+)(?:\(|:)", script[script.index("const OPERATIONS") : script.index("const READS_TEXT")], re.MULTILINE))
    assert found == set(OPERATIONS)
    named = re.search(r"READS_TEXT = new Set\(\[(.*?)\]\)", script)[1]
    assert set(re.findall(r"\w+", named)) == set(READS_TEXT)
    assert not [name for name in OPERATIONS if f"`{name}`" not in told]


def test_a_transformer_and_a_model_of_ones_own_are_lowered_where_they_are_registered():
    class Doubler(StandardScaler):
        def transform(self, X, copy=None):
            return 2 * np.asarray(X)

    program, doubler = Program(), Doubler().fit([[1.0], [2.0]])
    (column,) = program.add("cell", [], 1, cell=0, name="n")
    with pytest.raises(BadInput, match="Doubler.*@lowers"):
        lower_transformer(doubler, [column], program)
    lowers(Doubler)(lambda tool, columns, p: p.columnwise("affine", columns, subtract=[0.0], divide=[1.0], multiply=[2.0], add=[0.0]))
    (made,) = lower_transformer(doubler, [column], program)
    assert follow_program(program.ops, [[1.5, None]]).numbers[made.at][0] == 3
    del LOWERED[Doubler]
