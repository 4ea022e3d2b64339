"""The page of a served model in a real browser: a form from the Profile, an answer as one types, what-if, and why."""

import re

import pytest
from playwright.sync_api import expect
from web_server import saved, served

KEY = "a-key-of-some-length"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("page") / "model")


@pytest.fixture(scope="module")
def server(model):
    with served(model, "--log", "", "--engine", "scikit-learn") as running:
        yield running


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    said = []
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert not [line for line in said if "favicon" not in line and not re.search("status of 4(01|22)", line)], said


def test_an_answer_as_one_types_and_what_if(page, server):
    page.goto(server.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ask for let_within_week")
    answer = page.locator(".mlf-big")
    expect(answer).to_contain_text("%")
    before = answer.inner_text()
    page.get_by_label("area, in m2").fill("300 m²")
    expect(answer).not_to_have_text(before)
    page.get_by_role("button", name="Keep this answer").click()
    page.get_by_label("area, in m2").fill("25 m²")
    expect(page.locator(".mlf-was", has_text="was 300 m²")).to_be_visible()
    expect(page.locator(".mlf-gap")).to_contain_text(re.compile("[0-9]"))


def test_doubts_and_refusals_are_said(page, server):
    page.goto(server.url)
    expect(page.locator(".mlf-big")).to_contain_text("%")
    page.get_by_label("rooms", exact=True).fill("40")
    expect(page.locator(".mlf-notes")).to_contain_text("rooms: 40 lies outside")
    page.get_by_label("floor", exact=True).fill("attic")
    expect(page.locator(".mlf-answer")).to_contain_text("attic")


def test_one_spelling_of_a_town_is_offered(page, server):
    page.goto(server.url)
    expect(page.locator(".mlf-big")).to_contain_text("%")
    towns = page.get_by_label("city", exact=True)
    assert [town for town in towns.locator("option").all_inner_texts() if "port" in town.lower()] == ["Port Émile"]
    towns.select_option("another value …")
    page.get_by_label("another value of city").fill("PORT ÉMILE")
    expect(page.locator(".mlf-big")).to_contain_text("%")
    expect(page.locator(".mlf-notes", has_text="city")).to_have_count(0)


def test_why(page, server):
    page.goto(server.url)
    expect(page.locator(".mlf-big")).to_contain_text("%")
    page.get_by_role("button", name="Why this answer?").click()
    expect(page.locator("#parts li")).to_have_count(8)
    expect(page.locator("#parts")).to_contain_text("Compared with 200 rows")


def test_a_key_is_asked_for(page, model):
    with served(model, "--log", "", "--engine", "scikit-learn", key=KEY) as server:
        page.goto(server.url)
        expect(page.get_by_role("alert")).to_contain_text("a key is needed")
        page.get_by_label("This service asks for a key").fill(KEY[:-1])
        page.get_by_role("button", name="Enter").click()
        expect(page.get_by_role("alert")).to_contain_text("the key is wrong")
        page.get_by_label("This service asks for a key").fill(KEY)
        page.get_by_role("button", name="Enter").click()
        expect(page.locator(".mlf-big")).to_contain_text("%")
        expect(page.get_by_role("alert")).to_be_hidden()
        page.get_by_role("link", name="How to ask by program").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("How to ask for let_within_week")
        expect(page.locator("pre").first).to_contain_text(f"{server.url}/predict")
        page.get_by_role("link", name="OpenAPI, for programs").click()
        expect(page.locator("pre")).to_contain_text('"openapi": "3.1.0"')
        assert page.url == f"{server.url}/openapi.json"
        page.go_back()
        page.get_by_role("link", name="Try it in a form").click()
        expect(page.locator(".mlf-big")).to_contain_text("%")
        assert KEY not in "\n".join(server.lines)


def test_the_documentation_asks_for_the_key_as_well(page, model):
    with served(model, "--log", "", "--engine", "scikit-learn", key=KEY) as server:
        page.goto(f"{server.url}/docs")
        expect(page.get_by_text("year_built")).to_have_count(0)
        page.get_by_label("This service asks for a key").fill(KEY)
        page.get_by_role("button", name="Enter").click()
        expect(page.get_by_text("year_built").first).to_be_visible()


@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("path", ["/", "/docs"])
def test_it_fits(page, server, width, path):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(server.url + path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
