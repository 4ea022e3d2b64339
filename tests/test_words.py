"""What a user reads: who leads, one page without repetition, plain words for what is wrong."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlwork.cli import summary
from mlwork.collect import load
from mlwork.core import BadInput, BadType
from mlwork.evaluate import evaluate
from mlwork.explore import profile
from mlwork.figures import figure_kinds, figure_title
from mlwork.learning import learning_curve
from mlwork.metrics import score
from mlwork.preprocess import drop, drop_outliers, encode, transformer
from mlwork.recipe import Recipe
from mlwork.report import write_report
from mlwork.select import compare_models
from mlwork.settings import read_settings
from mlwork.split import holdout
from mlwork.train import fit
from mlwork.verdict import subgroup_gaps
from mlwork.workflow import run

RUN = "[data]\nsource = {source}\ntarget = {target}\n[select]\nmodels = baseline, {model}\n[evaluate]\nimportance = no\n[output]\nfolder = {folder}\n"


@pytest.mark.parametrize("decimal", [".", ","])
def test_the_plain_script_reads_a_target_written_as_text(decimal, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, 200)
    y = [f"€ {v:,.2f}" for v in 4000 + 1500 * x + rng.normal(0, 300, 200)]
    y = [v.translate(str.maketrans(".,", ",.")) for v in y] if decimal == "," else y
    y[7], y[8] = "", "on request"
    table = pd.DataFrame({"x": x.round(4), "k": rng.integers(0, 9, 200), "note": rng.choice(list("abc"), 200), "price": y})
    table = pd.concat([table, table.head(5)])
    table.to_csv(tmp_path / "t.csv", index=False, sep=";" if decimal == "," else ",", decimal=decimal)
    done = run(RUN.format(source=tmp_path / "t.csv", target="price", model="ridge", folder=tmp_path / "runs"))
    assert done.data.task == "regression" and "parse_numbers" in (done.folder / "workflow.py").read_text(encoding="utf-8")
    told = subprocess.run([sys.executable, "-W", "error", done.folder / "workflow.py"], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr[-800:]
    ours = {k: i.value for k, i in done.report.test.scores.items()}
    assert {k: pytest.approx(v, rel=0, abs=1e-9) for k, v in ours.items()} == json.loads(told.stdout)


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLWORK_LEDGER", str(tmp_path_factory.mktemp("ledger")))
        lines = []
        text = RUN.format(source="sample:wine", target="", model="logistic, forest", folder=tmp_path_factory.mktemp("runs"))
        return run(text, say=lines.append), lines


def standing(board, names, verdicts):
    table = board.standings.set_axis(pd.Index(names, name="model")).assign(verdict=verdicts)
    return replace(board, standings=table)


def test_the_leader_is_called_the_leader(wine):
    board = wine[0].board
    tied = standing(board, ["forest", "logistic", "baseline"], ["leads", "tied with the leader", "worse than the leader"])
    assert tied.headline == "forest leads; logistic, the simplest of those tied with it, is chosen"
    alone = standing(board, ["forest", "logistic", "baseline"], ["leads", "worse than the leader", "worse than the leader"])
    assert alone.headline == "forest leads"
    assert tied.headline in tied._repr_html_()


def test_it_is_said_loudly_that_nothing_beats_the_baseline():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(0, 1, 120), "y": np.where(rng.random(120) > 0.5, "yes", "no")})
    board = compare_models(holdout(load(table, target="y")), None, ["baseline", "bayes"])
    assert board.headline.endswith("; NOTHING BEATS THE BASELINE")


def test_the_summary_is_for_eyes(wine):
    done, lines = wine
    table = done.board.summary()
    assert list(table) == ["score", "behind", "p", "seconds", "size", "verdict"] and list(table.index) == list(done.board.table().index)
    assert table["score"].str.fullmatch(r"\S+ \[\S+, \S+\]").all() and table["size"].str.fullmatch(r"[\d.]+ [kMG]?B").all()
    words = summary(done)
    assert done.board.summary().to_string() in words and done.report.summary().to_string(index=False) in words
    assert "test part opened once" in lines[6] and "seen 1 times" not in "".join(lines)


def test_the_page_says_each_thing_once_and_names_its_figures(wine):
    done = wine[0]
    page = write_report(done)
    worth = page[page.index("<section id='worth'>") : page.index("<section id='findings'>")]
    assert "mlw-findings" not in worth
    assert [figure_title(k) for k in figure_kinds(done.report.oof)] == [
        part.split("</figcaption>")[0].split(">")[1] for part in worth.split("<figcaption")[1:]
    ]


def test_dropped_columns_are_left_out_of_the_scan_for_subgroups():
    rng = np.random.default_rng(0)
    leak = np.repeat(["a", "b"], 300)
    x = rng.normal(0, 1, 600)
    y = np.where(np.where(leak == "a", x, rng.normal(0, 1, 600)) > 0, "yes", "no")
    split = holdout(load(pd.DataFrame({"x": x, "leak": leak, "y": y}), target="y"))
    with_it = evaluate(fit(split, Recipe.of(split).add(encode("leak")), "logistic"), split)
    without = evaluate(fit(split, Recipe.of(split).add(drop("leak")), "logistic"), split)
    assert "leak" in with_it.oof.sliceable() and subgroup_gaps(with_it.oof, "roc_auc", 0.5)
    assert without.oof.sliceable() == ["x"] and not subgroup_gaps(without.oof, "roc_auc", 0.5).about("leak")
    assert len(without.oof.slices("leak")) == 2


def test_wrong_nouns_are_named():
    split = holdout(load("sample:wine"))
    known = profile(split)
    for call in (lambda: compare_models(split, known), lambda: fit(split, known, "logistic"), lambda: learning_curve(split, known)):
        with pytest.raises(BadType, match="must be a Recipe; got Profile"):
            call()
    with pytest.raises(BadType, match="a model must be a name or"):
        fit(split, None, None)
    for wrong in (None, {}):
        with pytest.raises(BadType, match="settings.ini"):
            run(wrong)
        with pytest.raises(BadType, match="settings.ini"):
            read_settings(wrong)


def test_outliers_of_text_are_refused_in_one_line():
    table = pd.DataFrame({"x": np.arange(60.0), "c": list("abc") * 20, "y": ["yes", "no"] * 30})
    split = holdout(load(table, target="y"))
    with pytest.raises(BadInput, match="works on numbers; got text in 'c'"):
        fit(split, Recipe.of(split).add(drop_outliers("c")).add(encode("c")), "logistic")


def test_swapped_arguments_are_not_advised_to_be_allowed():
    with pytest.raises(BadInput) as told:
        transformer("os.system", "x")
    assert "ALLOWED.append" not in str(told.value) and "sklearn.preprocessing" in str(told.value)


def test_infinities_are_never_classes():
    for truth, said in (([1.5, np.inf, 2.2], [1.0, 2, 3]), ([1, 2, 3], [1, np.inf, 3])):
        with pytest.raises(BadInput, match="finite"):
            score(truth, said)
    assert "rmse" in score(list(range(40)), list(range(1, 41)))


@pytest.mark.parametrize("text", ["[1]", "3", "null", '"a"', "{}", "{"])
def test_a_recipe_of_another_shape_is_refused_in_plain_words(text):
    with pytest.raises(BadInput, match="a recipe must be the JSON") as told:
        Recipe.from_json(text)
    assert "Error" not in str(told.value) and "object" not in str(told.value)
