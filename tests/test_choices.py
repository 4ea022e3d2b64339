"""Thresholds for a purpose, tolerances, subgroups of two columns, and what is drawn of them: against plain counting."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlwork.choices import best_threshold, short_thresholds
from mlwork.collect import load
from mlwork.core import BadInput, NotFound
from mlwork.curves import threshold_table, tolerance_table
from mlwork.explore import profile
from mlwork.figures import by_confusion, figure_svg, residuals_svg
from mlwork.oof import OutOfFold
from mlwork.preprocess import standardise_formats
from mlwork.recipe import Recipe
from mlwork.show import svg_lines
from mlwork.subgroups import crossed, cut_column
from mlwork.suggest import remedies

probabilities = arrays(float, st.integers(5, 60), elements=st.floats(0, 1, width=16))


def predicted(p, seed=5):
    truth = np.random.default_rng(seed).random(len(p)) < p
    frame = pd.DataFrame({"y": np.where(truth, "a", "b"), "prediction": np.where(p >= 0.5, "a", "b"), "p:a": p, "p:b": 1 - p})
    data = load(pd.DataFrame({"x": np.arange(len(p)) % 3, "s": np.where(np.arange(len(p)) % 2, "u", "v"), "y": frame.y}), target="y")
    return OutOfFold(frame, data, ["a", "b"], "a", None)


@given(probabilities)
def test_a_short_threshold_labels_the_same_rows(p):
    thresholds = np.unique(p)
    short = short_thresholds(p, thresholds)
    assert ((p[:, None] >= short) == (p[:, None] >= thresholds)).all()
    assert all(len(repr(float(a))) <= len(repr(float(b))) for a, b in zip(short, thresholds, strict=True))


@given(probabilities, st.floats(0.05, 1))
def test_a_purpose_is_served_as_well_as_can_be(p, share):
    truth = np.random.default_rng(1).random(len(p)) < 0.5
    truth[0] = True
    table = threshold_table(truth, p)
    at = table.set_index("threshold").loc[best_threshold(table, "recall", share)]
    every = [((p >= t) & truth).sum() / truth.sum() for t in np.unique(p)]
    assert at.recall >= share - 1e-9 and at.acted == min(
        (p >= t).mean() for t, r in zip(np.unique(p), every, strict=True) if r >= share - 1e-9
    )
    try:
        at = table.set_index("threshold").loc[best_threshold(table, "capacity", share)]
    except BadInput:
        assert (p >= p.max()).mean() > share
    else:
        assert at.acted == max((p >= t).mean() for t in np.unique(p) if (p >= t).mean() <= share + 1e-12)


def test_false_alarms_and_acted_are_shares_with_ends():
    rng = np.random.default_rng(0)
    p = rng.random(500)
    truth = rng.random(500) < p
    row = threshold_table(truth, p).iloc[200]
    assert row.false_alarm_rate == pytest.approx((p[~truth] >= row.threshold).mean()) and row.acted == (p >= row.threshold).mean()
    assert 0 <= row.false_alarm_rate_low < row.false_alarm_rate < row.false_alarm_rate_high <= 1


@pytest.mark.parametrize("relative", [True, False])
def test_tolerances_are_counted(relative):
    rng = np.random.default_rng(0)
    truth, groups = rng.normal(50, 9, 400), np.repeat(np.arange(50), 8)
    truth[:3] = 0
    said = truth + np.repeat(rng.normal(0, 4, 50), 8)
    said[0] = 0  # a hit of nothing
    alone, together = (tolerance_table(truth, said, g, relative) for g in (None, groups))
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.abs(said - truth) / (np.where(said == truth, 1, np.abs(truth)) if relative else 1)
    row = alone.iloc[len(alone) // 3]
    assert row.within == (error <= row.tolerance + 1e-12).mean() and np.isfinite(alone.tolerance).all()
    widths = [(t.within_high - t.within_low)[len(t) // 4 : 3 * len(t) // 4].mean() for t in (alone, together)]
    assert widths[1] > 1.5 * widths[0]


def test_two_columns_are_crossed_and_errors_asked_for():
    rows = predicted(np.random.default_rng(0).random(300))
    names = rows.subgroups(["x", "s"])
    assert sorted(names.unique()) == sorted(f"{x}, {s}" for x in "012" for s in "uv")
    assert (crossed([cut_column(rows.data.frame[c], "categorical") for c in "xs"]) == names.to_numpy()).all()
    worst = rows.errors(5, of={("x", "s"): "1, u", "y": "a"})
    assert set(worst.x) == {1} and set(worst.s) == {"u"} and set(worst.y) == {"a"} and worst.loss.is_monotonic_decreasing
    with pytest.raises(NotFound):
        rows.errors(of={"x": "seven"})
    relabelled = rows.at(0.9)
    assert ((relabelled.predictions.prediction == "a") == (rows.predictions["p:a"] >= 0.9)).all()


def test_a_mark_lies_where_its_scale_puts_it():
    text = svg_lines([{"x": [0, 1], "y": [0, 1]}], x=(0, 1), y=(0, 1), mark=(0.25, 0.5))
    place = {
        k: float(text.split("<circle cx='")[1].split("'")[0]) if k == "cx" else float(text.split("' cy='")[1].split("'")[0])
        for k in ("cx", "cy")
    }
    x0, per_x, y0, per_y = map(float, text.split("data-scale='")[1].split("'")[0].split(","))
    assert place["cx"] == pytest.approx(x0 + 0.25 * per_x, abs=0.06) and place["cy"] == pytest.approx(y0 + 0.5 * per_y, abs=0.06)


def test_figures_of_a_class_of_errors_and_of_residuals():
    rows = predicted(np.random.default_rng(0).random(300))
    assert "Gain" in figure_svg(rows, "gain", "b", rows.curve("b").iloc[10]) and "mlw-mark" in figure_svg(
        rows, "gain", at=rows.curve().iloc[10]
    )
    counts = pd.DataFrame([[9, 1, 0], [0, 9, 0], [5, 0, 9]], list("abc"), list("abc"))
    assert list(by_confusion(counts).index) == ["a", "c", "b"]
    frame = pd.DataFrame({"y": np.arange(90.0), "prediction": np.arange(90.0) + 1})
    numbers = OutOfFold(
        frame, load(pd.DataFrame({"z": np.arange(90.0), "s": ["u", "v", "w"] * 30, "y": frame.y}), target="y"), None, None, None
    )
    assert (
        "prediction - truth" in figure_svg(numbers, "errors")
        and "-1" in residuals_svg(numbers, "s")
        and "truth" in residuals_svg(numbers, "z")
    )


@pytest.mark.parametrize("code, share", [(999, 0.04), (-1, 0.002), (99, 0.2)])
def test_a_code_for_unknown_is_found_and_read_as_missing(code, share):
    rng = np.random.default_rng(0)
    n = 4000
    frame = pd.DataFrame({"age": rng.normal(40, 6, n).round(), "b": rng.normal(size=n)})
    frame.loc[rng.random(n) < share, "age"] = code
    found = [f for f in profile(load(frame)).findings.about("age") if any(isinstance(s, standardise_formats) for s in remedies(f))]
    assert found, "no finding"
    (step,) = remedies(found[0])
    after = Recipe.of(load(frame)).add(step).pipeline().fit_transform(frame)
    assert after["age"].isna().sum() == (frame.age == code).sum() and after["age"].max() < 90


def test_codes_must_be_numbers():
    with pytest.raises(BadInput, match="missing=\\[999\\]"):
        standardise_formats("age", missing=["unknown"])
    assert standardise_formats("age", missing=999).missing == (999,)
