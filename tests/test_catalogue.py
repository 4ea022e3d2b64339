"""Every model of the catalogue can be made for tables of any size, learns, repeats itself and says what it needs."""

import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from mlwork.catalogue import CARDS, catalogue, default_models, make_model
from mlwork.collect import load
from mlwork.core import BadInput, NotFound
from mlwork.recipe import needs

EVERY = [(c.name, task) for c in CARDS for task in c.tasks]


def table(task, rows=120, columns=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, columns))
    z = X[:, 0] + 0.5 * rng.normal(size=rows)
    y = z if task == "regression" else np.digitize(z, [0] if task == "binary" else [-0.5, 0.5])
    return X, y


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_each_model_learns_and_repeats_itself(name, task):
    X, y = table(task)
    model = make_model(name, task, len(y), 3, None if task == "regression" else int(np.bincount(y).min()))
    first, second = clone(model).fit(X, y).predict(X), clone(model).fit(X, y).predict(X)
    assert np.array_equal(first, second)
    if name != "baseline":
        gain = np.corrcoef(first, y)[0, 1] if task == "regression" else np.mean(first == y) - np.bincount(y).max() / len(y)
        assert gain > 0.1
    if task != "regression":
        assert hasattr(model.fit(X, y), "predict_proba")


@pytest.mark.parametrize(("name", "task"), EVERY)
@pytest.mark.parametrize("rows", [10, 499, 500, 5000, 5001, 100_000])
def test_each_model_is_made_for_any_size(name, task, rows):
    model = make_model(name, task, rows)
    assert hasattr(model, "fit")
    assert repr(model) == repr(make_model(name, task, rows))


@pytest.mark.parametrize("name", [c.name for c in CARDS if "binary" in c.tasks])
def test_tiny_tables_with_a_rare_class(name):
    X, y = table("binary", rows=10)
    y = np.array(["no"] * 8 + ["yes"] * 2)
    make_model(name, "binary", 10, rarest=2).fit(X, y).predict(X)


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_cards_agree_with_what_recipes_find_out(name, task):
    told, found = set(catalogue()[name].needs), needs(make_model(name, task, 1000))
    assert not ("scaled" in told and not found.scaled)
    assert name == "baseline" or ("complete" in told) == found.complete


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_the_seed_reaches_every_random_part(name, task):
    for rows in (1000, 10_000):
        model = make_model(name, task, rows, 7)
        seeds = [v for k, v in model.get_params().items() if k.endswith("random_state")]
        parts = [v for k, v in model.get_params().items() if k.split("__")[-1] == "cv" and v is not None]
        random = "forest boosting network".split()
        assert all(s in (7, None) for s in seeds) and (7 in seeds) >= (name in random)
        assert all(p.random_state == 7 for p in parts)


def test_nothing_weighs_classes():
    for name in catalogue("binary"):
        assert all(v is None for k, v in make_model(name, "binary", 1000).get_params().items() if k.endswith("class_weight"))


def test_probabilities_of_a_rare_class_are_calibrated():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 3))
    y = (rng.random(3000) < 1 / (1 + np.exp(3 - X[:, 0]))).astype(int)
    train, test = slice(0, 2000), slice(2000, None)
    for name in ("logistic", "boosting", "forest", "svm", "network"):
        p = make_model(name, "binary", 2000, rarest=int(y[train].sum())).fit(X[train], y[train]).predict_proba(X[test])
        assert abs(p[:, 1].mean() - y[test].mean()) < 0.04, name


def test_logistic_is_tuned_enough():
    data = load("sample:tumours")
    X, y = StandardScaler().fit_transform(data.X), data.y.to_numpy()
    rng = np.random.default_rng(0).permutation(len(y))
    a, b = rng[:400], rng[400:]
    model = make_model("logistic", "binary", 400)
    losses = {C: log_loss(y[b], clone(model).set_params(C=C).fit(X[a], y[a]).predict_proba(X[b])) for C in (0.01, 0.1, 1.0, 10.0, 100.0)}
    assert losses[1.0] < 1.3 * min(losses.values())


def test_the_catalogue_shows_itself():
    cards = catalogue()
    assert set(cards.table().columns) >= {"name", "good", "needs", "risks"}
    page = cards._repr_html_()
    assert all(c.title in page for c in CARDS) and "naive baseline" in repr(cards).lower() or "baseline" in repr(cards)
    assert list(catalogue("regression"))[:3] == ["baseline", "linear", "ridge"]
    assert isinstance(cards.table(), pd.DataFrame)


def test_wrong_names_and_tasks():
    with pytest.raises(NotFound, match="did you mean 'boosting'"):
        make_model("boostin", "binary", 100)
    with pytest.raises(NotFound, match="did you mean 'regression'"):
        catalogue("regresion")
    with pytest.raises(BadInput, match="logistic must be used for binary or multiclass"):
        make_model("logistic", "regression", 100)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_default_models_include_a_baseline_and_a_linear_model(task):
    names = default_models(task)
    assert names[0] == "baseline" and {"ridge", "logistic"} & set(names)
    assert set(names) <= set(catalogue(task))


def test_models_are_plain_scikit_learn():
    for name, task in EVERY:
        for rows in (1000, 10_000):
            assert inspect.getmodule(type(make_model(name, task, rows))).__name__.startswith("sklearn.")
