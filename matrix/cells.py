# SPDX-License-Identifier: Apache-2.0
"""The cells: which ways in and out there are, on Heat alone and with the plug-in."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

HEATS_WAYS_IN = ("ZAQAR_MESSAGE", "POLL_SERVER_HEAT", "POLL_SERVER_CFN", "POLL_TEMP_URL")
HEATS_WAYS_OUT = ("ZAQAR_SIGNAL", "HEAT_SIGNAL", "CFN_SIGNAL", "TEMP_URL_SIGNAL", "NO_SIGNAL")
PLUGINS_WAYS_IN = ("ZAQAR_SIGNED", "AUTO")
PLUGINS_WAYS_OUT = ("ZAQAR_MESSAGE", "AUTO")


class Side(Enum):
    """Whose resources the stack has."""

    HEAT = "Heat alone"
    PLUGIN = "plug-in"


class Cell(NamedTuple):
    """One way in with one way out."""

    side: Side
    way_in: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.side.value}: {self.way_in} with {self.way_out}"


def every() -> list[Cell]:
    """All cells: Heat's own, and with the plug-in those that it alone has."""
    alone = [Cell(Side.HEAT, way_in, out) for way_in in HEATS_WAYS_IN for out in HEATS_WAYS_OUT]
    added = [
        Cell(Side.PLUGIN, way_in, out)
        for way_in in (*HEATS_WAYS_IN, *PLUGINS_WAYS_IN)
        for out in (*HEATS_WAYS_OUT, *PLUGINS_WAYS_OUT)
        if way_in in PLUGINS_WAYS_IN or out in PLUGINS_WAYS_OUT
    ]
    return alone + added


class Own(NamedTuple):
    """What Heat itself does not do, so that no agent can."""

    reason: str
    """How Heat says it."""
    line: str
    """Where it is, in Heat 27.0.1."""


_NO_USER = Own(
    "KeyError: resources.server: 'user'",
    "heat/engine/resources/stack_user.py, handle_suspend: the user is disabled, also of a server "
    "that has none",
)


def heats_own(cell: Cell, action: str) -> Own | None:
    """What keeps Heat from this action; None where nothing does."""
    has_no_user = cell.side is Side.HEAT and cell.way_in == "POLL_TEMP_URL"
    return _NO_USER if has_no_user and action == "SUSPEND" else None
