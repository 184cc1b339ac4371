# SPDX-License-Identifier: Apache-2.0
"""What the pages link to and name is there, and what they have people type is what programs take.

``make docs`` checks the links again, those of the elements' READMEs too. What is elsewhere cannot
be reached from everywhere: of such a link only the form is checked.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import pytest
import tomllib

from heat_config.commands import line
from tests.support import pages
from tests.support.checkout import DOCS, REPOSITORY
from tests.support.pages import PAGES

PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
CLIENT = "openstack.orchestration.v1"
TROUBLE = DOCS / "trouble.md"
# Where texts name pages, and the ends of the files that do.
NAMING = ("heat_config", "heat_operator", "heat_plugin", "hooks", "elements", "lab", "packages")
ENDS = {".py", ".rst", ".sh", ".yaml", ""}


def named(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def leads_nowhere(page: Path, link: str) -> bool:
    at = urlsplit(link)
    if at.scheme or at.netloc:
        return at.scheme != "https" or "." not in at.netloc
    target = (page.parent / at.path).resolve() if at.path else page
    if not target.exists() or not target.is_relative_to(REPOSITORY):
        return True
    return bool(at.fragment) and at.fragment not in pages.anchors(target)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_each_link_leads_somewhere(page: Path) -> None:
    assert [link for link in pages.links(page) if leads_nowhere(page, link)] == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    wrong = ("gone.md", "trouble.md#gone", "#gone", "http://a.example", "https://a", "/etc/passwd")
    assert all(leads_nowhere(TROUBLE, link) for link in wrong)
    page = tmp_path / "page.md"
    page.write_text("# A `b`: c\n\n| a |\n| --- |\n| [x](y) ![](z) |\n")
    assert (list(pages.links(page)), pages.anchors(page)) == (["y", "z"], {"a-b-c"})


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_each_table_is_even(page: Path) -> None:
    assert list(pages.uneven(page)) == []


def test_an_uneven_table_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("| a | b |\n| --- | --- |\n| `x|y` | z |\n| x \\| y | z |\n\n| a |\n")
    assert list(pages.uneven(page)) == ["| `x|y` | z |"]


def test_each_page_is_in_the_contents() -> None:
    index = (DOCS / "index.md").read_text()
    linked = re.findall(r"^- \[.*\]\((.*\.md)\)$", index, re.MULTILINE)
    assert {(DOCS / each).resolve() for each in linked} == {*PAGES} - {DOCS / "index.md"}


def test_each_page_that_a_text_names_is_there() -> None:
    found = {
        (named(path), page)
        for folder in NAMING
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in ENDS and path.is_file() and "__pycache__" not in path.parts
        for page in re.findall(r"\bdocs/[\w./-]*\w", path.read_text(errors="replace"))
    }
    assert len(found) > 10
    assert {each for each in found if not (REPOSITORY / each[1]).exists()} == set()


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch) -> None:
    """What python-heatclient imports of a package that these tests need for nothing else."""
    for name in ("openstackclient", "openstackclient.identity"):
        monkeypatch.setitem(sys.modules, name, Mock())


def refusal(command: str) -> str:
    """Why a command is not one; empty for one that is."""
    program, *words = shlex.split(command)
    try:
        parser, left = parser_of(program, words)
        if parser:
            parser.parse_args(left)
    except (SystemExit, LookupError) as error:
        return "" if getattr(error, "code", 1) == 0 else f"{command}: {error!r}"
    return ""


def parser_of(program: str, words: list[str]) -> tuple[argparse.ArgumentParser | None, list[str]]:
    """What reads these words, without those that have chosen it.

    Raises LookupError where there is no such program or command.
    """
    if program == "openstack":
        return client_of(words)
    if program == "heat-config":
        return line._parser(), words
    PROJECT["scripts"][program]
    return None, words


def client_of(words: list[str]) -> tuple[argparse.ArgumentParser, list[str]]:
    known = {each.name: each.value for each in metadata.entry_points(group=CLIENT)}
    known |= PROJECT["entry-points"][CLIENT]
    for count in range(len(words), 0, -1):
        if place := known.get("_".join(words[:count]).replace("-", "_")):
            module, _, name = place.partition(":")
            command = getattr(import_module(module), name)
            return command(None, None).get_parser("openstack"), words[count:]
    raise LookupError(" ".join(words))


def refusals(commands: Iterable[str]) -> list[str]:
    return [why for each in commands if (why := refusal(each))]


def test_each_command_against_trouble_is_one() -> None:
    commands = list(pages.spans(TROUBLE))
    assert len(commands) > 15
    assert refusals(commands) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_each_command_that_stands_by_itself_is_one(page: Path) -> None:
    assert refusals(pages.blocks(page)) == []


def in_part(command: str) -> Iterator[str]:
    """What a text names of a command, with what the command itself asks for."""
    yield command
    yield f"{command} ID"
    yield f"{command} ID ID"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_each_command_in_a_text_is_part_of_one(page: Path) -> None:
    wrong = [each for each in pages.spans(page) if all(map(refusal, in_part(each)))]
    assert wrong == []


@pytest.mark.parametrize(
    "command",
    [
        *("heat-config dance", "heat-config status --lang", "heat-config log", "heat-config-gone"),
        *("openstack software deployment dance", "openstack software deployment overview"),
    ],
)
def test_a_command_that_is_none_is_found(command: str) -> None:
    assert refusal(command)


def test_the_journal_of_the_table_is_of_a_unit_and_a_field() -> None:
    text = TROUBLE.read_text()
    units = re.findall(r"journalctl -u ([\w-]+)", text)
    assert units
    assert all([*REPOSITORY.glob(f"elements/*/init-scripts/systemd/{unit}.*")] for unit in units)
    fields = re.findall(r"journalctl (HEAT_\w+)=", text)
    watching = (DOCS / "watching.md").read_text()
    assert fields
    assert all(f"| `{field}` |" in watching for field in fields)


def test_the_table_names_each_word_of_status_that_is_no_good_news() -> None:
    _, _, table = TROUBLE.read_text().partition("## On the server")
    symptoms = {word for row in table.splitlines() for word in re.findall(r"`(\w+)`", symptom(row))}
    rows = (DOCS / "watching.md").read_text().splitlines()
    (states,) = (row for row in rows if row.startswith("| `state` |"))
    (signals,) = (row for row in rows if row.startswith("| `signal` | `none`"))
    known = {*re.findall(r"`(\w+)`", states + signals)} - {"state", "signal"}
    good = {"done", "none", "delivered", "superseded"}
    assert symptoms == known - good


def symptom(row: str) -> str:
    return row.split("|")[1] if row.startswith("|") else ""
