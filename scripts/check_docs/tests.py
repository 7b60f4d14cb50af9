"""Every invariant of ARCHITECTURE.md names the tests that hold it, and these tests exist."""

import re

from .markdown import ROOT, read

PAGE = ROOT / "ARCHITECTURE.md"
SECTION = "Invariants"
NAME = re.compile(r"`((?:\w+::)+\w+)`")


def check():
    rows = invariants()
    errors = [] if rows else [f"ARCHITECTURE.md has no table in a section '{SECTION}'"]
    count = 0
    for line, row in rows:
        names = NAME.findall(row)
        if not names:
            errors.append(f"ARCHITECTURE.md:{line}: the invariant names no test")
        for name in names:
            count += 1
            if not exists(name):
                errors.append(f"ARCHITECTURE.md:{line}: there is no test {name}")
    return errors, f"{len(rows)} invariants held by {count} tests"


def invariants():
    """The rows of the section's table, without its head."""
    rows, inside = [], False
    for line, text in read(PAGE).prose:
        if text.startswith("## "):
            inside = text[3:].strip() == SECTION
        elif inside and text.startswith("|") and not re.match(r"^\|[-| :]*\|$", text):
            rows.append((line, text))
    return rows[1:]


def exists(name):
    *modules, function = name.split("::")
    inner = "/".join(modules) + ".rs"
    files = [ROOT / "tests/it" / inner, ROOT / "src" / inner, *ROOT.glob(f"crates/*/src/{inner}")]
    files.append(ROOT / "crates" / modules[0] / "src" / ("/".join(modules[1:]) + ".rs"))
    return any(path.exists() and has_test(path.read_text(), function) for path in files)


def has_test(text, function):
    """A function with a test attribute, or one inside of `proptest!`."""
    attributes = r"(?:\s*#\[[^\n]*\]\n)*"
    pattern = rf"#\[(?:tokio::)?test(?:\([^)]*\))?\]\n{attributes}\s*(?:async )?fn {function}\("
    return re.search(pattern, text) is not None
