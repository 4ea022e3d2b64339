"""Thresholds, costs, calibration and subgroups against plain counting."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score

from mlwork.collect import load
from mlwork.core import BadInput
from mlwork.curves import calibrate_bins, cheapest, threshold_table
from mlwork.evaluate import evaluate
from mlwork.intervals import holm, wilson
from mlwork.metrics import Interval
from mlwork.preprocess import impute, scale, standardise_formats
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.subgroups import cut_column, subgroup_table
from mlwork.train import fit

NAMES = ("precision", "recall", "f1")


@st.composite
def scored(draw):
    "A truth with both classes, probabilities with ties, and groups or none."
    n = draw(st.integers(4, 80))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    truth = rng.random(n) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    truth[:2] = True, False
    p = rng.random(n).round(draw(st.integers(0, 6)))
    return truth, p, rng.integers(0, max(n // 3, 1), n) if draw(st.booleans()) else None


@settings(max_examples=60, deadline=None)
@given(scored())
def test_every_threshold_is_counted_as_scikit_learn_counts(rows):
    truth, p, groups = rows
    table = threshold_table(truth, p, groups)
    assert table.threshold.is_monotonic_decreasing and table.threshold.iloc[-1] == p.min()
    for r in table.itertuples():
        predicted = p >= r.threshold
        assert confusion_matrix(truth, predicted, labels=[False, True]).ravel().tolist() == [r.tn, r.fp, r.fn, r.tp]
        for name, f in zip(NAMES, (precision_score, recall_score, f1_score), strict=True):
            assert getattr(r, name) == pytest.approx(f(truth, predicted, zero_division=0))
            low, high = getattr(r, f"{name}_low"), getattr(r, f"{name}_high")
            assert 0 <= low <= getattr(r, name) + 1e-12 and getattr(r, name) - 1e-12 <= high <= 1 and low < high


def test_at_most_500_thresholds_and_the_same_counts():
    rng = np.random.default_rng(0)
    p = rng.random(5000)
    truth = rng.random(5000) < p**3
    table = threshold_table(truth, p)
    assert 250 <= len(table) <= 500
    r = table.iloc[100]
    assert r.tp == (truth & (p >= r.threshold)).sum()


def test_a_group_of_its_own_for_each_row_changes_nothing_and_copies_widen():
    rng = np.random.default_rng(1)
    p, n = rng.random(300), 300
    truth = rng.random(n) < p
    alone, named = threshold_table(truth, p), threshold_table(truth, p, np.arange(n))
    pd.testing.assert_frame_equal(alone, named)
    four = threshold_table(np.repeat(truth, 4), np.repeat(p, 4), np.repeat(np.arange(n), 4))
    wide, narrow = (t.recall_high - t.recall_low for t in (four, threshold_table(np.repeat(truth, 4), np.repeat(p, 4))))
    assert np.allclose(wide, alone.recall_high - alone.recall_low, atol=0.02)
    assert (wide[10:-10] > 1.7 * narrow[10:-10]).all()


@pytest.mark.parametrize("size, spread", [(1, 0.0), (8, 1.0)])
def test_intervals_of_thresholds_cover(size, spread):
    "Precision, recall and F1 at a fixed threshold, rows alone and in groups of eight that err together."

    def sample(groups, seed):
        rng = np.random.default_rng(seed)
        shared, x = np.repeat(rng.normal(0, spread, groups), size), rng.normal(-1.5, 1, groups * size)
        truth = rng.random(groups * size) < 1 / (1 + np.exp(-(x + shared)))
        table = threshold_table(truth, 1 / (1 + np.exp(-x)), np.repeat(np.arange(groups), size))
        return table.iloc[(table.threshold - 0.3).abs().argmin()]

    true, runs = sample(400_000 // size, 0), 300
    found = [sample(480 // size, seed) for seed in range(1, runs + 1)]
    for name in NAMES:
        assert np.mean([r[f"{name}_low"] <= true[name] <= r[f"{name}_high"] for r in found]) > 0.91


@settings(max_examples=40, deadline=None)
@given(scored(), st.floats(0.1, 10), st.floats(0.1, 10))
def test_the_cheapest_threshold_is_the_cheapest(rows, fp, fn):
    truth, p, groups = rows
    choice = cheapest(truth, p, fp, fn, groups)

    def cost(t):
        acted = p >= t
        return 1000 * (fp * (acted & ~truth).sum() + fn * (~acted & truth).sum()) / len(p)

    assert choice.options.loc["least cost", "cost"] == pytest.approx(cost(choice.threshold))
    assert choice.options.loc["least cost", "cost"] <= min(cost(t) for t in [*p, 1.1]) + 1e-9
    assert (choice.options.low <= choice.options.cost + 1e-9).all() and (choice.options.cost <= choice.options.high).all()
    assert "per 1,000 rows" in repr(choice) and "<table" in choice._repr_html_()


@pytest.mark.parametrize("fp, fn", [(0, 1), (1, -1), (float("nan"), 1)])
def test_costs_must_be_positive(fp, fn):
    with pytest.raises(BadInput, match="costs must be positive"):
        cheapest(np.array([True, False]), np.array([0.2, 0.1]), fp, fn)


def test_calibration_tells_right_from_wrong():
    rng = np.random.default_rng(2)
    p = rng.beta(1, 4, 5000)
    truth = rng.random(5000) < p
    right = calibrate_bins(truth, p)
    assert right.bins.n.sum() == 5000 and right.slope[1] < 1 < right.slope[2] and right.bias[1] < 0 < right.bias[2]
    assert abs(right.error - right.chance) < 0.01
    sure = calibrate_bins(truth, p**2 / (p**2 + (1 - p) ** 2))
    assert sure.slope[2] < 0.7 and sure.error > 3 * sure.chance
    high = calibrate_bins(truth, np.clip(p + 0.1, 0, 1))
    assert high.bias[1] > 0.05


@pytest.mark.parametrize("p", [np.zeros(50), np.ones(50), np.full(50, 0.5), np.r_[np.zeros(25), np.ones(25)]])
@pytest.mark.parametrize("truth", [np.zeros(50, bool), np.ones(50, bool), np.arange(50) % 2 == 0])
def test_calibration_of_extreme_promises(p, truth):
    c = calibrate_bins(truth, p)
    assert np.isfinite([c.error, c.chance, *c.bias]).all() and (c.bins.high > c.bins.low).all() and not np.isnan(c.slope).any()


def test_wilson_agrees_with_scipy():
    from scipy.stats import binomtest

    for k, n in [(0, 5), (3, 10), (10, 10), (470, 1000)]:
        low, high = wilson(np.array([k / n]), np.array([n]))
        expected = binomtest(k, n).proportion_ci(method="wilson")
        assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_holm_by_hand():
    assert holm([0.01, 0.04, float("nan"), 0.03]).tolist() == pytest.approx([0.03, 0.06, float("nan"), 0.06], nan_ok=True)
    assert holm([0.5, 0.6]).tolist() == [1.0, 1.0] and len(holm([])) == 0


@pytest.mark.parametrize(
    "values, role, expected",
    [
        (pd.Series([1, 2, 3, 4] * 50), "numeric", ["1", "2", "3", "4"]),
        (pd.Series([5] * 100), "numeric", ["5"]),
        (pd.Series(["a"] * 40 + ["b"] * 40 + ["c", "d"]), "categorical", ["a", "b", "other (2 levels)"]),
        (pd.Series(["a"] * 40 + [None] * 40), "categorical", ["(missing)", "a"]),
        (pd.Series([None] * 40, dtype="float64"), "numeric", ["(missing)"]),
        (pd.Series(["85 m²", "40 m²", "x"] * 40), "numeric", ["(missing)", "40", "85"]),
        (pd.Series(pd.date_range("2025-01-01", periods=100)), "datetime", None),
        (pd.Series(np.r_[np.zeros(90), np.arange(10)]), "numeric", None),
        (pd.Series([np.inf, -np.inf, 1.0, 2, 3, 4, 5, 6] * 10), "numeric", None),
    ],
)
def test_columns_are_cut(values, role, expected):
    names = cut_column(values, role)
    assert len(names) == len(values) and names.notna().all() and names.nunique() <= 6
    if expected is not None:
        assert sorted(names.unique()) == expected


def test_quantile_bins_are_of_about_equal_size():
    assert cut_column(pd.Series(np.random.default_rng(0).random(1000)), "numeric").value_counts().between(240, 260).all()


def test_noise_is_not_called_a_gap():
    "Over 40 equally good tables of 20 subgroups: a wrong verdict in at most a few."
    wrong = 0
    for seed in range(40):
        hit = np.random.default_rng(seed).random(1000) < 0.8

        def share(rows, hit=hit):
            low, high = wilson(np.array([hit[rows].mean()]), np.array([len(rows)]))
            return Interval(hit[rows].mean(), low[0], high[0], len(rows), "Wilson")

        names = pd.Series(np.repeat(np.arange(20), 50).astype(str))
        wrong += (subgroup_table(names, share, "accuracy").verdict != "no difference shown").any()
    assert wrong <= 5


def test_subgroups_are_of_what_the_recipe_reads():
    rng = np.random.default_rng(3)
    n = 600
    kilos = rng.normal(15, 3, n).round(2)
    weight = np.where(rng.random(n) < 0.3, [f"{k / 0.45359237:.4f} lb" for k in kilos], [f"{k} kg" for k in kilos])
    age = pd.Series(rng.integers(1, 10, n)).where(rng.random(n) < 0.9, 999)
    quick = rng.choice(["Y", "yes", "N", "no"], n)
    frame = pd.DataFrame({"weight": weight, "age": age, "quick": quick, "late": np.where(kilos + rng.normal(0, 3, n) > 15, "yes", "no")})
    split = holdout(load(frame, target="late", roles={"age": "numeric", "quick": "boolean"}))
    steps = [
        standardise_formats("weight", unit="kg"),
        standardise_formats("age", missing=[999]),
        standardise_formats("quick", kind="booleans"),
        impute(),
        scale(),
    ]
    rows = evaluate(fit(split, Recipe(steps, split.train.roles, target="late"), "logistic"), split).oof
    ends = [float(e) for g in rows.subgroups("weight").cat.categories for e in g.split(" – ")]
    assert max(ends) < 30
    assert set(rows.subgroups("quick")) == {"yes", "no"}
    ages = rows.subgroups("age").cat.categories
    assert "(missing)" in ages and not any("999" in a for a in ages)
