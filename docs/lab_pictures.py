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
from mlwork.widgets import PreprocessLab
data = load("sample:rentals").drop_duplicates()
split = holdout(data, by="time", time="listed_on", test="3 months", group="building")
recipe = Recipe.suggest(profile(split), data.findings)"""


def preprocess(page):
    "Open a card, look at a column, and try the recipe with and without a step."
    tries = page.locator("[data-part=worth] tbody tr")
    for done in (1, 2):
        page.get_by_role("button", name="does it help?").click()
        tries.nth(done - 1).wait_for(timeout=120_000)
        card = page.locator("[data-card]").filter(has_text='impute("energy_kwh"').first
        if done == 1:
            card.get_by_role("button", name="off", exact=True).click()
    page.locator("[data-card]").filter(has_text='clip_outliers("year_built")').locator("code").first.click()
    page.wait_for_timeout(2_500)


def main():
    with tempfile.TemporaryDirectory() as folder, jupyter(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1500, "height": 1420})
        notebook = NotebookPage(page, url, folder).open("labs.ipynb", START, "lab = PreprocessLab(split, recipe)\nlab")
        notebook.command("application:toggle-left-area")
        preprocess(page)
        page.locator(".mlw-lab").screenshot(path=ROOT / "docs" / "images" / "lab_preprocess.png")
        browser.close()


if __name__ == "__main__":
    main()
