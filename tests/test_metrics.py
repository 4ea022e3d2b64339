"""Metrics: the numbers are scikit-learn's, the ends are the bootstrap's, nothing is of zero width, and bad input is one clear line."""

import json

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from mlwork.contributions import TABLE_METRICS, rank, rank_auc, rank_average_precision
from mlwork.core import BadInput, NotFound
from mlwork.intervals import Interval, effective_df, spread, unseen_share, wilson
from mlwork.metrics import METRICS, Scores, compare, default_metrics, main_metric, score

RNG = np.random.default_rng(0)


def draw(n=300, share=0.3, decimals=2, seed=0):
    "Truth 0/1 and probabilities with ties."
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype(int)
    return y, np.round(1 / (1 + np.exp(-(1.5 * y + rng.normal(size=n) - 1))), decimals)


def widths(scores):
    return {k: v.width for k, v in scores.items()}


# --- the numbers are scikit-learn's ------------------------------------------------------------------------------------


def in_sklearn(y, label, p):
    zero = {"zero_division": 0}
    return {
        "accuracy": reference.accuracy_score(y, label),
        "balanced_accuracy": reference.balanced_accuracy_score(y, label),
        "precision": reference.precision_score(y, label, **zero),
        "recall": reference.recall_score(y, label, **zero),
        "f1": reference.f1_score(y, label, **zero),
        "f1_macro": reference.f1_score(y, label, average="macro", **zero),
        "f1_weighted": reference.f1_score(y, label, average="weighted", **zero),
        "roc_auc": reference.roc_auc_score(y, p),
        "average_precision": reference.average_precision_score(y, p),
        "log_loss": reference.log_loss(y, p),
        "brier": reference.brier_score_loss(y, p),
        "matthews": reference.matthews_corrcoef(y, label),
    }


@pytest.mark.parametrize("seed,share,decimals", [(0, 0.3, 2), (1, 0.05, 1), (2, 0.9, 3), (3, 0.5, 0)])
def test_binary_values_are_those_of_sklearn(seed, share, decimals):
    y, p = draw(seed=seed, share=share, decimals=decimals)
    ours = score(y, probability=p, metrics=[m.name for m in METRICS.values() if "binary" in m.tasks], positive=1)
    for name, value in in_sklearn(y, (p >= 0.5).astype(int), p).items():
        assert ours[name].value == pytest.approx(value, abs=1e-12), name


def test_multiclass_values_are_those_of_sklearn():
    y, p = RNG.integers(0, 4, 400), RNG.dirichlet([1, 1, 1, 1], 400)
    names, label = np.array(["a", "b", "c", "d"]), p.argmax(axis=1)
    ours = score(names[y], probability=p, metrics=[m.name for m in METRICS.values() if "multiclass" in m.tasks])
    expected = {
        "accuracy": reference.accuracy_score(y, label),
        "balanced_accuracy": reference.balanced_accuracy_score(y, label),
        "f1_macro": reference.f1_score(y, label, average="macro"),
        "f1_weighted": reference.f1_score(y, label, average="weighted"),
        "roc_auc": reference.roc_auc_score(y, p, multi_class="ovr"),
        "log_loss": reference.log_loss(y, p),
        "brier": reference.brier_score_loss(y, p),
        "matthews": reference.matthews_corrcoef(y, label),
    }
    assert set(ours) == set(expected)
    for name, value in expected.items():
        assert ours[name].value == pytest.approx(value, abs=1e-12), name


def test_regression_values_are_those_of_sklearn():
    y = RNG.normal(10, 3, 200)
    f = y + RNG.normal(size=200)
    ours = score(y, f, metrics=["mae", "rmse", "r2", "mape", "pinball"], quantile=0.9)
    expected = [
        reference.mean_absolute_error(y, f),
        reference.root_mean_squared_error(y, f),
        reference.r2_score(y, f),
        reference.mean_absolute_percentage_error(y, f),
        reference.mean_pinball_loss(y, f, alpha=0.9),
    ]
    assert [v.value for v in ours.values()] == pytest.approx(expected, abs=1e-12)


# --- contributions -----------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 40), min_size=9, max_size=9))
@settings(max_examples=40, deadline=None)
def test_slopes_are_derivatives_and_sum_to_zero(counts):
    table = np.array(counts, dtype=float).reshape(3, 3)
    for name in set(TABLE_METRICS) - {"precision", "recall", "f1"}:
        metric = TABLE_METRICS[name](table)
        assert (table * metric.slope).sum() == pytest.approx(0, abs=1e-10)
        for cell in np.ndindex(3, 3):
            more, less = table.copy(), table.copy()
            more[cell] += 1e-4
            less[cell] -= 1e-4
            slope = (TABLE_METRICS[name](more).value - TABLE_METRICS[name](less).value) / 2e-4
            assert metric.slope[cell] == pytest.approx(slope, abs=1e-6), (name, cell)


@given(st.integers(0, 10_000), st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_ranking_contributions_are_what_one_row_of_many_copies_moves(seed, decimals):
    y, p = draw(n=60, seed=seed, decimals=decimals)
    if not 3 <= y.sum() <= 57:
        return
    copies = 200  # one copy of 200 is nearly an infinitesimal part of its row
    many, scores = np.repeat(y, copies) == 1, np.repeat(p, copies)
    for metric in (rank_auc, rank_average_precision):
        value, parts = metric(y == 1, rank(p))
        assert parts.sum() == pytest.approx(0, abs=1e-10)
        for i in range(0, 60, 12):
            left = metric(np.delete(many, i * copies), rank(np.delete(scores, i * copies)))[0]
            assert copies * (value - left) == pytest.approx(parts[i], abs=0.02 * np.abs(parts).max() + 1e-9)


def test_delong_is_the_plain_spread_of_the_auc():
    y, p = draw()
    value, parts = rank_auc(y == 1, rank(p))
    above = (p[y == 1][:, None] > p[y == 0]) + 0.5 * (p[y == 1][:, None] == p[y == 0])
    by_positive, by_negative = above.mean(axis=1), above.mean(axis=0)
    variance = by_positive.var() / len(by_positive) + by_negative.var() / len(by_negative)
    assert value == pytest.approx(above.mean())
    assert (parts**2).sum() == pytest.approx(variance)


def test_groups_of_one_row_are_rows():
    y, p = draw()
    assert widths(score(y, probability=p, groups=np.arange(len(y)))) == widths(score(y, probability=p))
    parts = RNG.normal(size=50)
    parts -= parts.mean()
    assert spread(parts, np.arange(50)).se == pytest.approx(spread(parts).se)


def test_doubled_rows_are_not_twice_the_evidence():
    y, p = draw()
    twice = np.repeat(np.arange(len(y)), 2)
    once, doubled = score(y, probability=p), score(y[twice], probability=p[twice], groups=twice)
    for name in once:
        assert doubled[name].value == pytest.approx(once[name].value)
        assert doubled[name].width > 0.93 * once[name].width, name


# --- the ends are the bootstrap's, and the order of rows and the names of labels do not matter --------------------------


def test_ends_agree_with_a_bootstrap_of_20000_draws():
    n, draws, rng = 100_000, 20_000, np.random.default_rng(0)
    y, p = draw(n, 0.2, 2, seed=5)
    names = ["accuracy", "precision", "recall", "f1", "roc_auc"]
    ours = score(y, probability=p, metrics=names, positive=1)
    steps, code = np.unique(p, return_inverse=True)
    cells = np.bincount(code * 2 + y, minlength=2 * len(steps))
    counts = rng.multinomial(n, cells / n, size=draws).reshape(draws, len(steps), 2).astype(float)
    negative, positive = counts[:, :, 0], counts[:, :, 1]
    said = steps >= 0.5
    hits, alarms, events = positive[:, said].sum(1), counts[:, said].sum((1, 2)), positive.sum(1)
    below = np.cumsum(negative, axis=1) - negative / 2
    again = {
        "accuracy": (hits + negative[:, ~said].sum(1)) / n,
        "precision": hits / alarms,
        "recall": hits / events,
        "f1": 2 * hits / (alarms + events),
        "roc_auc": (positive * below).sum(1) / (events * (n - events)),
    }
    for name in names:
        low, high = np.quantile(again[name], [0.025, 0.975])
        assert abs(ours[name].low - low) < 0.05 * (high - low), name
        assert abs(ours[name].high - high) < 0.05 * (high - low), name


def test_order_and_names_do_not_matter():
    y, p = draw()
    plain = score(y, probability=p, positive=1)
    shuffled = RNG.permutation(len(y))
    words = np.where(y == 1, "yes", "no")
    for other in (
        score(y[shuffled], probability=p[shuffled], positive=1),
        score(words, probability=p),
        score(words.astype(object), probability=np.column_stack([1 - p, p])),
        score(pd.Series(words, index=range(7, 307)), probability=pd.DataFrame({"no": 1 - p, "yes": p})),
        score(pd.Categorical(words), probability=np.column_stack([p, 1 - p]), classes=["yes", "no"]),
        score(y == 1, probability=p),
        score(y.astype(float), probability=p, positive=1, task="binary"),
    ):
        for name in plain:
            assert [other[name].value, other[name].low, other[name].high] == pytest.approx(
                [plain[name].value, plain[name].low, plain[name].high], abs=1e-12
            ), name


def test_confidence_widens():
    y, p = draw()
    narrow, wide = score(y, probability=p, confidence=0.8), score(y, probability=p, confidence=0.99)
    assert all(narrow[k].width < wide[k].width for k in narrow)


# --- never of zero width -----------------------------------------------------------------------------------------------

Y = np.repeat(["no", "yes"], [30, 10])
EXTREMES = {
    "perfect": (Y == "yes").astype(float),
    "perfect, unsure": 0.4 + 0.2 * (Y == "yes"),
    "all wrong": (Y == "no").astype(float),
    "constant low": np.zeros(40),
    "constant high": np.ones(40),
    "constant half": np.full(40, 0.5),
}


@pytest.mark.parametrize("groups", [None, np.arange(40) // 4, np.zeros(40)], ids=["rows", "groups", "one group"])
@pytest.mark.parametrize("p", EXTREMES.values(), ids=EXTREMES)
def test_no_interval_has_zero_width(p, groups):
    names = [m.name for m in METRICS.values() if "binary" in m.tasks]
    for name, interval in score(Y, probability=p, metrics=names, groups=groups).items():
        assert interval.low <= interval.value <= interval.high and interval.width > 0.005, name
    for name in names:
        key = p if METRICS[name].needs == "score" else np.where(p >= 0.5, "yes", "no")
        interval = compare(name, Y, key, key, groups)
        assert interval.value == 0 and interval.low < 0 < interval.high, name


@pytest.mark.parametrize("error", [0.0, 1.0], ids=["perfect", "one off"])
@pytest.mark.parametrize("groups", [None, np.arange(40) // 4, np.zeros(40)], ids=["rows", "groups", "one group"])
def test_no_interval_of_a_number_has_zero_width(error, groups):
    y = np.linspace(1, 9, 40)
    for name, interval in score(y, y + error, metrics=["mae", "rmse", "r2", "mape", "pinball"], groups=groups).items():
        assert interval.low <= interval.value <= interval.high and interval.width > 0.005, name
        gap = compare(name, y, y + error, y + error, groups)
        assert gap.low < 0 < gap.high, name


@given(st.integers(0, 10_000), st.integers(2, 12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_few_rows_never_break_it(seed, n, grouped):
    rng = np.random.default_rng(seed)
    y, p = rng.integers(0, 2, n), np.round(rng.random(n), 1)
    names = [m.name for m in METRICS.values() if "binary" in m.tasks]
    groups = rng.integers(0, 3, n) if grouped else None
    for name, interval in score(y, probability=p, metrics=names, groups=groups, positive=1).items():
        low, high = METRICS[name].range
        assert low <= interval.low < interval.high <= high, (name, interval)
        assert np.isnan(interval.value) or interval.low <= interval.value <= interval.high, (name, interval)


# --- what the notes say ------------------------------------------------------------------------------------------------


def test_fewer_than_five_positives_are_too_few():
    y, p = draw(n=200)
    y[:] = 0
    y[:4] = 1
    scores = score(y, probability=p, positive=1)
    assert "too few to conclude: 4 rows of 1" in scores["recall"].note and "too few" in scores["roc_auc"].note
    assert scores["accuracy"].note == scores["brier"].note == ""
    assert scores["recall"].width > 0.5


def test_positives_of_one_building_are_one_group():
    y, building = np.repeat([1, 0], [20, 180]), np.arange(200) // 40
    assert "1 groups of 1" in score(y, np.roll(y, 3), groups=building, positive=1)["recall"].note


def test_undefined_is_said():
    quiet = score(["no"] * 20 + ["yes"] * 6, ["no"] * 26)
    assert quiet["precision"].value == 0 and "undefined" in quiet["precision"].note
    assert (quiet["precision"].low, quiet["precision"].high) == (0, 1)
    assert "undefined" in quiet["matthews"].note
    one = score(["no"] * 20, probability=np.linspace(0, 1, 20), positive="yes")
    assert np.isnan(one["roc_auc"].value) and "one class only" in one["roc_auc"].note
    assert "undefined" in score(np.full(10, 3.0), np.arange(10.0), task="regression")["r2"].note
    assert "same score" in score([0, 1] * 20, probability=np.full(40, 0.4))["roc_auc"].note


def test_a_class_missing_from_the_truth_is_left_out():
    p = RNG.dirichlet([1, 1, 1], 60)
    scores = score(RNG.integers(0, 2, 60), probability=p, classes=[0, 1, 2])
    assert "left out" in scores["balanced_accuracy"].note and 0 < scores["roc_auc"].value < 1


def test_heavy_tails_and_zeros_are_named():
    y = np.append(np.ones(200), 500.0)
    scores = score(y, np.ones(201), metrics=["rmse", "mape"], task="regression")
    assert "few rows carry" in scores["rmse"].note
    assert "1 rows have a true value of 0" in score([0.0, 1.5, 2.5], [1.0, 1.0, 2.0], metrics="mape")["mape"].note


def test_models_that_hardly_differ():
    y, p = draw()
    label = (p >= 0.5).astype(int)
    other = label.copy()
    other[:2] = 1 - other[:2]
    assert "the models differ on 2 rows" in compare("accuracy", y, label, other).note


# --- differences -------------------------------------------------------------------------------------------------------


def test_a_difference_is_antisymmetric_and_pairs_the_rows():
    y, p = draw(n=500)
    q = np.clip(p + RNG.normal(scale=0.05, size=500), 0, 1)
    for name in default_metrics("binary"):
        a, b = (p, q) if METRICS[name].needs == "score" else ((p >= 0.5).astype(int), (q >= 0.5).astype(int))
        one, two = compare(name, y, a, b, positive=1), compare(name, y, b, a, positive=1)
        assert [one.value, one.low, one.high] == pytest.approx([-two.value, -two.high, -two.low])
        alone = score(y, a if a.dtype == int else None, None if a.dtype == int else a, [name], positive=1)[name]
        assert one.width < alone.width, name


def test_compare_reads_what_score_reads():
    y = np.array(["fox", "hen", "hen", "fox"] * 20)
    assert compare("recall", y, y, np.full(80, "hen"), positive="fox").value == 1
    p = RNG.dirichlet([1, 1, 1], 90)
    assert compare("roc_auc", np.arange(90) % 3, p, p[:, [1, 0, 2]]).low < 0
    assert compare("rmse", np.arange(30.0) + 0.5, np.arange(30.0), np.arange(30.0) + 1).value == pytest.approx(0)
    counts = np.arange(40) % 7
    assert compare("mae", counts, counts + 0.5, counts + 1.5).value == pytest.approx(-1)


# --- bad input: one line, what must hold, what was got ------------------------------------------------------------------

BAD = {
    "no rows": (dict(y_true=[], prediction=[]), "at least 2 rows; got 0"),
    "one row": (dict(y_true=[1], prediction=[1]), "at least 2 rows; got 1"),
    "nothing scored": (dict(y_true=[1, 0]), "neither prediction nor probability"),
    "other length": (dict(y_true=[1, 0, 1], prediction=[1, 0]), "as long as the truth (3 rows); got 2 rows"),
    "probability of other length": (dict(y_true=[1, 0, 1], probability=[0.2, 0.4]), "as long as the truth (3 rows)"),
    "groups of other length": (dict(y_true=[1, 0], prediction=[1, 0], groups=["a"]), "groups must be as long"),
    "NaN in a label": (
        dict(y_true=["a", None, "b"], prediction=["a", "b", "b"]),
        "truth must have a label in every row; got none in row 1",
    ),
    "NaN in a number": (dict(y_true=[1.5, 2.5], prediction=[1.0, np.nan]), "prediction must be finite; got nan in row 1"),
    "infinity": (dict(y_true=[1.5, np.inf], prediction=[1.0, 2.0], task="regression"), "truth must be finite; got inf in row 1"),
    "NaN probability": (dict(y_true=[1, 0], probability=[np.nan, 0.5]), "probability must be finite"),
    "not a probability": (dict(y_true=[1, 0], probability=[-2.0, 3.0]), "pass predict_proba"),
    "rows that do not sum to one": (dict(y_true=[0, 1, 2], probability=np.full((3, 3), 0.5)), "sum to 1"),
    "too many columns": (dict(y_true=[0, 1, 0], probability=np.full((3, 4), 0.25)), "one column for each"),
    "a table of truth": (dict(y_true=[[1, 0], [0, 1]], prediction=[1, 0]), "one value a row"),
    "unseen label": (dict(y_true=["a", "b"], prediction=["a", "c"], classes=["a", "b"]), "got 'c'"),
    "three classes in two": (dict(y_true=["a", "b", "c"], prediction=["a", "b", "c"], task="binary"), "two classes"),
    "strange positive": (dict(y_true=["a", "b"], prediction=["a", "b"], positive="z"), "positive must be one of the labels"),
    "words as numbers": (dict(y_true=["a", "b"], prediction=["a", "b"], task="regression"), "must hold numbers"),
    "metric of another task": (dict(y_true=[0, 1, 2], prediction=[0, 1, 2], metrics="recall"), "must suit a multiclass task"),
    "no probabilities": (dict(y_true=[0, 1], prediction=[0, 1], metrics="roc_auc"), "roc_auc needs probabilities"),
    "confidence in percent": (dict(y_true=[0, 1], prediction=[0, 1], confidence=95), "between 0 and 1; got 95"),
    "quantile": (dict(y_true=[0.5, 1.5], prediction=[0.0, 1.0], quantile=2), "quantile must lie between 0 and 1"),
    "only probabilities of a number": (dict(y_true=[0.5, 1.5], probability=[0.1, 0.2], task="regression"), "pass prediction"),
}


@pytest.mark.parametrize("call,words", BAD.values(), ids=BAD)
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(BadInput) as e:
        score(**call)
    assert words in str(e.value) and "\n" not in str(e.value)


def test_wrong_names_get_the_nearest():
    with pytest.raises(NotFound, match="did you mean 'accuracy'"):
        score([0, 1], [0, 1], metrics=["acuracy"])
    with pytest.raises(NotFound, match="did you mean 'roc_auc'"):
        compare("rocauc", [0, 1], [0.1, 0.2], [0.1, 0.3])
    with pytest.raises(NotFound, match="did you mean 'binary'"):
        score([0, 1], [0, 1], task="binery")
    with pytest.raises(NotFound, match="metric must be one of"):
        score([0, 1, 1], [0, 1, 1])["rmse"]


# --- catalogue and results ---------------------------------------------------------------------------------------------


def test_the_catalogue_is_whole():
    assert len(METRICS) == 17 and all(k == m.name and m.words and m.needs in ("label", "score", "value") for k, m in METRICS.items())
    for task in ("binary", "multiclass", "regression"):
        assert main_metric(task) in default_metrics(task)
        assert all(task in METRICS[m].tasks for m in default_metrics(task))


def test_scores_show_themselves():
    y, p = draw()
    scores = score(y, probability=p, positive=1)
    assert isinstance(scores, Scores) and list(scores) == list(default_metrics("binary"))
    table = scores.table()
    assert list(table.columns) == ["metric", "value", "low", "high", "n", "method", "note"] and len(table) == len(scores)
    assert "ROC AUC" in repr(scores) and "<table" in scores._repr_html_() and "roc_auc" in scores and "mae" not in scores
    assert json.loads(json.dumps(scores.to_dict(), allow_nan=False))["f1"]["value"] == scores["f1"].value
    nothing = score(["no"] * 9, probability=np.linspace(0, 1, 9), positive="yes").to_dict()
    assert nothing["roc_auc"]["value"] is None
    assert (
        str(Interval(0.812, 0.78, 0.84, 1, "")) == "0.812 [0.780, 0.840]"
        and str(Interval(12345.6, 1, 99.5, 1, "")) == "12,346 [1.000, 99.50]"
    )


def test_the_small_formulas():
    assert wilson(1.0, 20) == pytest.approx((0.8389, 1.0), abs=1e-4)
    assert effective_df(np.tile([1.0, -1.0], 50)) == 99
    assert unseen_share(100) == pytest.approx(0.0362, abs=1e-4)
