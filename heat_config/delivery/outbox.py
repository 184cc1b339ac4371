# SPDX-License-Identifier: Apache-2.0
"""What this server still owes: results that no transport has accepted yet.

``outbox/<id>.json``            a result and its address, until it is accepted
``outbox/abandoned/<id>.json``  one that can never be, with the reason
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import files, log

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from heat_config.settings import Settings


class Entry(NamedTuple):
    """One result that is owed; times are in seconds since the epoch."""

    id: str
    values: dict[str, Any]
    """The inputs that say where the answer goes."""
    message: dict[str, Any]
    """The result, as :meth:`Result.as_dict` gives it."""
    since: float
    doubt: bool = True
    """Whether it may have arrived: until a try is known to have failed."""
    heat_doubt: bool = False
    """Whether Heat may have it by another way: then it is not put on the queue."""
    tries: int = 0
    refusals: int = 0
    """How many of the last tries were refused, not just unlucky."""
    bad_content: bool = False
    """Whether the last try was refused for what the result holds."""
    due: float = 0.0
    """When it is to be tried again."""
    problem: str = ""
    """Why the last try failed."""
    told_heat: bool = False
    """Heat has it by another way; only a copy on the queue is left to be removed."""
    forced: bool = False
    """An operator has forced the run: Heat may not be waiting for it."""

    @property
    def place(self) -> object:
        """Where Heat waits, which all configs of one deployment share."""
        return place_of(self.values)


def place_of(values: Mapping[str, Any]) -> object:
    """Where Heat waits for one deployment's answer: its queue, its URL, its resource."""
    own = values.get("deploy_queue_id") or values.get("deploy_signal_id")
    resource = values.get("deploy_stack_id"), values.get("deploy_resource_name")
    return own or (str(resource) if all(resource) else None)


class Outbox:
    """The folder of what is owed. Whoever sends holds its lock."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.outbox
        os.makedirs(settings.outbox, 0o700, exist_ok=True)  # noqa: PTH103 - pathlib is slow

    def locked(self) -> AbstractContextManager[None]:
        """Keep others from sending, so that nothing is sent twice."""
        return files.locked(self._folder)

    def ids(self) -> list[str]:
        """The configs whose results are owed."""
        return _ids_in(self._folder)

    def abandoned_ids(self) -> list[str]:
        """The configs whose results were given up."""
        try:
            return _ids_in(str(self._abandoned()))
        except FileNotFoundError:
            return []

    def entries(self) -> list[Entry]:
        """What is owed, the oldest first; what cannot be read is left out and named."""
        found = [entry for config_id in self.ids() if (entry := self.get(config_id))]
        return sorted(found, key=lambda entry: (entry.since, entry.id))

    def get(self, config_id: str) -> Entry | None:
        """What is owed for one config, if anything is."""
        return _read(self._path(config_id))

    def get_abandoned(self, config_id: str) -> Entry | None:
        """What was given up for one config, if anything was."""
        return _read(self._abandoned() / f"{config_id}.json")

    def put(self, entry: Entry) -> None:
        """Owe a result, or note how its last try went.

        :raises OSError: it could not be made durable.
        """
        files.write_json(self._path(entry.id), entry._asdict())

    def settle(self, config_id: str) -> None:
        """Forget what was owed: it has been accepted."""
        files.remove_durably(self._path(config_id))

    def abandon(self, entry: Entry, reason: str) -> None:
        """Give a result up, and keep it with the reason."""
        log.error(f"the result of {entry.id} is given up: {reason}")
        files.make_private_folder(self._abandoned())
        given_up = entry._replace(problem=reason)
        files.write_json(self._abandoned() / f"{entry.id}.json", given_up._asdict())
        self.settle(entry.id)

    def set_aside(self, config_id: str) -> Path:
        """Put an entry that cannot be read out of the way; return where it is then."""
        path = self._path(config_id)
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        return aside

    def forget(self, config_id: str) -> None:
        """Forget a config's result, also one that was given up."""
        self.settle(config_id)
        (self._abandoned() / f"{config_id}.json").unlink(missing_ok=True)

    def _path(self, config_id: str) -> Path:
        from pathlib import Path

        return Path(self._folder, f"{config_id}.json")

    def _abandoned(self) -> Path:
        from pathlib import Path

        return Path(self._folder, "abandoned")


def _ids_in(folder: str) -> list[str]:
    names = os.listdir(folder)  # noqa: PTH208 - pathlib is slow to import
    return [
        name[: -len(".json")]
        for name in names
        if name.endswith(".json") and not name.startswith(".")
    ]


def _read(path: Path) -> Entry | None:
    import json

    try:
        entry = Entry(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        log.error(f"{path} is not a result that is owed: {error}")
        return None
    right = isinstance(entry.values, dict) and isinstance(entry.message, dict)
    if not right or entry.id != path.stem:
        log.error(f"{path} is not a result that is owed")
        return None
    return entry
