"""The grammar of numbers, dates and truths, and the transformers that scikit-learn lacks."""

import math
import pickle
import re
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks

from mlwork.roles import date_like, number_like
from mlwork.steps import (
    TRUTHS,
    UNITS,
    DateParts,
    FrequencyEncoder,
    OutlierClipper,
    RareGrouper,
    cleaned_text,
    outlier_bounds,
    parse_booleans,
    parse_dates,
    parse_numbers,
    read_booleans,
    read_numbers,
    read_spellings,
    refuse_missing,
    rows_inside,
)
from mlwork.words import TextWords

quick = settings(max_examples=60, deadline=None)


def number(text, **options):
    return parse_numbers(pd.Series([text], dtype="str"), **options)[0]


def date(text, **options):
    return parse_dates(pd.Series([text], dtype="str"), **options)[0]


# --- numbers ------------------------------------------------------------------------------------------------------------------

WRITTEN = {
    "5": 5,
    "-5": -5,
    "+5": 5,
    "- 5": -5,
    "\u22125": -5,  # the real minus
    ".5": 0.5,
    "5.": 5,
    "007": 7,
    "1e3": 1000,
    "1.5E-3": 0.0015,
    "1,200": 1200,
    "1,234,567.8": 1234567.8,
    "1 234": 1234,
    "1\u00a0234,0".replace(",0", ""): 1234,  # no-break space
    "1'234.5": 1234.5,
    "1\u2019234": 1234,
    "  85 m²  ": 85,
    "85m2": 85,
    "914 sq ft": 914,
    "1,200 €": 1200,
    "€1,200": 1200,
    "€ -5": -5,
    "-$5": -5,
    "USD 3.5": 3.5,
    "12 %": 12,
    "100 km/h": 100,
    "36 months": 36,
    "3 pieces": 3,
    "118 kWh/m²": 118,
    "2 hrs.": 2,
}
NOT_NUMBERS = ["", " ", "-", ".", "forty", "1,23", "1.2.3", "12A", "3rd", "5 x", "--5", "+-5", "€", "€5€", "$ 5 €", "1,2345", "inf", "nan"]
NOT_NUMBERS += ["1e400", "12:30", "2025-03-07", "7 Mar 2025", "1/2", "(5)", "#5", "5 6", "0x10", "1_000", "١٢"]


@pytest.mark.parametrize("text", WRITTEN)
def test_numbers_are_read(text):
    assert number(text) == WRITTEN[text]


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_what_is_no_number_is_missing(text):
    assert math.isnan(number(text))


def test_units_are_converted_to_the_one_that_is_wanted():
    area = parse_numbers(pd.Series(["85 m²", "85", "914 sq ft", "1 ha", "12 kg", "12 €"]), unit="m²")
    assert area[:4].tolist() == pytest.approx([85, 85, 914 * 0.09290304, 10_000])
    assert area[4:].isna().all()
    assert number("1 mile", unit="KM") == pytest.approx(1.609344)
    assert number("3 flats", unit="flats") == 3
    assert math.isnan(number("3 rooms", unit="flats"))
    assert number("5 mg/dl", unit="mg/dl") == 5


def test_the_decimal_comma_swaps_the_marks():
    comma = {"1.234,5": 1234.5, "1,5": 1.5, "1.234": 1234, "3,5 €": 3.5}
    assert {t: number(t, decimal=",") for t in comma} == comma
    assert math.isnan(number("1.5", decimal=","))


def test_every_unit_is_lower_case_and_read():
    for name in UNITS:
        assert name == name.lower()
        assert number(f"3 {name}") == 3, name
        assert number(f"3 {name.upper()}", unit=name) == 3, name


@quick
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_as_python_writes_it_comes_back(value):
    assert number(repr(value)) == value


@quick
@given(st.integers(-(10**15), 10**15))
def test_an_integer_with_thousands_marks_comes_back(value):
    assert number(f"{value:,}") == value
    assert number(f"{value:,}".replace(",", "."), decimal=",") == value


@quick
@given(st.text(max_size=20))
def test_any_text_is_a_number_or_missing(text):
    value = number(text)
    assert math.isnan(value) or math.isfinite(value)
    assert math.isnan(value) or re.search("[0-9]", text)
    assert date(text) is pd.NaT or re.search("[0-9]", text)


def test_numbers_of_every_type_are_numbers():
    for values in ([1, 2], [1.0, 2.0], [True, False], pd.array([1, None], "Int64"), pd.array([True, None], "boolean")):
        read = parse_numbers(pd.Series(values))
        assert read.dtype == "float64" and read[0] == 1
    assert parse_numbers(pd.Series([np.inf, -np.inf, 1.0])).tolist()[2] == 1
    assert parse_numbers(pd.Series([np.inf, -np.inf])).isna().all()
    assert parse_numbers(pd.Series(["1", None, 2, 3.5], dtype=object)).tolist()[2:] == [2, 3.5]
    assert parse_numbers(pd.Series(["1 m", "2 m", None], dtype="category")).tolist()[:2] == [1, 2]
    assert parse_numbers(pd.Series([], dtype="str")).tolist() == []


def test_names_and_row_labels_stay():
    values = pd.Series(["1", "x"], index=["a", "b"], name="größe")
    for parse in (parse_numbers, parse_dates, parse_booleans):
        assert parse(values).name == "größe" and parse(values).index.tolist() == ["a", "b"]


# --- dates --------------------------------------------------------------------------------------------------------------------

DATES = {
    "2025-03-07": datetime(2025, 3, 7),
    "2025/3/7": datetime(2025, 3, 7),
    "2025.03.07": datetime(2025, 3, 7),
    "07.03.2025": datetime(2025, 3, 7),
    "7/3/2025": datetime(2025, 3, 7),
    "07-03-25": datetime(2025, 3, 7),
    "07-03-99": datetime(1999, 3, 7),
    "7 Mar 2025": datetime(2025, 3, 7),
    "7. March 2025": datetime(2025, 3, 7),
    "7-SEP-2025": datetime(2025, 9, 7),
    "7 Sept. 2025": datetime(2025, 9, 7),
    "Mar 7, 2025": datetime(2025, 3, 7),
    "2025-03-07T08:30": datetime(2025, 3, 7, 8, 30),
    "2025-03-07 08:30:15.123456": datetime(2025, 3, 7, 8, 30, 15, 123456),
    "2025-03-07T08:30:00Z": datetime(2025, 3, 7, 8, 30),
    "2025-03-07T08:30:00+02:00": datetime(2025, 3, 7, 6, 30),
    "2025-03-07T22:30:00-0230": datetime(2025, 3, 8, 1, 0),
    "7.3.2025 2:30 PM": datetime(2025, 3, 7, 14, 30),
    "7.3.2025 12:00 a.m.": datetime(2025, 3, 7),
    "2024-02-29": datetime(2024, 2, 29),
    "0001-01-01": datetime(1, 1, 1),
}
NOT_DATES = [
    "",
    "soon",
    "2025",
    "20250307",
    "2025-13-01",
    "2025-02-29",
    "31.04.2025",
    "2025-03/07",
    "7 mai 2025",
    "7 Marching 2025",
    "12:30",
]
NOT_DATES += [
    "2025-03-07T25:00",
    "2025-03-07T08:61",
    "7.3.2025 13:00 PM",
    "7.3.2025 0:30 PM",
    "2025-03-07x",
    "1.2",
    "3 4 2025",
    "٠٧.٠٣.٢٠٢٥",
]


@pytest.mark.parametrize("text", DATES)
def test_dates_are_read(text):
    assert date(text) == DATES[text]


@pytest.mark.parametrize("text", NOT_DATES)
def test_what_is_no_date_is_missing(text):
    assert date(text) is pd.NaT


def test_slashes_follow_the_order_that_is_named_and_dots_do_not():
    assert date("3/7/2025", dayfirst=True) == datetime(2025, 7, 3)
    assert date("3/7/2025", dayfirst=False) == datetime(2025, 3, 7)
    assert date("3.7.2025", dayfirst=False) == datetime(2025, 7, 3)
    assert date("25/12/2024", dayfirst=False) is pd.NaT  # never guessed


@quick
@given(st.datetimes(min_value=datetime(1000, 1, 1)))
def test_a_moment_in_iso_form_comes_back(moment):
    assert date(moment.isoformat()) == moment
    assert date(moment.strftime("%d.%m.%Y %H:%M")) == moment.replace(second=0, microsecond=0)


def test_dates_of_every_type_are_dates():
    moments = pd.Series(pd.to_datetime(["2025-03-07 08:00", None]))
    assert parse_dates(moments).dtype == "datetime64[us]" and parse_dates(moments)[1] is pd.NaT
    assert parse_dates(moments.dt.tz_localize("Europe/Berlin"))[0] == datetime(2025, 3, 7, 7)
    assert parse_dates(pd.Series([20250307, 1])).isna().all()


# --- truths and shares --------------------------------------------------------------------------------------------------------


def test_truths_are_read():
    assert parse_booleans(pd.Series(["Yes", "NO", "t", "0", "1.0", "maybe", None])).tolist()[:5] == [1, 0, 1, 0, 1]
    assert parse_booleans(pd.Series(["maybe", None])).isna().all()
    assert parse_booleans(pd.Series([True, False])).tolist() == [1, 0]
    assert math.isnan(parse_booleans(pd.Series([2.0]))[0])
    assert all(word == word.lower() and word.isascii() for word in TRUTHS)


def test_shares_count_only_what_is_there():
    assert number_like(pd.Series(["1", "x", None])) == 0.5
    assert number_like(pd.Series(["1,5", "2,5"]), decimal=",") == 1
    assert date_like(pd.Series(["2025-01-01", None])) == 1
    assert number_like(pd.Series([None, None], dtype="str")) == date_like(pd.Series([], dtype="str")) == 0


# --- whole frames -------------------------------------------------------------------------------------------------------------


def test_frames_keep_columns_rows_and_unknown_spellings():
    frame = pd.DataFrame({"a": ["1 m", "x"], "b": ["2", None]}, index=[7, 9])
    assert read_numbers(frame).index.tolist() == [7, 9]
    assert read_numbers(frame)["a"].tolist()[0] == 1
    assert read_booleans(pd.DataFrame({"a": ["ja"]}))["a"].tolist() == [1]
    spelled = read_spellings(pd.DataFrame({"c": ["B.", "b", None]}), {"B.": "b"})["c"]
    assert spelled.tolist()[:2] == ["b", "b"] and spelled.isna()[2]


def test_text_is_cleaned_whatever_its_type():
    for values in (["  A \n B"], pd.array(["  A \n B"], "str"), pd.Categorical(["  A \n B"])):
        assert cleaned_text(pd.DataFrame({"t": values}))["t"].tolist() == ["a b"]
    assert cleaned_text(pd.DataFrame({"t": [None, np.nan]}))["t"].tolist() == ["", ""]
    assert cleaned_text(pd.DataFrame({"t": pd.Series([], dtype="str")})).shape == (0, 1)


def test_missing_values_are_refused_by_column():
    whole = pd.DataFrame({"a": [1.0], "b": ["x"]})
    assert refuse_missing(whole) is whole
    with pytest.raises(ValueError, match="'b' must be known in every row; got 1 rows"):
        refuse_missing(pd.DataFrame({"a": [1.0], "b": [None]}))


# --- transformers -------------------------------------------------------------------------------------------------------------


def names_are_text(estimator):
    "Checks that compute with what comes out, which is text."
    if not isinstance(estimator, RareGrouper):
        return {}
    checks = "check_pipeline_consistency check_estimators_pickle check_transformer_data_not_an_array check_transformer_general"
    checks += " check_methods_sample_order_invariance check_methods_subset_invariance check_fit_idempotent"
    return dict.fromkeys(checks.split(), "the check subtracts outputs, and these are names")


OURS = [OutlierClipper(), RareGrouper(), FrequencyEncoder(), DateParts(), TextWords()]


@parametrize_with_checks(OURS, expected_failed_checks=names_are_text)
def test_scikit_learn_accepts_our_transformers(estimator, check):
    check(estimator)


TABLE = pd.DataFrame(
    {
        "n": [1.0, 2.0, 3.0, np.nan, 400.0, 2.5],
        "i": pd.array([1, 2, None, 4, 5, 6], "Int64"),
        "b": [True, False, True, True, False, True],
        "c": pd.Categorical(["x", "y", None, "x", "x", "z"]),
        "s": pd.array(["p", "q", None, "p", "p", "p"], "str"),
        "d": ["2025-01-01", "1.2.2025", None, "soon", "2025-01-02 12:00", "2025-01-03"],
    }
)


def test_far_values_are_pulled_back_and_gaps_stay():
    clipped = OutlierClipper().set_output(transform="pandas").fit_transform(TABLE[["n", "i"]])
    assert clipped["n"].max() < 400 and clipped["n"].isna().sum() == 1 and clipped["i"].dtype == "float64"
    low, high = outlier_bounds(TABLE[["n"]], "quantile", 0.1)
    assert low[0] > 1 and high[0] < 400
    with pytest.raises(ValueError, match="iqr, zscore or quantile; got 'far'"):
        OutlierClipper("far").fit(TABLE[["n"]])


@pytest.mark.parametrize("method", ["iqr", "zscore", "quantile"])
@pytest.mark.parametrize("values", [[np.nan, np.nan], [3.0, 3.0], [1.0], [np.inf, 1.0, 2.0]], ids=str)
def test_bounds_of_odd_columns_let_known_values_pass(method, values):
    frame = pd.DataFrame({"v": values})
    clipper = OutlierClipper(method, 0.1).fit(frame.replace(np.inf, np.nan))
    assert clipper.transform(pd.DataFrame({"v": [3.0]})).shape == (1, 1)
    assert rows_inside(frame[["v"]].dropna().head(1), method, 0.1).all()
    assert not np.isnan(clipper.lower_).any() and not np.isnan(clipper.upper_).any()


def test_rows_inside_takes_every_type_of_number():
    frame = pd.DataFrame({"n": [*range(10), 1000], "i": pd.array([*range(10), None], "Int64")})
    assert rows_inside(frame).tolist() == [True] * 10 + [False]


def test_rare_and_unknown_categories_share_a_name():
    grouper = RareGrouper(0.3).fit(TABLE[["c", "s", "i", "b"]])
    new = pd.DataFrame({"c": ["x", "new", None], "s": ["p", "q", "p"], "i": [1.0, np.nan, 3.0], "b": [True, False, True]})
    out = grouper.transform(new)
    assert out["c"].tolist()[:2] == ["x", "other"] and out["c"].isna()[2]
    assert out["s"].tolist() == ["p", "other", "p"]
    assert set(out["i"].dropna()) == {"other"} and out["b"].tolist() == ["True", "False", "True"]


def test_a_whole_number_is_one_category_however_it_is_stored():
    coder = FrequencyEncoder().fit(pd.DataFrame({"k": [1, 1, 2, 3]}))
    assert coder.transform(pd.DataFrame({"k": [1.0, 3.0, 9.0]}))["k"].tolist() == [0.5, 0.25, 0]
    assert coder.transform(pd.DataFrame({"k": ["1", "2"]}))["k"].tolist() == [0.5, 0.25]


def test_frequencies_count_missing_as_a_category():
    coder = FrequencyEncoder().fit(TABLE[["s"]])
    assert coder.transform(TABLE[["s"]])["s"].tolist() == pytest.approx([4 / 6, 1 / 6, 1 / 6, 4 / 6, 4 / 6, 4 / 6])


def test_dates_come_apart():
    parts = DateParts(["year", "month", "day", "weekday", "hour", "elapsed"]).fit_transform(TABLE[["d"]])
    assert parts.loc[1].tolist() == [2025, 2, 1, 5, 0, 9163]
    assert parts.loc[4, "d_elapsed"] == 9133.5 and parts.loc[[2, 3]].isna().all(axis=None)
    assert (parts.dtypes == "float64").all()


def test_words_are_weighed_and_a_column_without_words_gives_none():
    frame = pd.DataFrame({"t": ["Café am Park", "cafe im Park", None], "empty": [None, None, None]})
    words = TextWords(max_words=3).set_output(transform="pandas").fit(frame)
    out = words.transform(frame)
    assert out.columns.tolist() == ["t: cafe", "t: park"]
    assert out.loc[2].tolist() == [0, 0]
    assert TextWords().fit(frame[["empty"]]).transform(frame[["empty"]]).shape == (3, 0)


@pytest.mark.parametrize("tool", OURS, ids=lambda t: type(t).__name__)
def test_transformers_take_one_row_and_survive_pickling(tool):
    column = {"OutlierClipper": "n", "DateParts": "d"}.get(type(tool).__name__, "s")
    fitted = type(tool)().set_output(transform="pandas").fit(TABLE[[column]])
    again = pickle.loads(pickle.dumps(fitted))
    one = TABLE[[column]].iloc[[1]]
    pd.testing.assert_frame_equal(again.transform(one), fitted.transform(TABLE[[column]]).loc[[1]])
    assert list(again.get_feature_names_out()) == list(fitted.transform(one).columns)
