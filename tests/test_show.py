"""Pages and drawings: well formed, self-contained, safe with any text, and drawn from nothing at all without failing."""

import math
import re
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from mlwork.show import html_table, page, short, svg_bars, svg_histogram, svg_intervals, svg_lines, ticks

NASTY = "<script>alert('&\"x')</script>"
DRAWINGS = {
    "bars": lambda t: svg_bars([t, "b"], [1, 2], t),
    "stacked": lambda t: svg_bars([t, "b"], [[1, 2], [0, 0]], t, parts=[t, "no"]),
    "histogram": lambda t: svg_histogram([0, 1, 2], [[1, 2], [0, 3]], t, [t, "no"], t),
    "intervals": lambda t: svg_intervals([(t, 0.5, 0.4, 0.6), ("nothing", None, None, None)], t, 0.5, t),
    "lines": lambda t: svg_lines([{"x": [0, 1], "y": [0, 1], "low": [0, 0.5], "high": [0.5, 1], "label": t}], t, t, t),
    "empty bars": lambda t: svg_bars([], [], t),
    "zero bars": lambda t: svg_bars([t], [0], t),
    "empty histogram": lambda t: svg_histogram([0, 0], [0], t),
    "no intervals": lambda t: svg_intervals([], t),
    "no curves": lambda t: svg_lines([], t),
    "one point": lambda t: svg_lines([{"x": [1], "y": [1], "dots": True}], t),
    "not a number": lambda t: svg_lines([{"x": [0, 1, 2], "y": [0, math.nan, 1]}], t),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_well_formed_titled_and_escaped(name):
    text = DRAWINGS[name](NASTY)
    root = ET.fromstring(text)
    assert root.attrib["role"] == "img" and root[0].tag == "title" and root[0].text == NASTY
    assert "<script" not in text and "nan" not in text.lower().replace("nothing", "")


def test_a_page_needs_nothing_else_and_knows_dark_and_print():
    text = page(NASTY, "<p>content</p>", NASTY)
    assert NASTY not in text and "<p>content</p>" in text
    for needed in ("prefers-color-scheme: dark", "@media print", "viewport", "data-theme"):
        assert needed in text
    for outside in ("http://", "https://", "@import", "<link", "src="):
        assert outside not in text


def test_tables_escape_names_and_cells_and_say_what_is_left_out():
    text = html_table(pd.DataFrame({NASTY: [NASTY] * 3}), index=True, most=2)
    assert "<script" not in text and "1 more rows" in text


@pytest.mark.parametrize(
    "value, text",
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "inf"),
        (0, "0"),
        (-0.0, "-0"),
        (1234567, "1,234,567"),
        (1999.99, "2,000"),
        (1e-9, "1e-09"),
        (True, "True"),
    ],
)
def test_short_numbers(value, text):
    assert short(value) == text


@pytest.mark.parametrize("low, high", [(0, 1), (-5, 5), (0, 1e-12), (1e15, 1e15 + 10), (0, 1e300), (3, 3), (0, math.inf)])
def test_ticks_are_few_rising_and_inside(low, high):
    found = ticks(low, high)
    assert 1 <= len(found) <= 12 and found == sorted(found)
    assert all(low <= t <= high * (1 + 1e-9) for t in found)


def test_long_names_stay_inside_a_drawing():
    "A letter is about 5.5 units wide; names of an axis stand around their place, those of a legend begin at it."
    unit, label = "loss of ROC AUC when the column is shuffled", "median and middle 80 % of truth - prediction"
    drawn = svg_intervals([("distance_center_km", 0.1, 0.0, 0.2)], label=unit)
    middle = float(re.search(rf"<text x='([\d.]+)'[^>]*>{unit}<", drawn)[1])
    assert middle + 5.5 * len(unit) / 2 < 360
    assert f">{label}<" in svg_lines([{"x": [0, 1], "y": [0, 1], "label": label}])
