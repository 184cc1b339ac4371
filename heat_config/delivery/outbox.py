# SPDX-License-Identifier: Apache-2.0
"""The folder of the results that are pending.

``outbox/<id>.json``            a result and its address, until it is accepted
``outbox/abandoned/<id>.json``  one that can never be delivered, with the reason

Who changes anything holds the folder's lock, and with it the :class:`Box`.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import files, log
from heat_config.delivery import entry as entries
from heat_config.delivery.entry import DamagedError, Entry, NewerError, Stage
from heat_config.events import Event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from heat_config.settings import Settings


class Outbox:
    """The folder, for whoever only looks."""

    def __init__(self, settings: Settings) -> None:
        """Make the folder unless it is there.

        :raises OSError: it can neither be found nor be made.
        """
        self._folder = Path(settings.outbox)
        files.make_private_folder(self._folder)

    @contextmanager
    def locked(self) -> Iterator[Box]:
        """Keep others from changing anything, so that nothing is sent twice."""
        with files.locked(str(self._folder)):
            yield Box(self._folder)

    def ids(self) -> list[str]:
        """The configs whose results are pending, those that cannot be read among them."""
        return _ids_in(self._folder)

    def abandoned_ids(self) -> list[str]:
        """The configs whose results were abandoned or superseded."""
        return _ids_in(self._folder / "abandoned")

    def get(self, config_id: str) -> Entry | None:
        """The entry of one config; None where there is none.

        :raises DamagedError: it cannot be read.
        :raises NewerError: it is of a newer version.
        """
        return _read(self._folder / f"{config_id}.json")

    def get_readable(self, config_id: str) -> Entry | None:
        """The entry of one config; None where there is none, or one that is damaged.

        :raises NewerError: it is of a newer version.
        """
        try:
            return self.get(config_id)
        except DamagedError:
            return None

    def undelivered(self) -> list[str]:
        """The configs whose results were not accepted yet, as far as that is known."""
        return [config_id for config_id in self.ids() if not self._is_delivered(config_id)]

    def get_abandoned(self, config_id: str) -> Entry | None:
        """What was abandoned or superseded of one config; None where there is nothing."""
        try:
            return _read(self._folder / "abandoned" / f"{config_id}.json")
        except (DamagedError, NewerError):
            return None

    def in_order(self) -> list[str]:
        """The pending configs, the oldest first; those that cannot be read are the last."""
        return sorted(self.ids(), key=lambda config_id: (self._since(config_id), config_id))

    def _is_delivered(self, config_id: str) -> bool:
        try:
            found = self.get(config_id)
        except (DamagedError, NewerError):
            return False
        return found is None or found.stage.is_delivered

    def _since(self, config_id: str) -> float:
        try:
            found = self.get(config_id)
        except (DamagedError, NewerError):
            found = None
        return found.since if found else float("inf")


class Box(Outbox):
    """The folder, for whoever holds its lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, Entry] = {}
        """What is on disk, as far as it was written under this lock."""

    def put(self, entry: Entry) -> None:
        """Keep an entry, durably, unless it is on disk as it is.

        :raises OSError: it could not be made durable.
        """
        if self._kept.get(entry.id) == entry:
            return
        self._kept.pop(entry.id, None)
        files.write_json(self._path(entry.id), entries.as_dict(entry))
        self._kept[entry.id] = entry

    def settle(self, config_id: str) -> None:
        """Forget an entry: it was accepted."""
        self._kept.pop(config_id, None)
        files.remove_durably(self._path(config_id))

    def put_aside(self, entry: Entry) -> None:
        """Keep a result that will not be delivered, where people find it with the reason."""
        said = f"the result of {entry.id} is {entry.stage.value}: {entry.problem}"
        if entry.stage is Stage.SUPERSEDED:
            log.info(said, Event.SUPERSEDED)
        else:
            log.error(said, Event.ABANDONED)
        folder = self._folder / "abandoned"
        files.make_private_folder(folder)
        files.write_json(folder / f"{entry.id}.json", entries.as_dict(entry))
        self.settle(entry.id)

    def replace_damaged(self, config_id: str, entry: Entry | None) -> Path:
        """Put a file that cannot be read aside, for an entry if there is one; return where it is.

        The name is never free in between: that would be a result that nobody knows of.

        :raises OSError: the entry could not be kept, or the file not be put aside.
        """
        path = self._path(config_id)
        aside = path.with_name(f"{path.name}{_DAMAGED}")
        if entry and path.is_file():
            with suppress(OSError):  # the result is worth more than what shows the damage
                aside.unlink(missing_ok=True)
                aside.hardlink_to(path)
            self.put(entry)
            return aside
        path.replace(aside)
        if entry:
            self.put(entry)
        return aside

    def forget(self, config_id: str) -> None:
        """Forget all of a config's results, also one that was abandoned."""
        self.forget_abandoned(config_id)
        self.settle(config_id)

    def forget_abandoned(self, config_id: str) -> None:
        """Forget that a config's result was abandoned."""
        (self._folder / "abandoned" / f"{config_id}.json").unlink(missing_ok=True)

    def forget_old(self, before: float, kept: Collection[str]) -> None:
        """Forget what was abandoned, and what was damaged, before a moment of the clock.

        :raises OSError: it cannot be looked at, or not be removed.
        """
        abandoned = self._folder / "abandoned"
        for path in (*abandoned.glob("*.json"), *self._folder.glob(f"*{_DAMAGED}")):
            config_id = path.name.removesuffix(_DAMAGED).removesuffix(".json")
            if config_id not in kept and path.lstat().st_mtime < before:
                files.remove_durably(path)

    def _path(self, config_id: str) -> Path:
        return self._folder / f"{config_id}.json"


# What the name of a file ends with that holds no entry.
_DAMAGED = ".damaged"


def _ids_in(folder: Path) -> list[str]:
    return [path.stem for path in folder.glob("*.json") if not path.name.startswith(".")]


def _read(path: Path) -> Entry | None:
    try:
        found, wrong = entries.read(path.read_bytes(), path.stem)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DamagedError(str(error)) from None
    if wrong:
        log.warning(f"{path}: not usable, and taken for what is safe: {'; '.join(wrong)}")
    return found
