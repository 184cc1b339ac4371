# SPDX-License-Identifier: Apache-2.0
"""docs/architecture.md shows the stages as the policy's table has them."""

from __future__ import annotations

from heat_config.delivery.entry import Stage
from heat_config.delivery.policy import ROWS
from tools import stages


def test_the_document_shows_what_the_table_says() -> None:
    document = stages.DOCUMENT.read_text()
    assert stages.within(document) == stages.text(), "run: python3 -m tools.stages --write"


def test_each_stage_has_its_meaning() -> None:
    meanings = stages.meanings()
    assert set(meanings) == set(Stage)
    assert meanings[Stage.CLEANING] == "Heat has it; a copy may be on the queue."


def test_each_way_of_the_table_is_drawn() -> None:
    drawn = stages.text().splitlines()
    for stage, row in ROWS.items():
        further = {*row.then.values(), row.intent, row.failing, row.gives_way} - {None}
        for to in further:
            assert any(line.startswith(f"    {stage.name} --> {to.name}: ") for line in drawn if to)
