# SPDX-License-Identifier: Apache-2.0
"""The queues of a deployment's progress, as its resource's data keep them. No I/O."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

KEY = "heat_config_progress"
"""The key among the resource's data. Heat alone, and an engine of before, pass over it."""

PROPERTY = "progress"
"""Of a deployment and of a group: whether its servers say how far they are."""


def moved(text: str | None, queue: str) -> tuple[str, list[str]]:
    """What is kept for a new action, and the queues that nobody needs now.

    ``queue``: the new action's; empty where it has none. Who still reads the queue of the action
    before may do so until the next.
    """
    before = names(text)
    kept = [queue, *before[:1]] if queue else []
    return json.dumps(kept), [each for each in before if each not in kept]


def names(text: str | None) -> list[str]:
    """The queues that there may be, the newest first."""
    with suppress(ValueError):
        found: Any = json.loads(text or "[]")
        if isinstance(found, list) and all(isinstance(each, str) for each in found):
            return found
    return []


def is_all(changed: Any) -> bool:
    """Whether of a resource's properties only this one was changed: its config is the same."""
    return set(changed) == {PROPERTY}
