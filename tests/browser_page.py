"""A real browser with a real JupyterLab: fixtures for the tests of all labs."""

import os

import pytest
from jupyter_page import FLAGS, NotebookPage, browser_path, jupyter
from playwright.sync_api import Error, sync_playwright


def started(playwright):
    "Start the browser; where there is none, skip the test, but never in CI."
    try:
        return playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
    except Error as e:
        if os.environ.get("MLWORK_BROWSER"):
            raise
        pytest.skip(f"no Chromium to start: {str(e).splitlines()[0]}")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = started(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    with jupyter(folder) as url:
        yield url, folder


def page_of(browser, url, folder, app):
    context = browser.new_context(viewport={"width": 1600, "height": 1400}, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(20_000)
    return context, page, NotebookPage(page, url, folder, app)


@pytest.fixture
def notebook(browser, served):
    context, page, opened = page_of(browser, *served, "lab")
    yield opened
    assert not [line for line in opened.console if "favicon" not in line], opened.console
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    context.close()


def soon(notebook, code):
    "Whether an expression is true in the kernel, soon."
    for _ in range(60):
        if (found := notebook.py(f"print({code})")) == "True":
            return True
        notebook.page.wait_for_timeout(100)
    raise AssertionError(f"{code}: {found}")


THEMES = pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
WIDTHS = pytest.mark.parametrize("width", [600, 1100, 2000])


def check_it_fits_and_can_be_read(notebook, start, width, theme):
    "A lab is as wide as its place, has ink that stands out from its ground, and a name for all that can be used."
    notebook.page.set_viewport_size({"width": width, "height": 1000})
    notebook.open(f"looks{width}{theme[-4:].strip()}.ipynb", start, "lab")
    notebook.command("apputils:change-theme", theme=theme)
    if width == 600:
        notebook.command("application:toggle-left-area")
    notebook.page.wait_for_timeout(500)
    root = notebook.page.locator(".mlw-lab")
    assert root.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    ink = root.evaluate("e => getComputedStyle(e).color + ' on ' + getComputedStyle(e).backgroundColor")
    light = sum(int(v) for v in ink.split(" on ")[0].strip("rgba()").split(",")[:3]) > 380
    assert light == theme.endswith("Dark"), ink
    names = root.locator("button, select, input, textarea, img, [role=option]").evaluate_all(
        "all => all.filter(e => !(e.textContent || e.getAttribute('aria-label') || e.placeholder || e.alt)).map(e => e.outerHTML)"
    )
    assert not names, names[:3]
