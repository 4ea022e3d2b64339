"""A recipe's pipeline against the same pipeline written by hand."""

from made_tables import mixed
from pairs import Pair

WHAT = "`Recipe.pipeline()` fit and predict against the same pipeline by hand, 50k × 30 mixed, {}"
PAIRS = [
    Pair(f"recipe-{model}", WHAT.format(model), "rows_recipe", "recipe", "by_hand", 1.02, arguments={"model": model})
    for model in ("logistic", "boosting")
]


def estimator(model):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    return (
        LogisticRegression(max_iter=200)
        if model == "logistic"
        else HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=0)
    )


def table(rows):
    "Numbers and categories of a mixed table, a target, and the columns by kind."
    frame = mixed(rows)
    target = (frame.normal_0 + frame.normal_10 + 10 * frame.few_levels_5.eq("red") > 105).astype(int)
    numbers = [c for c in frame if c.startswith(("normal", "skewed", "counts", "rounded", "gappy"))]
    categories = [c for c in frame if c.startswith("few_levels")]
    return frame[[*numbers, *categories]], target, numbers, categories


def recipe(model, rows=50_000):
    from mlwork.preprocess import encode, impute, scale
    from mlwork.recipe import Recipe

    frame, target, numbers, categories = table(rows)
    roles = dict.fromkeys(numbers, "numeric") | dict.fromkeys(categories, "categorical")
    if model == "logistic":
        steps = (impute("numeric", strategy="median"), scale("numeric"), encode("categorical", method="one-hot"))
    else:
        steps = (encode("categorical", method="auto"),)
    made = Recipe(steps=steps, roles=roles)
    yield
    made.pipeline(estimator(model)).fit(frame, target).predict(frame)


def by_hand(model, rows=50_000):
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    frame, target, numbers, categories = table(rows)
    yield
    last = estimator(model)
    if model == "logistic":
        onehot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        parts = [("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers), ("c", onehot, categories)]
        first = ColumnTransformer(parts)
    else:
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
        first = ColumnTransformer([("c", codes, categories)], remainder="passthrough", verbose_feature_names_out=False)
        first.set_output(transform="pandas")
        last.set_params(categorical_features=categories)
    make_pipeline(first, last).fit(frame, target).predict(frame)
