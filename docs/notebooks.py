"""Export the notebooks, run each from top to bottom, store its outputs, clean it, and render the README from index.ipynb.

usage: python docs/notebooks.py [--readme-only] [NOTEBOOK ...]      (default: every notebook under nbs/)
"""

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from nbdev.clean import nbdev_clean
from nbdev.doclinks import nbdev_export

ROOT = Path(__file__).resolve().parent.parent
LIVE = "application/vnd.jupyter.widget-view+json"
KERNEL = {"kernelspec": {"display_name": "python3", "language": "python", "name": "python3"}}


def run_notebook(path):
    "Run one notebook with its folder as working directory and store what it shows."
    start = time.monotonic()
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in (c for c in notebook.cells if c.cell_type == "code"):
        cell.outputs = [o for o in cell.outputs if LIVE not in o.get("data", {})]  # a lab's twin is what can be read without a kernel
        for output in cell.outputs:
            output.get("metadata", {}).clear()
    notebook.metadata = KERNEL
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    nbdev_clean(str(path))
    print(f"{path.relative_to(ROOT)}: {time.monotonic() - start:.1f} s, {path.stat().st_size // 1024} KB", file=sys.stderr)


def readme():
    "Render nbs/index.ipynb as README text: hidden cells left out, links seen from the top folder."
    notebook = nbformat.read(ROOT / "nbs" / "index.ipynb", as_version=4)
    notebook.cells = [c for c in notebook.cells if "#| hide" not in c.source and "#| default_exp" not in c.source]
    text, _ = MarkdownExporter().from_notebook_node(notebook)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"\]\((?!\.\./|http)([^)]+\.ipynb)\)", r"](nbs/\1)", text).replace("](../", "](")
    text = re.sub(r"^```\n(?=from|data)", "```python\n", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--readme-only", action="store_true")
    args = parser.parse_args()
    os.chdir(ROOT)
    os.environ |= {"MLWORK_LEDGER": tempfile.mkdtemp(), "MLWORK_PROGRESS": "0"}  # a progress bar shows on slow machines only
    if not args.readme_only:
        nbdev_export()
        every = (p for p in sorted((ROOT / "nbs").rglob("*.ipynb")) if ".ipynb_checkpoints" not in p.parts)
        for path in args.notebooks or every:
            run_notebook(path.resolve())
        nbdev_export()
    (ROOT / "README.md").write_text(readme(), encoding="utf-8")


if __name__ == "__main__":
    main()
