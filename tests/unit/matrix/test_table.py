# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from matrix import table
from matrix.cells import Cell, Side, every
from matrix.life import STEPS, Outcome

GOOD = Outcome(dict.fromkeys(STEPS, 1.25))
BAD = Outcome({STEPS[0]: 2.0}, "UPDATE second: FAILED:\n no")
CELL = Cell(Side.HEAT, "ZAQAR_MESSAGE", "ZAQAR_SIGNAL")
WITHOUT_USER = Cell(Side.HEAT, "POLL_TEMP_URL", "ZAQAR_SIGNAL")


def test_no_cell_is_there_twice_and_each_way_is_there() -> None:
    cells = every()
    assert len(cells) == len(set(cells)) == 42
    assert Cell(Side.PLUGIN, "AUTO", "NO_SIGNAL") in cells
    assert Cell(Side.PLUGIN, "POLL_TEMP_URL", "AUTO") in cells


def test_a_row_for_each_cell() -> None:
    columns = table.header().split(" | ")
    good, bad = table.row(CELL, GOOD).split(" | "), table.row(CELL, BAD).split(" | ")
    assert len(columns) == len(good) == len(bad)
    assert good[3:] == [*["1.2"] * len(STEPS), "passed"]
    assert bad[3:] == ["2.0", *["-"] * (len(STEPS) - 1), "FAILED: UPDATE second: FAILED: no"]


def test_what_is_heats_own_is_said_with_its_place() -> None:
    assert table.said(WITHOUT_USER, GOOD) == "passed; Heat itself has no SUSPEND of it"
    (note,) = table.notes([CELL, WITHOUT_USER])
    assert "stack_user.py" in note
    assert table.notes([CELL]) == []


def test_the_stack_with_many_servers_is_a_row() -> None:
    ways = "Heat alone | ZAQAR_MESSAGE | ZAQAR_SIGNAL"
    assert table.crowd(20, 9.96, "") == f"{ways} | 20 servers: 10.0 | passed"
    assert table.crowd(20, 9.0, "it\n broke").endswith(" | FAILED: it broke")


def test_the_last_line_counts() -> None:
    assert table.summary({CELL: GOOD}, "", 3.4) == "matrix: passed, 1 of 1 cells in 3 s"
    outcomes = {CELL: GOOD, WITHOUT_USER: BAD}
    assert table.summary(outcomes, "", 3.4) == "matrix: FAILED, 1 of 2 cells in 3 s"
    assert table.summary({}, "", 0) == "matrix: FAILED, 0 of 0 cells in 0 s"
    assert table.summary({CELL: GOOD}, "it broke", 3) == "matrix: FAILED, 1 of 1 cells in 3 s"
