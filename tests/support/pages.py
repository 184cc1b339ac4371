# SPDX-License-Identifier: Apache-2.0
"""The pages of this repository in Markdown: their links, headings, tables and commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.checkout import DOCS, REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCS.glob("*.md"), REPOSITORY / "lab/README.md"])

_MARKDOWN = MarkdownIt("commonmark").enable("table")
# What stands between two commands of a shell, or around one; and before one in a line of its own.
_BETWEEN = re.compile(r"\||&&|;|\$\(|\)|\n")
_OURS = re.compile(
    r"(?:ssh \S+ |exec )?(?:\S*/)?((?:heat-config|openstack) -*[a-z].*|heat-config-heat.*)"
)
_CELL = re.compile(r"(?<!\\)\|")


def tokens(page: Path) -> Iterator[Token]:
    """All of a page's parts, in their order."""
    for token in _MARKDOWN.parse(page.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def links(page: Path) -> Iterator[str]:
    """Where its links and pictures lead."""
    for token in tokens(page):
        found = token.attrs.get("href") or token.attrs.get("src")
        if found:
            yield str(found)


def anchors(page: Path) -> set[str]:
    """What a link may name of a page, as GitHub makes it of the headings."""
    parts = list(tokens(page))
    titles = (after.content for before, after in pairwise(parts) if before.type == "heading_open")
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def blocks(page: Path) -> Iterator[str]:
    """Its commands, line by line, that stand by themselves."""
    for token in tokens(page):
        if token.type == "code_block" or (token.type == "fence" and token.info in ("", "sh")):
            yield from _commands(token.content.replace("\\\n", " "))


def spans(page: Path) -> Iterator[str]:
    """Its commands within a text."""
    for token in tokens(page):
        if token.type == "code_inline":
            yield from _commands(token.content)


def _commands(text: str) -> Iterator[str]:
    """What names a program of ours, or ``openstack``, without its folder."""
    without_comments = re.sub(r"(^| )#.*", "", text, flags=re.MULTILINE)
    for piece in _BETWEEN.split(without_comments):
        if found := _OURS.match(piece.strip()):
            yield found[1]


def uneven(page: Path) -> Iterator[str]:
    """The rows of tables that have more or fewer cells than their heads."""
    wanted = 0
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = len(_CELL.split(line.strip())) if line.lstrip().startswith("|") else 0
        wanted = wanted or cells if cells else 0
        if cells != wanted:
            yield line
