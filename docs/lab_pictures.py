"""Take the pictures of the labs anew: python docs/lab_pictures.py (needs the test extra and a Chromium). Written to docs/images/lab_*.png."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from jupyter_page import FLAGS, NotebookPage, browser_path, jupyter  # noqa: E402

START = """import os
os.environ["MLWORK_PROGRESS"] = "0"
from mlwork.all import *
from mlwork.widgets import EvaluateLab, ExploreLab, PreprocessLab
later = dict.fromkeys(("days_on_market", "bonus_eur", "price_per_m2"), "ignored")
data = load("sample:rentals").drop_duplicates().with_roles(**later)
split = holdout(data, by="time", time="listed_on", test="3 months", group="building")
recipe = Recipe.suggest(profile(split), data.findings)"""
REPORTS = """report = evaluate(fit(split, recipe, "logistic"), split)
other = evaluate(fit(split, recipe, "boosting"), split)
lab = EvaluateLab(report, {"boosting": other})
lab"""


def explore(page):
    "Two columns and a colour, with a box over them."
    for label, column in (("column", "price"), ("second column", "city"), ("colour", "let_within_week")):
        page.get_by_label(label, exact=True).select_option(column)
        page.wait_for_timeout(1_500)
    box = page.locator(".mlw-lab [data-brush]").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.05 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.45 * box["height"], steps=4)


def preprocess(page):
    "Open a card, look at a column, and try the recipe with and without a step."
    tries = page.locator("[data-part=worth] tbody tr")
    for done in (1, 2):
        page.get_by_role("button", name="does it help?").click()
        tries.nth(done - 1).wait_for(timeout=120_000)
        card = page.locator("[data-card]").filter(has_text='impute("energy_kwh"').first
        if done == 1:
            card.get_by_role("button", name="switch off").click()
    page.locator("[data-card]").filter(has_text='clip_outliers("year_built")').locator("code").first.click()
    page.wait_for_timeout(2_500)


def evaluate(page):
    "A threshold for a purpose, a column, a subgroup, a row, and a what-if."
    page.get_by_role("button", name="I can look at").click()
    page.get_by_label("metric", exact=True).select_option("accuracy")
    page.get_by_label("column", exact=True).select_option("city")
    page.locator("[data-part=where] tbody button").first.click()
    page.locator("[data-part=found] tbody button").first.click()
    page.get_by_text("the average training row has").wait_for(timeout=60_000)
    page.get_by_label("what if energy_kwh").fill("60")
    page.get_by_label("what if energy_kwh").press("Tab")
    page.wait_for_timeout(2_000)


LABS = {
    "explore": ("lab = ExploreLab(data)\nlab", explore),
    "preprocess": ("lab = PreprocessLab(split, recipe)\nlab", preprocess),
    "evaluate": (REPORTS, evaluate),
}


def main():
    with tempfile.TemporaryDirectory() as folder, jupyter(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1500, "height": 2700})
        notebook = NotebookPage(page, url, folder)
        for name, (show, act) in LABS.items():
            notebook.open(f"{name}.ipynb", START, show)
            if page.locator(".jp-DirListing").is_visible():
                notebook.command("application:toggle-left-area")
            act(page)
            page.locator(".mlw-lab").screenshot(path=ROOT / "docs" / "images" / f"lab_{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
