"""A recipe's pipeline against the same pipeline written by hand."""

from made_tables import mixed
from pairs import Pair

WHAT = "`Recipe.pipeline()` fit and predict against the same pipeline by hand, 50k × 30 mixed, {}"
PAIRS = [
    Pair(f"recipe-{model}", WHAT.format(model), "rows_recipe", "recipe", "by_hand", 1.02, arguments={"model": model})
    for model in ("logistic", "boosting")
]
TIMES = 3  # a single fit is too short to time well


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
        steps = (impute("numeric", strategy="median"), scale("numeric"), encode("categorical", method="onehot"))
    else:
        steps = (encode("categorical", method="auto"),)
    made = Recipe(steps=steps, roles=roles)
    made.pipeline(estimator(model)).fit(frame[:500], target[:500]).predict(frame[:500])
    yield
    for _ in range(TIMES):
        made.pipeline(estimator(model)).fit(frame, target).predict(frame)


def written(model, numbers, categories):
    "The pipeline by hand."
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    if model == "logistic":
        numeric = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        onehot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=30, sparse_output=False)
        return make_pipeline(ColumnTransformer([("n", numeric, numbers), ("c", onehot, categories)]), estimator(model))
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=254)
    first = ColumnTransformer([("c", codes, categories)], remainder="passthrough", verbose_feature_names_out=False)
    return make_pipeline(first.set_output(transform="pandas"), estimator(model).set_params(categorical_features=categories))


def by_hand(model, rows=50_000):
    frame, target, numbers, categories = table(rows)
    written(model, numbers, categories).fit(frame[:500], target[:500]).predict(frame[:500])
    yield
    for _ in range(TIMES):
        written(model, numbers, categories).fit(frame, target).predict(frame)
