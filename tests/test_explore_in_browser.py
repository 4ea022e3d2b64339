"""The exploration lab in a real JupyterLab: pick, brush by mouse, filter by keyboard, and the code in the kernel."""

import pytest
from browser_page import THEMES, WIDTHS, check_it_fits_and_can_be_read, soon
from playwright.sync_api import expect

START = """import os
os.environ["MLWORK_PROGRESS"] = "0"
from mlwork.all import *
from mlwork.widgets import ExploreLab
data = load("sample:rentals").drop_duplicates()
lab = ExploreLab(data)"""


@pytest.fixture
def lab(notebook, request):
    notebook.open(f"explore_{request.node.name[:30]}.ipynb", START, "lab")
    expect(notebook.page.locator(".mlw-lab [data-brush]")).to_be_visible()
    return notebook


def test_a_box_by_mouse_is_a_filter_and_its_code_draws_the_same(lab):
    page = lab.page
    page.get_by_label("column", exact=True).select_option("price")
    soon(lab, "lab.x == 'price'")
    page.get_by_label("second column").select_option("city")
    soon(lab, "lab.y == 'city'")
    expect(page.locator(".mlw-lab [data-part=drawn] h4")).to_have_text("price and city")
    box = page.locator(".mlw-lab [data-brush]").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.6 * box["height"], steps=6)
    expect(page.locator(".mlw-lab .mlw-box-drawn")).to_be_visible()
    page.mouse.up()
    soon(lab, "set(lab.where) == {'price', 'city'} and 0 < len(lab.shown) < len(data)")
    expect(page.locator(".mlw-lab [data-part=source] pre")).to_contain_text("between")
    page.get_by_role("button", name="put into the next cell").click()
    expect(page.locator(".jp-Cell")).to_have_count(3)
    source = lab.cells()[-1]
    assert lab.py(source + "\nprint(list(frame.index) == list(lab.shown.index), len(plt.get_fignums()) > 0)") == "True True"


def test_by_keyboard_alone(lab):
    page = lab.page
    before = len(lab.cells())
    page.locator("[data-part=columns] button[data-column=price]").focus()
    page.keyboard.press("Enter")
    soon(lab, "lab.x == 'price'")
    page.get_by_label("second column").focus()
    page.keyboard.type("rooms")
    soon(lab, "lab.y == 'rooms'")
    for key in ("b", "a", "d", "d"):
        page.keyboard.press(key)
    assert len(lab.cells()) == before
    page.get_by_role("button", name="undo", exact=True).focus()
    page.keyboard.press("Enter")
    soon(lab, "lab.y is None and lab.x == 'price'")


def test_ends_of_a_filter_can_be_typed(lab):
    page = lab.page
    lab.py("lab.act('pick', column='price')\nlab.act('brush', x0=0.2, x1=0.5, y0=0, y1=0)")
    page.get_by_label("price from").fill("700")
    page.keyboard.press("Enter")
    soon(lab, "lab.where['price'][0] == 700")
    page.get_by_label("price from").fill("1e9")
    page.keyboard.press("Enter")
    expect(page.locator(".mlw-lab [data-status]")).to_contain_text("some rows must pass")
    soon(lab, "lab.where['price'][0] == 700")
    page.get_by_role("button", name="drop the filter on price").click()
    soon(lab, "not lab.where and len(lab.shown) == len(data)")


@WIDTHS
@THEMES
def test_it_fits_and_can_be_read(notebook, width, theme):
    check_it_fits_and_can_be_read(notebook, START, width, theme)
