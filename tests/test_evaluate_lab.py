"""The evaluation lab without a browser: every control is an event, every choice a line of code that repeats it."""

import numpy as np
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances

from mlwork.collect import load
from mlwork.core import BadInput, BadType, MlworkError
from mlwork.evaluate import evaluate
from mlwork.one_row import changed_row, explain_row, what_if
from mlwork.split import holdout
from mlwork.train import fit
from mlwork.widgets import EvaluateLab
from mlwork.widgets.dial import threshold_dial, tolerance_dial
from mlwork.widgets.parts import without_controls


def table(n=900, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(50, 9, n).round(1),
            "price, net": rng.lognormal(3, 0.4, n).round(2),
            "town <b>": rng.choice(["Åa", "Bé", "C'c"], n),
            "quiet": rng.random(n) < 0.4,
            "built": pd.Series(rng.integers(1900, 2020, n)).astype("float").mask(rng.random(n) < 0.1),
        }
    )
    lean = (frame["size"] - 50) / 6 + np.where(frame["town <b>"] == "Bé", 0, frame["quiet"]) + rng.normal(0, 1, n)
    return frame, lean


def report_of(kind, model="logistic"):
    frame, lean = table()
    target = {
        "binary": np.where(lean > 1.2, "sold", "kept"),
        "multiclass": np.select([lean > 1.2, lean < -0.8], ["fast", "never"], "slow"),
        "regression": (lean * 10 + 100).round(1),
    }[kind]
    split = holdout(load(frame.assign(y=target), target="y"))
    return evaluate(fit(split, model=model), split)


@pytest.fixture(scope="module")
def reports():
    return {"binary": report_of("binary"), "multiclass": report_of("multiclass"), "regression": report_of("regression", "ridge")}


@pytest.fixture
def lab(reports):
    lab = EvaluateLab(reports["binary"])
    assert lab.worker.wait(60)
    yield lab
    lab.worker.wait(60)
    lab.close()


def run(code, report):
    "Run the code of a lab as it stands; gives the report at the choice, and what it shows."
    space, found = {"report": report}, []
    exec(code.replace("from IPython.display import display", ""), space | {"display": found.append}, space)
    return space["report"], found


def test_the_threshold_is_what_the_report_says_at_it(lab, reports):
    for value in (0, 100, len(lab.dial) - 1):
        lab.act("cut", value=str(value))
        scores = reports["binary"].at(lab.threshold).oof.scores
        row = lab.dial.at(lab.cut)
        for name in ("precision", "recall", "f1"):
            assert scores[name].value == pytest.approx(row[name], abs=1e-6)
        assert lab.report.oof.confusion().to_numpy().sum() == len(reports["binary"].oof)


@pytest.mark.parametrize("goal, share", [("recall", 0.9), ("precision", 0.6), ("capacity", 0.2)])
def test_a_purpose_is_served(lab, goal, share):
    lab.act("share", name=goal, value=str(share))
    row = lab.dial.at(lab.cut)
    held = -row.acted if goal == "capacity" else row[goal]
    assert held >= (-share if goal == "capacity" else share) - 1e-9
    beyond = lab.dial.table[lab.dial.table[goal] >= share] if goal != "capacity" else lab.dial.table[lab.dial.table.acted <= share]
    best = beyond.recall.max() if goal != "recall" else beyond.precision[beyond.acted == beyond.acted.min()].max()
    assert (row.recall if goal != "recall" else row.precision) == pytest.approx(best)


def test_other_models_are_compared_at_the_threshold_chosen(reports):
    lab = EvaluateLab(reports["binary"], {"itself": reports["binary"]}).run()
    assert set(lab.gaps.difference) == {0}
    lab.act("share", name="recall", value="0.95")
    lab.run()
    gaps = lab.gaps.set_index("metric").difference
    assert gaps.recall > 0.1 and gaps.roc_auc == 0
    lab.close()


def test_costs_move_the_best_threshold(lab, reports):
    lab.act("cost", name="fn", value="20")
    lab.act("goal", goal="cost")
    assert lab.threshold <= reports["binary"].oof.costs(1, 20).threshold
    low = lab.threshold
    lab.act("cost", name="fn", value="1")
    lab.act("goal", goal="cost")
    assert lab.threshold > low
    with pytest.raises(BadInput, match="above 0"):
        lab.act("cost", name="fn", value="-1")
    assert lab.costs == {"fp": 1, "fn": 1}


def test_looks_are_a_share_of_the_rows(lab):
    lab.act("looks", name="rows", value="1000")
    lab.act("looks", name="looks", value="50")
    assert lab.dial.at(lab.cut).acted <= 0.05
    with pytest.raises(BadInput, match="as many rows as there are; got 5000 of 1000"):
        lab.act("looks", name="looks", value="5000")
    kept = lab.goals, lab.looks, lab.threshold
    with pytest.raises(BadInput, match="within reach"):
        lab.act("looks", name="rows", value="100000000")
    assert (lab.goals, lab.looks, lab.threshold) == kept


def test_the_way_down_and_its_code(lab, reports):
    lab.act("goal", goal="f1")
    lab.act("metric", value="accuracy")
    lab.act("column", value="town <b>")
    lab.act("second", value="quiet")
    lab.act("slice", i="0")
    lab.act("row", i="0")
    lab.act("change", column="price, net", value="12.5")
    lab.act("change", column="quiet", value="False")
    lab.run()
    assert lab.numbers[0] != lab.numbers[1]
    report, (slices, errors, why, what) = run(lab.code(), reports["binary"])
    assert report.oof.scores["f1"].value == pytest.approx(lab.dial.table.f1.max(), abs=1e-6)
    pd.testing.assert_frame_equal(slices, lab.slices)
    pd.testing.assert_frame_equal(errors, lab.behind)
    assert why.parts.equals(lab.why.parts) and what == lab.numbers
    for name in ("where", "found", "one", "source"):
        assert "<b>:" not in getattr(lab, name) and "town <b>" not in getattr(lab, name)
    lab.act("as_it_was")
    assert lab.changes == {} and lab.numbers[0] == lab.numbers[1]


def test_a_cell_of_the_matrix_gives_its_rows(lab):
    lab.act("cell", truth="0", said="1")
    assert set(lab.behind.y) == {"sold"} and set(lab.behind.prediction) == {"kept"}
    assert lab.behind.loss.is_monotonic_decreasing


def test_the_same_lab_comes_back_from_its_code(lab, reports):
    lab.act("share", name="recall", value="0.7")
    report, _ = run(lab.code(), reports["binary"])
    again = EvaluateLab(report).run()
    assert again.threshold == lab.threshold and again.cut == lab.cut
    again.close()


def test_the_test_rows_stay_closed_until_asked_for(reports):
    report = report_of("binary")
    lab = EvaluateLab(report).run()
    assert report.split.times_opened == 0 and "never seen" in lab.test
    lab.act("goal", goal="f1")
    lab.act("test")
    lab.run()
    assert report.split.times_opened == 1 and lab.opened.test.times_seen == 1
    assert "seen once" in lab.test and "disabled" in lab.test
    at = lab.threshold
    lab.act("cut", value="3")
    assert "another one than the one chosen now" in lab.test and "disabled" not in lab.test
    _, shown = run(lab.code(), report)
    assert lab.threshold != at and shown[-1].test.scores["f1"].value == lab.opened.test.scores["f1"].value
    lab.close()


def test_several_classes_and_numbers(reports):
    lab = EvaluateLab(reports["multiclass"], {"itself": reports["multiclass"].oof.predictions}).run()
    assert lab.threshold is None and len(lab.slices) and set(lab.gaps.verdict) == {"no difference shown"}
    for label in ("fast", "slow"):
        lab.act("against", value=label)
        truth, _ = reports["multiclass"].oof.against_rest(label)
        assert lab.dial.at(0).tp == truth.sum()
    lab.act("cell", truth="0", said="1")
    lab.act("row", i="0")
    lab.run()
    assert lab.why.label == lab.behind.prediction.iloc[0]
    _, (curve, *rest) = run(lab.code(), reports["multiclass"])
    assert len(rest) == 3 and curve.tp.item() == lab.dial.at(lab.cut).tp
    lab.close()

    lab = EvaluateLab(reports["regression"]).run()
    assert 0.09 < lab.dial.at(lab.cut).tolerance <= 0.1 and len(lab.slices)
    lab.act("relative", value="unit of the target")
    lab.act("along", value="town <b>")
    lab.act("cut", value="200")
    row = lab.dial.at(200)
    assert ((reports["regression"].oof.losses() <= row.tolerance + 1e-9).mean()) == pytest.approx(row.within)
    _, (tolerances, _) = run(lab.code(), reports["regression"])
    assert tolerances.within.item() == row.within
    lab.close()


def test_what_is_sent_is_small_and_says_what_python_says(reports):
    for dial in (threshold_dial(reports["binary"].oof), tolerance_dial(reports["regression"].oof)):
        numbers = np.frombuffer(dial.packed(), "<f4").reshape(dial.table.shape, order="F")
        np.testing.assert_allclose(numbers, dial.table, rtol=1e-6)
        assert len(dial.packed()) <= 40_000


def test_a_model_without_probabilities_has_no_threshold():
    from sklearn.svm import LinearSVC

    lab = EvaluateLab(report_of("binary", LinearSVC())).run()
    assert lab.dial is None and "no probabilities" in lab.choice
    lab.act("cell", truth="0", said="1")
    assert lab.behind is not None
    with pytest.raises(BadInput, match="probability"):
        lab.act("row", i="0")
    lab.close()


def test_an_error_in_the_long_work_is_told_and_harms_nothing(lab, monkeypatch):
    said = []
    monkeypatch.setattr(lab, "send", said.append)
    monkeypatch.setattr(type(lab._report), "explain_row", lambda *_: 1 / 0)
    lab.act("column", value="built")
    lab.act("slice", i="0")
    lab.act("row", i="0")
    lab.run()
    assert any("ZeroDivisionError" in m.get("say", "") for m in said)
    lab.act("column", value="size")
    assert len(lab.slices)


def test_the_twin_has_no_controls_and_what_was_chosen(lab):
    lab.act("goal", goal="f1")
    lab.run()
    twin = lab._twin_html()
    assert f"threshold={lab.threshold!r}" in twin
    for tag in ("<button", "<select", "<input", "<svg", "<fieldset"):
        assert tag not in twin
    assert without_controls("<input type='range' value='3'><input type='number' value='7'>x") == " 7 x"


def test_labs_leave_nothing_behind(reports):
    before = len(_instances)
    for _ in range(5):
        lab = EvaluateLab(reports["binary"])
        lab.close()
        assert lab.worker.wait(60)
    assert len(_instances) == before


def test_a_click_works_out_only_what_it_touches(lab, monkeypatch):
    counts = {"slices": 0}
    slices = type(lab.rows).slices

    def counted(self, *arguments):
        counts["slices"] += 1
        return slices(self, *arguments)

    monkeypatch.setattr(type(lab.rows), "slices", counted)
    lab.act("slice", i="0")
    lab.act("row", i="0")
    lab.act("cell", truth="0", said="1")
    lab.act("metric", value="brier")
    lab.run()
    assert counts["slices"] == 1 and len(lab.slices)  # every column by the other metric
    lab.act("metric", value="roc_auc")
    lab.run()
    assert counts["slices"] == 1 and len(lab.slices)
    before = lab.column, lab.metric
    with pytest.raises(MlworkError):
        lab.act("column", value="nobody")
    with pytest.raises(MlworkError):
        lab.act("metric", value="nothing")
    assert (lab.column, lab.metric) == before


def test_something_else_than_a_report_is_refused():
    with pytest.raises(BadType, match="evaluate"):
        EvaluateLab("report")


def test_shares_add_up_and_changes_are_read_like_the_table(reports):
    report = reports["binary"]
    rows = report.split.train.frame
    label = rows.index[5]
    why = explain_row(report.model, rows.loc[[label]], rows)
    assert why.average + why.parts.share.sum() == pytest.approx(why.prediction)
    as_read = [changed_row(report.model, rows.loc[[label]], {"quiet": q}) for q in ("False", False, "True")]
    assert what_if(report.model, as_read[0], {}) == what_if(report.model, as_read[1], {}) != what_if(report.model, as_read[2], {})
    gap = what_if(report.model, rows.loc[[label]], {"built": None})
    assert all(0 <= p <= 1 for p in gap)
    with pytest.raises(BadInput):
        what_if(report.model, rows.loc[[label]], {"size": "large"})
    with pytest.raises(BadInput, match="training row"):
        report.explain_row("nobody")


def test_events_that_overtake_each_other_are_done_in_order():
    lab = EvaluateLab(report_of("binary"))
    asked = [("metric", "f1"), ("column", "quiet"), ("metric", "recall"), ("column", "size")]
    events = [{"do": do, "value": value, "n": n, "view": "page"} for n, (do, value) in enumerate(asked, 1)]
    for event in [events[3], events[0], events[2], events[1], {"do": "metric", "value": "accuracy", "n": 1, "view": "the page, reloaded"}]:
        lab._receive(None, event, [])
    assert (lab.metric, lab.column) == ("accuracy", "size")
    lab.run().close()


def test_what_one_event_changes_is_sent_in_one_message():
    lab, sent = EvaluateLab(report_of("regression", "ridge")), []
    lab.send_state = lambda key=None: sent.append(set(key))
    lab.act("relative", value="unit of the target")
    assert ["choice" in keys for keys in sent if "table" in keys] == [True]  # other messages are the worker's
    lab.run().close()
