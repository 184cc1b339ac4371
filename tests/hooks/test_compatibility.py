# SPDX-License-Identifier: Apache-2.0
"""No name that heat-agents or tripleo-image-elements has is without a row in the page."""

from __future__ import annotations

from bench import peer
from tests.support import peers
from tests.support.compatibility import PAGE, rows, without_row

TRIPLEO = "15.0.0"
# Those of its elements that are here, too; the others work beside ours.
THEIRS = {"os-apply-config", "os-collect-config", "os-refresh-config"}


def test_of_heat_agents() -> None:
    folder = peer.elements()
    found = peers.of_elements(folder, [path.name for path in folder.glob("heat-config*")])
    assert len(found["Elements"]) == 13
    assert without_row(found) == []
    assert peer.HEAT_AGENTS.replace("==", " ") in PAGE


def test_the_defaults_of_its_variables() -> None:
    files = [path for path in peer.elements().glob("heat-config*/**/*") if path.is_file()]
    programs = [path for path in files if path.read_text().startswith("#!/usr/bin/env python3")]
    theirs = {each.name: each.value for path in programs for each in peers.defaults(path)}
    ours = {row.name: row.default for row in rows() if row.kind == "Variables of a server"}
    wrong = {name: value for name, value in theirs.items() if ours[name] not in (value, "")}
    assert len(theirs) == 30
    assert wrong == {}


def test_of_tripleo_image_elements() -> None:
    folder = peer.tripleo_elements(TRIPLEO)
    found = peers.of_elements(folder, THEIRS)
    found["Elements"] |= {path.name for path in folder.iterdir() if any(path.glob("*/*"))}
    assert found["Elements"] > THEIRS
    assert without_row(found) == []
    assert f"tripleo-image-elements {TRIPLEO}" in PAGE
