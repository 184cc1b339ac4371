# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/compatibility.md."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.support.checkout import DOCS
from tests.support.peers import Found

PAGE = (DOCS / "compatibility.md").read_text()


class Row(NamedTuple):
    """One name."""

    kind: str
    """The heading above it."""
    name: str
    here: str
    """same, different or missing."""
    why: str
    default: str
    """Of a variable."""


def rows() -> list[Row]:
    """All names of the page."""
    sections = re.split(r"^## (.*)\n", PAGE, flags=re.MULTILINE)[1:]
    return [
        row
        for kind, text in zip(sections[::2], sections[1::2], strict=True)
        for row in _of_table(kind, [line for line in text.splitlines() if line.startswith("|")])
    ]


def _of_table(kind: str, lines: list[str]) -> list[Row]:
    head, _, *body = (_cells(line) for line in lines)
    found = []
    for cells in body:
        given = dict(zip(head, cells, strict=True))
        default = _names(given.get("default", ""))
        found += [
            Row(kind, name, given["here"], cells[-1], default[0] if default else "")
            for name in _names_of(cells, given)
        ]
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _names_of(cells: list[str], given: dict[str, str]) -> list[str]:
    """The names of a line; an option's begins with whose it is."""
    options = _names(given.get("option", ""))
    names = _names(cells[0]) or [cells[0]]
    return [f"{name} {option}" for name in names for option in options] or names


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def without_row(found: Found) -> list[str]:
    """Names that a peer has and the page has not, with their kind."""
    known = {(row.kind, row.name) for row in rows()}
    return sorted(
        f"{kind}: {name}"
        for kind, names in found.items()
        for name in names
        if (kind, name) not in known
    )
