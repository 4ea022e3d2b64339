"""The evaluation lab in a real JupyterLab: the threshold by mouse and keyboard, the way down to a row, the code in a fresh kernel."""

import json

import pytest
from browser_page import THEMES, WIDTHS, check_it_fits_and_can_be_read, page_of, soon
from jupyter_page import jupyter
from playwright.sync_api import expect

START = """import os
os.environ["MLWORK_PROGRESS"] = "0"
from mlwork.all import *
from mlwork.widgets import EvaluateLab
data = load("sample:rentals").drop_duplicates().with_roles(**dict.fromkeys(("days_on_market", "bonus_eur", "price_per_m2"), "ignored"))
split = holdout(data, by="time", time="listed_on", test="3 months", group="building")
report = evaluate(fit(split, model="logistic"), split)
lab = EvaluateLab(report)"""


@pytest.fixture
def lab(notebook, request):
    notebook.open(f"evaluate_{request.node.name[:30]}.ipynb", START, "lab")
    expect(notebook.page.locator(".mlw-lab [data-local=dial]")).to_be_visible()
    return notebook


def shown(lab):
    return lab.page.locator(".mlw-lab [data-cut]").evaluate_all("all => all.map(e => e.textContent)")


def test_the_page_says_what_python_says_at_every_position(lab):
    slider = lab.page.locator("[data-local=dial]")
    last = int(slider.get_attribute("max"))
    for position in (0, 57, 250, 431, last):
        slider.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }", str(position))
        here = shown(lab)
        slider.dispatch_event("change")
        soon(lab, f"lab.cut == {position}")
        texts = json.loads(lab.py("import re, json\nprint(json.dumps(re.findall(r'data-cut[^>]*>([^<]*)<', lab.choice)))"))
        assert here == texts and len(texts) >= 14
        assert float(lab.py("print(lab.threshold)")) == pytest.approx(float(here[0]), abs=0.02)


def test_marks_move_along_the_curves(lab):
    ring = lab.page.locator("[data-part=curves] circle.mlw-mark").first
    slider = lab.page.locator("[data-local=dial]")
    slider.focus()
    lab.page.keyboard.press("Home")
    low = float(ring.get_attribute("cx"))
    lab.page.keyboard.press("End")
    assert float(ring.get_attribute("cx")) < low - 100
    lines = lab.page.locator("[data-part=curves] line.mlw-mark").evaluate_all(
        "all => all.map(e => e.getAttribute('x1') === e.getAttribute('x2'))"
    )
    assert lines == [True, True]
    soon(lab, "lab.cut == len(lab.dial) - 1")


def test_the_threshold_moves_while_the_kernel_is_busy(lab):
    lab.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code: 'import time; time.sleep(3)'}); }"
    )
    before = shown(lab)
    slider = lab.page.locator("[data-local=dial]")
    slider.focus()
    for _ in range(25):
        lab.page.keyboard.press("ArrowLeft")
    assert shown(lab)[0] != before[0]
    position = slider.input_value()
    soon(lab, f"lab.cut == {position}")
    assert slider.input_value() == position
    lab.page.get_by_role("button", name="least cost").click()  # a dial that was dragged still follows Python
    soon(lab, f"lab.cut != {position}")
    expect(slider).to_have_value(lab.py("print(lab.cut)"))
    assert shown(lab)[0] == lab.py("print(f'{lab.threshold:g}')")


def test_by_mouse_from_a_purpose_to_a_row_and_back_from_the_code(lab):
    page = lab.page
    page.get_by_role("button", name="I can look at").click()
    soon(lab, "lab.moved and lab.dial.at(lab.cut).acted <= 0.1")
    page.get_by_label("metric", exact=True).select_option("accuracy")
    page.get_by_label("column", exact=True).select_option("city")
    first = page.locator("[data-part=where] tbody button").first
    expect(first).to_have_text("Quellfurt")
    first.click()
    page.locator("[data-part=found] tbody button").first.click()
    expect(page.locator("[data-part=one]")).to_contain_text("the average training row has")
    page.get_by_label("what if energy_kwh").fill("30")
    page.get_by_label("what if energy_kwh").press("Tab")
    expect(page.locator("[data-part=one]")).to_contain_text("→")
    page.get_by_role("button", name="put into the next cell").click()
    expect(page.locator(".jp-Cell")).to_have_count(3)
    source = lab.cells()[-1]
    numbers = lab.py("print(lab.numbers, round(lab.report.oof.scores['f1'].value, 9))")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    lab.ready()
    lines = [line.removeprefix("display(").removesuffix(")") if "what_if" in line else line for line in source.splitlines()]
    lines = [line for line in lines if "what_if" in line or "at(" in line]
    again = lab.py(f"{START}\n{lines[0]}\nnumbers = {lines[1]}\nprint(numbers, round(report.oof.scores['f1'].value, 9))")
    assert again == numbers
    assert lab.py("print(f'threshold={EvaluateLab(report).threshold!r}')") in lines[0]


def test_no_choice_is_lost_while_another_is_answered(lab):
    changed = """async ([label, value]) => { const menu = document.querySelector(`.mlw-lab select[aria-label="${label}"]`);
      menu.value = value; menu.dispatchEvent(new Event('change', {bubbles: true})); }"""
    for metric, column in (("accuracy", "city"), ("brier", "rooms"), ("f1", "heating"), ("recall", "floor")):
        lab.page.evaluate(changed, ["metric", metric])
        lab.page.evaluate(changed, ["column", column])
    soon(lab, "(lab.metric, lab.column) == ('recall', 'floor') and set(lab.slices.column) == {'floor'}")
    lab.py("lab.worker.wait(30)")
    expect(lab.page.get_by_label("column", exact=True)).to_have_value("floor")
    assert lab.py("print(set(lab.slices.column))") == "{'floor'}"


def test_by_keyboard_alone(lab):
    page = lab.page
    before = len(lab.cells())
    page.locator("[data-local=dial]").focus()
    page.keyboard.press("ArrowRight")
    for key in ("b", "a", "d", "d", "j"):  # Jupyter's own: insert, delete and leave a cell
        page.keyboard.press(key)
    assert len(lab.cells()) == before
    page.get_by_role("button", name="least cost").focus()
    page.keyboard.press("Enter")
    soon(lab, "lab.moved and lab.threshold < 0.3")
    page.get_by_role("button", name="missed").focus()
    page.keyboard.press("Space")
    rows = page.locator("[data-part=found] tbody button")
    expect(rows).to_have_count(8)
    rows.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=one]")).to_contain_text("the average training row has")
    page.get_by_role("button", name="Open the test set").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=test]")).to_contain_text("seen once", timeout=30_000)
    soon(lab, "split.times_opened == 1")


def test_what_cannot_be_had_is_said_and_goes_back(lab):
    page = lab.page
    field = page.get_by_label("precision at least")
    field.fill("0.999")
    field.press("Enter")
    expect(page.locator(".mlw-lab [data-status]")).to_contain_text("within reach")
    soon(lab, "not lab.moved")


def test_the_slider_follows_another_kind_of_tolerance(notebook):
    start = START.replace('load("sample:rentals")', 'load("sample:rentals", target="price")').replace('"logistic"', '"ridge"')
    notebook.open("tolerance.ipynb", start, "lab")
    page, slider = notebook.page, notebook.page.locator(".mlw-lab [data-local=dial]")
    slider.focus()
    for _ in range(40):
        page.keyboard.press("ArrowLeft")
    soon(notebook, f"lab.cut == {int(slider.input_value())}")
    page.locator(".mlw-lab select[data-set=relative]").select_option(index=1)  # the slider keeps the focus
    soon(notebook, "not lab.relative")
    expect(slider).to_have_value(notebook.py("print(lab.cut)"))


@WIDTHS
@THEMES
def test_it_fits_and_can_be_read(notebook, width, theme):
    check_it_fits_and_can_be_read(notebook, START, width, theme)


def test_the_main_path_in_notebook_7(browser, tmp_path):
    with jupyter(tmp_path, "notebook") as url:
        context, page, notebook = page_of(browser, url, tmp_path, "notebook")
        notebook.open("seven.ipynb", START, "lab")
        before = len(notebook.cells())
        page.locator("[data-local=dial]").focus()
        for key in ("ArrowLeft", "ArrowLeft", "b", "j"):
            page.keyboard.press(key)
        soon(notebook, "lab.moved")
        assert len(notebook.cells()) == before
        threshold = shown(notebook)[0]
        expect(page.locator(".mlw-lab [data-part=source] pre")).to_contain_text("report.at(")
        page.get_by_role("button", name="put into the next cell").click()
        expect(page.locator(".jp-Cell")).to_have_count(before + 1)
        choice = next(line for line in notebook.cells()[-1].splitlines() if line.startswith("report = "))
        assert notebook.py(choice + "\nprint(EvaluateLab(report).threshold)") == threshold
        context.close()
