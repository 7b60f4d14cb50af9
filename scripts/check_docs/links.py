"""Links and anchors lead somewhere, named files exist, the book is complete, README.md is short."""

import re

from .markdown import INLINE_CODE, ROOT, documents

README_BYTES = 8192
DOCS = ROOT / "docs"
# A file or folder of the repository in `code`, named from the root.
PATH = re.compile(r"(?:src|crates|tests|benches|migrations|docs|scripts|deploy|fixtures|scenarios|clients|examples|\.ci|\.github)/[\w./-]*")
# Decisions name files of their time.
DECISION = re.compile(r"docs/adr/\d{4}-.*")


def check():
    all_documents = documents()
    by_path = {document.path.resolve(): document for document in all_documents}
    errors, count = [], 0
    for document in all_documents:
        for line, target in document.links:
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            count += 1
            if error := problem(document, target, by_path):
                errors.append(f"{document.name}:{line}: {target}: {error}")
        if not DECISION.fullmatch(document.name):
            errors.extend(missing_files(document))
    errors.extend(outside_summary(by_path))
    size = (ROOT / "README.md").stat().st_size
    if size > README_BYTES:
        errors.append(f"README.md has {size} bytes, at most {README_BYTES} are allowed: move something to docs/")
    return errors, f"{count} links in {len(all_documents)} files, README.md has {size} bytes"


def problem(document, target, by_path):
    path, _, anchor = target.partition("#")
    file = (document.path.parent / path).resolve() if path else document.path.resolve()
    if not file.exists():
        return "there is no such file"
    if DOCS in document.path.parents and DOCS not in file.parents:
        return "a page of the book links to a file that is not in the book: name its path instead"
    if anchor:
        if file not in by_path:
            return "an anchor in a file that is not Markdown"
        if anchor not in by_path[file].anchors:
            return f"no heading of {by_path[file].name} has this anchor"
    return None


def missing_files(document):
    """Files that the text names and the repository does not have."""
    for line, text in document.prose:
        for code in INLINE_CODE.finditer(text):
            name = code[0].strip("`")
            if PATH.fullmatch(name) and not (ROOT / name).exists():
                yield f"{document.name}:{line}: there is no {name}"


def outside_summary(by_path):
    """Pages below docs/ that the table of contents does not have."""
    summary = by_path.get(DOCS / "SUMMARY.md")
    if summary is None:
        return ["docs/SUMMARY.md is missing"]
    listed = {(DOCS / target.partition("#")[0]).resolve() for _, target in summary.links}
    pages = [path for path in by_path if DOCS in path.parents and path != summary.path.resolve()]
    return [f"{by_path[page].name} is not in docs/SUMMARY.md" for page in pages if page not in listed]
