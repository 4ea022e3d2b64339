"""`compare_models` against the loop over `cross_validate` that one would write by hand, on the same folds and the same pipelines."""

from made_tables import mixed
from pairs import Pair

CLASSIFIERS = ["baseline", "logistic", "forest", "boosting", "bayes"]
REGRESSORS = ["baseline", "ridge", "forest", "boosting"]
SETS = {"50k": 0.95, "breast_cancer": 1.10, "wine": 1.10, "digits": 1.10, "diabetes": 1.10}
WHAT = "`compare_models` against a `cross_validate` loop, {}"
PAIRS = [
    Pair(
        f"select-{name}",
        WHAT.format(name.replace("50k", "50k × 40 mixed")),
        "rows_select",
        "board",
        "loop",
        bound,
        arguments={"name": name},
    )
    for name, bound in SETS.items()
]
PAIRS[0].quick.update(rows=3000)


def table(name: str, rows: int):
    "The table and its target's name."
    from sklearn import datasets

    if name == "50k":
        frame = mixed(rows, 40)
        score = frame.normal_0 / 12 + frame.skewed_1.clip(upper=60) / 20 + frame.few_levels_5.eq("red") + frame.counts_2 / 2
        noise = mixed(rows, 1, seed=1).normal_0 / 8
        return frame.assign(target=(score + noise > (score + noise).quantile(0.8)).map({True: "yes", False: "no"})), "target"
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return frame if name == "diabetes" else frame.assign(target=frame.target.map("class {}".format)), "target"


def prepare(name: str, rows: int):
    "Everything up to the choice of a model."
    from mlwork.collect import load
    from mlwork.explore import profile
    from mlwork.recipe import Recipe
    from mlwork.split import holdout

    data = load(*table(name, rows), name=name)
    split = holdout(data)
    return split, Recipe.suggest(profile(split), data.findings), CLASSIFIERS if data.task != "regression" else REGRESSORS


def board(name, rows=50_000):
    from mlwork.select import compare_models

    split, recipe, models = prepare(name, rows)
    compare_models(prepare("wine", 0)[0], models=["baseline"])
    yield
    found = compare_models(split, recipe, models, n_jobs=1)  # workers that still live would not be counted
    return {"folds": len(split.folds), "best": found.best}


def loop(name, rows=50_000):
    from sklearn.model_selection import cross_validate

    from mlwork.catalogue import make_model
    from mlwork.metrics import main_metric

    split, recipe, models = prepare(name, rows)
    train, keep = split.train, recipe.training_rows(split.train.frame)
    assert keep.all()
    scoring = {"roc_auc": "roc_auc", "balanced_accuracy": "balanced_accuracy", "rmse": "neg_root_mean_squared_error"}[
        main_metric(train.task)
    ]
    target = (train.y == train.positive).astype(int) if train.task == "binary" else train.y
    yield
    for model in models:
        pipeline = recipe.pipeline(make_model(model, train.task, len(train)))
        cross_validate(pipeline, train.X, target, cv=split.folds, scoring=scoring, error_score="raise")
