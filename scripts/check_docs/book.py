"""mdBook builds the book, and every link in its pages leads somewhere."""

import pathlib
import re
import shutil
import subprocess
import tempfile
from html.parser import HTMLParser

from .markdown import ROOT

TOOLS = ROOT / "target/tools/bin"


def check():
    mdbook = shutil.which("mdbook") or shutil.which("mdbook", path=TOOLS)
    if not mdbook:
        return [], "skipped: mdbook is not installed (scripts/need-tool mdbook)"
    with tempfile.TemporaryDirectory(prefix="avinode-book-") as folder:
        built = subprocess.run(
            [mdbook, "build", str(ROOT), "--dest-dir", folder], capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        said = built.stdout + built.stderr
        if built.returncode != 0 or "WARN" in said or "ERROR" in said:
            return [f"mdbook build: {said.strip()}"], "exit code " + str(built.returncode)
        pages = {path.resolve(): Page(path) for path in pathlib.Path(folder).rglob("*.html")}
    errors = [error for path, page in pages.items() for error in broken(path, page, pages)]
    return errors, f"{len(pages)} pages built"


class Page(HTMLParser):
    """The ids and links of a page."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])


def broken(path, page, pages):
    if path.name in ("print.html", "404.html"):  # made of the others, for one reader and for a web server
        return
    for link in page.links:
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if target not in pages:
            yield f"the book's {path.name}: {link}: there is no such page"
        elif anchor and anchor not in pages[target].ids:
            yield f"the book's {path.name}: {link}: no heading has this anchor"
