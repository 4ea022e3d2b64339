"""Comparing models: equal to fitting each whole pipeline, honest about ties, and unmoved by failures, warnings and interruptions."""

import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from mlwork.catalogue import catalogue, make_model
from mlwork.collect import load
from mlwork.core import BadInput, BadType, NotFound
from mlwork.explore import profile
from mlwork.folds import Preparation, Rows
from mlwork.metrics import METRICS, main_metric, score
from mlwork.predicting import score_predictions
from mlwork.recipe import Recipe
from mlwork.select import compare_models
from mlwork.split import holdout
from mlwork.ties import against_leader, corrected_error, difference_p, fold_interval


def mixed(rows=300, task="binary", seed=0):
    "Numbers with gaps, categories, dates and words, and a target that leans on them."
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(50, 10, rows).round(1),
            "age": np.where(rng.random(rows) < 0.1, np.nan, rng.integers(0, 90, rows)),
            "colour": rng.choice(["red", "green", "blue"], rows),
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, rows), "D"),
        }
    )
    z = (frame["size"] - 50) / 10 + (frame["colour"] == "red") + rng.normal(size=rows)
    if task == "regression":
        return frame.assign(y=z)
    labels = ["no", "yes"] if task == "binary" else ["high", "low", "middle"]
    return frame.assign(y=np.array(labels)[np.digitize(z, [0.3] if task == "binary" else [-0.3, 0.9])])


def split_of(frame, **settings):
    return holdout(load(frame, target="y"), **settings)


def suggested(split):
    return Recipe.suggest(profile(split), split.train.findings)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_shared_preparation_equals_whole_pipelines(task):
    split = split_of(mixed(task=task))
    recipe, data, metric = suggested(split), split.train, main_metric(task)
    names = [n for n in catalogue(task) if n not in ("svm", "network")]
    board = compare_models(split, recipe, names)
    assert not board.errors
    X, y = data.frame[recipe.features], data.y
    for name in names:
        rarest = None if task == "regression" else int(y.value_counts().min())
        for i, (train, valid) in enumerate(split.folds[:3]):
            whole = recipe.pipeline(make_model(name, task, len(y), 0, rarest)).fit(X.iloc[train], y.iloc[train].to_numpy())
            said, p = whole.predict(X.iloc[valid]), None
            if task != "regression":
                p = whole.predict_proba(X.iloc[valid])
                np.testing.assert_allclose(board.oof[name].loc[X.index[valid]].filter(like="p:"), p, rtol=0, atol=1e-12)
            expected = score(y.iloc[valid].to_numpy(), said, p, metric, None, data.positive, task, data.classes)[metric].value
            assert board.fold_scores[name].iloc[i] == pytest.approx(expected, abs=1e-12)
            assert (board.oof[name].loc[X.index[valid], "prediction"].to_numpy() == said).all()


def test_preparation_of_the_rentals_is_the_same_to_the_last_bit():
    data = load("sample:rentals")
    split = holdout(data, by="time", time="listed_on", test="3 months", group="building")
    recipe, train = suggested(split), split.folds[0][0][:1500]
    valid, X, y = split.folds[0][1][:200], split.train.frame[recipe.features], split.train.y.to_numpy()
    preparation = Preparation(Rows(X.iloc[train], X.iloc[valid]), y[train])
    for name in ("logistic", "boosting", "forest"):
        pipeline = recipe.pipeline(make_model(name, "binary", 5000))[:-1]
        ours, whole = preparation.through(pipeline, preparation.start), clone(pipeline)
        pd.testing.assert_frame_equal(ours.train, whole.fit_transform(X.iloc[train], y[train]), check_exact=True)
        pd.testing.assert_frame_equal(ours.valid, whole.transform(X.iloc[valid]), check_exact=True)


def test_other_processes_give_the_same_board():
    split = split_of(mixed())
    here, there = (compare_models(split, None, ["baseline", "logistic", "forest"], n_jobs=n) for n in (1, 2))
    pd.testing.assert_frame_equal(here.fold_scores, there.fold_scores)
    for name in here.oof:
        pd.testing.assert_frame_equal(here.oof[name], there.oof[name])


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_board_is_complete(task):
    split = split_of(mixed(task=task))
    board = compare_models(split)
    table = board.table()
    ranked = table[table["score"].notna()]
    assert (ranked["low"] < ranked["high"]).all()
    assert ((ranked["low"] <= ranked["score"]) & (ranked["score"] <= ranked["high"])).all()
    assert (ranked[["fit_seconds", "predict_seconds"]] > 0).all(axis=None) and (ranked["size_bytes"] > 100).all()
    assert table["verdict"].iloc[0] == "leads" and table.index[0] == board.leader
    assert board.expected_seconds > 0 and board.seconds > 0 and not board.interrupted
    for found in board.oof.values():
        assert found.index.equals(split.train.frame.index)
        assert list(found)[:2] == ["y", "prediction"]
        assert list(found)[2:] == [f"p:{c}" for c in split.train.classes or []]
    page = board._repr_html_()
    assert "<svg" in page and all(name in page for name in table.index)
    assert board.leader in repr(board)


def test_plots_are_seaborn_axes():
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    board = compare_models(split_of(mixed(80)), None, ["baseline", "logistic"])
    assert board.plot().get_xlabel() == "ROC AUC"
    ax = plt.subplots()[1]
    assert board.plot(ax) is ax
    plt.close("all")


class Chance(ClassifierMixin, BaseEstimator):
    "Guesses with a seed of its own: as good as any other of its kind."

    def __init__(self, seed=0):
        self.seed = seed

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = np.random.default_rng([self.seed, int(abs(np.asarray(X)[:, 0]).sum() * 1e6) % 2**31]).random(len(X))
        return np.column_stack([1 - p, p])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(1)]


def test_guesses_are_tied_and_no_better_than_the_baseline():
    false = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({"a": rng.normal(size=120), "b": rng.normal(size=120), "y": rng.choice(["no", "yes"], 120)})
        split = split_of(frame)
        models = {"baseline": "baseline"} | {f"guess {k}": Chance(100 * seed + k) for k in range(4)}
        board = compare_models(split, suggested(split), models)
        worse = (board.table()["verdict"] == "worse than the leader").any()
        false += worse
        assert worse or {"MLW-M01", "MLW-M02"} <= {f.code for f in board.findings}
    assert false <= 4  # 5 % of 25 is 1.25; more than 4 happens by chance in 1 % of such series


def equal_scores(rng, rows, models, repeats, folds):
    "Fold scores of equally good models: each leans on columns of its own, all worth the same."
    X = rng.normal(size=(rows, 4 * models))
    y = X.sum(axis=1) + 2 * rng.normal(size=rows)
    scores = []
    for _ in range(repeats):
        for valid in np.array_split(rng.permutation(rows), folds):
            train = np.setdiff1d(np.arange(rows), valid)
            parts = [slice(k, k + 4) for k in range(0, 4 * models, 4)]
            said = [X[valid, p] @ np.linalg.lstsq(X[train, p], y[train])[0] for p in parts]
            scores.append([np.corrcoef(s, y[valid])[0, 1] for s in said])
    return pd.DataFrame(scores)


@pytest.mark.parametrize(("rows", "models", "repeats", "folds"), [(100, 3, 2, 5), (300, 5, 2, 5), (600, 5, 1, 10)])
def test_equal_models_are_rarely_told_apart(rows, models, repeats, folds):
    rng = np.random.default_rng(1)
    worlds = [equal_scores(rng, rows, models, repeats, folds) for _ in range(150)]
    false = sum((~against_leader(s, 1 / (folds - 1), folds)["tied"]).any() for s in worlds)
    assert false / len(worlds) <= 0.05


def test_a_truly_better_model_is_found():
    split = split_of(mixed(600))
    models = {
        "all": LogisticRegression(),
        "stump": DecisionTreeClassifier(max_depth=1, splitter="random", random_state=0),
        "guess": Chance(),
    }
    table = compare_models(split, suggested(split), models).table()
    assert table.loc["guess", "verdict"] == "worse than the leader" and table.loc["guess", "p"] < 0.05


def test_statistics_of_nadeau_and_bengio():
    d = np.array([0.1, 0.3, 0.2, 0.25])
    assert corrected_error(d, 1 / 3) == pytest.approx(np.sqrt((1 / 4 + 1 / 3) * d.var(ddof=1)))
    assert np.isnan(corrected_error(d[:1], 1 / 3)) and np.isnan(difference_p(d[:1], 1 / 3))
    assert difference_p(d, 1 / 3) == pytest.approx(difference_p(-d, 1 / 3))
    assert difference_p(np.zeros(5), 0.25) == 1
    found = fold_interval([0.9, 1.0, 0.95, np.nan], 1 / 3, (0, 1))
    assert found.high == 1 and found.value == pytest.approx(0.95)
    assert np.isnan(fold_interval([np.nan], 1 / 3).value)


def test_rounding_is_no_spread():
    "Ten folds that say 1/3 but for rounding know nothing of their spread; the board asks the metric itself."
    assert np.isnan(fold_interval([1 / 3, 1 / 3 + 5e-17, 0.1 + 0.7 / 3] * 3, 1 / 9).low)
    split = holdout(load("sample:wine"))
    table = compare_models(split, Recipe.suggest(profile(split)), ["baseline", "bayes"], metric="balanced_accuracy").table()
    assert (table["high"] - table["low"] > 0.01).all()


def test_predictions_without_the_truth_are_not_scored():
    with pytest.raises(BadInput, match="must hold the truth"):
        score_predictions(pd.DataFrame({"prediction": [1.0, 2.0]}), "regression")


def test_the_best_is_the_simplest_of_the_tied():
    split = split_of(mixed(400))
    board = compare_models(split, None, ["forest", "boosting", "logistic", "baseline"])
    order = list(catalogue())
    tied = [board.leader, *board.table().index[board.table()["verdict"] == "tied with the leader"]]
    assert board.best == min((t for t in tied if t != "baseline"), key=order.index)


class Failing(LogisticRegression):
    "Fails where told to."

    def __init__(self, error=ValueError, **settings):
        super().__init__(**settings)
        self.error = error

    def fit(self, X, y):
        raise self.error("it is\nraining")


def test_a_failing_model_does_not_stop_the_others():
    split = split_of(mixed())
    board = compare_models(split, None, {"bad": Failing(), "logistic": "logistic"})
    assert board.errors == {"bad": "ValueError: it is raining"}
    assert board.table().loc["bad", "verdict"] == "failed" and board.best == "logistic"
    assert [f.seen for f in board.findings if f.code == "MLW-M04"] == ["bad: ValueError: it is raining"]
    alone = compare_models(split, None, {"bad": Failing()})
    with pytest.raises(BadInput, match="at least one model must have a score"):
        print(alone.best)
    assert "failed" in repr(alone) and alone._repr_html_()


class Interrupting(LogisticRegression):
    "Presses Ctrl-C in its n-th fit."

    fits = 0

    def fit(self, X, y):
        Interrupting.fits += 1
        if Interrupting.fits == 4:
            raise KeyboardInterrupt
        return super().fit(X, y)


def test_an_interruption_keeps_what_is_finished():
    Interrupting.fits = 0
    split = split_of(mixed())
    board = compare_models(split, None, {"logistic": "logistic", "other": Interrupting()})
    assert board.interrupted and board.fold_scores.notna().sum().tolist() == [4, 3]
    assert board.best == "logistic" and "MLW-M08" in {f.code for f in board.findings}
    Interrupting.fits = 3
    nothing = compare_models(split, None, {"other": Interrupting()})
    assert nothing.interrupted and not len(nothing.fold_scores) and nothing._repr_html_()


class Slow(LogisticRegression):
    "Takes its time."

    def fit(self, X, y):
        import time

        time.sleep(0.5)
        return super().fit(X, y)


def test_control_c_while_other_processes_work():
    split = split_of(mixed())
    timer = threading.Timer(4, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    board = compare_models(split, None, {f"slow {i}": Slow() for i in range(4)}, n_jobs=2)
    timer.cancel()
    assert board.interrupted and 0 < len(board.fold_scores) < len(split.folds)
    assert board.leader


def test_warnings_become_findings():
    split = split_of(mixed())
    board = compare_models(split, None, {"hurried": LogisticRegression(max_iter=1), "logistic": "logistic"})
    found = [f for f in board.findings if f.code == "MLW-M05"]
    assert len(found) == 1 and found[0].seen.startswith("hurried in 10 folds")


def test_a_leak_is_too_good_to_be_true():
    frame = mixed(1600)
    frame["y_again"] = (frame["y"] == "yes") * 3.0 + np.random.default_rng(0).normal(size=1600) * 0.01
    split = split_of(frame)
    data = split.train
    recipe = Recipe.suggest(profile(split))
    recipe = (
        recipe.remove(next(i for i, s in enumerate(recipe.steps) if "y_again" in str(s))) if 'drop("y_again")' in recipe.code() else recipe
    )
    board = compare_models(split, recipe, ["baseline", "logistic"])
    assert len(data) >= 1000 and [f.severity for f in board.findings if f.code == "MLW-M06"] == ["warning"]


@pytest.mark.parametrize("name", ["tumours", "wine", "diabetes"])
def test_no_false_alarm_on_the_real_samples(name):
    board = compare_models(holdout(load(f"sample:{name}")))
    assert not board.findings.at_least("warning"), board.findings


@pytest.mark.parametrize("labels", [["no", "yes"], [0, 1], [False, True], ["b", "a"]])
def test_labels_of_any_kind(labels):
    frame = mixed(150)
    frame["y"] = np.where(frame["y"] == "yes", labels[1], labels[0])
    split = split_of(frame)
    board = compare_models(split, None, ["baseline", "logistic", "boosting"])
    assert not board.errors and board.table().loc["logistic", "score"] > 0.6
    data, found = split.train, board.oof["logistic"]
    positive = found[f"p:{data.positive}"]
    assert positive[found["y"] == data.positive].mean() > positive[found["y"] != data.positive].mean()


def test_models_without_probabilities():
    split = split_of(mixed())
    models = {"margin": LinearSVC(), "ridge": RidgeClassifier(), "logistic": LogisticRegression()}
    board = compare_models(split, None, models)
    assert not board.errors and board.table()["score"].min() > 0.6
    assert list(board.oof["margin"]) == ["y", "prediction"]
    losses = compare_models(split, None, models, metric="log_loss")
    assert set(losses.errors) == {"margin", "ridge"} and "needs probabilities" in losses.errors["margin"]
    several = compare_models(split_of(mixed(task="multiclass")), None, models, metric="roc_auc")
    assert set(several.errors) == {"margin", "ridge"}
    labels = compare_models(split, None, models, metric="accuracy")
    assert not labels.errors


def test_a_class_that_a_fold_has_not_seen():
    split = split_of(mixed(90, "multiclass"))
    middle = (split.train.y == "middle").to_numpy()
    folds = [(train[~middle[train]], valid) if i == 0 else (train, valid) for i, (train, valid) in enumerate(split.folds)]
    split = replace(split, folds=folds, first_folds=folds[: len(split.first_folds)])
    board = compare_models(split, None, ["baseline", "logistic", "forest", "bayes"], metric="log_loss")
    assert not board.errors
    for found in board.oof.values():
        assert list(found)[2:] == [f"p:{c}" for c in split.train.classes]
        assert not found.isna().any(axis=None)
        assert (found.iloc[np.sort(folds[0][1])]["p:middle"] == 0).all()


@pytest.mark.parametrize("metric", [m for m in METRICS if "binary" in METRICS[m].tasks])
def test_every_metric_of_two_classes(metric):
    board = compare_models(split_of(mixed(150)), None, ["baseline", "logistic"], metric=metric)
    table = board.table()
    assert not board.errors and table["score"].notna().all() and (table["low"] < table["high"]).all()
    assert board.leader == "logistic" or metric == "recall"  # saying yes to all finds all


def test_small_and_narrow_tables():
    for rows, task in ((12, "binary"), (10, "regression"), (24, "multiclass")):
        split = split_of(mixed(rows, task)[["size", "y"]])
        board = compare_models(split)
        assert not board.errors.keys() & {"baseline", "logistic", "ridge", "boosting", "forest"}, board.errors
        assert board.best != "baseline"
        assert board._repr_html_()


def test_many_classes():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    frame["y"] = [f"class {i:02}" for i in rng.integers(0, 25, 400)]
    board = compare_models(split_of(frame), None, ["baseline", "logistic", "forest"])
    assert not board.errors and board.table()["score"].notna().all()


def test_models_by_name_estimator_and_dict():
    split = split_of(mixed(120))
    board = compare_models(split, None, ["logistic", LogisticRegression(C=2), LogisticRegression(C=3), DummyClassifier()])
    assert list(board.fold_scores) == ["logistic", "LogisticRegression", "LogisticRegression 2", "DummyClassifier"]
    assert list(compare_models(split, None, "logistic").fold_scores) == ["logistic"]
    assert list(compare_models(split, None, {"mine": RandomForestClassifier(5, random_state=0)}).fold_scores) == ["mine"]


def test_the_same_seed_gives_the_same_board():
    split = split_of(mixed(150))
    one, two, other = (compare_models(split, None, ["forest"], seed=s).fold_scores for s in (1, 1, 2))
    assert one.equals(two) and not one.equals(other)


def test_rows_that_a_recipe_drops_are_validated_all_the_same():
    from mlwork.preprocess import drop_missing

    split = split_of(mixed(200))
    recipe = suggested(split).add(drop_missing("age"), at=0)
    board = compare_models(split, recipe, ["baseline", "logistic"])
    assert not board.errors and board.oof["logistic"].index.equals(split.train.frame.index)


def test_bad_input_is_one_clear_line():
    split = split_of(mixed(100))
    wrong = [
        (BadType, "learn from a Split", lambda: compare_models(split.train)),
        (BadType, "learn from a Split", lambda: compare_models(mixed(50))),
        (NotFound, "did you mean 'logistic'", lambda: compare_models(split, None, ["logistik"])),
        (NotFound, "did you mean 'roc_auc'", lambda: compare_models(split, metric="roc_acu")),
        (BadInput, "must suit a binary task", lambda: compare_models(split, metric="rmse")),
        (BadInput, "needs a classifier", lambda: compare_models(split, None, [Ridge()])),
        (BadInput, "must be used for regression", lambda: compare_models(split, None, ["ridge"])),
        (BadType, "must be a name or a scikit-learn estimator", lambda: compare_models(split, None, [LogisticRegression])),
        (BadType, "must be a name or a scikit-learn estimator", lambda: compare_models(split, None, [42])),
        (BadInput, "at least one model", lambda: compare_models(split, None, [])),
        (BadInput, "needs a regressor", lambda: compare_models(split_of(mixed(60, "regression")), None, [LogisticRegression()])),
    ]
    for kind, text, call in wrong:
        with pytest.raises(kind, match=text) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_estimators_given_are_not_touched():
    model = LinearRegression()
    compare_models(split_of(mixed(60, "regression")), None, {"mine": model})
    assert not hasattr(model, "coef_")
