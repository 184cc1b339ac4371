# SPDX-License-Identifier: Apache-2.0
"""What a resource keeps of its transport, as one value among its data in Heat's database."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

KEY = "heat_config"
"""The key among the resource's data. The value is encrypted: it names queues."""


@dataclass(frozen=True)
class Record:
    """What was decided, and which queues there are."""

    asked: str = ""
    """The property's value when the decision was made."""
    chosen: str = ""
    queue: str = ""
    """The queue of the current action."""
    before: str = ""
    """The queue of the action before: what is acknowledged there may not have been looked at."""

    def decided(self, asked: str, chosen: str) -> Record:
        """The same, with another decision."""
        return replace(self, asked=asked, chosen=chosen)

    def moved(self, queue: str) -> tuple[Record, str]:
        """The record of a new action on its own queue, and the queue that nobody needs now."""
        return replace(self, queue=queue, before=self.queue), self.before

    @property
    def queues(self) -> tuple[str, ...]:
        """All queues that there may be."""
        return tuple(each for each in (self.queue, self.before) if each)

    def written(self) -> str:
        """As the resource's data keep it."""
        return json.dumps(asdict(self))


def read(text: str | None) -> Record:
    """What was kept; an empty record where nothing usable was."""
    with suppress(ValueError, TypeError):
        found: Any = json.loads(text or "{}")
        return Record(**found)
    return Record()
