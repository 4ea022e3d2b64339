"""Build the documentation into _docs: nbdev processes the notebooks (API tables included), Sphinx with myst-nb makes the pages.

usage: python docs/build.py      Any warning stops the build.
"""

import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import yaml
from nbdev.serve import proc_nbs
from sphinx.cmd.build import build_main

ROOT = Path(__file__).resolve().parent.parent
SOURCE, PAGES = ROOT / "_proc" / "site", ROOT / "_docs"


def _title(raw):
    "Turn Quarto's front matter back into a title and its promise."
    front = next(yaml.safe_load_all(raw.source))
    return nbformat.v4.new_markdown_cell(f"# {front['title']}\n\n> {front.get('description', '')}")


def _signature(cell):
    "Turn the output of show_doc into text of the page, and leave directives out of all other code."
    found = [o.data["text/markdown"] for o in cell.get("outputs", []) if "text/markdown" in o.get("data", {})]
    if cell.cell_type == "code":
        cell.source = re.sub(r"^#\|.*\n?", "", cell.source, flags=re.MULTILINE)  # what only nbdev and Quarto read
    if cell.cell_type != "code" or "show_doc(" not in cell.source or not found:
        return cell
    return nbformat.v4.new_markdown_cell("".join(found[0]).lstrip("- \n"))


def _anchors(path):
    "List the headings of a page as its addresses name them."
    text = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
    return {h.strip().lower() for h in re.findall(r"^#{1,3} (.+)$", text, re.MULTILINE)}


def _pages():
    "Find the page that each address of nbdev's means, a notebook's path without its number: {address: (its path, its headings)}."
    found = {}
    for page in SOURCE.rglob("*.ipynb"):
        place = page.relative_to(SOURCE)
        found[(place.parent / re.sub(r"^\d+[a-z0-9]*_", "", place.stem)).as_posix()] = page, _anchors(page)
    return found


def _linked(text, folder, pages):
    "Point the links that nbdev makes for names at our pages; leave out those into a repository, whose address is not known here."

    def place(link):
        page, anchors = pages[link["address"]]
        name = link["name"].split(".")[0]
        return f"]({os.path.relpath(page, folder)}{'#' + name if name in anchors else ''})"

    text = re.sub(r"^\[source\]\(/blob/[^)]*\)\{[^}]*\}\n*", "", text, flags=re.MULTILINE)
    text = re.sub(r"\]\(/(?P<address>[\w/]+)\.html#(?P<name>[\w.]+)\)", place, text)
    text = re.sub(r"\[([^]]+)\]\((?:\.\./)+mlwork/[^)]*\)", r"\1", text)  # files of the package are no pages
    return text.replace("../docs/", "").replace("../CONTRIBUTING.md", "CONTRIBUTING.md")


def _for_the_site(path):
    "Show titles and signatures as text, and give the first page its table of contents."
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [_title(c) if c.cell_type == "raw" else _signature(c) for c in notebook.cells]
    if path == SOURCE / "index.ipynb":
        pages = sorted(str(p.relative_to(SOURCE).with_suffix("").as_posix()) for p in SOURCE.rglob("*.ipynb") if p != path)
        toc = "\n".join(["```{toctree}", ":hidden:", ":maxdepth: 1", "", *pages, "grammar", "model_json", "CONTRIBUTING", "```"])
        notebook.cells.append(nbformat.v4.new_markdown_cell(toc))
    nbformat.write(notebook, path)


def _point_links(path, pages):
    "Point the links of a page at the site's own places."
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _linked(cell.source, path.parent, pages)
    nbformat.write(notebook, path)


def main():
    processed = Path(proc_nbs(force=True))
    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    for path in sorted(processed.rglob("*.ipynb")):
        if SOURCE not in path.parents:
            target = SOURCE / path.relative_to(processed)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    for path in SOURCE.rglob("*.ipynb"):
        _for_the_site(path)
    pages = _pages()
    for path in SOURCE.rglob("*.ipynb"):
        _point_links(path, pages)
    shutil.copytree(ROOT / "docs" / "images", SOURCE / "images", dirs_exist_ok=True)
    for path in (ROOT / "docs").glob("*.md"):
        shutil.copy(path, SOURCE)
    shutil.copy(ROOT / "CONTRIBUTING.md", SOURCE)
    shutil.rmtree(PAGES, ignore_errors=True)
    code = build_main(["-b", "html", "-W", "--keep-going", "-q", "-c", str(ROOT / "docs"), str(SOURCE), str(PAGES)])
    if code == 0:
        print(f"open {(PAGES / 'index.html').relative_to(ROOT)}")
    sys.exit(code)


if __name__ == "__main__":
    main()
