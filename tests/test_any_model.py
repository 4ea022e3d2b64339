"""Tables, recipes and models at random, exported to every target: what no list of cases thinks of.

MLWORK_EXAMPLES=200 python -m pytest tests/test_any_model.py      (as many, and new ones each time)
"""

import os
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, assume, given, reject, settings
from hypothesis import strategies as st
from portable_cases import targets_here
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import ElasticNet, HuberRegressor, LinearRegression, LogisticRegression, RidgeCV, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from mlwork.collect import load
from mlwork.deploy import bundle, certify, golden, golden_rows
from mlwork.deploy.c_code import run_c, to_c
from mlwork.deploy.engine import PortableEngine
from mlwork.features import dates, text_features
from mlwork.model import with_threshold
from mlwork.preprocess import clean_text, clip_outliers, encode, group_rare, impute, scale, standardise_formats, transformer
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.train import fit

EXAMPLES = int(os.environ.get("MLWORK_EXAMPLES", 0))
ROWS = 120

# ---- columns: (role, cells of training, steps) ---------------------------------------------------------------------------------

LEVELS = [
    ["a", "b", "c"],
    ["Åa", "A\u030aa", "ÅA", " Åa", "Åa "],
    ["1", "1.0", "01", "1e0"],
    ["nan", "NaN", "none", "x"],
    ["é", "日本", "😀", "\u200b", "x\ty"],
    ['"', "\\", "</script>", "*/", "??/"],
    [1, 2, 30],
    [0.1, 2.5, 1e20],
    ["only"],
]
TRUTHS = [["yes", "no"], ["Ja", "Nein"], [True, False], [1, 0], ["TRUE", "FALSE"], ["y", "n"]]
DAYS = ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y %H:%M", "%d %b %Y", "%b %d, %Y", "%Y-%m-%dT%H:%M:%S"]
WORDS = ["sunny", "Quiet", "Größe", "café", "cafe\u0301", "2nd", "I", "İstanbul", "ſun", "don't", "e-mail", "naïve", "№5", "x" * 40]
UNITS = [("kg", "lb", 2.2046), ("m²", "sq ft", 10.764), ("", "", 1.0), ("EUR", "EUR", 1.0)]
maybe = st.booleans()


def with_gaps(values, rng, share):
    return pd.Series(values).mask(rng.random(ROWS) < share)


@st.composite
def numeric(draw, name, rng):
    kind, power = draw(st.sampled_from(["normal", "long", "whole", "few", "same"])), draw(st.sampled_from([-12, -3, 0, 0, 0, 3, 12]))
    values = {
        "normal": rng.normal(size=ROWS),
        "long": rng.lognormal(0, 2, ROWS),
        "whole": rng.integers(-5, 60, ROWS),
        "few": rng.choice([0.0, 1.0, 7.5], ROWS),
        "same": np.full(ROWS, 3.0),
    }[kind]
    column = with_gaps(values if kind == "whole" else values * 10.0**power, rng, draw(st.sampled_from([0, 0, 0.2])))
    steps = []
    if draw(maybe):
        steps.append(standardise_formats(name, kind="numbers", missing=[7]))
    if draw(maybe):
        steps.append(clip_outliers(name, method=draw(st.sampled_from(["iqr", "zscore", "quantile"]))))
    return "numeric", column, steps


@st.composite
def with_unit(draw, name, rng):
    (unit, other, factor), decimal = draw(st.sampled_from(UNITS)), draw(st.sampled_from([".", ","]))
    values = rng.normal(1500, 300, ROWS)
    written = [f"{v:.1f} {unit}" if rng.random() < 0.7 else f"{v * factor:,.2f} {other}" for v in values]
    written = [w.translate(str.maketrans(".,", ",.")) if decimal == "," else w for w in written]
    return "numeric", with_gaps(written, rng, 0.1), [standardise_formats(name, kind="numbers", unit=unit or None, decimal=decimal)]


@st.composite
def moment(draw, name, rng):
    passed = pd.to_timedelta(rng.integers(0, 40_000, ROWS), unit="h")
    days = pd.Series(pd.Timestamp(draw(st.sampled_from(["1890-05-05", "1999-12-01", "2024-02-28"]))) + passed)
    column = days.dt.strftime(draw(st.sampled_from(DAYS))) if draw(maybe) else days
    all_parts = ["year", "month", "day", "weekday", "hour", "elapsed"]
    parts = draw(st.lists(st.sampled_from(all_parts), min_size=1, unique=True))
    steps = [standardise_formats(name, kind="dates", dayfirst=draw(maybe))] if column.dtype == object or str(column.dtype) == "str" else []
    coded = [encode(f"{name}_month", method="onehot")] if "month" in parts and draw(maybe) else []
    return "datetime", with_gaps(column, rng, 0.1), [*steps, dates(name, parts=tuple(parts)), *coded]


@st.composite
def truth(draw, name, rng):
    levels = draw(st.sampled_from(TRUTHS))
    column = pd.Series(rng.choice(np.array(levels, dtype=object), ROWS))
    steps = [standardise_formats(name, kind="booleans")] if levels[0] is True or draw(maybe) else []  # `impute` takes no truths
    return "boolean", with_gaps(column, rng, draw(st.sampled_from([0, 0.1]))), [*steps, *draw(encoded(name))]


def encoded(name, indicators=(None, True)):
    "Steps that may fill gaps, and encode."
    fills = st.sampled_from([[], *([impute(name, strategy="mode", indicator=i)] for i in indicators)])
    methods = st.sampled_from(["auto", "onehot", "ordinal", "target", "frequency"])
    return st.builds(lambda fill, method, n: [*fill, encode(name, method=method, levels=n)], fills, methods, st.integers(2, 9))


@st.composite
def category(draw, name, rng):
    levels = np.array(draw(st.sampled_from(LEVELS)), dtype=object)
    column = pd.Series(rng.choice(levels, ROWS, p=rng.dirichlet(np.full(len(levels), 0.8))))
    steps = []
    if isinstance(levels[0], str) and draw(maybe):
        steps.append(standardise_formats(name, spellings={levels[0]: levels[-1], "zz": levels[0]}))
    if draw(maybe):
        steps.append(group_rare(name, min_share=draw(st.sampled_from([0.01, 0.2]))))
    return "categorical", with_gaps(column, rng, draw(st.sampled_from([0, 0.1]))), [*steps, *draw(encoded(name))]


@st.composite
def ordinal(draw, name, rng):
    levels = draw(st.sampled_from([[1, 2, 3], ["low", "high"], [0.5, 1.0, 10.0]]))
    column = pd.Series(rng.choice(np.array(levels, dtype=object), ROWS)).infer_objects()
    return (
        levels,
        with_gaps(column, rng, draw(st.sampled_from([0, 0.1]))),
        draw(encoded(name, indicators=[False])),
    )  # an indicator has no order


@st.composite
def text(draw, name, rng):
    column = [" ".join(rng.choice(WORDS, rng.integers(0, 6))) for _ in range(ROWS)]
    steps = [clean_text(name)] if draw(maybe) else []
    return "text", with_gaps(column, rng, 0.05), [*steps, text_features(name, words=draw(st.integers(1, 12)))]


COLUMNS = [numeric, numeric, with_unit, moment, truth, category, category, ordinal, text]

# ---- models --------------------------------------------------------------------------------------------------------------------


def votes(kind, **members):
    return kind(list(members.items()), **({"voting": "soft"} if kind is VotingClassifier else {}))


CLASSIFIERS = [
    LogisticRegression(),
    GaussianNB(),
    LinearSVC(),
    SGDClassifier(random_state=0),
    SVC(),
    SVC(kernel="poly", degree=2),
    MLPClassifier((5, 4), activation="logistic", max_iter=30, random_state=0),
    DecisionTreeClassifier(max_depth=6, random_state=0),
    ExtraTreeClassifier(random_state=0),
    RandomForestClassifier(5, random_state=0),
    ExtraTreesClassifier(5, random_state=0),
    GradientBoostingClassifier(n_estimators=5, random_state=0),
    HistGradientBoostingClassifier(max_iter=5),
    KNeighborsClassifier(4, weights="distance", algorithm="kd_tree"),
    KNeighborsClassifier(3, algorithm="ball_tree"),
    CalibratedClassifierCV(LinearSVC(), cv=2),
    CalibratedClassifierCV(RandomForestClassifier(4, random_state=0), method="isotonic", cv=2),
    votes(VotingClassifier, a=GaussianNB(), b=ExtraTreesClassifier(3, random_state=0)),
    *("baseline", "logistic", "bayes", "boosting", "forest", "svm", "network"),
]
REGRESSIONS = [
    LinearRegression(),
    RidgeCV(),
    ElasticNet(0.01),
    HuberRegressor(),
    LinearSVR(),
    SVR(),
    SVR(kernel="poly"),
    SVR(kernel="linear"),
    MLPRegressor(hidden_layer_sizes=(5,), activation="tanh", max_iter=30, random_state=0),
    DecisionTreeRegressor(max_depth=6, random_state=0),
    ExtraTreeRegressor(random_state=0),
    RandomForestRegressor(5, random_state=0),
    ExtraTreesRegressor(5, random_state=0),
    GradientBoostingRegressor(n_estimators=5, random_state=0),
    HistGradientBoostingRegressor(max_iter=5),
    HistGradientBoostingRegressor(loss="gamma", max_iter=5),
    KNeighborsRegressor(4, weights="distance", algorithm="ball_tree"),
    TransformedTargetRegressor(SVR(), transformer=StandardScaler()),
    votes(VotingRegressor, a=LinearRegression(), b=DecisionTreeRegressor(max_depth=3, random_state=0)),
    *("baseline", "linear", "ridge", "boosting", "forest", "svm", "network"),
]
CLASSES = [["no", "yes"], [0, 1], [False, True], [-1, 1], ["é", "日"], [0, 1, 2], ["a", "b", "c", "d"], ["10", "9", "x"]]

# ---- a model -------------------------------------------------------------------------------------------------------------------


def target_of(rng, frame, classes):
    "Something to be predicted, that the columns know a little about."
    known = sum(pd.factorize(frame[c])[0] % 7 for c in frame) / 6 + rng.normal(size=ROWS)
    if classes is None:
        return known - known.min() + 0.5
    cuts = np.quantile(known, np.linspace(0, 1, len(classes) + 1)[1:-1])
    return pd.Series(np.array(classes, dtype=object)[np.searchsorted(cuts, known)]).infer_objects()


@st.composite
def fitted(draw):
    "A fitted model, and random numbers that belong to it."
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    makers = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4))
    names = [f"{maker.__name__} {i}" for i, maker in enumerate(makers)]
    columns = {name: draw(maker(name, rng)) for name, maker in zip(names, makers, strict=True)}
    classes = draw(st.none() | st.sampled_from(CLASSES))
    model = draw(st.sampled_from(REGRESSIONS if classes is None else CLASSIFIERS))
    frame = pd.DataFrame({name: column for name, (_, column, _) in columns.items()})
    frame = frame.assign(y=target_of(rng, frame, classes))
    split = holdout(load(frame, target="y", roles={name: role for name, (role, *_) in columns.items()}))
    return with_recipe(draw, split, [step for *_, steps in columns.values() for step in steps], model), rng


def with_recipe(draw, split, steps, model):
    "Fit with a recipe: the suggested one, or the drawn steps and what makes all columns complete."
    filled = impute("numeric", strategy=draw(st.sampled_from(["mean", "median", "mode"])), indicator=draw(st.none() | maybe))
    scaled = scale("numeric", method=draw(st.sampled_from(["auto", "standard", "minmax", "robust", "power", "quantile"])))
    ends = st.sampled_from([[filled], [filled, scaled], [filled, transformer("numeric", "sklearn.preprocessing.MaxAbsScaler")]])
    recipe = draw(st.sampled_from([Recipe([*steps, *draw(ends)], split.train.roles, split.train.orders, "y")] * 4 + [None]))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # scikit-learn's, of columns that say nothing and of few rounds
        try:
            made = fit(split, recipe, model)
        except ValueError:  # a recipe that cannot be fitted is the concern of other tests
            reject()
        threshold = draw(st.sampled_from([None, None, 0.3]))
        probable = len(made.classes if made.classes is not None else ()) == 2 and hasattr(made.pipeline, "predict_proba")
        return with_threshold(made, threshold) if threshold and probable else made


def altered(cell, rng):
    "A cell as somebody else might write it."
    if not isinstance(cell, str):
        return [str(cell), -cell, float(cell) * 1e3][rng.integers(3)] if cell is not None else "0"
    at, marks = rng.integers(len(cell) + 1), [" ", "\u00a0", ",", ".", "'", "-", "−", "+", "e5", "٣", "５", "0", "é", "%", "\u0301", "/"]
    ways = [
        cell[:at] + marks[rng.integers(len(marks))] + cell[at:],
        cell[:at] + cell[at + 1 :],
        cell.upper(),
        cell.swapcase(),
        f"\t{cell} ",
    ]
    return ways[rng.integers(len(ways))]


def rows_of(portable, rng):
    "Golden rows, and some with a cell that is written otherwise."
    rows = golden_rows(portable, mixed=20)
    names = list(rows[0])
    changed = [(rows[rng.integers(len(rows))], names[rng.integers(len(names))]) for _ in range(20)]
    return rows + [row | {name: altered(row[name], rng)} for row, name in changed]


def small_c(portable, folder, held):
    to_c(portable, folder, held, proved=False, number="ranks")
    return run_c(folder)


def demand_all(portable, rows, make_folder):
    "Hold every target and the engine against the model."
    held, targets = golden(portable, rows), targets_here() | {"engine": lambda portable, folder, held: PortableEngine(portable).answer}
    if "c" in targets and any(op["op"] == "trees" for op in portable.spec["ops"]):
        targets["small c"] = small_c
    for name, target in targets.items():
        certificate = certify(portable, name, "", target(portable, make_folder(name), held), held)
        assert certificate["proved"], certificate


# no shrinking: it takes ten minutes, and tells little that the first failure does not
PROFILE = settings(max_examples=EXAMPLES or 10, derandomize=not EXAMPLES, database=None, deadline=None, phases=[Phase.generate])


@settings(PROFILE, suppress_health_check=list(HealthCheck))
@given(drawn=fitted())
def test_whatever_is_exported_answers_as_scikit_learn_does(drawn, tmp_path_factory):
    model, rng = drawn
    portable = bundle(model)
    rows = rows_of(portable, rng)
    assume(not portable.predict(rows)["tied"].all())
    demand_all(portable, rows, tmp_path_factory.mktemp)


RNG = np.random.default_rng(0)
TOWNS, NOTES = pd.Series(RNG.choice(["a", "b", "c"], ROWS)), pd.Series(RNG.choice(["one two", "two", "two three"], ROWS))
NIGHTS = pd.Series(pd.date_range("2020-01-01", periods=ROWS, freq="77h")).dt.strftime("%Y-%m-%d")
FEW = pd.Series(RNG.integers(1, 4, ROWS).astype(float))
GAPS = RNG.random(ROWS) < 0.3
FOUND = {  # what examples at random found: (role, cells, steps, model, classes)
    "one word": ("text", NOTES, [text_features("x", words=1)], "logistic", [0, 1]),
    "one part of a date": ("datetime", NIGHTS, [dates("x", parts=("month",))], "ridge", None),
    "a part of a date that is encoded": (
        "datetime",
        NIGHTS,
        [dates("x", parts=("day", "month")), encode("x_month", "frequency")],
        "ridge",
        None,
    ),
    "a filled number by its name": ([1, 2, 3], FEW.mask(GAPS), [impute("x", "mode"), encode("x", "frequency")], "linear", None),
    "a gap that is encoded": (
        "categorical",
        TOWNS.mask(GAPS),
        [impute("x", "mode", indicator=True), encode("*", "frequency")],
        DecisionTreeRegressor(max_depth=4),
        None,
    ),
    "truths without probabilities": ("numeric", FEW, [scale("x")], LinearSVC(), [False, True]),
    "texts that nobody reads": ([1, 2, 3], FEW, [encode("x", "frequency")], "baseline", ["no", "yes"]),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_at_random_stays_mended(name, tmp_path_factory):
    role, column, steps, model, classes = FOUND[name]
    frame = pd.DataFrame({"x": column, "z": RNG.normal(size=ROWS)})
    frame = frame.assign(y=target_of(np.random.default_rng(1), frame, classes))
    split = holdout(load(frame, target="y", roles={"x": role, "z": "numeric"}))
    portable = bundle(fit(split, Recipe(steps, split.train.roles, split.train.orders, "y"), model))
    demand_all(portable, golden_rows(portable, mixed=20), tmp_path_factory.mktemp)
