"""Runs the commands that the documents show, and compares what they print with what is shown.

A fenced block whose info string has the word `run` is pasted into a shell, in the order of the page:

    ```sh run              the first shell
    ```sh run shell-2      a second one
    ```sh run stays        its last command goes on running (a service), in the foreground or with `&`; the next block follows
                           once the output shown is there
    ```sh run fails        one of its commands is expected to fail

A fenced block with the word `output` is what the block before it prints. `…` within a line stands for any text, a line that is
`…` alone for any number of lines; spaces count as one. A page that begins with `<!-- check-docs: after FILE.md#section -->`
continues sections of another page, whose blocks are run first.

Each page has a fresh folder: /tmp/avinode-try and the ports 8080 and 9090, which the pages name, are replaced by
a folder and ports of their own. Pages run side by side. Every `sh` block of README.md and of the runbook has to be marked. README.md is run a
second time with all blocks in one shell: every command succeeds; the log of the service is between the outputs there, so they are
not compared.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from .markdown import ROOT, read
from .shell import Shell, end_left_of

PAGES = [  # the slowest one first
    "docs/avinode.md", "README.md", "docs/cli.md", "docs/bulk-actions.md", "docs/http-api.md", "docs/operator-api.md",
    "docs/privacy.md", "docs/runbook.md",
]
FULLY_RUN = {"README.md", "docs/runbook.md"}
TRY_FOLDER = "/tmp/avinode-try"
PORTS = ["8080", "9090"]
BLOCK_SECONDS = 60
SIDE_BY_SIDE = 2


def check():
    missing = [tool for tool in ["cargo", "psql", "curl", "jq", "openssl"] if not shutil.which(tool, path=search_path())]
    if missing:
        return None, f"not run: {', '.join(missing)} missing"
    built = subprocess.run(["cargo", "build", "--locked", "--quiet"], cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL)
    if built.returncode != 0:
        return ["cargo build failed"], "not run"
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        runs = [pool.submit(run_page, ROOT / name) for name in PAGES]
        runs.append(pool.submit(run_page, ROOT / "README.md", one_shell=True))
        results = [run.result() for run in runs]
    errors = [error for found, _ in results for error in found]
    return errors, f"{sum(count for _, count in results)} blocks of {len(PAGES)} pages run"


def search_path():
    """The PATH, with rustup's folder behind it, as the Makefile has it."""
    return os.environ.get("PATH", "") + ":" + os.path.expanduser("~/.cargo/bin")


def environment(**more):
    """The caller's environment without settings of the service and of psql."""
    ours = re.compile(r"(INGEST_|AVINODE_|PG|DATABASE_URL$)")
    kept = {name: value for name, value in os.environ.items() if not ours.match(name)}
    return kept | {"PATH": search_path(), "NO_COLOR": "1", "LC_ALL": "C.UTF-8"} | more


def run_page(path, one_shell=False):
    page = read(path)
    errors = unmarked(page) if page.name in FULLY_RUN else []
    steps = pair(page)
    if not steps:
        return errors + [f"{page.name}: no block has the word `run`"], 0
    before = []
    for place in page.after:
        other, _, section = place.partition("#")
        found = [step for step in pair(read((path.parent / other).resolve())) if step[1].heading == section]
        if not found:
            return errors + [f"{page.name}: {place} has no block that runs"], 0
        before += found
    home = pathlib.Path(tempfile.mkdtemp(prefix="avinode-docs-"))
    home.chmod(0o755)  # root's Postgres is run by another user
    replaced = {TRY_FOLDER: str(home / "try")} | {port: free for port, free in zip(PORTS, free_ports(len(PORTS)))}
    shells = {}
    try:
        for name, block, output in before + steps:
            found, goes_on = run_block(name, block, output, shells, home, replaced, one_shell)
            errors.extend(found)
            if not goes_on:
                break
    finally:
        for shell, stays in reversed(shells.values()):
            if not shell.close(stays):
                errors.append(f"{page.name}: what a block had started did not end within 30 s of Ctrl-C")
        for command in end_left_of(home, 10):
            errors.append(f"{page.name}: still running at the end, killed: {command[:200]}")
        shutil.rmtree(home, ignore_errors=True)
    return errors, len(steps)


def unmarked(page):
    return [
        f"{page.name}:{block.line}: a `sh` block without the word `run`: nothing checks it"
        for block in page.blocks
        if block.words[:1] == ["sh"] and "run" not in block.words
    ]


def pair(page):
    """The blocks that run, each with the output shown for it."""
    steps = []
    for block in page.blocks:
        if "run" in block.words:
            steps.append((page.name, block, None))
        elif "output" in block.words and steps:
            steps[-1] = (*steps[-1][:2], block)
    return steps


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def run_block(name, block, output, shells, home, replaced, one_shell):
    """Returns the errors, and whether the next block can still run."""
    shell_name = next((word for word in block.words if word.startswith("shell-") and not one_shell), "shell-1")
    shell, stays = shells.get(shell_name, (None, False))
    place = f"{name}:{block.line}{', all in one shell' if one_shell else ''}"
    if stays:
        return [f"{place}: {shell_name} is still busy with an earlier block"], False
    shell = shell or Shell(environment(TMPDIR=str(home)), ROOT, home)
    stays = "stays" in block.words
    background = stays and block.text.endswith("&")
    shells[shell_name] = (shell, stays and not background)
    wanted = substitute(output.text, replaced).split("\n") if output else None
    if stays and wanted is None:
        return [f"{place}: a block that stays needs an output, to know when it is ready"], False
    shell.start(substitute(block.text, replaced))
    enough = (lambda lines: matches(wanted + ["…"], lines)) if stays else None
    lines, failed, in_time = shell.wait(BLOCK_SECONDS, enough, background)
    if not in_time:
        return [f"{place}: not done after {BLOCK_SECONDS} s; it printed:\n{indent(lines)}"], False
    if failed and "fails" not in block.words:
        return [f"{place}: failed: {'; '.join(failed)}\n{indent(lines)}"], False
    if not failed and "fails" in block.words:
        return [f"{place}: nothing failed, but the block has the word `fails`"], True
    if wanted and not stays and not one_shell and not matches(wanted, lines):
        return [f"{name}:{output.line}: shown is\n{indent(wanted)}\n  printed was\n{indent(lines)}"], True
    return [], True


def substitute(text, replaced):
    for old, new in replaced.items():
        text = re.sub(rf"(?<!\d){re.escape(old)}(?!\d)", new, text)
    return text


def indent(lines):
    return "\n".join("    " + line for line in lines)


def matches(wanted, lines):
    """Compares lines by the notation of the documents."""
    reachable = {0}  # how many of `lines` may have been used up so far
    for want in wanted:
        if want.strip() == "…":
            reachable = set(range(min(reachable), len(lines) + 1)) if reachable else set()
            continue
        pattern = line_pattern(want)
        reachable = {at + 1 for at in reachable if at < len(lines) and pattern.fullmatch(squeeze(lines[at]))}
    return len(lines) in reachable


def line_pattern(want):
    return re.compile(".*".join(re.escape(part) for part in squeeze(want).split("…")))


def squeeze(line):
    return re.sub(r"\s+", " ", line).strip()
