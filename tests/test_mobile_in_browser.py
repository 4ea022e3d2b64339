"""The page of a model on a phone-sized screen of a real browser: installed, without a network, renewed; its form, by keyboard and by hand."""

import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import lru_cache
from urllib.request import urlopen

import pandas as pd
import pytest
from playwright.sync_api import expect

from mlwork.collect import load
from mlwork.deploy.bundle import bundle
from mlwork.deploy.golden import golden, golden_rows
from mlwork.deploy.mobile import to_page
from mlwork.split import holdout
from mlwork.train import fit

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
READY = "() => navigator.serviceWorker.controller !== null && document.querySelector('.mlf-big') !== null"
ASK_ALL = """async rows => { const { load } = await import("./model.js"); const { answers } = await import("./selftest.js");
  return answers(await load(), rows); }"""
HOSTILE = [
    '<img src=x onerror="alert(1)">',
    "__proto__",
    "a \"b\" 'c' &amp; </script>",
    "constructor",
    " ",
    "Größe (m²)",
    "x" * 200,
    "line\nbreak",
]


@lru_cache
def let_model():
    "The model of the rentals, and its golden rows."
    portable = bundle(fit(holdout(load("sample:rentals", target="let_within_week")), model="logistic"))
    return portable, golden(portable, golden_rows(portable, mixed=60)[::3])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("page")
    to_page(*[let_model()[0], place, let_model()[1]], proved=False)
    return place


@contextmanager
def served(folder, port=0):
    "Serve files by a process of its own; gives the address and what kills it."
    if not port:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill():
        server.kill()
        server.wait(10)

    try:
        for _ in range(100):
            with suppress(OSError):
                urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/", kill
    finally:
        kill()


@contextmanager
def opened(browser, address, **options):
    "A page that must neither complain nor ask another server."
    context = browser.new_context(**PHONE | options)
    page = context.new_page()
    page.set_default_timeout(15_000)
    wrong = []
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))
    context.on("request", lambda r: None if r.url.startswith(address) else wrong.append(r.url))
    page.goto(address)
    page.wait_for_function(READY)
    yield context, page
    assert not wrong, wrong
    context.close()


def answered(page):
    "What the page says aloud, once it is done."
    page.wait_for_timeout(200)
    expect(page.locator(".mlf-answer")).not_to_have_attribute("aria-busy", "true")
    return page.locator(".mlf-said").text_content()


def filled(page, row):
    "Put a row into the fields, as a person would."
    for name, value in row.items():
        text = "" if value is None else str(pd.Timestamp(value).date()) if name == "listed_on" else str(value)
        field = page.get_by_label(name, exact=True).or_(page.get_by_label(f"{name}, in m2", exact=True)).first
        if (tag := field.evaluate("e => e.getAttribute('role') || e.tagName")) == "radiogroup":
            field.get_by_label(text or "unknown", exact=True).check()
        elif tag == "SELECT":
            listed = not text or text in field.locator("option").all_text_contents()  # not where it is another spelling of one
            field.select_option(label=(text or "unknown") if listed else "another value …")
            if not listed:
                page.get_by_label(f"another value of {name}").fill(text)
        else:
            field.fill(text)


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_opened_as_a_file_the_page_says_what_to_do(browser, folder, script):
    context = browser.new_context(**PHONE | {"java_script_enabled": script})
    page = context.new_page()
    page.goto((folder / "index.html").as_uri())
    expect(page.get_by_text("Open it through a server instead: python3 -m http.server")).to_be_visible()
    assert not page.locator(".mlf-big").count()
    context.close()
    with served(folder) as (address, _), opened(browser, address) as (_, page):
        assert not page.locator("#closed").count()


def test_without_a_network_the_page_answers_as_python_does(browser, folder):
    portable, held = let_model()
    with served(folder) as (address, kill), opened(browser, address) as (context, page):
        expect(page.locator("#state")).to_contain_text("Works without a network")
        kill()
        context.set_offline(True)
        page.reload()
        page.wait_for_function(READY)
        got = page.evaluate(ASK_ALL, held.rows)
        assert sum(a is None for a in held.answers) > 3
        for mine, theirs in zip(got, held.answers, strict=True):
            assert (mine is None) == (theirs is None)
            if mine:
                assert mine["prediction"] == theirs["prediction"] and mine["scores"] == pytest.approx(theirs["scores"], abs=1e-12)
        page.locator("summary").click()
        frame = load("sample:rentals").frame.head(6)
        for row in json.loads(frame[[c["name"] for c in portable.columns]].to_json(orient="records", force_ascii=False)):
            filled(page, row)
            (wanted,) = portable.model.predict_proba(pd.DataFrame([row])).to_numpy()
            best = int(wanted.argmax())
            said = f"let_within_week: {portable.model.classes[best]}, {100 * wanted[best]:.1f} %"
            expect(page.locator(".mlf-said")).to_contain_text(said)


def test_it_can_be_installed(browser, folder):
    with served(folder) as (address, _), opened(browser, address) as (_, page):
        manifest = page.evaluate("async () => (await fetch(document.querySelector('link[rel=manifest]').href)).json()")
        assert manifest["name"] and manifest["display"] == "standalone" and manifest["start_url"] == "./"
        sides = {}
        for icon in [*manifest["icons"], {"src": "icon-180.png", "sizes": "180x180"}]:
            side = page.evaluate(
                "src => new Promise((good, bad) => Object.assign(new Image(), {onload() { good(this.width) }, onerror: bad, src}))",
                icon["src"],
            )
            sides[icon["src"]] = side
            assert icon["sizes"] in ("any", f"{side}x{side}")
        assert {sides["icon-192.png"], sides["icon-512.png"]} == {192, 512}
        client = page.context.new_cdp_session(page)
        assert client.send("Page.getAppManifest")["errors"] == []
        assert client.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
            [],
            [{"errorId": "in-incognito", "errorArguments": []}],
        )
        assert page.evaluate("() => navigator.serviceWorker.controller.scriptURL").endswith("/worker.js")


LOOK = "() => navigator.serviceWorker.ready.then(kept => kept.update()).then(() => true)"  # as the browser does on a visit, and once a day
SEEN = "before => !document.getElementById('news').hidden || document.querySelector('footer code').textContent !== before"


def test_a_new_model_reaches_the_page_whole_on_the_next_visits_or_when_asked_for(browser, tmp_path):
    split = holdout(load("sample:rentals", target="price"))
    first, second = (bundle(fit(split, model=name)) for name in ("ridge", "baseline"))
    few = golden_rows(first, mixed=0)[:3]
    to_page(first, tmp_path, golden(first, few), proved=False)
    with served(tmp_path) as (address, _), opened(browser, address) as (_, page):
        version = page.locator("footer code")
        before = version.text_content()
        to_page(second, tmp_path, golden(second, few), proved=False)
        page.evaluate(LOOK)
        expect(page.locator("#news")).to_be_visible()
        assert page.evaluate("async () => (await (await fetch('index.html')).text())").count(before) == 1  # the old one answers, whole
        page.reload()
        expect(version).not_to_have_text(before)
        page.wait_for_function(READY)
        (wanted,) = second.predict(few[:1])["prediction"]
        assert page.evaluate(ASK_ALL, few[:1])[0]["prediction"] == pytest.approx(wanted)
        page.wait_for_function("async () => (await caches.keys()).length === 1")
        after = version.text_content()
        to_page(first, tmp_path, golden(first, few), proved=False)
        page.evaluate(LOOK)
        page.get_by_role("button", name="Use it now").click()
        expect(version).to_have_text(before)
        to_page(second, tmp_path, golden(second, few), proved=False)
        page.wait_for_function(READY)
        page.reload()  # a visit, without a look of our own: it is found meanwhile
        page.wait_for_function(SEEN, arg=before)
        page.reload()
        expect(version).to_have_text(after)


def test_what_if_by_keyboard_alone(browser, folder):
    with served(folder) as (address, _), opened(browser, address) as (_, page):

        def tab_to(name):
            for _ in range(60):
                page.keyboard.press("Tab")
                if (
                    page.evaluate(
                        "() => document.activeElement.getAttribute('aria-label') || document.activeElement.labels?.[0]?.textContent || document.activeElement.textContent"
                    )
                    == name
                ):
                    seen = page.evaluate(
                        "() => { const e = document.activeElement, b = e.getBoundingClientRect(), a = document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);"
                        " return e === a || e.contains(a) || a?.contains(e) || e.labels?.[0] === a; }"
                    )
                    assert seen, f"{name} is hidden behind something"
                    return
            raise AssertionError(f"no {name} in the order of tabs")

        start = answered(page)
        tab_to("Keep this answer")
        page.keyboard.press("Enter")
        tab_to("rooms")
        page.keyboard.press("Control+A")
        page.keyboard.type("5")
        tab_to("area, in m2")
        page.keyboard.press("Control+A")
        page.keyboard.type("3000")
        assert "Unlike the rows of training: area." in answered(page) and "points" in answered(page)
        assert page.get_by_role("list", name="changed fields").locator("li").all_text_contents() == ["rooms: 2 → 5", "area: 66 → 3000"]
        expect(page.locator(".mlf-odd .mlf-hint")).to_have_text("outside training: 21 to 1884 m2")
        tab_to("undo area")
        page.keyboard.press("Enter")
        assert "Unlike" not in answered(page)
        page.get_by_role("button", name="Back to the kept row").press("Enter")
        assert answered(page) == start
        page.get_by_role("button", name="Let it go").press("Enter")
        expect(page.locator(".mlf-what")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 800, 1600])
def test_it_fits_and_can_be_read(browser, folder, width, scheme):
    with (
        served(folder) as (address, _),
        opened(browser, address, viewport={"width": width, "height": 800}, color_scheme=scheme) as (_, page),
    ):
        page.get_by_role("button", name="Keep this answer").click()
        page.get_by_label("rooms", exact=True).fill("4")
        answered(page)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        weak = page.evaluate(CONTRAST)
        assert not weak, weak


# Texts whose contrast with their ground is below 4.5, after WCAG 2.
CONTRAST = """() => {
  const parts = c => c.match(/[\\d.]+/g).map(Number), light = c => { const [r, g, b] = parts(c).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if ((parts(c)[3] ?? 1) > 0.5) return c; } return "rgb(255, 255, 255)"; };
  const low = [];
  for (const e of document.querySelectorAll("h1, h2, p, label, .mlf-label, button, input, select, summary, a, li span, small")) {
    if (!e.offsetParent || e.disabled || !(e.textContent || e.value) || e.type === "radio") continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push([e.className, e.textContent.slice(0, 30), ratio.toFixed(2)]);
  }
  return low; }"""


def test_every_field_has_a_name_and_a_hint(browser, folder):
    with served(folder) as (address, _), opened(browser, address) as (_, page):
        page.locator("summary").click()
        tree = page.get_by_role("form", name="row").aria_snapshot()
        for column in let_model()[0].columns:
            assert f'"{column["name"]}' in tree, column["name"]
        assert page.get_by_label("rooms", exact=True).get_attribute("inputmode") == "decimal"
        assert page.get_by_label("listed_on", exact=True).get_attribute("type") == "date"
        described = page.get_by_label("rooms", exact=True).get_attribute("aria-describedby")
        assert page.locator(f"#{described}").text_content() == "1 to 5"


FORM = """async ([columns, answers]) => { const { form } = await import("./form.js"); const asked = window.asked = [];
  document.querySelector("main").replaceChildren(); let i = 0;
  window.made = form(document.querySelector("main"), columns, async row => { asked.push(row); const answer = answers[Math.min(i++, answers.length - 1)];
    await new Promise(end => setTimeout(end, answer.wait ?? 0)); if (answer.fail) throw new Error(answer.fail); if (answer.no) throw new RangeError(answer.no); return answer; }, { target: "<b>y</b>" }); }"""


def columns_of(names):
    "Columns of every kind, in turn."
    kinds = [
        {"kind": "number", "role": "numeric", "min": -3.5, "max": 4.0, "unit": "<i>", "usual": 1.25},
        {"kind": "text", "role": "categorical", "levels": ['"quoted"', "it's", "<b>", " ", "a,b", "\\"], "usual": "it's"},
        {"kind": "text", "role": "categorical", "levels": [f'"{i}" & <{i}>' for i in range(30)]},
        {"kind": "truth", "role": "boolean"},
        {"kind": "text", "role": "text"},
        {"kind": "moment", "role": "datetime", "min": "2021-03-01", "max": "2022-07-30T13:00:00"},
        {"kind": "number", "role": "ordinal", "levels": ["2.0", "10.0", "1.0"]},
    ]
    return [{"name": name, "optional": False} | kinds[i % len(kinds)] for i, name in enumerate(names)]


def test_names_and_levels_may_hold_anything(browser, folder):
    names = [*HOSTILE, *(f"column {i}" for i in range(52))]
    with served(folder) as (address, _), opened(browser, address, viewport={"width": 320, "height": 700}) as (_, page):
        page.evaluate(
            FORM,
            [
                columns_of(names),
                [{"prediction": "<u>", "probabilities": {"<u>": 0.75, "__proto__": 0.25}, "classes": ["<u>", "__proto__"]}],
            ],
        )
        expect(page.locator(".mlf-big")).to_contain_text("<u>")
        assert page.locator(".mlf img, .mlf b, .mlf i, .mlf u, .mlf script").count() == 0
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("() => Object.keys(window.asked[0])") == names
        assert page.locator(".mlf-field").count() == 60
        moment = page.locator(".mlf-field").filter(has_text="Größe (m²)").locator("input")
        assert (moment.get_attribute("type"), moment.input_value()) == ("datetime-local", "2022-07-30T13:00")
        moment.fill("2022-08-01T00:00")
        expect(page.locator(".mlf-odd .mlf-hint")).to_have_text("outside training: 2021-03-01 to 2022-07-30 13:00:00")
        numbers = page.locator("select").nth(1).locator("option")
        assert numbers.all_text_contents() == ["unknown", "1.0", "2.0", "10.0", "another value …"]
        select = page.locator("select").first
        for level in ('"quoted"', "<b>", "\\"):
            select.select_option(label=level)
            answered(page)
            assert page.evaluate("() => window.asked.at(-1).__proto__") == level
        select.select_option(label="another value …")
        page.get_by_label("another value of __proto__").fill("new")
        answered(page)
        assert page.evaluate("() => window.asked.at(-1).__proto__") == "new"
        expect(page.locator(".mlf-odd .mlf-hint").first).to_have_text("not seen in training")
        page.evaluate("() => window.made.fill({ constructor: true, __proto__: null, 'column 0': 2.5 })")
        answered(page)
        assert page.evaluate("() => [window.asked.at(-1).constructor, window.asked.at(-1)['column 0']]") == ["true", "2.5"]
        page.get_by_role("button", name="Empty all").click()
        answered(page)
        assert set(page.evaluate("() => Object.values(window.asked.at(-1))")) == {None}


def test_numbers_with_a_comma_are_read_as_the_model_reads_them(browser, folder):
    columns = [
        {"name": "area", "optional": False, "kind": "number", "role": "numeric", "min": 10.0, "max": 90.5, "usual": 25.5},
        {
            "name": "Größe",
            "optional": False,
            "kind": "text",
            "role": "numeric",
            "min": 200.5,
            "max": 9000.0,
            "usual": 2038.5,
            "decimal": ",",
        },
    ]
    with served(folder) as (address, _), opened(browser, address) as (_, page):
        page.evaluate(FORM, [columns, [{"prediction": 1.5}]])
        area, size = page.get_by_label("area", exact=True), page.get_by_label("Größe", exact=True)
        assert (area.input_value(), size.input_value()) == ("25.5", "2038,5")
        assert page.locator(".mlf-hint").all_text_contents() == ["10 to 90.5", "200,5 to 9000"]
        for field, text, asked, odd in [
            (area, "25,7", "25.7", 0),
            (area, "1,200", "1,200", 1),
            (area, "7,5", "7.5", 1),
            (area, "50", "50", 0),
            (size, "7000,5", "7000,5", 0),
            (size, "7.000,5", "7.000,5", 0),
            (size, "99,5", "99,5", 1),
        ]:
            field.fill(text)
            answered(page)
            assert page.evaluate("name => window.asked.at(-1)[name]", "area" if field is area else "Größe") == asked
            expect(page.locator(".mlf-odd")).to_have_count(odd)


def test_the_newest_answer_wins_and_a_refusal_is_told_in_words(browser, folder):
    slow = [
        {"prediction": 1},
        {"prediction": 2, "wait": 900},
        {"prediction": 3},
        {"no": "the value is <b>missing</b>"},
        {"fail": "no line"},
        {"prediction": 4.5, "interval": [4, 5], "warnings": ["old"]},
    ]
    with served(folder) as (address, _), opened(browser, address) as (_, page):
        page.evaluate(FORM, [columns_of(["n"]), slow])
        expect(page.locator(".mlf-big")).to_have_text("1")
        field = page.get_by_role("textbox").first
        field.fill("2")
        page.wait_for_timeout(300)
        field.fill("3")
        page.wait_for_timeout(1500)
        expect(page.locator(".mlf-big")).to_have_text("3")
        field.fill("4")
        expect(page.locator(".mlf-why")).to_have_text("The model refuses this row: the value is <b>missing</b>.")
        expect(page.get_by_role("button", name="Keep")).to_be_disabled()
        field.fill("1")
        expect(page.locator(".mlf-why")).to_have_text("No answer could be had: no line")
        field.fill("2")
        expect(page.locator(".mlf-interval")).to_have_text("likely 4 to 5")
        expect(page.get_by_role("list", name="warnings")).to_have_text("old")


def test_the_self_test_tries_the_golden_rows_in_the_browser(browser, folder):
    rows = len(let_model()[1].rows)
    with served(folder) as (address, _), opened(browser, address) as (_, page):
        page.get_by_role("link", name="Self-test").click()
        expect(page.locator("#found")).to_have_text(f"{rows} of {rows} golden rows as in Python")
