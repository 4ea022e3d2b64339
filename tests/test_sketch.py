"""Summaries add up: counts exactly, moments within 1e-12, quantiles by rank, distinct values exactly up to a cap."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlwork.sketch import POINTS, count_distinct, hash_texts, quantile_of, share_below
from mlwork.summaries import merge_levels, merge_numbers, merge_text, summarise_levels, summarise_numbers, summarise_text

RNG = np.random.default_rng(0)
SHAPES = {
    "normal": RNG.normal(size=20_000),
    "far from zero": 1e9 + RNG.normal(size=20_000),
    "lognormal": RNG.lognormal(0, 2, 20_000),
    "whole": RNG.poisson(5, 20_000).astype(float),
    "cents": RNG.lognormal(3, 1, 20_000).round(2),
    "days": RNG.integers(0, 3000, 20_000) * 86_400.0,
    "mostly zero": np.where(RNG.random(20_000) < 0.9, 0.0, RNG.normal(size=20_000)),
    "two values": (RNG.random(20_000) < 0.3).astype(float),
    "tiny": RNG.normal(size=20_000) * 1e-300,
    "few": np.array([3.0, 1.0, 2.0]),
    "constant": np.full(1000, 7.5),
}


def added(values, parts):
    total = summarise_numbers(values[0::parts])
    for i in range(1, parts):
        total = merge_numbers(total, summarise_numbers(values[i::parts]))
    return total


@pytest.mark.parametrize("name", SHAPES)
def test_a_summary_says_what_numpy_says(name):
    x, s = SHAPES[name], summarise_numbers(SHAPES[name])
    assert (s["count"], s["distinct"]) == (len(x), len(np.unique(x)))
    assert (s["min"], s["max"], s["zeros"], s["negative"]) == (x.min(), x.max(), (x == 0).sum(), (x < 0).sum())
    assert s["mean"] == pytest.approx(x.mean(), rel=1e-13) and s["std"] == pytest.approx(x.std(ddof=1), rel=1e-9)
    for q, value in s["quantiles"].items():
        assert value == pytest.approx(np.quantile(x, float(q)), rel=1e-12)
    h = s["histogram"]
    assert sum(h["counts"]) + h["below"] + h["above"] == len(x) and (np.diff(h["edges"]) > 0).all()
    assert json.loads(json.dumps(s, allow_nan=False)) == s


@pytest.mark.parametrize("parts", [2, 10])
@pytest.mark.parametrize("name", SHAPES)
def test_parts_add_up(name, parts):
    x = SHAPES[name]
    parts = min(parts, len(x))
    one, total = summarise_numbers(x), added(x, parts)
    for k in ("count", "min", "max", "zeros", "negative", "whole", "infinite", "lowest", "highest"):
        assert one[k] == total[k], k
    for k in ("mean", "m2"):
        assert total["moments"][k] == pytest.approx(one["moments"][k], rel=1e-12)
    if one["distinct"] <= POINTS:
        assert total["distinct"] == one["distinct"] and total["distinct_exact"]
        assert total["quantiles"] == pytest.approx(one["quantiles"], rel=1e-12)
    else:
        assert not total["distinct_exact"]
        for q in (0.05, 0.25, 0.5, 0.75, 0.95):
            value = quantile_of(total["points"], q)
            assert (x < value).mean() - 0.01 <= q <= (x <= value).mean() + 0.01
    h = total["histogram"]
    assert sum(h["counts"]) + h["below"] + h["above"] == len(x) and min(h["counts"]) >= 0


numbers = st.lists(st.floats(allow_nan=False, width=64), max_size=60).map(lambda v: np.array(v, float))


@given(numbers, numbers)
@example(np.array([]), np.array([1.79769313e308, -9.97920155e291]))
@example(np.array([]), np.array([0.0, 1.79769313e308, -1.79769313e308]))
@settings(max_examples=150, deadline=None)
def test_any_two_lists_of_numbers_add_up(a, b):
    whole, total = summarise_numbers(np.concatenate([a, b])), merge_numbers(summarise_numbers(a), summarise_numbers(b))
    for k in ("count", "infinite", "min", "max", "distinct", "zeros", "negative", "lowest", "highest"):
        assert whole[k] == total[k]
    assert whole["points"]["values"] == total["points"]["values"]
    assert whole["points"]["weights"] == total["points"]["weights"]


@given(st.lists(st.sampled_from(["a", "b", "ç", "", "x y", "0"]), max_size=40), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_levels_add_up(levels, cut):
    def of(part):
        return summarise_levels(*pd.factorize(np.array(part, object)))

    assert merge_levels(of(levels[:cut]), of(levels[cut:])) == of(levels)


def test_many_levels_add_up_to_an_estimate():
    def of(values):
        return summarise_levels(*pd.factorize(np.array(values, object)))

    total = merge_levels(of([f"l{i}" for i in range(3000)]), of([f"l{i}" for i in range(2000, 6000)]))
    assert total["count"] == 7000 and not total["distinct_exact"]
    assert total["distinct"] == pytest.approx(6000, rel=0.2)
    assert sum(n for _, n in total["levels"]) + total["other"] == 7000


def test_hashes_of_texts_do_not_depend_on_where_the_text_stands():
    texts = pd.Series(["", "a", "ab", "ba", "12345678", "123456789", "é" * 20, "x" * 512, "x" * 513, "y" * 5000, "\0", "\0\0"], dtype="str")
    alone = hash_texts(texts)
    assert len(set(alone.tolist())) == len(texts)
    again = hash_texts(pd.concat([texts, texts], ignore_index=True).iloc[5:])
    assert (again == np.tile(alone, 2)[5:]).all()
    assert (hash_texts(texts.astype(object)) == alone).all()


@given(st.lists(st.text(max_size=30), max_size=50))
@settings(max_examples=80, deadline=None)
def test_distinct_texts_are_counted(texts):
    texts = [t.encode("utf-8", "ignore").decode() for t in texts]
    assert count_distinct(pd.Series(texts, dtype="str"))["distinct"] == len(set(texts))


def test_texts_add_up_and_are_not_kept():
    texts = pd.Series([f"bright flat number {i} near the secretgarden" for i in range(300)])
    total = merge_text(summarise_text(texts[:100]), summarise_text(texts[100:]))
    assert total["distinct"] == 300 and total["count"] == 300
    assert texts[7] not in json.dumps(total)


def test_shares_and_quantiles_are_inverse():
    points = summarise_numbers(SHAPES["lognormal"])["points"]
    shares = np.array([0.1, 0.5, 0.9])
    assert share_below(points, quantile_of(points, shares)) == pytest.approx(shares, abs=2e-3)
    assert np.isnan(quantile_of({"values": [], "weights": [], "exact": True}, 0.5))
