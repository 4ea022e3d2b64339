"""A profile sees what was planted and nothing else, survives any table, adds up, and can be written down."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlwork.associations import cramers_v, crosstab, tabulate
from mlwork.collect import load
from mlwork.core import BadInput, BadType, NotFound
from mlwork.explore import Profile, profile
from mlwork.shift import compare_profiles
from mlwork.split import holdout
from mlwork.steps import parse_dates

# findings of severity warning and above that are true of the shipped tables, with the reason
TRUE = {
    "tumours": {("MLW-E04", "mean_radius")},  # radius, perimeter and area of the same nuclei
    "wine": set(),
    "diabetes": set(),
}


@pytest.fixture(scope="module")
def rentals():
    return load("sample:rentals")


@pytest.fixture(scope="module")
def known(rentals, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLWORK_LEDGER", str(tmp_path_factory.mktemp("ledger")))
        split = holdout(rentals, by="time", time="listed_on", test="3 months", group="building")
        return profile(split)


def seen(found, least="warning"):
    return {(f.code, c) for f in found.at_least(least) for c in f.columns}


@pytest.mark.parametrize("name", TRUE)
def test_no_false_alarm_on_clean_tables(name):
    found = profile(load(f"sample:{name}")).findings.at_least("warning")
    assert {(f.code, f.columns[0]) for f in found} == TRUE[name]


def test_planted_flaws_of_rentals_are_found(known, rentals):
    planted = {("MLW-E01", "days_on_market"), ("MLW-E01", "bonus_eur"), ("MLW-E06", "energy_kwh"), ("MLW-E05", "energy_kwh")}
    planted |= {("MLW-E08", "year_built"), ("MLW-E09", "floor"), ("MLW-E09", "deposit_months"), ("MLW-E10", "area")}
    assert planted <= seen(known.findings)
    by_price = profile(load("sample:rentals", target="price"))
    assert ("MLW-E03", "price_per_m2") in seen(by_price.findings)


def test_the_profile_of_a_split_knows_only_its_training_rows(known, rentals):
    assert known.rows < len(rentals)
    assert "Rentio" not in [level for level, _ in known.columns["agent"]["levels"]]
    assert known.columns["listed_on"]["max"] < "2025-04-01"


def test_the_shift_of_rentals_is_found(rentals):
    dates = parse_dates(rentals.frame["listed_on"])
    shift = compare_profiles(profile(rentals.take(dates < "2025-04-01")), profile(rentals.take(dates >= "2025-04-01")))
    assert {"heating", "agent"} <= {c for _, c in seen(shift.findings, "info")}


@pytest.mark.parametrize("seed", range(4))
def test_two_halves_of_one_table_do_not_differ(rentals, seed):
    order = np.random.default_rng(seed).permutation(len(rentals))
    quiet = compare_profiles(*[profile(rentals.take(order[i::2])) for i in range(2)])
    assert not quiet.findings.at_least("warning")


# --- planted at random -------------------------------------------------------------------------------------------------------------


def clean(seed, n=1500):
    "A table in which nothing is wrong: skewed, heavy-tailed, discrete and missing at random, but honest."
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "income": rng.lognormal(10, 1, n).round(2),
            "heavy": rng.standard_t(3, n),
            "visits": rng.poisson(2, n),
            "age": rng.integers(18, 95, n),
            "height": np.where(rng.random(n) < 0.1, np.nan, rng.normal(170, 10, n)),
            "city": rng.choice(["Ost", "West", "Süd"], n, p=[0.6, 0.3, 0.1]),
            "seen_on": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, n), unit="D"),
        }
    )
    score = frame["age"] / 20 + frame["visits"] + rng.normal(size=n) * 2
    return frame.assign(bought=np.where(score > score.quantile(0.8), "yes", "no")), rng


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_found_where_nothing_is_wrong(seed):
    frame, _ = clean(seed)
    assert seen(profile(load(frame, target="bought")).findings) == set()


PLANTS = {
    "leak": (("MLW-E01", "after"), lambda f, r: f.assign(after=np.where(f["bought"] == "yes", r.uniform(1, 9, len(f)), 0).round(2))),
    "gap leak": (("MLW-E02", "paid"), lambda f, r: f.assign(paid=np.where(f["bought"] == "yes", r.uniform(1, 9, len(f)), np.nan))),
    "tied": (("MLW-E04", "height_cm"), lambda f, r: f.assign(height_cm=f["height"] * 2.54 + r.normal(0, 0.01, len(f)))),
    "reason": (
        ("MLW-E06", "exam"),
        lambda f, r: f.assign(exam=np.where((f["age"] > 60) & (r.random(len(f)) < 0.8), np.nan, r.normal(size=len(f)))),
    ),
    "impossible": (("MLW-E08", "age"), lambda f, r: f.assign(age=np.where(r.random(len(f)) < 0.005, 999, f["age"]))),
    "apart": (("MLW-E09", "visits"), lambda f, r: f.assign(visits=np.where(r.random(len(f)) < 0.005, 999, f["visits"]))),
    "units": (
        ("MLW-E10", "area"),
        lambda f, r: f.assign(area=r.lognormal(4.2, 0.4, len(f)) * np.where(r.random(len(f)) < 0.05, 10.7639, 1)),
    ),
    "drift": (("MLW-E13", "rate"), lambda f, r: f.assign(rate=r.normal(size=len(f)) + 1.2 * (f["seen_on"] > "2025-02-01"))),
}


@pytest.mark.parametrize("plant", PLANTS)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=4, deadline=None, derandomize=True)
def test_what_is_planted_is_found(plant, seed):
    expected, put = PLANTS[plant]
    frame, rng = clean(seed)
    found = seen(profile(load(put(frame, rng), target="bought")).findings)
    assert expected in found
    assert {c for _, c in found} <= {expected[1], "height"}, "nothing else is wrong"


# --- unusual tables ------------------------------------------------------------------------------------------------------------------

BIG = 2**60
ODD = {
    "one row": pd.DataFrame({"x": [1.0], "c": ["a"]}),
    "no rows": pd.DataFrame({"x": pd.Series([], dtype=float), "c": pd.Series([], dtype="str")}),
    "all missing": pd.DataFrame({"x": [np.nan] * 5, "c": pd.Series([None] * 5, dtype="str"), "o": pd.Series([None] * 5, dtype=object)}),
    "infinite": pd.DataFrame({"x": [1.0, np.inf, -np.inf, 2.0, np.nan] * 9}),
    "only infinite": pd.DataFrame({"x": [np.inf] * 30, "y": [1.5] * 30}),
    "huge integers": pd.DataFrame({"x": [BIG, BIG + 1, BIG + 2] * 10, "u": np.array([2**64 - 1, 0, 1] * 10, np.uint64)}),
    "huge floats": pd.DataFrame({"x": [1e308, -1e308, 0.0, 1e-308] * 10}),
    "mixed": pd.DataFrame({"x": [1, "a", 2.5, None, True, b"bytes"] * 5}),
    "lists": pd.DataFrame({"x": [[1], [2, 3], None] * 5}),
    "unicode": pd.DataFrame({"größe ✓ <b>": [1.5, 2.5] * 5, "名前": ["あ", "い"] * 5}),
    "extension": pd.DataFrame(
        {
            "i": pd.array([1, None, 3] * 4, dtype="Int64"),
            "b": pd.array([True, None, False] * 4, dtype="boolean"),
            "c": pd.Categorical(["a", "b", None] * 4),
            "o": pd.Categorical(["lo", "hi", "lo"] * 4, ["lo", "hi"], ordered=True),
            "t": pd.to_timedelta([1, 2, None] * 4, unit="D"),
            "p": pd.period_range("2024-01", periods=12, freq="M"),
            "z": pd.date_range("2024-01-01", periods=12, tz="Europe/Berlin"),
            "f": pd.array([0.5, None, 1.5] * 4, dtype="Float64"),
        }
    ),
    "long text": pd.DataFrame({"x": ["word " * 20_000, "short"] * 5}),
    "number names": pd.DataFrame(np.arange(12.0).reshape(6, 2)),
    "two-level names": pd.DataFrame([[1.0, 2.0]] * 3, columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])),
    "far dates": pd.DataFrame({"d": pd.to_datetime(["1700-01-01", "2200-12-31", None] * 5)}),
}


@pytest.mark.parametrize("name", ODD)
def test_any_table_is_described_written_and_shown(name):
    p = profile(ODD[name])
    assert Profile.from_json(p.to_json()) == p
    json.loads(p.to_json(), parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))
    page = p.page()
    assert page.startswith("<!doctype html>") and '<b>"' not in page
    assert p._repr_html_() and isinstance(p.associations(), pd.DataFrame)
    for entry in p.columns.values():
        assert entry["rows"] == entry["missing"] + entry["unread"] + entry["count"]
    both = p + p
    assert both.rows == 2 * p.rows and both.parts == 2


def test_ten_thousand_columns():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 10_000))).add_prefix("x")
    p = profile(frame)
    assert len(p.columns) == 10_000 and len(p.page()) < 3_000_000
    assert p.pairs["left_out"] == 9_800


def test_bad_input_is_answered_in_one_line(known):
    with pytest.raises(BadType, match="load it first"):
        profile([1, 2])
    with pytest.raises(BadInput, match="unique"):
        profile(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(BadInput, match="must have columns"):
        profile(pd.DataFrame())
    with pytest.raises(NotFound, match="did you mean 'area'"):
        known.plot("aera")
    with pytest.raises(BadInput, match="may be drawn"):
        known.plot("listing_id")
    with pytest.raises(BadInput, match="same columns"):
        known + profile(pd.DataFrame({"x": [1.0]}))
    with pytest.raises(BadType):
        compare_profiles(known, known.columns)
    for text in ("", "{}", "[]", '{"rows": 1}'):
        with pytest.raises(BadInput, match="JSON"):
            Profile.from_json(text)


# --- adding up, showing ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rentals", "tumours", "wine", "diabetes"])
def test_profiles_add_up(name):
    data = load(f"sample:{name}")
    whole, parts = profile(data), [profile(data.take(np.arange(i, len(data), 5))) for i in range(5)]
    total = parts[0] + parts[1] + parts[2] + parts[3] + parts[4]
    assert total.rows == whole.rows and total.pairs is None
    for c, entry in whole.columns.items():
        for k in ("rows", "count", "missing", "unread", "min", "max"):
            assert entry.get(k) == total.columns[c].get(k), (c, k)
        if entry["kind"] == "numeric":
            for k in ("mean", "std"):
                assert total.columns[c][k] == pytest.approx(entry[k], rel=1e-12, abs=1e-300)
        if entry["distinct"] <= 300:
            assert total.columns[c]["distinct"] == entry["distinct"]
        if "by_target" in entry:
            for k in ("known", "missing"):
                assert total.columns[c]["by_target"][k] == pytest.approx(entry["by_target"][k], nan_ok=True)
    with pytest.raises(BadInput, match="not merged"):
        total.associations()


@pytest.mark.parametrize("column", ["let_within_week", "area", "listed_on", "city", "condition", "description", "furnished"])
def test_plot_returns_axes(known, column):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    ax = known.plot(column, Figure().subplots())
    assert ax.get_xlabel() and ax.patches


def test_the_page_is_small_and_gives_no_text_away(known, rentals):
    page = known.page()
    assert len(page.encode()) < 300_000
    for text in rentals.frame["description"].head(50):
        assert text not in page
    assert rentals.frame["listing_id"].iloc[0] not in known.to_json()


def test_associations_agree_with_the_textbook(known):
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    frame = pd.DataFrame({"x": x, "up": np.exp(x), "noise": rng.normal(size=3000), "sign": np.where(x > 0, "plus", "minus")})
    frame["gappy"] = frame["x"].where(rng.random(3000) < 0.7)
    table = tabulate(profile(frame).pairs).set_index(["left", "right"])["value"]
    assert table["x", "up"] == pytest.approx(1) and table["x", "gappy"] == pytest.approx(1, abs=1e-3)
    assert abs(table["x", "noise"] - frame[["x", "noise"]].corr("spearman").iloc[0, 1]) < 1e-3
    assert table["x", "sign"] == pytest.approx(math.sqrt(0.75), abs=0.01)
    assert cramers_v(crosstab(np.array([0, 1] * 50), np.array([1, 0] * 50))) == 1


def test_what_to_do_is_code_that_runs(known):
    "Every remedy that changes a recipe can be pasted as it stands."
    import mlwork.preprocess as steps
    from mlwork.recipe import Recipe

    remedies = [f.do for f in known.findings if f.do.startswith("recipe")]
    assert len(remedies) > 5
    for do in remedies:
        names = vars(steps) | {"recipe": Recipe.of(known)}
        exec(do, names)
        assert len(names["recipe"].steps) >= 1, do


def test_columns_that_repeat_another_are_found_among_many():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(120, 400)), columns=[f"g{i:03d}" for i in range(400)])
    frame = frame.assign(g390=frame["g311"] * 2, y=np.where(frame["g000"] + rng.normal(0, 0.5, 120) > 0, "a", "b"))
    found = profile(load(frame, target="y")).findings
    assert any(f.code == "MLW-E04" and set(f.columns) == {"g311", "g390"} for f in found)
    assert [f.seen[:22] for f in found if f.name == "not all pairs compared"] == ["199 of 400 columns, th"]


def test_a_name_of_a_temperature_is_no_length():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(3000) < 0.05, rng.normal(98.6, 0.7, 3000), rng.normal(37, 0.5, 3000)).round(1)
    (found,) = [f for f in profile(load(pd.DataFrame({"temp": values, "k": range(3000)}))).findings if f.code == "MLW-E10"]
    assert "Fahrenheit among Celsius" in found.seen and "inches" not in found.seen


def test_gaps_have_no_reason_where_the_shares_are_the_same():
    from mlwork.symptoms import find_gaps

    entries = {"a": {"role": "numeric", "kind": "numeric", "missing": 80, "rows": 100}}
    entries["who"] = {"role": "categorical", "kind": "levels", "missing": 0, "rows": 100, "levels": [[f"P{i}", 2] for i in range(50)]}
    reason = {"column": "a", "other": "who", "value": 0.4, "shares": [*([i, 2, i % 2] for i in range(50)), [50, 900, 0.8]]}
    assert not list(find_gaps(entries, None, [reason], []))
    reason["shares"] = [[0, 60, 0.9], [1, 30, 0.1], [50, 20, 0.5]]
    (found,) = find_gaps(entries, None, [reason], [])
    assert found.seen.startswith("missing in 90% of the rows where who is 'P0', in 10% where who is 'P1'")


def test_gaps_that_are_the_target_are_critical():
    y = np.arange(200) % 2
    frame = pd.DataFrame({"days": np.where(y == 1, np.arange(200.0), np.nan), "x": np.random.default_rng(0).normal(size=200), "y": y})
    assert [f.severity for f in profile(load(frame, target="y")).findings if f.code == "MLW-E02"] == ["critical"]
