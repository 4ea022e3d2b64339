"""Permutation importance is scikit-learn's, laid under each other; rows are dropped by what a fold's own rows say."""

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance

from mlwork import explain, learning
from mlwork.collect import load
from mlwork.core import BadInput, NotFound
from mlwork.explain import permutation
from mlwork.learning import learning_curve
from mlwork.preprocess import drop, drop_outliers, encode, impute
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.train import fit


def table(rows=240):
    rng = np.random.default_rng(0)
    x, city = rng.normal(0, 1, rows), rng.choice(list("abc"), rows)
    x[::40] *= 50
    y = 2 * np.clip(x, -3, 3) + (city == "a") + rng.normal(0, 0.5, rows)
    return pd.DataFrame({"x": x, "city": city, "noise": rng.normal(0, 1, rows), "left": rng.normal(0, 1, rows), "y": y})


@pytest.fixture
def split():
    return holdout(load(table(), target="y"))


def plain(split):
    return Recipe.of(split).add(drop("left")).add(impute("numeric")).add(encode("categorical"))


@pytest.mark.parametrize("cells", [explain._CELLS, 1000])
def test_importance_equals_that_of_scikit_learn(split, monkeypatch, cells):
    monkeypatch.setattr(explain, "_CELLS", cells)
    model = fit(split, plain(split), "boosting")
    ours = permutation(split, model, rows=150, repeats=3, seed=4).table().set_index("column").importance
    parts, folds = [], split.first_folds[-5:]
    for number, fold in enumerate(folds):
        pipeline, X, y = explain._fold_model(split, model, fold)
        some = np.random.default_rng([4, number]).permutation(len(X))[: max(150 // len(folds), 50)]

        def scoring(fitted, X, y):
            return explain._point(explain.predictions(fitted, X, y), model, "rmse")

        parts.append(permutation_importance(pipeline, X.iloc[some], y.iloc[some], scoring=scoring, n_repeats=3, random_state=4).importances)
    theirs = pd.Series(np.concatenate(parts, axis=1).mean(axis=1), split.train.features)
    assert abs(ours - theirs).max() < 1e-12 and ours["x"] > ours["noise"] and ours["left"] == 0


def test_columns_are_shuffled_together_and_dropped_ones_not_at_all(split, monkeypatch):
    asked, predict = [], explain.predictions
    monkeypatch.setattr(explain, "predictions", lambda pipeline, X, y: asked.append(len(X)) or predict(pipeline, X, y))
    permutation(split, fit(split, plain(split), "ridge"), rows=100, repeats=2)
    whole, shuffled = asked[::2], asked[1::2]
    assert len(asked) == 2 * len(split.first_folds[-5:])  # the rows as they are, then all copies at once
    assert shuffled == [6 * n for n in whole]  # three columns of four, two shuffles each


def test_rows_are_dropped_by_what_a_fold_knows_alone(split, monkeypatch):
    recipe = Recipe.of(split).add(drop_outliers("numeric")).add(encode("categorical")).add(impute("numeric"))
    model, asked, look = fit(split, recipe, "ridge"), [], Recipe.training_rows
    monkeypatch.setattr(Recipe, "training_rows", lambda self, frame: asked.append(len(frame)) or look(self, frame))
    explain._fold_model(split, model, split.first_folds[0])
    learning._fit_sizes(split, recipe, model.pipeline, [1.0], 0)
    assert asked and max(asked) < len(split.train)


@pytest.mark.parametrize("name, kind", [("rmsee", NotFound), ("roc_auc", BadInput)])
def test_a_metric_of_another_task_is_refused_before_the_work(split, name, kind):
    with pytest.raises(kind):
        permutation(split, fit(split, plain(split), "ridge"), metric=name)
    with pytest.raises(kind):
        learning_curve(split, plain(split), "ridge", metric=name)
