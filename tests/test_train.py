"""Fitting, the contract that a table must keep, and learning curves."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import mlwork.preprocess as P
from mlwork.collect import load
from mlwork.contract import check_table, family, match_names, to_trained_type
from mlwork.core import BadInput, BadType
from mlwork.explore import profile
from mlwork.learning import gap_findings, guess_score, learning_curve, skill
from mlwork.metrics import Interval
from mlwork.recipe import Recipe
from mlwork.select import compare_models
from mlwork.split import holdout
from mlwork.train import fit, fold_predictions

N = 240


def table(task="binary", rows=N, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    frame = pd.DataFrame({"x": x, "count": rng.integers(0, 9, rows), "city": rng.choice(["Aa", "Bb", "Cc"], rows)})
    frame["pets"], frame["group"] = rng.choice(["yes", "no"], rows), rng.integers(0, rows // 4, rows).astype(str)
    noisy = x + rng.normal(0, 0.7, rows)
    labels = {"binary": ["no", "yes"], "multiclass": ["low", "mid", "high"]}
    frame["y"] = noisy if task == "regression" else np.array(labels[task])[pd.qcut(noisy, len(labels[task]), labels=False)]
    return frame


def split_of(task="binary", rows=N, **options):
    roles = {"x": "numeric", "count": "numeric", "city": "categorical", "pets": "boolean", "group": "id"}
    return holdout(load(table(task, rows), "y", task=task, roles=roles), **options)


NAME = {"binary": "logistic", "multiclass": "logistic", "regression": "ridge"}


# --- fit ----------------------------------------------------------------------------------------------------------------------------


def test_rows_are_dropped_by_what_their_own_fold_knows():
    "A bound learned from all training rows would have seen the rows that the fold is scored on."
    split = split_of("regression")
    recipe = Recipe.of(split.train).add(P.drop_outliers("x", width=0.5)).add(P.drop(["city", "pets"]))
    X, y = split.train.frame[recipe.features], split.train.y
    pipeline, by_hand, differ = recipe.pipeline(LinearRegression()), {}, 0
    for train, valid in split.first_folds:
        kept = train[recipe.training_rows(X.iloc[train])]
        differ += set(kept) != set(train[recipe.training_rows(X)[train]])
        by_hand |= dict(zip(X.index[valid], clone(pipeline).fit(X.iloc[kept], y.iloc[kept]).predict(X.iloc[valid]), strict=True))
    expected = pd.Series(by_hand).loc[X.index].to_numpy()
    assert differ
    np.testing.assert_allclose(fold_predictions(split, recipe, pipeline)["prediction"], expected)
    np.testing.assert_allclose(compare_models(split, recipe, {"ols": LinearRegression()}).oof["ols"]["prediction"], expected)


def test_a_column_may_be_empty_in_one_fold():
    frame = table("binary")
    split = holdout(load(frame, "y"))
    train, valid = split.first_folds[0]
    rare = pd.Series(np.nan, frame.index)
    rare[split.train.frame.index[valid[:12]]] = 1.0
    split = holdout(load(frame.assign(rare=rare), "y"))
    assert split.train.frame["rare"].iloc[train].isna().all()
    board = compare_models(split, None, ["baseline", "boosting", "forest", "logistic"])
    assert board.errors == {}


@pytest.mark.parametrize("task", NAME)
@pytest.mark.parametrize("model", ["baseline", "boosting", "forest", None])
def test_fit_uses_all_training_rows_and_writes_its_papers(task, model):
    split = split_of(task)
    made = fit(split, model=model or NAME[task])
    assert made.provenance["rows"] == len(split.train) and made.provenance["split_identity"] == split.identity
    assert made.provenance["data_sha256"] == split.train.certificate.sha256
    assert set(made.provenance["versions"]) == {"python", "mlwork", "scikit-learn", "pandas", "numpy"}
    assert made.classes == split.train.classes and made.positive == split.train.positive
    assert made.predict(split.train).index.equals(split.train.frame.index)


def test_the_same_seed_gives_the_same_model_and_the_split_is_left_alone():
    split = split_of()
    before = split.train.frame.copy()
    a, b = (fit(split, model="forest", seed=3).predict_proba(split.train) for _ in range(2))
    assert a.equals(b) and split.train.frame.equals(before)


def test_a_given_estimator_is_cloned():
    estimator = LogisticRegression(C=0.01)
    made = fit(split_of(), model=estimator)
    assert made.pipeline[-1].C == 0.01 and not hasattr(estimator, "coef_")


@pytest.mark.parametrize("given", [table(), load(table(), "y"), None, "split"])
def test_only_a_split_is_trained_on(given):
    with pytest.raises(BadType, match="split = holdout"):
        fit(given)


def test_rows_dropped_for_training_are_still_predicted():
    frame = table()
    frame.loc[::10, "x"] = np.nan
    split = holdout(load(frame, "y", roles={"x": "numeric", "group": "id"}))
    recipe = Recipe.of(split.train)
    for step in (P.standardise_formats("pets", kind="booleans"), P.drop_missing(["x"]), P.encode("categorical"), P.scale("numeric")):
        recipe = recipe.add(step)
    made = fit(split, recipe, "logistic")
    assert made.provenance["rows"] == split.train.frame["x"].notna().sum() < len(split.train)
    assert fold_predictions(split, recipe, made.pipeline).index.equals(split.train.frame.index)


def test_what_a_recipe_drops_may_be_missing_later():
    frame = table().assign(leak=lambda d: np.where(d.y == "yes", 1.0, 2.0))
    split = holdout(load(frame, "y", roles={"x": "numeric", "leak": "numeric", "group": "id"}))
    recipe = Recipe.suggest(profile(split))
    assert "leak" in {c for s in recipe.steps if isinstance(s, P.drop) for c in ([s.columns] if isinstance(s.columns, str) else s.columns)}
    made = fit(split, recipe, "logistic")
    assert made.unused == ["leak"]
    assert made.predict(frame.drop(columns="leak")).equals(made.predict(frame))
    with pytest.raises(BadInput, match="'x'"):
        made.predict(frame.drop(columns="x"))


# --- the contract ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return fit(split_of(), model="logistic")


NEW = table(rows=40, seed=5).drop(columns=["y", "group"])


def codes(findings):
    return sorted({f.code[-3:] for f in findings})


def test_order_of_columns_and_labels_of_rows(model):
    shuffled = NEW.set_index(pd.Index(range(1000, 1040), name="flat"))[["pets", "city", "count", "x"]]
    found = model.predict(shuffled)
    assert found.index.equals(shuffled.index) and found.to_list() == model.predict(NEW).to_list() and found.name == "y"
    assert model.check(NEW) == []


CHANGES = {
    "numbers as text": (lambda d: d.assign(x=d.x.astype(str)), ["T06"]),
    "whole numbers as floats": (lambda d: d.assign(count=d["count"].astype(float)), []),
    "nullable types": (lambda d: d.assign(count=d["count"].astype("Int64"), city=d.city.astype("category")), []),
    "truths for yes and no": (lambda d: d.assign(pets=d.pets == "yes"), ["T06"]),
    "objects": (lambda d: d.astype({"city": object, "pets": object}), []),
    "spaces around numbers": (lambda d: d.assign(x=" " + d.x.astype(str) + " "), ["T06"]),
    "extra columns": (lambda d: d.assign(colour="red"), ["T04"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_can_be_read_is_read(model, change):
    make, expected = CHANGES[change]
    assert codes(model.check(make(NEW))) == expected
    assert np.allclose(model.predict_proba(make(NEW)), model.predict_proba(NEW))


TROUBLE = {
    "missing": (lambda d: d.drop(columns="x"), "no column 'x'"),
    "renamed": (lambda d: d.rename(columns={"city": "City "}), "rename"),
    "misspelt": (lambda d: d.rename(columns={"count": "counts"}), "'counts'"),
    "retyped": (lambda d: d.assign(x="many"), "'many' in row 0"),
    "dates for numbers": (lambda d: d.assign(x=pd.Timestamp("2025-01-01")), "no number"),
    "twice": (lambda d: pd.concat([d, d[["x"]]], axis=1), "more than once"),
    "empty": (lambda d: d.iloc[:0], "0 rows"),
    "no columns": (lambda d: d[[]], "no column"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_what_cannot_be_read_stops_in_one_line(model, trouble):
    make, words = TROUBLE[trouble]
    with pytest.raises(BadInput) as e:
        model.predict(make(NEW))
    assert words in str(e.value) and "\n" not in str(e.value)
    assert model.check(make(NEW)).at_least("critical")


@pytest.mark.parametrize("given", [{"x": 1}, [1, 2], np.zeros((2, 4)), NEW.iloc[0], "file.csv", None])
def test_other_things_than_tables_are_refused(model, given):
    with pytest.raises(BadType, match="DataFrame or a Dataset"):
        model.predict(given)


def test_new_levels_and_ranges_are_counted(model):
    strange = NEW.assign(city=["Zz"] * 3 + ["Aa"] * 37, x=[1e6] * 2 + [0.0] * 38)
    found = {f.code[-3:]: f.seen for f in model.check(strange)}
    assert "3 of 40 values in 1 unknown levels" in found["T07"] and "2 of 40 values outside" in found["T08"]
    assert len(model.predict(strange)) == 40


def test_a_file_read_as_text_is_told_once(model):
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 8)), columns=list("abcdefgh"))
    found = check_table(profile(load(wide)), wide.astype(str)).findings
    assert codes(found) == ["T06"] and len(found) == 1 and len(found[0].columns) == 8


def test_all_missing_columns_pass_as_missing(model):
    assert len(model.predict(NEW.assign(city=None, x=np.nan))) == 40


def test_renamed_columns_are_paired_one_to_one():
    assert match_names(["a_b", "area"], ["A B", "Area"]) == {"A B": "a_b", "Area": "area"}
    assert match_names(["price"], ["colour"]) == {} and match_names([], ["x"]) == {}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.floats(allow_nan=True), st.integers(), st.text(max_size=5), st.booleans(), st.none()), min_size=1, max_size=6),
    st.sampled_from(["int64", "float64", "str", "bool", "datetime64[us]"]),
    st.sampled_from(["numeric", "categorical", "boolean", "datetime"]),
)
def test_any_column_is_carried_or_refused(values, dtype, role):
    column = pd.Series(values, name="c", dtype=object).infer_objects()
    entry = {"dtype": dtype, "role": role, "levels": [["yes", 3], ["no", 2]], "other": 0}
    carried, found = to_trained_type(column, entry)
    assert len(carried) == len(column) and carried.index.equals(column.index)
    if not found.at_least("critical") and carried.notna().any():
        assert family(carried.dtype) == family(dtype) or (family(dtype) == "boolean" and carried.dtype == "float64")


# --- learning -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", NAME)
def test_a_learning_curve_for_every_task(task):
    curve = learning_curve(split_of(task), model=NAME[task], shares=(0.5, 1.0))
    points = curve.table()
    assert list(points["rows"].unique()) == sorted(points["rows"].unique()) and len(points) == 4
    assert (points.low <= points.value).all() and (points.value <= points.high).all() and (points.low < points.high).all()
    assert "<svg" in curve._repr_html_()


def test_groups_stay_whole_and_sizes_nest():
    from mlwork.learning import _nested

    groups = np.repeat(np.arange(20), 5)
    parts = _nested(np.arange(100), groups, np.zeros(100), [0.3, 0.6, 1.0], np.random.default_rng(0))
    assert [len(p) for p in parts] == [30, 60, 100] and set(parts[0]) <= set(parts[1])
    assert all((np.bincount(groups[p]) % 5 == 0).all() for p in parts)


@pytest.mark.parametrize("task, tree", [("binary", DecisionTreeClassifier), ("regression", DecisionTreeRegressor)])
def test_a_deep_tree_overfits_and_a_linear_model_does_not(task, tree):
    deep = learning_curve(split_of(task, 600), model=tree(random_state=0), shares=(1.0,))
    assert [f.code for f in deep.findings if f.code == "MLW-T10"]
    calm = learning_curve(split_of(task, 600), model=NAME[task], shares=(1.0,))
    assert not calm.findings.at_least("warning")


def test_noise_is_underfitted():
    frame = table(rows=600)
    frame["y"] = np.random.default_rng(1).permutation(frame["y"])
    noise = learning_curve(holdout(load(frame[["x", "y"]], "y")), model="logistic", shares=(1.0,))
    assert [f.code for f in noise.findings] == ["MLW-T11"]


def test_too_few_rows_for_a_curve():
    with pytest.raises(BadInput, match="30 rows"):
        learning_curve(split_of(rows=40), model="logistic", shares=(0.2,))


def test_skill_lies_between_guess_and_perfection():
    assert skill(0.5, 0.5, "roc_auc") == 0 and skill(1, 0.5, "roc_auc") == 1 and skill(0.3, 0.5, "roc_auc") < 0
    assert skill(0, 2, "rmse") == 1 and skill(2, 2, "rmse") == 0 and skill(0.1, 0.4, "log_loss") == pytest.approx(0.75)
    y = pd.Series([1.0, 3.0])
    assert guess_score(y, "regression", "rmse") == pytest.approx(1.0) and guess_score(y, "regression", "r2") == pytest.approx(0.0)


@pytest.mark.parametrize(
    "train, valid, expected",
    [((0.9, 0.88), (0.88, 0.85), []), ((1.0, 0.99), (0.6, 0.55), ["warning"]), ((0.95, 0.94), (0.8, 0.77), ["info"])],
)
def test_a_gap_is_judged_by_the_skill_that_holds(train, valid, expected):
    parts = [Interval(v, low, min(2 * v - low, 1.0), 500, "") for v, low in (train, valid)]
    assert [f.severity for f in gap_findings(*parts, 0.5, "roc_auc")] == expected
