"""mdBook builds the book."""

import pathlib
import shutil
import subprocess
import tempfile

from .markdown import ROOT


def check():
    if not shutil.which("mdbook"):
        return [], "skipped: mdbook is not installed (cargo install mdbook)"
    with tempfile.TemporaryDirectory(prefix="avinode-book-") as folder:
        built = subprocess.run(
            ["mdbook", "build", str(ROOT), "--dest-dir", folder], capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        said = built.stdout + built.stderr
        if built.returncode != 0 or "WARN" in said or "ERROR" in said:
            return [f"mdbook build: {said.strip()}"], "exit code " + str(built.returncode)
        pages = list(pathlib.Path(folder).rglob("*.html"))
    return [], f"{len(pages)} pages built"
