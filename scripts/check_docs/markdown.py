"""Reads Markdown files: their fenced blocks, links and headings."""

import pathlib
import re
import subprocess
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})\s*(.*)$")
HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
INLINE_CODE = re.compile(r"(`+)(?:(?!\1).)+?\1")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$")
SETUP = re.compile(r"<!--\s*check-docs: after (.+?)\s*-->")


@dataclass
class Block:
    """A fenced block: the words of its info string, its text, and the line on which the text begins."""

    words: list
    text: str
    line: int
    heading: str = ""


@dataclass
class Document:
    """A Markdown file. `anchors` are the ids that its headings have on GitHub and in mdBook."""

    path: pathlib.Path
    blocks: list = field(default_factory=list)
    links: list = field(default_factory=list)
    anchors: list = field(default_factory=list)
    prose: list = field(default_factory=list)
    after: list = field(default_factory=list)

    @property
    def name(self):
        return self.path.relative_to(ROOT).as_posix()


def slug(heading):
    """The id of a heading: lower case, spaces become hyphens, punctuation goes."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


def read(path):
    document = Document(path)
    fence, block, seen, heading = None, None, {}, ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not found[2]:
                block.text = "\n".join(block.text)
                fence = None
            else:
                block.text.append(line)
            continue
        if found:
            fence = found[1]
            block = Block(found[2].split(), [], number + 1, heading)
            document.blocks.append(block)
            continue
        if found := SETUP.match(line):
            document.after = found[1].split()
        if found := HEADING.match(line):
            heading = slug(found[2])
            count = seen.get(heading, 0)
            seen[heading] = count + 1
            heading = f"{heading}-{count}" if count else heading
            document.anchors.append(heading)
        plain = INLINE_CODE.sub(lambda match: " " * len(match[0]), line)
        document.prose.append((number, line))
        targets = LINK.findall(plain) + REFERENCE.findall(plain)
        document.links.extend((number, target) for target in targets)
    if fence:
        raise SystemExit(f"check-docs: {document.name}:{block.line - 1}: the fence is not closed")
    return document


def documents():
    """Every Markdown file of the repository: those that git tracks, and new ones that it does not ignore."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.splitlines()]
    else:  # not a checkout: an unpacked archive
        skipped = {"node_modules", "target"}
        paths = [path for path in ROOT.rglob("*.md") if not skipped & set(path.parts)]
    return [read(path) for path in sorted(set(paths)) if path.exists()]
