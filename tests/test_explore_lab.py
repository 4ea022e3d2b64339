"""The exploration lab without a browser: every pair of roles has its picture, drawn by the source that is shown."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from mlwork.collect import load
from mlwork.core import BadInput, BadType, MlworkError, NotFound
from mlwork.pictures import draw, draw_source, drawn_as, filter_source, filtered, readable
from mlwork.split import holdout
from mlwork.widgets import ExploreLab
from mlwork.widgets.explore_lab import brushed

pytestmark = pytest.mark.filterwarnings("ignore:vert:DeprecationWarning")  # seaborn's way to call matplotlib 3.11


def table(n=300, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "it's a size": [f"{v:.1f} m²" for v in rng.normal(50, 9, n)],
            "count": rng.integers(0, 9, n),
            "Straße <b>": rng.choice(["Åa", "B'b", "c\nc"], n),
            "when": pd.Series(pd.date_range("2024-01-01", periods=n, freq="D")).dt.strftime("%d.%m.%Y"),
            "yes": rng.random(n) < 0.4,
            "words": [" ".join(rng.choice(["old", "new", "tidy", "far"], rng.integers(3, 40))) for _ in range(n)],
            "holes": pd.Series(rng.normal(size=n)).mask(rng.random(n) < 0.3),
            "sold": rng.choice(["no", "no", "yes"], n),
        }
    )


@pytest.fixture(scope="module")
def data():
    return load(table(), target="sold")


@pytest.fixture
def lab(data):
    lab = ExploreLab(data)
    yield lab
    lab.close()


def run(code, data):
    "Run the source of a lab; gives the rows and the axes."
    space = {"data": data}
    exec(code, space)
    plt.close("all")
    return space["frame"], space["ax"]


def seen(ax):
    "What is on axes: labels, ticks and how much is drawn."
    ax.figure.canvas.draw()
    ticks = [[t.get_text() for t in axis.get_ticklabels()] for axis in (ax.xaxis, ax.yaxis)]
    return ax.get_xlabel(), ax.get_ylabel(), *ticks, len(ax.patches), len(ax.lines), len(ax.collections)


def test_every_pair_is_drawn_as_its_source_draws_it_or_refused_in_a_sentence(data):
    refused = 0
    for x, y in [*((c, None) for c in data.frame), *itertools.permutations(data.frame, 2)]:
        try:
            ax = draw(data, x, y)
        except BadInput as e:
            assert "alone" in str(e) and "words" in (x, y)
            refused += 1
            continue
        frame, again = run(draw_source(data, x, y), data)
        assert len(frame) == len(data) and ax.get_xlabel() == again.get_xlabel() and ax.get_ylabel() == again.get_ylabel()
        assert seen(ax)[4:] == seen(again)[4:]
    assert refused == 2 * (len(data.frame.columns) - 1)


def test_levels_that_are_not_drawn_are_counted():
    rng = np.random.default_rng(0)
    data = load(pd.DataFrame({"street's": rng.choice([f"s{i}" for i in range(40)], 900), "kind": rng.choice(["a", "b"], 900)}))
    for y in (None, "kind"):
        ax = draw(data, "street's", y)
        assert "street's, the 12 most frequent of 40" in (ax.get_xlabel(), ax.get_ylabel())
    assert draw(data, "kind").get_ylabel() == "kind"


def test_numbers_are_drawn_in_the_unit_that_most_are_written_in():
    data = load(
        pd.DataFrame({"weight": [*(f"{k} kg" for k in range(1, 91)), *["22.0462262 lb"] * 10], "n": range(100)}),
        roles={"weight": "numeric"},
    )
    read = readable(data)["weight"]
    assert read.max() == 90 and abs(read.iloc[-1] - 10) < 1e-6


def test_a_level_has_the_same_colour_in_every_picture(data):
    for x, y in (("count", None), ("it's a size", "count"), ("when", "count")):
        assert "hue_order=['no', 'yes']" in draw_source(data, x, y, "sold"), (x, y)


def test_colour_is_a_column_of_few_levels(data):
    draw(data, "it's a size", "Straße <b>", "yes")
    with pytest.raises(BadInput, match="at most 10"):
        draw(data, "count", colour="holes")
    with pytest.raises(NotFound):
        draw(data, "count", colour="nobody")


def test_many_points_become_counts():
    big = load(pd.DataFrame({"a": np.arange(6000.0), "b": np.arange(6000.0) % 97}))
    assert "histplot" in draw_source(big, "a", "b") and "scatterplot" in draw_source(big, "a", "b", where={"a": (0, 100)})


def test_text_is_read_by_role(data):
    frame = readable(data)
    assert frame["it's a size"].dtype == float and frame["when"].dtype.kind == "M"
    assert drawn_as(data, "sold") == "levels" and drawn_as(data, "words") == "text"


def test_filters_are_source(data):
    where = {"it's a size": (45, 55), "when": ("2024-02-01", "2024-03-01"), "Straße <b>": ["B'b", "c\nc"]}
    kept = filtered(readable(data), where)
    assert kept["it's a size"].between(45, 55).all() and set(kept["Straße <b>"]) == {"B'b", "c\nc"}
    assert kept["when"].min() >= pd.Timestamp("2024-02-01") and 0 < len(kept) < len(data)
    assert filter_source({}) == ""


@pytest.mark.parametrize(
    "axis, ends, low, high, kept",
    [
        (("a", "numbers"), (0, 10), 0.101, 0.199, (1.0, 2.0)),
        (("a", "numbers"), (-0.001, 0.001), 0.25, 0.75, (-0.0005, 0.0005)),
        (("a", "numbers"), (0, 1e6), 0.0, 0.5, (0, 500_000)),
        (("a", ["x", "y", "z"]), (-0.5, 2.5), 0.4, 0.6, ["y"]),
        (("a", ["x", "y", "z"]), (0, 3), 0.0, 0.6, ["x", "y"]),
        (("a", ["x", "y"]), (-0.5, 1.5), 0.3, 0.6, []),
    ],
)
def test_a_box_is_read(axis, ends, low, high, kept):
    assert brushed(axis, ends, low, high) == (pytest.approx(kept) if isinstance(kept, tuple) else kept)


def test_the_words_are_of_what_is_drawn(lab):
    lab.act("colour", value="sold")
    lab.act("pick", column="count")
    assert lab.colour == "sold" and lab._words() == "count, by sold"
    lab.act("pick", column="Straße <b>")
    lab.act("pick", column="yes", more=True)
    assert lab._words() == "Straße <b> and yes"  # a heat map of shares has no colours
    lab.act("y", value="when")
    assert "None" not in lab._words()


def test_brush_filter_undo_and_code(lab, data):
    lab.act("x", value="it's a size")
    lab.act("y", value="Straße <b>")
    lab.act("brush", x0=0.3, x1=0.6, y0=0.0, y1=0.5)
    low, high = lab.where["it's a size"]
    assert low < high and len(lab.where["Straße <b>"]) in (1, 2) and 0 < len(lab.shown) < len(data)
    frame, ax = run(lab.code(), data)
    assert list(frame.index) == list(lab.shown.index) and seen(ax)[2:4] == seen(lab.ax)[2:4]
    lab.act("keep", column="it's a size", name="low", value="0")
    assert lab.where["it's a size"] == (0, high)
    lab.act("unfilter", column="Straße <b>")
    lab.act("pick", column="when")
    lab.act("brush", x0=0.0, x1=0.5, y0=0.2, y1=0.9)
    assert lab.where["when"][0] < lab.where["when"][1] == lab.where["when"][1][:10]
    for _ in range(7):
        lab.act("undo")
    assert (lab.x, lab.y, lab.where) == ("sold", None, {})
    lab.act("undo")
    assert lab.x == "sold"


def test_what_cannot_be_drawn_changes_nothing(lab):
    lab.act("x", value="count")
    state = lab.x, lab.y, lab.where, lab.drawn
    for event, arguments in (
        ("y", {"value": "words"}),
        ("keep", {"column": "count", "name": "low", "value": "1e9"}),
        ("colour", {"value": "holes"}),
        ("x", {"value": "nobody"}),
        ("keep", {"column": "count", "name": "low", "value": ""}),
        ("keep", {"column": "count", "name": "high", "value": "many"}),
    ):
        if event == "keep":
            lab.act("brush", x0=0, x1=1, y0=0, y1=0)
            state = lab.x, lab.y, lab.where, lab.drawn
        with pytest.raises(MlworkError):
            lab.act(event, **arguments)
        assert (lab.x, lab.y, lab.where, lab.drawn) == state


def test_names_of_a_table_are_escaped(lab):
    lab.act("pick", column="Straße <b>")
    for name in ("bar", "columns", "drawn", "facts", "source"):
        assert "Straße <b>" not in getattr(lab, name)
    assert "<b>:" not in lab.filters and "Straße <b>" not in lab._twin_html()


@pytest.mark.filterwarnings("ignore:All-NaN")
def test_strange_tables():
    for frame in (
        pd.DataFrame({"a": [1.0, 1.0], "b": ["x", "y"]}),
        pd.DataFrame({"a": [np.nan] * 4, "b": list("wxyz")}),
        pd.DataFrame({"a": [1.0, np.inf, 2.0, -np.inf] * 9, "b": ["x", "y", "x", "y"] * 9}),
    ):
        lab = ExploreLab(load(frame))
        lab.act("pick", column="b")
        if frame.a.notna().any():
            lab.act("pick", column="a", more=True)
        else:
            with pytest.raises(BadInput, match="all missing"):
                lab.act("pick", column="a", more=True)
        lab.close()


def test_of_a_split_the_test_rows_stay_closed(data):
    split = holdout(data)
    lab = ExploreLab(split)
    assert len(lab.shown) == len(split.train) and split.times_opened == 0
    lab.close()
    with pytest.raises(BadType, match="Dataset"):
        ExploreLab("table.csv")
