"""The preprocessing lab without a browser: every control is a public event, and every event one change of one recipe."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances

from mlwork.collect import load
from mlwork.core import BadInput, BadType, NotFound
from mlwork.explore import profile
from mlwork.features import dates
from mlwork.preprocess import clip_outliers, encode, impute, scale, standardise_formats, transformer
from mlwork.recipe import Recipe
from mlwork.split import holdout
from mlwork.stages import STEPS
from mlwork.widgets import PreprocessLab
from mlwork.widgets.cards import card, control, edited, knobs
from mlwork.widgets.parts import Lab, Worker, as_pictures, element
from mlwork.widgets.preprocess_lab import place_of


@pytest.fixture(scope="module")
def split():
    rng = np.random.default_rng(0)
    n = 400
    frame = pd.DataFrame(
        {
            "size": rng.lognormal(4, 0.4, n).round(1),
            "price, net": rng.normal(100, 9, n).round(2),
            "town <b>": rng.choice(["Åa", "Bé", "C'c"], n),
            "note": rng.choice(["quiet and sunny", "near the river", "needs work", "sunny"], n),
            "built": pd.Series(rng.integers(1900, 2020, n)).astype("float").mask(rng.random(n) < 0.2),
        }
    )
    frame["sold"] = np.where(frame["size"] + rng.normal(0, 20, n) > 60, "yes", "no")
    return holdout(load(frame, target="sold"))


@pytest.fixture
def lab(split):
    lab = PreprocessLab(split, Recipe.of(split), profile(split))
    yield lab
    lab.worker.wait(20)
    lab.close()


def test_each_control_is_one_change_that_undo_takes_back(lab):
    changes = [
        ("suggest", {}),
        ("add", {"step": "preprocess.scale"}),
        ("edit", {"i": 0, "name": "columns", "value": "numeric"}),
        ("switch", {"i": 0}),
        ("duplicate", {"i": 1}),
        ("move", {"i": 0, "to": 1}),
        ("role", {"column": "built", "value": "categorical"}),
        ("remove", {"i": 0}),
    ]
    seen = [lab.recipe]
    for name, arguments in changes:
        lab.act(name, **arguments)
        if lab.recipe != seen[-1]:
            seen.append(lab.recipe)
    assert len(seen) >= 7
    for before in seen[-2::-1]:
        lab.act("undo")
        assert lab.recipe == before
    for after in seen[1:]:
        lab.act("redo")
        assert lab.recipe == after


def test_a_card_that_is_moved_on_and_on_is_one_change(lab):
    lab.act("suggest")
    before = lab.recipe
    assert len(before.steps) >= 3
    for i in (0, 1):
        lab.act("move", i=i, to=i + 1)
    assert lab.recipe == before.move(0, 2)
    lab.act("undo")
    assert lab.recipe == before
    lab.act("move", i=0, to=1)
    lab.act("move", i=0, to=1)  # another card
    lab.act("undo")
    assert lab.recipe == before.move(0, 1)


def test_events_that_are_quicker_than_the_page_mean_the_card_that_was_seen(lab):
    lab.act("suggest")
    first, second, third = lab._keys[:3]
    steps = dict(zip(lab._keys, lab.recipe.steps, strict=True))
    for key in (first, first, second):  # the page still shows the first card when it is deleted once more
        lab.act("remove", card=key)
    assert lab.recipe.steps[0] == steps[third] and len(lab.recipe.steps) == len(steps) - 2
    lab.act("undo")
    for _ in range(9):  # more than there are places
        lab.act("move", card=third, by=-1)
    assert lab.recipe.steps[0] == steps[third]


def test_the_code_that_is_shown_gives_the_same_lab(lab, split):
    lab.act("suggest")
    lab.act("mark", column="price, net", value=True)
    lab.act("add", step="preprocess.clip_outliers")
    lab.act("switch", i=0)
    namespace = {}
    exec(lab.code(), namespace)
    again = PreprocessLab(split, namespace["recipe"], lab.known)
    assert again.recipe == lab.recipe and any(s.columns == ("price, net",) for s in again.recipe.steps)
    again.close()


def test_what_cannot_be_meant_is_told_and_nothing_is_lost(lab):
    lab.act("suggest")
    at = next(i for i, s in enumerate(lab.recipe.steps) if isinstance(s, impute))
    before = lab.recipe
    told = []
    lab.send = told.append
    events = (
        {"do": "edit", "i": at, "name": "columns", "value": "no such column"},
        {"do": "edit", "i": at, "name": "strategy", "value": "meen"},
        {"do": "add", "step": "preprocess.drop"},
        {"do": "move", "i": 99, "to": 0},
        {"do": "explode"},
        {"do": "edit", "i": at, "name": "columns", "value": "['size'"},
    )
    for n, event in enumerate(events, 1):
        lab._receive(None, event | {"n": n, "view": "page"}, [])
    wrong = [m["say"] for m in told if m.get("wrong")]
    for words, sentence in zip(
        ("no such column", "did you mean 'mean'", "none marked", "a position must be", "explode", "a list"), wrong, strict=True
    ):
        assert words in sentence
    assert sum("done" in m for m in told) == 6 and lab.recipe == before


def test_a_finding_is_answered_by_a_click(split):
    frame = split.train.frame.assign(size=lambda f: f["size"].map("{} m²".format))
    other = holdout(load(frame, target="sold"))
    lab = PreprocessLab(other)
    found = next(f for f in lab.findings if f.columns == ("size",) and "recipe.add" in f.do)
    lab.act("answer", code=found.code, column="size")
    assert [s.columns for s in lab.recipe.steps] == ["size"] and lab.recipe.steps[0].reason.startswith(found.name)
    lab.act("answer", code=found.code, column="size")
    assert len(lab.recipe.steps) == 1
    lab.close()


def test_the_effect_is_of_training_rows_and_becomes_exact(lab):
    lab.act("suggest")
    lab.act("look", column="built")
    assert lab.worker.wait(30)
    assert len(lab.effect.exact) == len(lab.recipe.steps) and lab.effect.exact[0].rows == len(lab.split.train)
    assert f"{len(lab.split.train):,} training rows" in lab.seen and "missing" in lab.seen
    assert "&lt;b&gt;" in lab.columns and "<b>" not in lab.columns


def test_a_step_that_cannot_be_fitted_is_told_in_the_effect(lab):
    lab.act("add", step="preprocess.scale")
    lab.act("edit", i=0, name="columns", value="note")
    assert lab.worker.wait(20) and "works on numbers" in lab.effect.error + lab.seen
    lab.act("undo")
    assert lab.worker.wait(20) and not lab.effect.error


def test_tries_are_compared_and_can_be_gone_back_to(lab):
    lab.act("suggest")
    lab.run()
    first = lab.recipe
    lab.act("mark", column="size", value=True)
    lab.act("add", step="preprocess.drop")
    lab.run()
    assert len(lab.tries) == 2 and lab.tries[1].verdict.startswith("worse by")
    assert "worse by" in lab.worth and "worse by" in lab.twin()
    lab.act("back", k=0)
    assert lab.recipe == first


def test_scoring_leaves_something_to_look_at(lab):
    lab.act("suggest")
    lab.act("try")
    assert lab.worker.wait(60) and len(lab.tries) == 1
    assert len(lab.effect.passages) == len(lab.effect.exact) == len(lab.recipe.steps)
    lab.act("add", step="features.dates")  # there is no date, so nothing to be fitted
    lab.act("remove", i=0)
    lab.act("try")
    lab.act("stop")
    assert lab.worker.wait(60) and len(lab.tries) == 1 and lab.effect.exact


def test_a_change_stops_the_scoring_of_what_was(lab):
    lab.act("suggest")
    lab.act("try")
    lab.act("undo")
    assert lab.worker.wait(30) and not lab.tries and "<progress" not in lab.worth


@pytest.mark.parametrize("key", [k for k, s in STEPS.items() if s.__module__ in ("mlwork.preprocess", "mlwork.features")])
def test_every_step_has_a_card_with_knobs_that_come_back_unchanged(key):
    spellings = {"kind": "spellings", "spellings": {"a": "b"}} if key.endswith("standardise_formats") else {}
    step = STEPS[key]("numeric", **spellings)
    assert "data-set='edit'" in card(step, 0, 1, "k", True)
    for name in knobs(step):
        html = control(step, name, 0)
        assert f"data-name='{name}'" in html
        assert edited(step, name, getattr(step, name)) == step


def test_fields_are_read_as_people_type_them():
    spline = transformer("size", "sklearn.preprocessing.SplineTransformer")
    assert edited(spline, "params", "n_knots=5, degree=2").params == (("n_knots", 5), ("degree", 2))
    assert edited(spline, "params", "{'n_knots': 5}").params == (("n_knots", 5),)
    assert edited(dates("when"), "parts", "weekday, elapsed").parts == ("weekday", "elapsed")
    assert edited(dates("when"), "parts", "month").parts == ("month",)
    assert edited(standardise_formats("size"), "missing", "999").missing == (999,)
    with pytest.raises(BadType, match="params must be a table"):
        edited(spline, "params", "five")


def test_new_steps_go_where_they_belong():
    recipe = Recipe([encode("categorical"), impute("numeric"), scale("numeric")])
    assert place_of(recipe, clip_outliers("a")) == 0 and place_of(recipe, scale("a")) == 3
    assert place_of(recipe, encode("a")) == 0 and place_of(recipe, encode("ordinal")) == 1  # some columns before all of a role
    with pytest.raises(NotFound, match="did you mean"):
        edited(scale("a"), "method", "standart")


def test_a_hundred_labs_leave_nothing_behind(split):
    known = profile(split)
    before = len(_instances)
    for _ in range(100):
        PreprocessLab(split, None, known).close()
    assert len(_instances) == before


def test_only_what_an_event_touches_is_written_anew(lab, monkeypatch):
    lab.act("suggest")
    assert lab.worker.wait(30)
    written = []
    for name in lab.parts:
        draw = getattr(lab, f"draw_{name}")
        monkeypatch.setattr(lab, f"draw_{name}", lambda name=name, draw=draw: written.append(name) or draw())
    lab.act("look", column="built")
    assert written == ["seen"]  # not the list of columns: the page marks the one that is looked at
    written.clear()
    lab.act("quick", value="boosting")
    assert written == ["worth"]


def test_what_a_cell_does_is_in_the_twin_when_the_cell_ends(lab):
    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(data["text/html"])

    lab._handle = Handle()
    lab.act("suggest")
    assert f"<h4>{len(lab.recipe.steps)} steps</h4>" in shown[-1]
    lab.act("undo")
    assert "<h4>0 steps</h4>" in shown[-1] and f"data-stamp='{lab.stamp}'" in shown[-1]


def test_two_labs_on_one_recipe_are_independent(split):
    known = profile(split)
    recipe = Recipe.suggest(known)
    a, b = (PreprocessLab(split, recipe, known) for _ in range(2))
    a.act("remove", i=0)
    assert b.recipe == recipe and a.recipe != recipe
    for each in (a, b):
        each.close()


def test_the_newest_work_wins_and_errors_arrive():
    worker, ends, errors, started = Worker(), [], [], threading.Event()

    def count(n):
        started.wait(10)  # none is done before all have been asked for
        yield from range(n)
        return n

    def fail():
        yield 0
        raise BadInput("a", "b", "c")

    for n in range(1, 6):
        worker.start(count(n * 1000), lambda _: None, ends.append, errors.append)
    started.set()
    assert worker.wait(10) and ends == [5000]
    worker.start(fail(), lambda _: None, ends.append, errors.append)
    assert worker.wait(10) and isinstance(errors[0], BadInput) and ends == [5000]


def test_html_is_escaped_and_drawings_become_pictures():
    assert element("p", "x", title="'<") == "<p title='&#x27;&lt;'>x</p>"
    assert as_pictures("<svg viewBox='0 0 8 9'><title>t</title></svg>").startswith("<img alt='t' width='8' height='9'")
    with pytest.raises(NotImplementedError):
        Lab().twin()


def test_the_page_side_is_one_short_module_that_an_engine_can_read(repository, tmp_path):
    text = (repository / "mlwork" / "static" / "lab.js").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400 and "innerHTML = " in text and "eval(" not in text
    if not shutil.which("node") and not os.environ.get("MLWORK_BROWSER"):
        pytest.skip("no node to read it")
    (tmp_path / "lab.mjs").write_text(text, encoding="utf-8")
    subprocess.run(["node", "--check", tmp_path / "lab.mjs"], check=True)


def test_a_linter_finds_nothing_in_the_page_side(repository):
    oxlint = Path(sys.executable).with_name("oxlint")
    rules = ["--deny=correctness", "--deny=suspicious", "--allow=no-array-sort", "--allow=no-array-reverse"]  # toSorted is too new
    found = subprocess.run([oxlint, "--deny-warnings", *rules, "mlwork/static/lab.js"], cwd=repository, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
