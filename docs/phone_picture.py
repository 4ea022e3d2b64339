"""Take the picture of a model's page on a phone: python docs/phone_picture.py (needs the test extra and a Chromium). Written to docs/images/phone.png.

Left: light, with a kept answer and what changed since. Right: dark, after the fields below. The server is stopped before either is taken.
"""

import functools
import http.server
import sys
import tempfile
import threading
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from jupyter_page import FLAGS, browser_path  # noqa: E402

from mlwork.collect import load  # noqa: E402
from mlwork.deploy.bundle import bundle  # noqa: E402
from mlwork.deploy.golden import golden, golden_rows  # noqa: E402
from mlwork.deploy.mobile import to_page  # noqa: E402
from mlwork.split import holdout  # noqa: E402
from mlwork.train import fit  # noqa: E402

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        "Say nothing."


def taken(browser, folder, scheme, scroll):
    "Open the page, take the network away, ask what if; gives the picture as an array."
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = browser.new_context(**PHONE, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    page.get_by_text("Works without a network").wait_for()
    server.shutdown()
    server.server_close()
    context.set_offline(True)
    page.reload()
    page.get_by_role("button", name="Keep this answer").click()
    page.get_by_label("condition", exact=True).select_option("new")
    page.get_by_label("price_per_m2", exact=True).fill("9.5")
    page.get_by_label("distance_center_km", exact=True).fill("16")
    page.get_by_text("Unlike the rows of training").first.wait_for()
    page.evaluate(
        "at => { document.activeElement.blur(); const e = document.querySelector(at); scrollTo(0, e ? e.offsetTop - 330 : 0); }", scroll
    )
    page.wait_for_timeout(600)
    path = Path(folder) / f"{scheme}.png"
    page.screenshot(path=path)
    context.close()
    return plt.imread(path)[..., :3]


def main():
    portable = bundle(fit(holdout(load("sample:rentals", target="let_within_week")), model="boosting"))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        to_page(portable, folder, golden(portable, golden_rows(portable, mixed=0)[:3]))
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        light, dark = taken(browser, folder, "light", "none"), taken(browser, folder, "dark", ".mlf-field:has(.mlf-was:not([hidden]))")
        browser.close()
        gap = np.full((light.shape[0], 40, 3), 0.5)
        both = np.hstack([light, gap, dark])
        small = both.reshape(both.shape[0] // 2, 2, both.shape[1] // 2, 2, 3).mean(axis=(1, 3))
        plt.imsave(ROOT / "docs" / "images" / "phone.png", small)


if __name__ == "__main__":
    main()
