"""The labs in a real JupyterLab and Notebook in a real browser: by mouse, by keyboard, in light and dark, over a restart and a reload."""

import pytest
from browser_page import THEMES, WIDTHS, check_it_fits_and_can_be_read, page_of, soon
from jupyter_page import jupyter
from playwright.sync_api import expect

START = """import os
os.environ["MLWORK_PROGRESS"] = "0"
from mlwork.all import *
from mlwork.widgets import PreprocessLab
split = holdout(load("sample:rentals").drop_duplicates(), by="time", time="listed_on", test="3 months", group="building")
known = profile(split)
recipe = Recipe.suggest(known, split.train.findings)
lab = PreprocessLab(split, recipe, known)"""


@pytest.fixture
def lab(notebook, request):
    notebook.open(f"{request.node.name[:40].replace('[', '_').replace(']', '')}.ipynb", START, "lab")
    expect(notebook.page.locator(".mlw-lab [data-card]").first).to_be_visible()
    return notebook


def cards(lab):
    return lab.page.locator(".mlw-lab [data-card]")


def card_of(lab, words):
    return cards(lab).filter(has_text=words).first


def test_by_mouse_suggest_edit_reorder_undo_score_and_take_the_code(lab):
    page = lab.page
    card_of(lab, 'clip_outliers("year_built")').locator("code").click()
    knob = page.locator("select[data-name=method]")
    knob.select_option("quantile")
    soon(lab, "any(getattr(s, 'method', '') == 'quantile' for s in lab.recipe.steps)")
    expect(page.locator("[data-part=seen]")).to_contain_text("learned: from")
    last = cards(lab).count() - 1
    cards(lab).nth(last).drag_to(cards(lab).nth(last - 1), target_position={"x": 20, "y": 2})
    soon(lab, "type(lab.recipe.steps[-1]).__name__ == 'impute'")
    page.get_by_role("button", name="undo", exact=True).click()
    soon(lab, "type(lab.recipe.steps[-1]).__name__ == 'scale'")
    page.get_by_role("button", name="does it help?").click()
    expect(page.locator("[data-part=worth]")).to_contain_text("the first with logistic", timeout=60_000)
    page.get_by_role("button", name="put into the next cell").click()
    expect(page.locator(".jp-Cell")).to_have_count(3)
    source = lab.cells()[-1]
    assert lab.py(source + "\nprint(recipe == lab.recipe, recipe != Recipe.suggest(known))") == "True True"


def test_by_keyboard_alone(lab):
    page = lab.page
    before = len(lab.cells())
    cards(lab).nth(0).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowUp")
    soon(lab, "str(lab.recipe.steps[0]) == str(recipe.steps[1])")
    expect(page.locator(".mlw-lab [data-status]")).to_contain_text("position 1 of")
    page.keyboard.press("Space")
    assert page.evaluate("() => document.activeElement.dataset.card") == "0"
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=steps] .mlw-fields")).to_be_visible()
    page.keyboard.press("Delete")
    soon(lab, "len(lab.recipe.steps) == len(recipe.steps) - 1")
    for key in ("b", "a", "d", "d", "j"):  # Jupyter's own: insert, delete and leave a cell
        page.keyboard.press(key)
    assert len(lab.cells()) == before
    page.get_by_role("button", name="undo", exact=True).focus()
    page.keyboard.press("Enter")
    soon(lab, "len(lab.recipe.steps) == len(recipe.steps)")
    page.keyboard.press("Control+s")


def test_what_is_added_and_looked_at_comes_into_view(lab):
    page = lab.page
    button = page.locator("[data-part=columns] button[data-do=look]").nth(4)
    button.click()
    looked = page.locator("[data-part=columns] tr[aria-current]")
    expect(looked).to_have_attribute("data-key", button.get_attribute("data-column"))
    assert lab.py("print(lab.column)") == button.get_attribute("data-column")
    page.locator("dt button[data-do=add]").first.evaluate("b => b.closest('section').scrollTo(0, 1e6)")
    page.locator("details[data-key=scaling]").evaluate("d => { d.open = true; }")
    page.locator("button[data-step='preprocess.scale']").click()
    opened = page.locator("[data-card].mlw-open")
    expect(opened).to_be_visible()
    assert opened.evaluate(
        """card => { const a = card.getBoundingClientRect(), b = card.closest('section').getBoundingClientRect();
        return a.bottom > b.top && a.top < b.bottom; }"""
    )


def test_keys_that_are_quicker_than_the_answers(lab):
    page = lab.page
    names = lab.py("print(*lab._keys)").split()
    cards(lab).nth(3).focus()
    page.keyboard.press("Delete")
    page.keyboard.press("Delete")
    soon(lab, f"lab._keys == {[n for n in names if n not in names[3:5]]}")
    cards(lab).nth(4).focus()
    for key in ("Space", "ArrowUp", "ArrowUp", "ArrowUp", "Space"):
        page.keyboard.press(key)
    left = [n for n in names if n not in names[3:5]]
    soon(lab, f"lab._keys == {[left[0], left[4], *left[1:4], *left[5:]]}")


def test_a_slider_that_is_dragged_ends_where_the_hand_ends(lab):
    page = lab.page
    card_of(lab, 'clip_outliers("year_built")').locator("code").click()
    slider = page.locator("input[type=range][data-name=width]")
    slider.focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    shown = slider.input_value()
    soon(lab, f"any(getattr(s, 'width', None) == {float(shown)} for s in lab.recipe.steps)")
    assert page.evaluate("() => document.activeElement.dataset.name") == "width"


def test_columns_are_searched_sorted_marked_and_given_another_role(lab):
    page = lab.page
    page.get_by_label("search columns").fill("e09")
    rows = page.locator("[data-part=columns] tbody tr:visible")
    expect(rows).to_have_count(3)
    page.get_by_label("mark floor").check()
    page.locator("[data-part=columns] select[data-column=floor]").select_option("ordinal")
    soon(lab, "lab.recipe.roles['floor'] == 'ordinal' and lab.marked == {'floor'}")
    expect(rows).to_have_count(3)
    page.get_by_label("search columns").fill("")
    page.locator("button[data-by=distinct]").click()
    counts = page.locator("[data-part=columns] tbody tr").evaluate_all("rows => rows.map(r => Number(r.dataset.distinct))")
    assert counts == sorted(counts) and len(counts) == 25


def test_many_quick_events_are_each_done_once(lab):
    buttons = lab.page.locator("[data-card] button[data-do=duplicate]")
    total = int(lab.py("print(len(lab.recipe.steps))"))
    lab.page.evaluate("() => { for (let i = 0; i < 12; i++) document.querySelector('[data-card] button[data-do=duplicate]').click(); }")
    expect(buttons).to_have_count(total + 12)
    soon(lab, f"len(lab.recipe.steps) == {total + 12} and len(lab._past) == 12")


def test_while_a_cell_runs_the_lab_answers_or_says_that_it_waits(lab):
    page = lab.page
    page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code: 'import time; time.sleep(4)'}); }"
    )
    page.locator("[data-card] button[data-do=switch]").first.click()
    page.wait_for_function(
        """() => document.querySelector('[data-card]').classList.contains('mlw-off')
        || document.querySelector('.mlw-lab [data-status]').textContent.includes('the kernel is running a cell')""",
        timeout=2_500,
    )
    soon(lab, "lab.recipe.steps[0].off")
    expect(page.locator("[data-card]").first).to_have_attribute("class", "mlw-off")


def test_what_is_refused_does_not_stay_on_the_page(lab):
    page = lab.page
    card_of(lab, 'clip_outliers("year_built")').locator("code").click()
    page.locator("select[data-name=method]").select_option("quantile")
    soon(lab, "any(getattr(s, 'method', '') == 'quantile' for s in lab.recipe.steps)")
    slider = page.locator("input[type=range][data-name=width]")
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator(".mlw-lab [data-status]")).to_contain_text("width must be below 0.5")
    expect(slider).to_have_value("0.01")
    soon(lab, "all(getattr(s, 'width', None) is None for s in lab.recipe.steps)")


def test_after_a_restart_the_code_gives_the_lab_again(lab):
    page = lab.page
    page.locator("[data-card] button[data-do=remove]").first.click()
    soon(lab, "len(lab.recipe.steps) == len(recipe.steps) - 1")
    page.get_by_role("button", name="put into the next cell").click()
    expect(page.locator(".jp-Cell")).to_have_count(3)
    source = lab.cells()[-1]
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    lab.ready()
    again = lab.py(
        f"{START}\nstart = recipe\n{source}\nlab = PreprocessLab(split, recipe, known)\nprint(len(lab.recipe.steps) == len(start.steps) - 1)"
    )
    assert again == "True"


def test_the_twin_stays_current_over_a_reload_and_is_all_that_is_stored(lab):
    page = lab.page
    lab.command("docmanager:save")
    page.reload()
    lab.ready()
    page.locator("[data-card] button[data-do=remove]").first.wait_for()
    page.locator("[data-card] button[data-do=remove]").first.click()
    soon(lab, "len(lab.recipe.steps) == len(recipe.steps) - 1")
    count = int(lab.py("print(len(lab.recipe.steps))"))
    stored = """() => { const cell = window.jupyterapp.shell.currentWidget.content.model.cells.get(1); let html = '';
        for (let j = 0; j < cell.outputs.length; j++) html += String(cell.outputs.get(j).data['text/html'] ?? ''); return html; }"""
    page.wait_for_function(f"() => ({stored})().includes('<h4>{count} steps')")
    twin = page.evaluate(stored)
    assert "mlw-twin" in twin and "<svg" not in twin


@WIDTHS
@THEMES
def test_it_fits_and_can_be_read(notebook, width, theme):
    check_it_fits_and_can_be_read(notebook, START, width, theme)


def test_the_main_path_in_notebook_7(browser, tmp_path):
    with jupyter(tmp_path, "notebook") as url:
        context, page, notebook = page_of(browser, url, tmp_path, "notebook")
        notebook.open("seven.ipynb", START, "lab")
        before = len(notebook.cells())
        cards(notebook).nth(0).focus()
        for key in ("Space", "ArrowDown", "Space", "b", "a", "j"):
            page.keyboard.press(key)
        soon(notebook, "str(lab.recipe.steps[1]) == str(recipe.steps[0])")
        assert len(notebook.cells()) == before
        page.get_by_role("button", name="put into the next cell").click()
        expect(page.locator(".jp-Cell")).to_have_count(before + 1)
        assert notebook.py(notebook.cells()[-1] + "\nprint(recipe == lab.recipe)") == "True"
        context.close()


def test_spellings_are_lines_of_text(lab):
    page = lab.page
    card_of(lab, 'kind="spellings"').locator("code").click()
    lines = page.locator("textarea[data-name=spellings]")
    assert "PORT ÉMILE → Port Émile" in lines.input_value().splitlines()
    lines.fill(lines.input_value() + "\nQuelfurt → Quellfurt")
    lines.press("Tab")
    soon(lab, "any(('Quelfurt', 'Quellfurt') in getattr(s, 'spellings', ()) for s in lab.recipe.steps)")
    lines.fill("nonsense")
    lines.press("Tab")
    expect(page.locator(".mlw-lab [data-status]")).to_contain_text("each line must say")
    soon(lab, "any(('Quelfurt', 'Quellfurt') in getattr(s, 'spellings', ()) for s in lab.recipe.steps)")


def test_two_hundred_columns_stay_fluid(notebook):
    wide = """import os
os.environ["MLWORK_PROGRESS"] = "0"
import numpy as np, pandas as pd
from mlwork.all import *
from mlwork.widgets import PreprocessLab
frame = pd.DataFrame(np.random.default_rng(0).normal(size=(1000, 200)), columns=[f"column_{i}" for i in range(200)])
frame["y"] = np.where(frame.column_0 > 0, "yes", "no")
lab = PreprocessLab(holdout(load(frame, target="y")))"""
    notebook.open("wide.ipynb", wide, "lab")
    page = notebook.page
    rows = page.locator("[data-part=columns] tbody tr:visible")
    expect(rows).to_have_count(201)
    page.get_by_label("search columns").fill("column_19")
    expect(rows).to_have_count(11)
    rows.nth(3).locator("button[data-do=look]").click()
    soon(notebook, "lab.column == 'column_192'")
    page.get_by_label("search columns").fill("")
    page.locator("button[data-by=name]").click()
    expect(rows.first).to_contain_text("column_0")


def test_a_hundred_labs_leave_nothing_behind(lab):
    page = lab.page
    count = "import ipywidgets.widgets.widget as w, gc\ngc.collect()\nprint(len(w._instances))"
    before = int(lab.py(count))
    used = (
        "async () => { await new Promise(end => setTimeout(end, 500)); return performance.memory ? performance.memory.usedJSHeapSize : 0; }"
    )
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    start = page.evaluate(used)
    lab.py("for _ in range(100):\n    other = PreprocessLab(split, recipe, known)\n    other.close()")
    assert int(lab.py(count)) == before
    page.wait_for_timeout(3_000)
    session.send("HeapProfiler.collectGarbage")
    assert page.evaluate(used) - start < 20e6
