# SPDX-License-Identifier: Apache-2.0
"""The pictures of boxes are as their descriptions have them."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from pathlib import Path
from typing import Any

import pytest
import yaml

from pictures import boxes
from tests.support.checkout import DOCS, REPOSITORY
from tests.support.svg import SPACE, read

DESCRIPTIONS = sorted((REPOSITORY / "pictures").glob("*.yaml"))
SMALL: dict[str, Any] = {
    "title": "a <b> & c",
    "size": [400, 300],
    "areas": [],
    "boxes": {
        "one": {"name": "one & <only>", "at": [20, 20, 100, 40]},
        "right": {"name": "right", "at": [200, 30, 100, 60]},
        "below": {"name": "below", "at": [60, 200, 100, 40]},
        "corner": {"name": "corner", "at": [300, 200, 50, 40]},
    },
    "arrows": [],
    "legend": [0, 0],
}


def drawn(tmp_path: Path, *arrows: dict[str, Any]) -> Xml.Element:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump({**SMALL, "arrows": list(arrows)}))
    return read(boxes.drawn(path))


def ways(root: Xml.Element) -> list[str]:
    return [each.attrib["d"] for each in root.findall(f"{SPACE}path")]


@pytest.mark.parametrize("description", DESCRIPTIONS, ids=lambda path: path.stem)
def test_the_picture_in_docs_is_the_descriptions(description: Path) -> None:
    kept = (DOCS / f"{description.stem}.svg").read_text()
    assert kept == boxes.drawn(description), "run: python3 -m pictures boxes"


@pytest.mark.parametrize("description", DESCRIPTIONS, ids=lambda path: path.stem)
def test_all_words_of_a_description_are_in_the_picture(description: Path) -> None:
    given = yaml.safe_load(description.read_text())
    words = {line for each in given["arrows"] for line in each.get("words", ())}
    words |= {each["name"] for each in given["boxes"].values()}
    words |= {line for each in given["boxes"].values() for line in each.get("lines", ())}
    root = read((DOCS / f"{description.stem}.svg").read_text())
    assert words <= {each.text for each in root.iter(f"{SPACE}text")}


def test_an_arrow_leads_from_edge_to_edge(tmp_path: Path) -> None:
    found = drawn(
        tmp_path,
        {"from": "one", "to": "right", "words": ["above", "below"]},
        {"from": "one", "to": "below"},
        {"from": "below", "to": "right"},
        {"from": "right", "to": "one", "via": [[250, 10], [70, 10]]},
    )
    assert ways(found) == [
        "M120 45 L200 45",
        "M90 60 L90 200",
        "M110 200 L110 60 L200 60",
        "M250 30 L250 10 L70 10 L70 20",
    ]
    labels = {each.text: each.attrib for each in found.findall(f"{SPACE}text")}
    assert (labels["above"]["y"], labels["below"]["y"]) == ("37", "63")


def test_what_is_written_is_no_markup(tmp_path: Path) -> None:
    found = drawn(tmp_path)
    assert "one & <only>" in {each.text for each in found.findall(f"{SPACE}text")}
    assert found.findtext(f"{SPACE}title") == "a <b> & c"


def test_an_arrow_to_nothing_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="gone"):
        drawn(tmp_path, {"from": "one", "to": "gone"})
