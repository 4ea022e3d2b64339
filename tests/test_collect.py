"""From a table to a Dataset: roles, tasks, findings, and one clear line for what cannot be learned."""

import json
import string
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlwork.collect import load
from mlwork.core import BadInput, BadType, NotFound
from mlwork.flaws import date_formats, repeated_rows, repeats_stay, spelling_variants
from mlwork.roles import guess_role, guess_task, scale_of, units_of
from mlwork.sources import read_table
from mlwork.structure import find_groups

TRUTH = json.loads((Path(__file__).parent.parent / "data" / "rentals.truth.json").read_text(encoding="utf-8"))
RNG = np.random.default_rng(0)


def codes(data, column=None):
    return {f.code for f in (data.findings.about(column) if column else data.findings)}


# --- roles ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "role"),
    [
        ("x", RNG.normal(size=50), "numeric"),
        ("x", [3, 1, 2, 2, 1] * 10, "numeric"),
        ("x", [0, 1, 1, 0] * 10, "boolean"),
        ("x", [0.0, 1.0, None, 0.0] * 10, "boolean"),
        ("x", [True, False] * 20, "boolean"),
        ("x", ["yes", "No", "YES", "no"] * 10, "boolean"),
        ("x", ["t", "f"] * 20, "boolean"),
        ("x", [1, 2] * 20, "numeric"),
        ("row", range(100), "id"),
        ("year", range(1950, 2010), "numeric"),
        ("customer_id", RNG.permutation(10_000)[:60], "id"),
        ("customerID", [7, 8, 9] * 20, "categorical"),
        ("zip", [1067, 4103, 99] * 20, "categorical"),
        ("income", RNG.permutation(10**6)[:60], "numeric"),
        ("account", [2**60 + i for i in range(60)], "id"),
        ("x", [f"{i:05}" for i in range(0, 6000, 100)], "id"),
        ("x", ["01067", "04103"] * 30, "categorical"),
        ("x", [f"{RNG.integers(10**15, 10**16)}" for _ in range(60)], "id"),
        ("x", [f"SKU{i}" for i in range(60)], "id"),
        ("x", ["A1", "B2", "C3"] * 20, "categorical"),
        ("x", [f"{i} m²" for i in range(30, 90)], "numeric"),
        ("x", [f"1,{i} €" for i in range(100, 160)], "numeric"),
        ("x", [f"{i} rooms" for i in range(60)], "numeric"),
        ("x", [f"{i}%" for i in range(60)], "numeric"),
        ("x", [f"{n} {street} Road" for n, street in zip(range(60), ["Oak", "Mill", "Ash", "Elm", "Fir", "Bay"] * 10, strict=True)], "id"),
        ("x", ["2024-01-02", "2024-03-04"] * 30, "datetime"),
        ("x", ["02.01.2024", "2024-03-04", "3 Mar 2024"] * 20, "datetime"),
        ("x", ["01/02/2024 12:30", "25/12/2024 08:00"] * 30, "datetime"),
        ("x", pd.date_range("2024", periods=60), "datetime"),
        ("x", ["03/25/2024", "04/01/2024", "12/31/2024"] * 20, "datetime"),
        ("x", ["0", "1", "2", "3+"] * 15, "ordinal"),
        ("x", ["1 star", "2 stars", "5 stars"] * 20, "numeric"),
        ("x", ["poor", "good", "fair"] * 20, "ordinal"),
        ("x", ["Low", "HIGH", "medium"] * 20, "ordinal"),
        ("x", ["18-25", "<18", ">65", "26-65"] * 15, "ordinal"),
        ("x", ["strongly agree", "neutral", "disagree"] * 20, "ordinal"),
        ("x", ["gas", "oil"] * 30, "categorical"),
        ("x", [None, "a"] * 30, "categorical"),
        ("x", [f"Flat {i} with a nice view of the lake and the hills" for i in range(60)], "text"),
        ("x", ["a@b.org", "c@d.org"] * 30, "categorical"),
        ("x", [f"user{i}@mail.org" for i in range(60)], "id"),
        ("x", ["".join(RNG.choice(list(string.hexdigits[:16]), 32)) for _ in range(60)], "id"),
        ("x", ["constant"] * 60, "ignored"),
        ("x", [None] * 60, "ignored"),
        ("x", ["12:30", "08:15", "23:59"] * 20, "categorical"),
        ("x", ["1.2.3", "1.2.4", "2.0.0-rc1"] * 20, "categorical"),
    ],
)
def test_roles(name, values, role):
    frame = read_table(pd.DataFrame({name: values, "other": range(len(values))})).frame
    found = guess_role(frame[name])
    assert found.role == role, found.reason
    assert found.reason and "\n" not in found.reason


def test_a_category_of_many_levels_stays_one():
    streets = pd.Series(RNG.choice([f"Street {a}{b}" for a in string.ascii_letters for b in string.ascii_letters], 5000), name="street")
    assert guess_role(streets).role == "categorical"


def test_orders_of_words_and_ranges():
    assert scale_of(["New", "fair", "good ", "poor"]) == ("poor", "fair", "good ", "New")
    assert scale_of(["10-19", "0-9", "20+"]) == ("0-9", "10-19", "20+")
    assert scale_of(["(10, 20]", "(0, 10]", "(20, 30]"]) == ("(0, 10]", "(10, 20]", "(20, 30]")
    assert scale_of(["1", "2", "3"]) == () and scale_of(["good", "gas"]) == () and scale_of([]) == ()


def test_units():
    assert sorted(units_of({"85 m²": 2, "85m2": 1, "915 sq ft": 1, "10 ft²": 1, "70": 4}).values()) == [2, 3, 4]
    assert units_of({"€ 1,200.50": 1, "12 €": 1, "EUR 7": 1}) == {"€": 3}


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1] * 30, "binary"),
        (["a", "b"] * 30, "binary"),
        ([True, False] * 30, "binary"),
        ([1.5, 2.5] * 30, "binary"),
        (["a", "b", "c"] * 20, "multiclass"),
        ([1, 2, 3] * 20, "multiclass"),
        (list(range(60)), "regression"),
        (list(RNG.normal(size=60)), "regression"),
        ([1, 2, 3, 4, 5] * 6, "regression"),
    ],
)
def test_tasks(values, task):
    assert guess_task(pd.Series(values)).role == task


# --- the Dataset -----------------------------------------------------------------


@pytest.fixture(scope="module")
def rentals():
    return load("sample:rentals")


def test_rentals(rentals):
    assert (rentals.target, rentals.task, rentals.positive, rentals.classes) == ("let_within_week", "binary", "yes", ["no", "yes"])
    assert list(rentals.roles) == list(rentals.frame) == list(rentals.reasons)
    assert set(rentals.features) == set(rentals.X) and not {"listing_id", "country", "price", "let_within_week"} & set(rentals.X)
    expected = {
        "area": "numeric",
        "condition": "ordinal",
        "listed_on": "datetime",
        "furnished": "boolean",
        "description": "text",
        "building": "categorical",
    }
    assert {c: rentals.roles[c] for c in expected} == expected
    assert rentals.certificate.licence.startswith("CC0") and rentals.certificate.rows == len(rentals)
    assert rentals.certificate.card["group"] == "building" and rentals.certificate.card["time"] == "listed_on"


@pytest.mark.parametrize("flaw", [f for f in TRUTH if f["seen_by"] == "collect"], ids=lambda f: f["flaw"])
def test_every_planted_flaw_that_collect_can_see_is_found(rentals, flaw):
    "By name and column."
    code = {
        "missing_at_random": "MLW-C11",
        "missing_spellings": "MLW-C11",
        "numbers_with_units": "MLW-C04",
        "unit_mix_up": "MLW-C05",
        "spelling_variants": "MLW-C07",
        "mixed_dates": "MLW-C03",
        "constant": "MLW-C08",
        "id": "MLW-C10",
        "exact_duplicates": "MLW-C01",
    }[flaw["flaw"]]
    assert [f for f in rentals.findings if f.code == code and set(flaw["columns"]) <= set(f.columns)]


def test_rentals_is_imbalanced_and_nothing_else_is_said(rentals):
    assert codes(rentals) == {f"MLW-C{i:02}" for i in (1, 3, 4, 5, 7, 8, 10, 11, 17)}


@pytest.mark.parametrize(
    "name", ["sample:tumours", "sample:wine", "sample:diabetes", "sklearn:wine", "sklearn:breast_cancer", "sklearn:digits"]
)
def test_no_false_alarm(name):
    assert load(name).findings.at_least("warning") == []


def test_the_repeated_row_of_iris_may_be_chance():
    assert [(f.code, f.severity) for f in load("sklearn:iris").findings] == [("MLW-C01", "info")]


def test_the_other_target(rentals):
    prices = rentals.with_target("price")
    assert prices.task == "regression" and prices.classes is None and prices.positive is None
    assert prices.roles["let_within_week"] == "ignored" and prices.with_target("let_within_week").roles == rentals.roles
    assert prices.roles == load("sample:rentals", target="price").roles


def test_roles_by_hand(rentals):
    other = rentals.with_roles(photos="ignored", condition=["new", "good", "fair", "poor"], price="numeric")
    assert other.roles["photos"] == "ignored" and other.orders["condition"][0] == "new" and "price" in other.features
    again = other.with_roles(rooms="ordinal")
    assert again.roles["photos"] == "ignored" and again.orders == {"condition": ["new", "good", "fair", "poor"], "rooms": [1, 2, 3, 4, 5]}
    assert rentals.roles["photos"] == "numeric"


def test_take_and_drop_duplicates_keep_labels(rentals):
    part = rentals.take([5, 3])
    assert part.frame.index.tolist() == [5, 3] and part.roles == rentals.roles
    clean = rentals.drop_duplicates()
    assert len(clean) < len(rentals) and "MLW-C01" not in codes(clean) and not repeated_rows(clean.frame, clean.roles).any()
    assert clean.frame.index.isin(rentals.frame.index).all()
    assert len(rentals.take(rentals.y == "yes")) == (rentals.y == "yes").sum()


def test_a_dataset_shows_itself(rentals):
    assert "rentals" in repr(rentals) and "<table" in rentals._repr_html_() and len(rentals.table()) == rentals.frame.shape[1]


@pytest.mark.parametrize(
    ("target", "positive"),
    [
        (["no", "yes"] * 9, "yes"),
        ([0, 1] * 9, 1),
        ([False, True] * 9, True),
        (["a", "b", "b"] * 9, "a"),
        (["-", "+"] * 9, "+"),
        ([1, 2, 2] * 9, 1),
        ([-1, 1] * 9, 1),
    ],
)
def test_the_positive_class(target, positive):
    data = load(pd.DataFrame({"x": RNG.normal(size=len(target)), "y": target}), target="y")
    assert data.positive == positive and data.positive in data.classes


def test_the_target_is_brought_to_classes_or_numbers():
    x = RNG.normal(size=40)
    gaps = load(pd.DataFrame({"x": x, "y": [1, 0, None, 1] * 10}), target="y")
    assert len(gaps) == 30 and gaps.y.dtype == "int64" and gaps.frame.index.tolist()[:3] == [0, 1, 3] and "MLW-C16" in codes(gaps, "y")
    spelled = load(pd.DataFrame({"x": x, "y": ["yes", "no", "Yes ", "yes"] * 10}), target="y")
    assert spelled.classes == ["no", "yes"] and "MLW-C18" in codes(spelled, "y")
    money = load(pd.DataFrame({"x": x, "y": [f"{i:,} €" for i in range(900, 1300, 10)]}), target="y")
    assert money.task == "regression" and money.y.tolist()[:2] == [900, 910]
    assert load(pd.DataFrame({"x": x, "y": [1, 2, 3, 4] * 10}), target="y", task="regression").task == "regression"


def test_any_column_names():
    frame = pd.DataFrame(
        {"größe in m²": RNG.normal(size=30), 'a "b" {c}': ["x", "y", "z"] * 10, "": range(30), "x" * 300: 1.5, "日本": [1, 0, 1] * 10}
    )
    data = load(frame, target="日本")
    assert data.task == "binary" and repr(data.findings) and data._repr_html_()


# --- bad input --------------------------------------------------------------------

TABLE = pd.DataFrame({"x": range(30), "y": ["a", "b", "c"] * 10, "z": RNG.normal(size=30)})


@pytest.mark.parametrize(
    ("frame", "options", "error", "says"),
    [
        (TABLE, {"target": "yy"}, NotFound, "did you mean 'y'"),
        (TABLE, {"target": "y", "task": "classification"}, NotFound, "binary, multiclass, regression"),
        (TABLE, {"target": "y", "task": "binary"}, BadInput, "two values; got 3"),
        (TABLE, {"target": "y", "task": "regression"}, BadInput, "must be numbers; got 'a'"),
        (TABLE, {"roles": {"xx": "numeric"}}, NotFound, "did you mean 'x'"),
        (TABLE, {"roles": {"x": "numerical"}}, NotFound, "did you mean 'numeric'"),
        (TABLE, {"roles": {"x": "target"}}, BadInput, "target='x'"),
        (TABLE, {"target": "x", "roles": {"x": "numeric"}}, BadInput, "target='x'"),
        (TABLE.assign(y=None), {"target": "y"}, BadInput, "missing in all 30 rows"),
        (TABLE.assign(y="?"), {"target": "y"}, BadInput, "missing in all 30 rows"),
        (TABLE.assign(y="a"), {"target": "y"}, BadInput, "only 'a'"),
        (TABLE.assign(y=[f"c{i}" for i in range(30)]), {"target": "y"}, BadInput, "30 classes in 30 rows"),
        (TABLE, {"target": "z", "task": "multiclass"}, BadInput, 'task="regression"'),
        (TABLE.assign(y=pd.date_range("2024", periods=30)), {"target": "y"}, BadInput, "dates in column 'y'"),
        (TABLE[["x"]], {}, BadInput, "two columns; got 1"),
        (TABLE[:1], {}, BadInput, "two rows; got 1"),
        (TABLE[:0], {}, BadInput, "two rows; got 0"),
        (pd.DataFrame(), {}, BadInput, "two columns; got 0"),
        (pd.DataFrame({"a": [None, None], "b": [np.nan, "?"]}), {}, BadInput, "2 rows of missing values"),
        (pd.DataFrame({"a": [[1], [2]], "b": [1, 2]}), {}, BadInput, "roles={'a': 'ignored'}"),
    ],
)
def test_bad_input_is_one_clear_line(frame, options, error, says):
    with pytest.raises(error) as caught:
        load(frame, **options)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_lists_can_be_set_aside():
    data = load(pd.DataFrame({"a": [[1], [2], [3]], "b": [1, 2, 4], "c": [1, 0, 1]}), target="c", roles={"a": "ignored"})
    assert data.features == ["b"]


def test_infinities_and_large_integers_are_said():
    data = load(pd.DataFrame({"a": [1.0, np.inf, 2.5, -np.inf] * 9, "n": [2**60 + i for i in range(36)], "b": ["x", "y"] * 18}), target="b")
    assert "MLW-C12" in codes(data, "a") and data.frame["a"].isna().sum() == 18 and data.certificate.infinite["a"] == {"inf": 9, "-inf": 9}
    assert "MLW-C14" in codes(data, "n") and data.roles["n"] == "id" and data.frame["n"].tolist() == [2**60 + i for i in range(36)]


# --- findings ------------------------------------------------------------------


def test_spelling_variants():
    assert spelling_variants(pd.Series(["New York"] * 9 + ["new york", "NEW-YORK ", "Newyork"])) == {
        "new york": "New York",
        "NEW-YORK ": "New York",
        "Newyork": "New York",
    }
    assert spelling_variants(pd.Series(["Straße"] * 9 + ["Strasse"])) == {"Strasse": "Straße"}
    apart = [
        "C",
        "C++",
        "C#",
        "+",
        "-",
        "A-1",
        "A-2",
        "1-2",
        "12",
        "1.5",
        "15",
        "male",
        "female",
        "Iran",
        "Iraq",
        "Austria",
        "Australia",
        "<5",
        ">5",
        "5",
    ]
    assert spelling_variants(pd.Series(apart * 3)) == {}
    assert spelling_variants(pd.Series(["Lindenhof"] * 50 + ["Lindenhfo", "Lindenhoff", "Lindnhof"])) == dict.fromkeys(
        ["Lindenhfo", "Lindenhoff", "Lindnhof"], "Lindenhof"
    )


def test_date_formats():
    assert date_formats({"2024-01-02": 3, "02.01.2024": 2, "2 Jan 2024": 1}) == {"2025-03-07": 3, "07.03.2025": 2, "7 Mar 2025": 1}
    assert date_formats({"13/01/2024": 1, "02/01/2024": 5}) == {"07/03/2025 (day first)": 6}
    assert len(date_formats({"13/01/2024": 1, "01/13/2024": 5})) == 2


def test_repeats_that_chance_explains_are_no_warning():
    frame = pd.DataFrame({"a": RNG.choice(["x", "y"], 300), "b": RNG.choice([1, 2, 3], 300)})
    found = [f for f in load(frame).findings if f.code == "MLW-C01"]
    assert [f.severity for f in found] == ["info"]


def ratings(questions, rows=1000, spread=0.3):
    "Answers on a scale of five that go together, as those of one person do; no id."
    rng = np.random.default_rng(0)
    mood = rng.normal(0, 1, rows)
    answers = {f"q{i}": np.clip(np.round(2 + mood + rng.normal(0, spread, rows)), 0, 4).astype(int) for i in range(questions)}
    return pd.DataFrame(answers | {"stays": np.where(mood > 0, "yes", "no")})


@pytest.mark.parametrize("questions", [1, 3, 5, 8, 12])
def test_answers_that_go_together_repeat_by_chance(questions):
    found = [f for f in load(ratings(questions), target="stays").findings if f.code == "MLW-C01"]
    assert [f.severity for f in found] == ["info"] and repeats_stay(found) and "chance" in found[0].seen


def test_rows_of_inactive_customers_are_no_copies():
    rng = np.random.default_rng(0)
    idle = rng.random(1000) < 0.4
    frame = pd.DataFrame({f"x{i}": np.where(idle, 0, rng.integers(1, 5000, 1000)) for i in range(5)} | {"y": rng.integers(0, 2, 1000)})
    data = load(frame, target="y")
    assert repeats_stay(data.findings) and find_groups(data).empty


def test_an_export_that_ran_twice_is_more_than_chance():
    rng = np.random.default_rng(0)
    once = pd.DataFrame({"a": rng.integers(0, 100, 400), "b": rng.choice(list("abcdef"), 400), "c": rng.integers(0, 50, 400)})
    found = load(pd.concat([once, once], ignore_index=True)).findings
    assert [f.severity for f in found if f.code == "MLW-C01"] == ["warning"] and not repeats_stay(found)


def test_columns_may_be_named_by_what_the_frame_calls_them():
    frame = pd.DataFrame(np.column_stack([RNG.normal(size=(60, 2)), np.arange(60) % 2]))
    assert load(frame, target=2, roles={0: "ignored"}).roles == {"0": "ignored", "1": "numeric", "2": "target"}
    days = pd.date_range("2024-01-01", periods=3)
    assert load(frame.set_axis(days, axis=1), target=days[2]).task == "binary"
    pairs = pd.MultiIndex.from_tuples([("x", "a"), ("x", "b"), ("y", "c")])
    assert load(frame.set_axis(pairs, axis=1), target=("y", "c")).target == "y_c"


@pytest.mark.parametrize("wrong", [{"target": ["y"]}, {"target": pd.Series([1])}, {"target": "y", "roles": ["x"]}])
def test_what_names_no_column_is_refused(wrong):
    with pytest.raises(BadType, match="must be"):
        load(pd.DataFrame({"x": [1, 2, 3, 4], "y": [0, 1, 0, 1]}), **wrong)


def test_an_index_that_is_a_column_too_comes_once():
    frame = pd.DataFrame({"k": [1, 2, 3, 4], "c": list("abcd"), "y": [0, 1, 0, 1]})
    assert load(frame.set_index(["k", "c"], drop=False)).frame.columns.tolist() == ["k", "c", "y"]
    with pytest.raises(BadInput, match="'k' in the index"):
        load(frame.set_index(pd.Index([4, 3, 2, 1], name="k")))


def test_arrow_columns_come_as_plain_types():
    days = pd.Series(pd.date_range("2024-01-01", periods=40))
    frame = pd.DataFrame({"n": range(40), "x": RNG.normal(size=40), "day": days, "c": ["a", "b"] * 20}).convert_dtypes(
        dtype_backend="pyarrow"
    )
    frame["date"] = days.dt.date.astype("date32[day][pyarrow]")
    frame["zoned"] = days.dt.tz_localize("UTC").astype("timestamp[us, tz=UTC][pyarrow]")
    frame["gaps"] = pd.Series([1, None] * 20, dtype="int64[pyarrow]")
    kinds = {c: dtype.kind for c, dtype in load(frame).frame.drop(columns="c").dtypes.items()}
    assert kinds == {"n": "i", "x": "f", "day": "M", "date": "M", "zoned": "M", "gaps": "f"}


def test_a_class_that_was_read_as_missing_is_named():
    frame = pd.DataFrame({"x": range(40), "y": ["yes", "nan"] * 20})
    with pytest.raises(BadInput, match="'nan' is read as missing"):
        load(frame, target="y")


def test_labels_are_written_as_python_writes_them():
    with pytest.raises(BadInput, match="only 5 in column 'y'"):
        load(pd.DataFrame({"x": range(40), "y": [5] * 40}), target="y")


def test_only_a_name_that_is_near_is_meant(tmp_path):
    (tmp_path / "ten.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(NotFound) as far:
        load(tmp_path / "nothere.csv")
    assert "did you mean" not in str(far.value)
    with pytest.raises(NotFound, match="did you mean 'ten.csv'"):
        load(tmp_path / "tenn.csv")


@pytest.mark.parametrize("word", ["k.A.", "n. v."])
def test_german_words_for_missing_among_numbers(word, tmp_path):
    (tmp_path / "table.csv").write_text("size;rent\n" + "".join(f"{word if i % 7 == 0 else i + 0.5};{i}\n" for i in range(70)))
    assert load(tmp_path / "table.csv").frame["size"].isna().sum() == 10


@pytest.mark.parametrize(("share", "found"), [(0.08, True), (0.12, False), (0.01, True)])
def test_imbalance(share, found):
    y = np.where(np.arange(1000) < 1000 * share, "rare", "usual")
    assert ("MLW-C17" in codes(load(pd.DataFrame({"x": RNG.normal(size=1000), "y": y}), target="y"))) is found


def plain_frame(rng, n=400):
    "A table without flaws."
    return pd.DataFrame(
        {
            "size": rng.normal(50, 10, n).round(6),
            "rooms": rng.integers(1, 6, n),
            "city": rng.choice(["Nordheim", "Sund", "Altau", "Bexley"], n),
            "sold": rng.choice(["yes", "no"], n),
        }
    )


PLANTS = {
    "MLW-C01": lambda f, rng: pd.concat([f, f.sample(20, random_state=int(rng.integers(99)))], ignore_index=True),
    "MLW-C03": lambda f, rng: f.assign(day=rng.choice(["2024-05-17", "17.05.2024", "1 Jun 2024"], len(f))),
    "MLW-C02": lambda f, rng: f.assign(
        day=pd.Series(pd.Timestamp("2024") + pd.to_timedelta(rng.integers(0, 300, len(f)), "D")).astype(str)
    ),
    "MLW-C04": lambda f, rng: f.assign(size=f["size"].map("{:.6f} kg".format)),
    "MLW-C05": lambda f, rng: f.assign(size=[f"{v:.6f} {'kg' if i % 9 else 'lb'}" for i, v in enumerate(f["size"])]),
    "MLW-C06": lambda f, rng: f.assign(size=[f"{v:.6f}" if i % 20 else "about 40 or so" for i, v in enumerate(f["size"])]),
    "MLW-C07": lambda f, rng: f.assign(city=f["city"].where(rng.random(len(f)) > 0.05, " NORDHEIM")),
    "MLW-C08": lambda f, rng: f.assign(land="Arden"),
    "MLW-C09": lambda f, rng: f.assign(land=None),
    "MLW-C10": lambda f, rng: f.assign(number=rng.permutation(len(f)) + 1000),
    "MLW-C11": lambda f, rng: f.assign(city=f["city"].where(rng.random(len(f)) > 0.05, "n/a")),
    "MLW-C12": lambda f, rng: f.assign(size=f["size"].where(rng.random(len(f)) > 0.05, np.inf)),
    "MLW-C15": lambda f, rng: f[:60],
    "MLW-C16": lambda f, rng: f.assign(sold=f["sold"].where(rng.random(len(f)) > 0.05)),
    "MLW-C17": lambda f, rng: f.assign(sold=np.where(rng.random(len(f)) < 0.05, "yes", "no")),
    "MLW-C18": lambda f, rng: f.assign(sold=f["sold"].where(rng.random(len(f)) > 0.1, "YES")),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(PLANTS)), st.integers(0, 10**6))
def test_a_flaw_planted_at_random_is_found_and_no_other(code, seed):
    rng = np.random.default_rng(seed)
    frame = PLANTS[code](plain_frame(rng), rng)
    found = load(frame, target="sold").findings
    assert code in {f.code for f in found}
    beside = {"MLW-C05": {"MLW-C04"}, "MLW-C06": {"MLW-C04"}}.get(code, set())
    by_chance = {"MLW-C01"} if all(f.severity == "info" for f in found if f.code == "MLW-C01") else set()
    assert {f.code for f in found} <= {code} | beside | by_chance
    assert all(f.seen and f.why and any(c.isdigit() for c in f.seen) for f in found)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_a_table_without_flaws_has_none(seed):
    assert load(plain_frame(np.random.default_rng(seed)), target="sold").findings == []


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=6),
        st.lists(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.dates()), min_size=4, max_size=4),
        min_size=2,
        max_size=5,
    )
)
def test_any_frame_is_read_or_refused_in_one_line(columns):
    try:
        data = load(pd.DataFrame({c: pd.Series(v, dtype=object) for c, v in columns.items()}))
        assert list(data.roles) == list(data.frame) and repr(data.findings) is not None
    except BadInput as e:
        assert "\n" not in str(e)


def test_month_first_dates_and_plural_units_are_no_alarm():
    frame = plain_frame(RNG).assign(seen=["03/25/2024", "04/01/2024"] * 200, stars=["1 star", "2 stars"] * 200)
    found = load(frame, target="sold").findings
    assert found.at_least("warning") == []
    assert "dayfirst=False" in found.about("seen")[0].do and "unit" not in found.about("stars")[0].do


def test_what_to_do_is_code_that_compiles(rentals):
    name = 'a "b" {c}\\'
    frame = pd.DataFrame(
        {name: ["Nord", "nord", "5", "6"] * 30, f"d{name}": ["3/25/24", "4/1/24"] * 60, f"n{name}": ["1 m²", "2 ft²"] * 60}
    )
    strange = load(frame).findings
    assert {"MLW-C02", "MLW-C05", "MLW-C06", "MLW-C07"} <= {f.code for f in strange}
    for finding in [*rentals.findings, *strange]:
        compile(finding.do, finding.code, "exec")


@pytest.mark.parametrize("card", ["[1, 2]", "not json", '{"sha256": "of another file", "licence": "MIT"}'])
def test_a_card_that_is_none_is_left_alone(tmp_path, card):
    (tmp_path / "cards").mkdir()
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "cards" / "t.json").write_text(card)
    assert load(tmp_path / "t.csv").certificate.licence == "unknown"


def test_a_card_beside_a_file_tells_its_licence(tmp_path):
    (tmp_path / "cards").mkdir()
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    known = load(tmp_path / "t.csv").certificate.sha256
    (tmp_path / "cards" / "t.json").write_text(f'{{"sha256": "{known}", "licence": "CC0 1.0"}}')
    assert load(tmp_path / "t.csv").certificate.licence == "CC0 1.0"
