# SPDX-License-Identifier: Apache-2.0
"""What happened when, seen from outside and from the server's journal."""

from __future__ import annotations

import json
import time
from typing import NamedTuple

# What each step looks like in the journal: the first line that holds the text.
STEPS = (
    ("os-collect-config starts", "Started os-collect-config"),
    ("first configuration found", "Starting phase configure"),
    ("metadata on disk, os-refresh-config starts", ": running os-refresh-config"),
    ("hook started", "running greeting ("),
    ("hook ended", " ended with status code"),
    ("signal accepted", "was accepted by queue"),
)


class Event(NamedTuple):
    """Something that happened, and when: seconds since the epoch."""

    time: float
    what: str


def now(what: str) -> Event:
    """Something that happens at this moment."""
    return Event(time.time(), what)


def from_journal(journal: str, since: float) -> list[Event]:
    """The steps that a journal in JSON shows to have come after a moment."""
    entries = [json.loads(line) for line in journal.splitlines()]
    found: dict[str, float] = {}
    for entry in entries:
        moment = int(entry["__REALTIME_TIMESTAMP"]) / 1e6
        for what, text in STEPS:
            if moment >= since and text in str(entry.get("MESSAGE")):
                found.setdefault(what, moment)
    return [Event(moment, what) for what, moment in found.items()]


def show(events: list[Event]) -> None:
    """Print events in their order, in seconds after the first."""
    print("\n".join(lines(events)))


def lines(events: list[Event]) -> list[str]:
    """Events in their order, in seconds after the first."""
    ordered = sorted(events)
    return [f"    {event.time - ordered[0].time:6.2f} s  {event.what}" for event in ordered]
