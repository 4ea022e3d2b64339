"""Take the README's picture: the top of a run's report, as a browser shows it.

usage: python docs/picture.py RUN_FOLDER      (needs Chromium or Chrome on the PATH, or $CHROMIUM)
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OUT = Path(__file__).resolve().parent / "images" / "report.png"
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"


def main():
    if len(sys.argv) != 2 or not (report := Path(sys.argv[1]).resolve() / "report.html").exists():
        sys.exit(__doc__)
    names = [os.environ.get("CHROMIUM", ""), "chromium", "google-chrome", "chrome"]
    browser = next((found for name in names if name and (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("a browser must be on the PATH; got none; install Chromium or set CHROMIUM")
    OUT.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        size = ["--window-size=1000,820", "--hide-scrollbars", f"--user-data-dir={profile}", f"--screenshot={OUT}"]
        subprocess.run([browser, *FLAGS.split(), *size, report.as_uri()], check=True)


if __name__ == "__main__":
    main()
