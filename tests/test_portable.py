"""Exported models: every step and every model, held against scikit-learn on golden rows, in Python and in JavaScript."""

import json
import re
import subprocess
import warnings
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from needs import needs
from portable_cases import CASES, made, recipe_for, split_of, targets_here
from sklearn.base import is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC

from mlwork.catalogue import catalogue
from mlwork.collect import load
from mlwork.core import BadInput, NotFound
from mlwork.deploy import bundle, certify, golden, golden_rows, to_javascript
from mlwork.deploy.engine import ModelEngine
from mlwork.deploy.golden import demand_proof, expected, follow_in_python, usual_cells
from mlwork.follow import OPERATIONS, follow_program
from mlwork.lower_steps import LOWERED, PYTHON_ONLY, lower_transformer, lowers
from mlwork.model import with_threshold
from mlwork.portable import READS_TEXT, Program, as_single, moved
from mlwork.preprocess import encode, impute, scale, standardise_formats, transformer
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.stages import STEPS, Needs, Scene
from mlwork.train import fit


@pytest.mark.parametrize("task, model, options", CASES, ids=lambda v: v if isinstance(v, str) else type(v).__name__)
def test_a_program_answers_as_scikit_learn_does(tmp_path, task, model, options):
    portable = bundle(made(task, model, options))
    rows = golden_rows(portable, mixed=40)
    held = golden(portable, rows if len(rows) < 260 else rows[:: len(rows) // 200])
    assert 0 < sum(a is None for a in held.answers) < 0.3 * len(held.rows)
    for name, target in targets_here().items():
        certificate = certify(portable, name, "", target(portable, tmp_path / name, held), held)
        assert certificate["proved"], certificate


def test_rows_that_are_asked_together_get_what_they_get_alone():
    model = made("binary", "boosting", {})
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


def test_what_cannot_be_carried_is_refused_by_name_with_the_way_out():
    split = split_of("regression")
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


FAR = [
    GaussianNB(),
    LogisticRegression(),
    LinearSVC(),
    SVC(kernel="poly"),
    Ridge(),
    SVR(kernel="poly"),
    MLPRegressor(hidden_layer_sizes=(4,)),
]


@pytest.mark.parametrize(
    "model, classes", [*((m, 3) for m in FAR), (FAR[0], 2), (FAR[3], 2)], ids=lambda v: v if isinstance(v, int) else type(v).__name__
)
def test_what_floats_cannot_hold_is_refused_everywhere(tmp_path, model, classes):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"small": rng.normal(size=90) * 1e-12, "large": rng.normal(size=90) * 1e6, "z": rng.normal(size=90)})
    far = frame["small"] * 1e12 + frame["z"]
    numbers = is_regressor(model)
    frame["y"] = far if numbers else np.array(list("abc"))[np.searchsorted(far.quantile([0.3, 0.6][: classes - 1]), far)]
    split = holdout(load(frame, target="y", roles=dict.fromkeys(["small", "large", "z"], "numeric")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        portable = bundle(fit(split, Recipe([scale("numeric")], split.train.roles, target="y"), model))
    rows = golden_rows(portable, mixed=20)
    rows += [row | {"z": z, "large": z} for row in rows[:2] for z in (1e150, -1e150, 1e300, -1e300, 1.7e308, -1.7e308)]
    held = golden(portable, rows)
    for name, target in targets_here().items():
        certificate = certify(portable, name, "", target(portable, tmp_path / name, held), held)
        assert certificate["proved"], certificate
    answers = ModelEngine(portable.model).predict_table(pd.DataFrame(rows[-12:]))
    assert answers["refused"].tolist() == [a is None for a in held.answers[-12:]]
    json.loads(held.to_json(), parse_constant=pytest.fail)  # nothing that JSON cannot hold


def test_a_threshold_travels_with_the_model():
    model = with_threshold(made("binary", "logistic", {}), 0.8)
    portable = bundle(model)
    rows = golden_rows(portable, mixed=60)[-60:]
    answers = portable.predict(rows)
    positive = f"p:{model.positive}"
    assert answers["prediction"].eq(model.positive).equals(answers[positive].ge(0.8)) and answers["prediction"].nunique() == 2
    assert answers["prediction"].tolist() == model.predict(pd.DataFrame(rows)).tolist()


def test_a_bundle_is_plain_json_and_always_the_same(tmp_path):
    portable = bundle(made("multiclass", "logistic", {}))
    spec = json.loads(portable.save(tmp_path / "model.json").read_text(encoding="utf-8"))
    assert spec == portable.spec and spec["format"] == "mlwork portable model" and spec["version"] == 1
    assert bundle(portable.model).sha256 == portable.sha256
    with pytest.raises(BadInput, match="all columns"):
        portable.predict([{"size": 3}])


def test_a_wrong_target_is_found_and_named():
    portable = bundle(made("binary", "forest", {}))
    right = follow_in_python(portable)

    def wrong(rows):
        return [None if a is None else a | {"scores": [s + 1e-9 for s in a["scores"]]} for a in right(rows)]

    held = golden(portable, golden_rows(portable, mixed=20)[-20:])
    with pytest.raises(BadInput, match="answer as Python does"):
        demand_proof(certify(portable, "wrong", "", wrong, held))
    assert not certify(portable, "refuses all", "", lambda rows: [None] * len(rows), held)["proved"]


@needs("node")
def test_javascript_is_proved_or_stamped(tmp_path, monkeypatch):
    portable = bundle(made("binary", "logistic", {}))
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


def test_neighbours_equally_near_are_ties_and_left_out_of_the_proof():
    frame = pd.DataFrame({"x": np.repeat(np.arange(12.0), 4), "z": np.tile([0.0, 1.0], 24)})
    split = holdout(load(frame.assign(y=np.arange(48.0) % 7), target="y", roles={"x": "numeric", "z": "numeric"}))
    portable = bundle(fit(split, Recipe([], split.train.roles, target="y"), KNeighborsRegressor(3, algorithm="kd_tree")))
    rows = [{"x": 0.5 + i, "z": 0.5} for i in range(9)] + [{"x": 0.1 + 0.93 * i, "z": 0.2} for i in range(9)]
    rows += [{"x": 1e300, "z": 0.5}]  # infinitely far from all of them
    held = golden(portable, rows)
    assert held.ties == 10 + sum(portable.predict(rows[9:-1])["tied"]) < len(rows)
    certificate = certify(portable, "python", "", follow_in_python(portable), held)
    assert certificate["proved"] and certificate["ties"] == held.ties
    with pytest.raises(BadInput, match="ties between neighbours alone"):  # what nothing is left of must not count as proved
        golden(portable, rows[:9])


def comma_model(folder):
    "A model of a file with a column of text that is written as in German: 3.771,0."
    rng = np.random.default_rng(0)
    size, town = rng.choice(np.linspace(200, 9000, 120).round(1), 300), rng.choice(["Köln", "Ulm"], 300)
    written = [f"{v:,.1f}".translate(str.maketrans(",.", ".,")) for v in size]
    frame = pd.DataFrame({"Größe": written, "Ort": town, "preis": (size * 2 + 50 * (town == "Ulm") + rng.normal(0, 20, 300)).round(2)})
    frame.to_csv(folder / "anlagen.csv", sep=";", decimal=",", index=False)
    split = holdout(load(folder / "anlagen.csv", target="preis", roles={"Größe": "numeric"}))
    steps = [standardise_formats("Größe", decimal=","), impute("numeric"), encode("categorical"), scale("numeric")]
    return fit(split, Recipe(steps, split.train.roles, target="preis"), Ridge())


def test_a_number_for_a_text_with_a_decimal_comma_is_that_number(tmp_path):
    model = comma_model(tmp_path)
    portable = bundle(model)
    assert portable.columns[0]["decimal"] == "," and portable.columns[0]["kind"] == "text"
    pairs = [
        (3771.5, "3.771,5"),
        (3.771, "3,771"),
        (300.125, "300,125"),
        (7000, "7.000"),
        (7000.5, "7000,5"),
        (-0.25, "-0,25"),
        (2.5e20, "2,5e20"),
    ]
    rows, texts = ([{"Größe": pair[i], "Ort": "Ulm"} for pair in pairs] for i in (0, 1))
    wanted = expected(model, texts)
    assert expected(model, rows) == wanted and len({a["prediction"] for a in wanted}) == len(pairs)
    mixed = pd.DataFrame(rows + texts, dtype=object)
    assert model.predict(mixed).tolist() == [a["prediction"] for a in wanted] * 2
    held = golden(portable, rows + texts)
    for name, target in targets_here().items():
        certificate = certify(portable, name, "", target(portable, tmp_path / name, held), held)
        assert certificate["proved"], certificate


def test_usual_cells_are_written_as_the_column_has_them(tmp_path):
    model = comma_model(tmp_path)
    usual = [cell for cell in usual_cells(model, bundle(model).columns[0]) if re.search(r"\d[.,]\d", cell)]
    assert usual and not [cell for cell in usual if "." in cell]


@pytest.mark.parametrize("odd", [[1], {}, {"a": 1}])
def test_what_is_no_cell_is_refused_and_spoils_no_other_row(tmp_path, odd):
    portable = bundle(made("binary", "logistic", {}))
    row = golden_rows(portable, mixed=0)[0]
    run, (right,) = follow_in_python(portable), follow_in_python(portable)([row])
    for name in (c["name"] for c in portable.columns):
        assert run([row | {name: odd}, row]) == [None, right], name


@needs("node")
def test_javascript_takes_only_what_json_has(tmp_path):
    portable = bundle(made("binary", "boosting", {}))
    to_javascript(portable, tmp_path, proved=False)
    row = {c["name"]: None for c in portable.columns}
    script = """
      import { portable } from "./portable.js"; import { readFileSync } from "node:fs";
      const model = portable(JSON.parse(readFileSync("model.json", "utf8"))), row = ROW;
      for (const odd of [{}, [1], new Date(), () => 1, 10n, Symbol("a")]) for (const name of Object.keys(row))
        try { model.predict({ ...row, [name]: odd }); console.log("taken", name, String(odd)); } catch (e) { if (!(e instanceof RangeError)) console.log(String(e)); }
      for (const none of [null, undefined, 3]) try { model.predict(none); console.log("taken"); } catch (e) { if (!(e instanceof RangeError)) console.log(String(e)); }
      console.log(model.predict(row).prediction);
    """.replace("ROW", json.dumps(row))
    (tmp_path / "odd.mjs").write_text(script, encoding="utf-8")
    done = subprocess.run(["node", "odd.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(expected(portable.model, [row])[0]["prediction"])]
