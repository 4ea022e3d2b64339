"""A recipe in all its forms: pipeline, code, JSON, plain scikit-learn; and on every kind of column."""

import json
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.naive_bayes import GaussianNB

from mlwork.collect import load
from mlwork.core import BadInput, BadType, MlworkError, NotFound
from mlwork.explore import profile
from mlwork.features import dates, text_features
from mlwork.model import TRUSTED_TYPES
from mlwork.preprocess import (
    clean_text,
    clip_outliers,
    drop,
    drop_missing,
    drop_outliers,
    encode,
    group_rare,
    impute,
    scale,
    standardise_formats,
    transformer,
)
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.stages import STEPS, Needs, Step, choose, fit_step, make_stages, needs

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ROLES = {
    "rooms": "numeric",
    "floor": "numeric",
    "area": "numeric",
    "let": "target",
    "furnished": "boolean",
    "city": "categorical",
    "Straße": "categorical",
    "condition": "ordinal",
    "listed on": "datetime",
    "note": "text",
    "key": "id",
}
ORDERS = {"condition": ["poor", "fair", "good"]}
EMPTY = Recipe((), ROLES, ORDERS, "let")


def flats(n=80, seed=0):
    "A small messy table."
    rng = np.random.default_rng(seed)
    pick = lambda *values: pd.Series(rng.choice(np.array(values, object), n))  # noqa: E731
    frame = pd.DataFrame(
        {
            "rooms": pick(1, 2, 3, 4, np.nan).astype(float),
            "floor": pick(0, 1, 2, 3, 99).astype("int64"),
            "area": pick("40 m²", "85 m²", "914 sq ft", "120", None).astype("str"),
            "furnished": pick("yes", "no", None).astype("str"),
            "city": pick("Åsholm", "Port Émile", "PORT ÉMILE", "Quellfurt", None).astype("str"),
            "Straße": pick(*(f"Weg {i}" for i in range(12))).astype("str"),
            "condition": pick("poor", "fair", "good", "unheard of", None).astype("str"),
            "listed on": pick("2025-01-31", "1.2.2025", "3 Mar 2025", "soon").astype("str"),
            "note": pick("quiet and sunny", "sunny, near the park", "quiet park", None).astype("str"),
            "key": pd.Series([f"K{i}" for i in range(n)], dtype="str"),
        }
    )
    frame["let"] = np.where(frame["rooms"].fillna(2) + rng.normal(size=n) > 2.5, "yes", "no")
    return frame


FRAME = flats()
Y = FRAME["let"].to_numpy()
READ = (
    standardise_formats("area", unit="m²"),
    standardise_formats("furnished"),
    standardise_formats("city", spellings={"PORT ÉMILE": "Port Émile"}),
)
FULL = EMPTY
for made in (*READ, dates(), text_features(), group_rare("Straße", 0.05), encode(["categorical", "ordinal"]), impute(), scale()):
    FULL = FULL.add(made)
MODELS = (
    LogisticRegression(max_iter=500),
    HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5),
    RandomForestClassifier(5, random_state=0),
    GaussianNB(),
    CalibratedClassifierCV(HistGradientBoostingClassifier(max_iter=5), cv=2),
)
by_name = pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)


def run(code):
    "Run source on its own; gives its names."
    scope = {}
    exec(compile(code, "written", "exec"), scope)
    return scope


def fitted_frames(recipe, frame=FRAME, y=Y):
    return recipe.pipeline().fit(frame, y).transform(frame)


# --- round trips --------------------------------------------------------------------------------------------------------------

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
numbers = st.floats(0.01, 0.4)
names = st.sampled_from([c for c, r in ROLES.items() if r not in ("target", "id")])
columns = st.one_of(names, st.sampled_from(["numeric", "categorical", "*", "f*"]), st.lists(names, min_size=1, max_size=4))
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | words, lambda inner: st.lists(inner, max_size=3), max_leaves=4
)


def of(step, columns=columns, **options):
    "Steps of one kind with drawn parameters and a drawn reason."
    return st.builds(lambda **drawn: step(**drawn), columns=columns, reason=st.text(max_size=12), **options)


any_step = st.one_of(
    of(standardise_formats, kind=st.sampled_from(["auto", "numbers", "dates", "booleans"]), unit=st.none() | words, dayfirst=st.booleans()),
    of(standardise_formats, kind=st.just("numbers"), missing=st.lists(st.integers(-1, 999), max_size=3)),
    of(standardise_formats, spellings=st.dictionaries(words, words, min_size=1, max_size=3)),
    of(impute, strategy=st.sampled_from(["auto", "mean", "median", "mode", "neighbours", "iterative"]), neighbours=st.integers(1, 9)),
    of(impute, strategy=st.just("constant"), value=st.integers() | numbers | words, indicator=st.none() | st.booleans()),
    of(clip_outliers, method=st.sampled_from(["iqr", "zscore", "quantile"]), width=st.none() | numbers),
    of(scale, method=st.sampled_from(["auto", "standard", "minmax", "robust", "power", "quantile"]), seed=st.integers(0, 9)),
    of(encode, method=st.sampled_from(["auto", "onehot", "ordinal", "target", "frequency"]), levels=st.integers(2, 99)),
    of(group_rare, min_share=numbers, other=words),
    of(clean_text),
    of(drop),
    of(dates, parts=st.lists(st.sampled_from(["year", "month", "elapsed"]), min_size=1, max_size=3)),
    of(text_features, words=st.integers(1, 99)),
    of(transformer, path=st.just("sklearn.preprocessing.KBinsDiscretizer"), params=st.dictionaries(st.just("n_bins"), plain)),
)
row_step = st.one_of(of(drop_missing, new_rows=st.sampled_from(["impute", "refuse"])), of(drop_outliers, width=st.none() | numbers))
recipes = st.builds(
    lambda first, rest, roles, orders, target: Recipe([*first, *rest], roles, orders, target),
    st.lists(row_step, max_size=2),
    st.lists(any_step, max_size=5),
    st.just({}),
    st.dictionaries(words, st.lists(words | st.integers(), max_size=3), max_size=2),
    st.none() | words,
)


@quick
@given(recipes)
def test_json_gives_an_equal_recipe(recipe):
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe and again.reasons == recipe.reasons
    assert json.loads(recipe.to_json())["format"] == 1


@quick
@given(recipes)
def test_code_gives_an_equal_recipe(recipe):
    assert run(recipe.code())["recipe"] == recipe


@quick
@given(st.dictionaries(words, st.sampled_from(["numeric", "categorical", "text", "target"]), max_size=5))
def test_any_column_name_survives(roles):
    recipe = Recipe([scale(list(roles))] if roles else [], roles)
    assert Recipe.from_json(recipe.to_json()) == recipe == run(recipe.code())["recipe"]
    assert all(choose(name, roles) == [name] for name in roles)


ROWS = (drop_missing("rooms"), drop_outliers("floor"), drop_missing(["city", "area"]))
EARLY = (
    clip_outliers("floor", "quantile"),
    impute("rooms", "mean", indicator=True),
    impute(["rooms", "area"], "neighbours"),
    impute(["rooms", "area", "floor"], "iterative"),
    scale("area", "robust"),
    transformer("floor", "sklearn.preprocessing.KBinsDiscretizer", {"n_bins": 2, "encode": "ordinal"}),
)
LATE = (
    group_rare("Straße", 0.05),
    encode("Straße", "target"),
    encode("condition", "ordinal"),
    encode("city", "onehot", levels=3),
    scale("listed on_month", "minmax"),
    text_features("note", words=4),
    impute("numeric", "median"),
    scale("numeric", "power"),
)


def some_of(pool):
    "Some steps of a pool, in its order."
    return st.sets(st.integers(0, len(pool) - 1), max_size=3).map(lambda chosen: [pool[i] for i in sorted(chosen)])


good_recipes = st.builds(
    lambda rows, early, late: Recipe([*READ, *rows, *early, dates(), *late], ROLES, ORDERS, "let"),
    some_of(ROWS),
    some_of(EARLY),
    some_of(LATE),
)
tidy = (text_features(), encode(["categorical", "ordinal", "boolean"]), impute("numeric"), scale("numeric"))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(good_recipes)
def test_plain_scikit_learn_transforms_like_the_pipeline(recipe):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eighty rows are few for a quantile of a hundred
        scope, kept = run(recipe.sklearn_code()), recipe.training_rows(FRAME)
        assert kept.all() == ("keep_rows" not in scope) or recipe.row_steps
        if recipe.row_steps:
            np.testing.assert_array_equal(scope["keep_rows"](FRAME), kept)
        assume(kept.sum() > 20)
        ours, plain = recipe.pipeline().fit(FRAME[kept], Y[kept]), scope["pipeline"].fit(FRAME[kept], Y[kept])
        pd.testing.assert_frame_equal(plain.transform(FRAME), ours.transform(FRAME))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(good_recipes, st.sampled_from(MODELS))
def test_plain_scikit_learn_predicts_like_the_pipeline(recipe, model):
    for step in tidy:
        recipe = recipe.add(step)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = run(recipe.sklearn_code(model))["pipeline"].fit(FRAME, Y)
        ours = recipe.pipeline(model).fit(FRAME, Y)
    np.testing.assert_array_equal(plain.predict_proba(FRAME), ours.predict_proba(FRAME))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(good_recipes)
def test_stages_give_what_the_steps_give_one_after_the_other(recipe):
    assume(not any(isinstance(s, impute) and s.indicator for s in recipe.steps))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = FRAME[recipe.features]
        for step, columns, scene in list(recipe.walk(Needs()))[:-1]:
            _, frame = fit_step(step, columns, scene, frame, Y)
        together = recipe.pipeline().fit_transform(FRAME, Y)
    assert sorted(together) == sorted(frame)
    pd.testing.assert_frame_equal(together[list(frame)], frame, check_dtype=False)


@by_name
def test_the_script_runs_alone(model, tmp_path):
    script = tmp_path / "plain.py"
    script.write_text(FULL.sklearn_code(model), encoding="utf-8")
    FRAME.to_json(tmp_path / "flats.json", orient="table", index=False)
    lines = "frame = pd.read_json('flats.json', orient='table')\nassert not [m for m in sys.modules if m.startswith('mlwork')]\n"
    lines += "print(pipeline.fit(frame, frame['let']).predict(frame)[:5].tolist())"
    script.write_text(script.read_text(encoding="utf-8") + f"\nimport sys\n{lines}\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "-W", "error", str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-1500:]
    ours = FULL.pipeline(model).fit(FRAME, Y).predict(FRAME)[:5].tolist()
    assert done.stdout.strip() == str(ours)


# --- stages -------------------------------------------------------------------------------------------------------------------


def test_steps_with_one_history_share_one_stage():
    assert len(make_stages(list(FULL.walk(Needs())))) == 1
    entries = FULL.pipeline(LogisticRegression())[0].transformers
    assert len(entries) < len(FULL.features) + 2
    one = EMPTY.with_roles(**dict.fromkeys(["area", "furnished", "city", "Straße", "condition", "listed on", "note"], "ignored"))
    two = one.add(impute("rooms", "median")).add(impute("floor", "median")).add(scale("numeric"))
    assert [len(c) for _, _, c in two.pipeline()[0].transformers] == [1, 1]


def test_a_part_of_a_date_can_be_chosen_alone():
    recipe = Recipe((dates(), scale("listed on_month"), drop("listed on_weekday")), {"listed on": "datetime", "rooms": "numeric"})
    assert len(recipe.pipeline().steps) == 2
    out = fitted_frames(recipe)
    assert sorted(out) == ["listed on_elapsed", "listed on_month", "rooms"]
    assert abs(out["listed on_month"].mean()) < 1e-12 and out["listed on_elapsed"].max() > 9000


def test_neighbours_look_at_columns_of_different_histories():
    recipe = Recipe((READ[0], impute(["area", "rooms"], "neighbours")), {"area": "numeric", "rooms": "numeric", "floor": "numeric"})
    assert len(recipe.pipeline().steps) == 2 and not fitted_frames(recipe)[["area", "rooms"]].isna().any(axis=None)


def test_what_a_model_needs():
    boosting = HistGradientBoostingClassifier()
    assert needs(None) == Needs() and needs(LogisticRegression()) == Needs(True, True, 0, False)
    assert needs(boosting) == Needs(False, False, 255, False, 10) and needs(HistGradientBoostingRegressor()).regression
    for wrapped in (CalibratedClassifierCV(boosting), FixedThresholdClassifier(boosting), GridSearchCV(boosting, {})):
        assert needs(wrapped) == needs(boosting)
    assert needs(HistGradientBoostingClassifier(max_bins=20)).native_categories == 20
    assert needs(HistGradientBoostingClassifier(categorical_features=None)).native_categories == 0
    assert needs(StackingClassifier([("a", LogisticRegression())])).scaled
    assert not needs(RandomForestClassifier()).complete and needs(GaussianNB()).complete


@by_name
def test_every_model_fits_and_predicts_one_row(model):
    pipeline = FULL.pipeline(model).fit(FRAME, Y)
    together = pipeline.predict_proba(FRAME)
    alone = np.vstack([pipeline.predict_proba(FRAME.iloc[[i]]) for i in range(5)])
    np.testing.assert_allclose(alone, together[:5], rtol=1e-12)
    assert "categorical_features" not in str(model) and pickle.loads(pickle.dumps(pipeline)).predict(FRAME).shape == (80,)


def test_many_levels_fit_into_few_bins():
    frame = pd.DataFrame({"c": [f"level {i}" for i in range(600)] * 2, "y": np.arange(1200) % 2})
    recipe = Recipe((encode("c"),), {"c": "categorical"})
    for bins in (255, 20, 3):
        model = HistGradientBoostingClassifier(max_bins=bins, max_iter=2)
        assert recipe.pipeline(model).fit(frame, frame["y"]).predict(frame).shape == (1200,)
    assert fitted_frames(recipe, frame, frame["y"]).shape == (1200, 30)


# --- leaks --------------------------------------------------------------------------------------------------------------------


def test_columns_that_no_step_knows_never_reach_the_model():
    frame = FRAME.assign(leak=(Y == "yes").astype(float))
    assert not [c for c in FULL.pipeline(LogisticRegression()).fit(frame, Y)[:-1].transform(frame) if c in ("leak", "let", "key")]
    bare = Recipe((), {"rooms": "numeric", "let": "target"})
    assert list(bare.pipeline().fit_transform(frame)) == ["rooms"]


def test_a_recipe_learns_from_a_split_only():
    data = load(FRAME, target="let")
    split = holdout(data, test=0.25)
    recipe = Recipe.of(split).add(drop(["key", "note"]))
    assert Recipe.of(split) == Recipe.of(split.train) == Recipe.of(profile(split))
    for fit in (recipe.preview, recipe.fit_transform):
        for wrong in (data, FRAME, split.train):
            with pytest.raises(BadType, match="split = holdout"):
                fit(wrong)
    assert recipe.fit_transform(split).index.equals(split.train.frame.index)


def test_target_encoding_never_shows_a_row_its_own_target_and_repeats():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"c": [f"{i}" for i in range(100)] * 2, "y": rng.integers(0, 10**6, 200)})
    recipe = Recipe((encode("c", "target"),), {"c": "categorical"})
    model = Ridge()
    fits = [recipe.pipeline(model)[:-1].fit_transform(frame, frame["y"]) for _ in range(2)]
    pd.testing.assert_frame_equal(*fits)
    assert fits[0].shape == (200, 1), "whole numbers are no classes for a regression"
    assert abs(np.corrcoef(fits[0]["c"], frame["y"])[0, 1]) < 0.3


def test_rows_are_dropped_from_training_and_nowhere_else():
    recipe = Recipe((*READ[:1], drop_missing("area"), drop_outliers("floor")), {"area": "numeric", "floor": "numeric"})
    keep = recipe.training_rows(FRAME)
    assert not keep[FRAME["area"].isna()].any() and not keep[FRAME["floor"] == 99].any() and keep.any()
    fitted = recipe.pipeline(Ridge()).fit(FRAME[keep], FRAME["rooms"].fillna(0)[keep])
    assert len(fitted.predict(FRAME)) == len(FRAME), "a new row with a gap is filled in"
    refusing = Recipe((*READ[:1], drop_missing("area", "refuse")), {"area": "numeric"}).pipeline(Ridge()).fit(FRAME[keep], keep[keep])
    with pytest.raises(ValueError, match="'area' must be known in every row"):
        refusing.predict(FRAME)
    with pytest.raises(BadInput, match="before anything is learned"):
        Recipe((scale("numeric"), drop_missing("numeric")))
    assert EMPTY.training_rows(FRAME).all()


# --- odd tables ---------------------------------------------------------------------------------------------------------------

ODD = {
    "all missing number": (pd.Series([np.nan] * 6), "numeric"),
    "all missing text": (pd.Series([None] * 6, dtype="str"), "categorical"),
    "constant": (pd.Series([3.0] * 6), "numeric"),
    "infinite": (pd.Series([1.0, np.inf, 2, 3, -np.inf, 4]), "numeric"),
    "Int64": (pd.Series([1, None, 3, 4, 5, 6], dtype="Int64"), "numeric"),
    "Float64": (pd.Series([1, None, 3, 4, 5, 6.5], dtype="Float64"), "numeric"),
    "huge": (pd.Series([2**60, 2**61, 0, 1, 2, 3]), "numeric"),
    "bool": (pd.Series([True, False] * 3), "boolean"),
    "boolean": (pd.Series([True, None] * 3, dtype="boolean"), "boolean"),
    "category": (pd.Series(["a", None, "b"] * 2, dtype="category"), "categorical"),
    "category of numbers": (pd.Series([1, 2, None] * 2, dtype="category"), "categorical"),
    "codes": (pd.Series([10, 20, 30] * 2), "categorical"),
    "nullable codes": (pd.Series([10, None, 30] * 2, dtype="Int64"), "categorical"),
    "object": (pd.Series(["a", None, "b"] * 2, dtype=object), "categorical"),
    "dates": (pd.Series(pd.to_datetime(["2025-01-01", None, "2025-03-01"] * 2)), "datetime"),
    "no date": (pd.Series([None] * 6, dtype="str"), "datetime"),
    "wordless": (pd.Series([None, "", "!"] * 2, dtype="str"), "text"),
}


@pytest.mark.parametrize("model", MODELS[:4], ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("name", ODD)
def test_odd_columns_work(name, model):
    values, role = ODD[name]
    frame = pd.DataFrame({"ö d": values, "n": np.arange(6.0)})
    reads = {
        "numeric": [standardise_formats("ö d")],
        "boolean": [standardise_formats("ö d")],
        "datetime": [dates()],
        "text": [text_features()],
    }
    steps = [*reads.get(role, [group_rare(), encode()]), impute(), clip_outliers(), scale()]
    recipe = Recipe(steps, {"ö d": role, "n": "numeric"})
    pipeline = recipe.pipeline(model).fit(frame, [0, 1] * 3)
    assert np.isfinite(pipeline.predict_proba(frame)).all()
    assert np.isfinite(pipeline.predict_proba(frame.iloc[[1]])).all()


@pytest.mark.parametrize("method", ["onehot", "ordinal", "target", "frequency", "auto"])
@pytest.mark.parametrize("name", [n for n, (_, role) in ODD.items() if role == "categorical"])
def test_every_encoding_takes_every_type_and_unknown_levels(name, method):
    values = ODD[name][0]
    recipe = Recipe((encode("c", method), impute(), scale()), {"c": "categorical"})
    pipeline = recipe.pipeline(LogisticRegression()).fit(pd.DataFrame({"c": values}), [0, 1] * 3)
    new = pd.DataFrame(
        {"c": pd.Series([99, None], dtype="Int64") if name.endswith("codes") else pd.Series(["never seen", None], dtype="str")}
    )
    if name != "category of numbers":
        assert np.isfinite(pipeline.predict_proba(new)).all()


def test_a_wide_table_is_no_trouble():
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 1500)), columns=[f"c{i}" for i in range(1500)])
    recipe = Recipe((impute("*"), clip_outliers("c1*"), scale("c*")), dict.fromkeys(wide, "numeric"))
    assert fitted_frames(recipe, wide, None).shape == (50, 1500)
    assert len(recipe.pipeline()[0].transformers) == 2


def test_names_that_are_no_text_or_not_there_are_named():
    with pytest.raises(BadType, match=r"got 0; frame.columns = frame.columns.map\(str\)"):
        Recipe((), {0: "numeric"})
    with pytest.raises(BadType, match="the columns of scale must be text; got 3"):
        scale(["a", 3])
    with pytest.raises(NotFound, match="did you mean 'rooms'"):
        EMPTY.add(scale("romos"))
    with pytest.raises(NotFound, match="did you mean 'numeric'"):
        Recipe((), {"a": "numerical"})
    with pytest.raises(BadInput, match="works on numbers; got 'city', which is categorical"):
        EMPTY.add(scale("city")).pipeline()
    with pytest.raises(BadInput, match="got 'note'"):
        Recipe((), {"note": "text"}).pipeline(LogisticRegression())
    with pytest.raises(BadInput, match="must leave columns"):
        Recipe((drop("a"),), {"a": "numeric"}).pipeline()
    with pytest.raises(BadType, match="must consist of steps"):
        Recipe(("scale",))
    with pytest.raises(ValueError, match="not columns of the dataframe: {'rooms'}"):
        FULL.pipeline().fit(FRAME.drop(columns="rooms"))


def test_a_column_that_is_gone_is_passed_over():
    recipe = FULL.add(drop("area"), at=0)
    assert "area" not in fitted_frames(recipe)


# --- parameters ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: impute("a", "medain"), "did you mean 'median'"),
        (lambda: impute("a", "constant"), "value must be given"),
        (lambda: encode("a", "one-hot"), "did you mean 'onehot'"),
        (lambda: encode("a", levels=0), "levels must be above 0"),
        (lambda: scale("a", "standrad"), "did you mean 'standard'"),
        (lambda: clip_outliers("a", width=-1), "width must be above 0"),
        (lambda: clip_outliers("a", "quantile", 0.5), "below 0.5"),
        (lambda: group_rare("a", 2), "min_share must be below 1"),
        (lambda: standardise_formats("a", kind="numbres"), "did you mean 'numbers'"),
        (lambda: standardise_formats("a", decimal=";"), "decimal"),
        (lambda: standardise_formats("a", spellings="x"), "spellings"),
        (lambda: drop_missing("a", "impuet"), "did you mean 'impute'"),
        (lambda: dates("a", ["yaer"]), "did you mean 'year'"),
        (lambda: text_features("a", words=0), "above 0"),
        (lambda: impute("a", "constant", value=float("nan")), "plain data"),
        (lambda: scale([]), "none"),
        (lambda: transformer("a", "os.system"), "ALLOWED.append"),
        (lambda: transformer("a", "sklearn.preprocessing.KBins"), "can be imported"),
        (lambda: transformer("a", "sklearn.nowhere.Thing"), "can be imported"),
        (lambda: transformer("a", "sklearn.datasets.load_iris"), "transformer class"),
        (lambda: transformer("a", "sklearn.linear_model.Ridge"), "transformer class"),
        (lambda: transformer("a", "sklearn.compose.ColumnTransformer"), "all that the transformer needs"),
        (lambda: transformer("a", params={"with_maen": 1}), "did you mean 'with_mean'"),
        (lambda: transformer("a", params={"copy": np.zeros(2)}), "plain data"),
        (lambda: transformer("a", "sklearn.preprocessing.FunctionTransformer", {"func": len}), "plain data"),
    ],
)
def test_wrong_parameters_are_answered_with_the_right_ones(make, says):
    with pytest.raises(MlworkError, match=says):
        make()


def test_a_named_transformer_is_seeded_and_gets_its_tuples():
    made = transformer("rooms", "sklearn.preprocessing.MinMaxScaler", {"feature_range": [0, 2]})
    assert fitted_frames(Recipe((made,), {"rooms": "numeric"}))["rooms"].max() == 2
    assert Recipe.from_json(Recipe((made,)).to_json()) == Recipe((made,)) == run(Recipe((made,)).code())["recipe"]
    reduced = transformer(["rooms", "floor"], "sklearn.decomposition.PCA", {"n_components": 1})
    recipe = Recipe((impute(), reduced), {"rooms": "numeric", "floor": "numeric"})
    assert recipe.pipeline()[0].transformers[0][1]["transformer"].random_state == 0
    assert fitted_frames(recipe).shape == (80, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "JSON"),
        ("[]", "JSON"),
        ("3", "JSON"),
        ('{"steps": []}', "format"),
        ('{"format": 2, "steps": []}', "format 2"),
        ('{"format": 1, "steps": {}}', "dict for steps"),
        ('{"format": 1, "steps": [3]}', "for a step"),
        ('{"format": 1, "steps": [], "rolls": {}}', "did you mean 'roles'"),
        ('{"format": 1, "steps": [{"step": "preprocess.imptue"}]}', "did you mean 'preprocess.impute'"),
        ('{"format": 1, "steps": [{"step": "preprocess.impute", "strategie": "mean"}]}', "did you mean 'strategy'"),
        ('{"format": 1, "steps": [{"step": "preprocess.impute", "strategy": "maen"}]}', "did you mean 'mean'"),
        ('{"format": 1, "steps": [{"step": "preprocess.transformer", "path": "sklearn.datasets.fetch_file"}]}', "transformer class"),
        ('{"format": 1, "steps": [{"step": "preprocess.transformer", "path": "skrub.TableVectorizer"}]}', "ALLOWED"),
        ('{"format": 1, "steps": [], "roles": ["a"]}', "roles of a recipe"),
        ('{"format": 1, "steps": [], "roles": {"a": "numerc"}}', "did you mean 'numeric'"),
        ('{"format": 1, "steps": [], "roles": {"a": 3}}', "role"),
        ('{"format": 1, "steps": [{"step": "preprocess.drop", "columns": 3}]}', "must be text"),
        ('{"format": 1, "steps": [{"step": "preprocess.standardise_formats", "spellings": [1]}]}', "spellings"),
        ('{"format": 1, "steps": [{"step": "preprocess.scale", "method": ["x"]}]}', "method"),
    ],
)
def test_json_of_something_else_is_refused_in_one_line(text, says):
    with pytest.raises(MlworkError, match=says) as error:
        Recipe.from_json(text)
    assert "\n" not in str(error.value)


# --- changes ------------------------------------------------------------------------------------------------------------------


def test_changes_give_new_recipes_and_undo_is_to_keep_the_old():
    first = EMPTY.add(scale("rooms"))
    second = first.add(impute("rooms"), at=0)
    assert [type(s).__name__ for s in second.steps] == ["impute", "scale"] and len(first.steps) == 1
    assert second.move(0, 1).move(1, 0) == second and second.remove(0) == first
    assert second.replace(1, scale("rooms", "robust")).diff(second) == ['- scale("rooms", method="robust")', '+ scale("rooms")']
    assert EMPTY.with_roles(rooms="categorical").diff(EMPTY) == ["- rooms: categorical", "+ rooms: numeric"]
    assert first.diff(first) == []
    with pytest.raises(BadInput, match="0 to 0"):
        first.remove(3)
    with pytest.raises(AttributeError):
        first.steps = ()


def test_a_recipe_shows_itself_and_each_step_before_and_after():
    recipe = EMPTY.add(standardise_formats("area", unit="m²", reason="text <b>"))
    assert "m²" in repr(recipe) and "text &lt;b&gt;" in recipe._repr_html_() and recipe.table().shape == (1, 2)
    split = holdout(load(FRAME, target="let"), test=0.25)
    shown = Recipe.of(split).add(standardise_formats("area", unit="m²")).add(drop("note")).preview(split, rows=3)
    assert shown.changed(0)["area"].dtype == "float64" and len(shown.changed(0)) == 3
    assert "area" in repr(shown) and "becomes" in shown._repr_html_()


def test_every_step_says_what_it_does_helps_and_risks():
    ours = [s for s in STEPS.values() if s.__module__ in ("mlwork.preprocess", "mlwork.features")]
    assert len(ours) >= 13
    for step in ours:
        assert issubclass(step, Step) and all(text.endswith((".", "?")) for text in (step.does, step.helps, step.risks)), step
        assert step.group in ("formats", "missing", "outliers", "scaling", "encoding", "text", "columns", "dates"), step


# --- suggestions --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rentals", "tumours", "wine", "diabetes"])
def test_suggested_recipes_fit_every_model_and_repeat(name):
    data = load(f"sample:{name}").drop_duplicates()
    split = holdout(data, test=0.3)
    recipe = Recipe.suggest(profile(split), split.train.findings)
    assert all(recipe.reasons)
    assert Recipe.from_json(recipe.to_json()) == recipe == run(recipe.code())["recipe"]
    some = split.train.take(np.arange(min(len(split.train), 600)))
    models = MODELS[:3] if data.task != "regression" else (Ridge(), HistGradientBoostingRegressor(max_iter=5))
    for model in models:
        fitted = recipe.pipeline(model).fit(some.X, some.y)
        plain = run(recipe.sklearn_code(model))["pipeline"].fit(some.X, some.y)
        np.testing.assert_array_equal(fitted.predict(split.train.X), plain.predict(split.train.X))


# --- stored models ------------------------------------------------------------------------------------------------------------

STORED = {
    "mlwork.steps.DateParts",
    "mlwork.steps.FrequencyEncoder",
    "mlwork.steps.OutlierClipper",
    "mlwork.steps.RareGrouper",
    "mlwork.words.TextWords",
    "mlwork.steps.cleaned_text",
    "mlwork.steps.read_booleans",
    "mlwork.steps.read_dates",
    "mlwork.steps.read_numbers",
    "mlwork.steps.read_spellings",
    "mlwork.steps.refuse_missing",
    "numpy.dtype",
    "sklearn.impute._iterative.IterativeImputer",
    "sklearn.impute._iterative._ImputerTriplet",
    "sklearn.model_selection._split.KFold",
}


def test_fitted_steps_are_stored_with_a_short_list_of_types():
    import skops.io

    steps = (*READ, standardise_formats("listed on"), drop_missing("furnished", "refuse"), drop_missing("rooms"), clip_outliers("floor"))
    steps += (dates(), clean_text("note"), text_features(), encode("city", "frequency"), encode("Straße", "target"), encode("condition"))
    steps += (
        group_rare("other"),
        encode("other", "onehot"),
        impute(["area", "rooms"], "iterative"),
        impute("numeric"),
        scale("floor", "quantile"),
    )
    steps += (scale("rooms", "power"), scale("area", "robust"), scale("numeric", "minmax"))
    recipe = Recipe(steps, ROLES | {"other": "categorical"}, ORDERS, "let")
    frame = FRAME.assign(other=FRAME["Straße"])
    kept = recipe.training_rows(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = recipe.pipeline(Ridge()).fit(frame[kept], (Y[kept] == "yes") * 1.0)
    stored = skops.io.dumps(fitted)
    assert set(skops.io.get_untrusted_types(data=stored)) <= STORED <= set(TRUSTED_TYPES)
    again = skops.io.loads(stored, trusted=sorted(STORED))
    np.testing.assert_array_equal(again.predict(frame[kept]), fitted.predict(frame[kept]))
