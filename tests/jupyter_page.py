"""A real JupyterLab in a real browser: one server and one page for all tests, a fresh notebook and kernel for each."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import TimeoutError

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def browser_path():
    "The Chromium or Chrome that is there: its path, or None for the one that Playwright has."
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def jupyter(folder, app="lab"):
    "Serve a folder; gives the address. `app`: lab or notebook."
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    own = Path(tempfile.mkdtemp())
    (own / "labconfig").mkdir()  # else a window with news covers the notebook
    page = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (own / "labconfig" / "page_config.json").write_text(json.dumps(page))
    folders = {f"JUPYTER_{name}_DIR": str(own) for name in ("CONFIG", "RUNTIME")} | {"IPYTHONDIR": str(own), "MLWORK_LEDGER": str(own)}
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token=", "--ServerApp.password="]
    options += [f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"]
    log = open(own / "log.txt", "w")  # noqa: SIM115  (open as long as the server)
    module = {"lab": "jupyterlab", "notebook": "notebook"}[app]
    server = subprocess.Popen([sys.executable, "-m", module, *options], stdout=log, stderr=log, env=os.environ | folders)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api", server, own / "log.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)
        log.close()
        shutil.rmtree(own, ignore_errors=True)


def _wait_for(address, server, log):
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address, timeout=1)
            return
        time.sleep(0.2)
    raise RuntimeError(f"Jupyter did not start: {log.read_text()[-2000:]}")


def write_notebook(path, *sources):
    "Write a notebook of code cells."
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": s, "outputs": [], "execution_count": None}
        for i, s in enumerate(sources)
    ]
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    path.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


_IDLE = "() => document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'"
_CONNECTED = """async () => { const context = window.jupyterapp.shell.currentWidget.sessionContext;
  await context.ready; await context.session.kernel.info; }"""
_RUN_ALL = """seconds => Promise.race([window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true),
  new Promise(end => setTimeout(() => end(false), 1000 * seconds))])"""
_ERRORS = """() => { const found = []; const cells = window.jupyterapp.shell.currentWidget.content.model.cells;
  for (const cell of cells) for (let j = 0; j < (cell.outputs?.length ?? 0); j++) { const o = cell.outputs.get(j).toJSON();
    if (o.output_type === 'error') found.push(o.ename + ': ' + o.evalue); if (o.name === 'stderr') found.push(String(o.text)); }
  return found; }"""
_PY = """code => { const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({code, silent: false, store_history: false}); let text = '';
  future.onIOPub = m => { if (m.header.msg_type === 'stream') text += m.content.text; if (m.header.msg_type === 'error') text += m.content.evalue; };
  return future.done.then(() => text); }"""


class NotebookPage:
    "One notebook in the page: its cells run, its lab found, its kernel asked."

    def __init__(self, page, url, folder, app="lab"):
        self.page, self.url, self.folder, self.console = page, url, Path(folder), []
        self.path = {"lab": "lab/tree", "notebook": "notebooks"}[app]
        page.on("console", lambda m: self.console.append(m.text) if m.type == "error" else None)

    def open(self, name, *sources):
        "Open a notebook of these cells and run them all."
        write_notebook(self.folder / name, *sources)
        self.page.goto(f"{self.url}/{self.path}/{name}?reset")
        self.ready()
        self.run_all()
        return self

    def ready(self):
        "Wait for the notebook and its kernel."
        self.page.wait_for_selector(".jp-Notebook", timeout=60_000)
        with contextlib.suppress(TimeoutError):  # asked for where the kernel of the notebook is not sure
            self.page.locator(".jp-Dialog button.jp-mod-accept").click(timeout=1_500)
        self.page.wait_for_function(_IDLE, timeout=60_000)
        self.page.evaluate(_CONNECTED)  # a cell that is run before is never heard of again

    def run_all(self, seconds=120):
        "Run all cells, and wait until they have."
        assert self.page.evaluate(_RUN_ALL, seconds), f"the cells did not end within {seconds} s"
        errors = self.page.evaluate(_ERRORS)
        assert not errors, errors

    def py(self, code):
        "Run code in the notebook's kernel; gives what it printed."
        return self.page.evaluate(_PY, code).strip()

    def command(self, name, **arguments):
        "Run one of JupyterLab's commands."
        return self.page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments])

    def cells(self):
        "The sources of the notebook's cells."
        return self.page.evaluate(
            "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map(c => c.sharedModel.getSource())"
        )
