# SPDX-License-Identifier: Apache-2.0
"""What this server has done, and what it still owes.

``deployed/<id>.json``         the config as run; there before the run begins
``deployed/<id>.notify.json``  its result; there when the run has ended
``outbox/<id>.json``           the same with the answer's address, until accepted

The first two are heat-agents' format. An empty ``<id>.json`` was made by
heat-config-rebuild-deployed: done long ago, and nothing is owed for it.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from heat_config.deployment import Deployment
    from heat_config.result import Result
    from heat_config.settings import Settings


class Owed(NamedTuple):
    """A result that no transport has accepted yet."""

    id: str
    values: dict[str, Any]
    """The inputs that say where the answer goes."""
    message: dict[str, Any]
    """The result, as :meth:`Result.as_dict` gives it."""


class Store:
    """The server's memory of its deployments, safe against a crash at any point.

    A run goes through it in this order, each step durable before the next:
    :meth:`begin`, the hook, :meth:`finish`, the signal, :meth:`settle`.
    """

    def __init__(self, settings: Settings) -> None:
        self._deployed = settings.deployed
        self._outbox = settings.outbox
        _bring_over(settings.deployed_old, settings.deployed)
        for folder in (settings.deployed, settings.outbox):
            os.makedirs(folder, 0o700, exist_ok=True)  # noqa: PTH103 - pathlib is slow to import
        self._known = set(os.listdir(settings.deployed))  # noqa: PTH208

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Wait until no other run works on this store, and keep others out.

        The lock goes with the process, however that ends.
        """
        descriptor = os.open(self._deployed, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._known = set(os.listdir(self._deployed))  # noqa: PTH208
            yield
        finally:
            os.close(descriptor)

    def is_done(self, config_id: str) -> bool:
        """Whether this config has been begun: it is never run a second time."""
        return f"{config_id}.json" in self._known

    def was_cut(self, config_id: str) -> bool:
        """Whether a run was begun and has not ended, while none is going on."""
        return (
            self.is_done(config_id)
            and f"{config_id}.notify.json" not in self._known
            and config_id not in self.owed_ids()
            and self.config_path(config_id).stat().st_size > 0
        )

    def begin(self, deployment: Deployment) -> Path:
        """Note that a config is about to be run; return the note's path.

        :raises OSError: it could not be noted, so the config must not be run.
        """
        path = self.config_path(deployment.id)
        _write_json(path, deployment.item)
        self._known.add(path.name)
        return path

    def finish(self, config_id: str, result: Result, address: Mapping[str, Any]) -> Owed | None:
        """Keep the result, and owe it when there is an address to send it to.

        :raises OSError: it could not be kept; the run will be reported as cut.
        """
        from pathlib import Path

        owed = Owed(config_id, dict(address), result.as_dict()) if address else None
        if owed:
            _write_json(Path(self._outbox, f"{config_id}.json"), owed._asdict())
        path = self.result_path(config_id)
        _write_json(path, result.as_dict())
        self._known.add(path.name)
        return owed

    def settle(self, config_id: str) -> None:
        """Forget what was owed: it has been accepted."""
        from pathlib import Path

        from heat_config import files

        files.remove_durably(Path(self._outbox, f"{config_id}.json"))

    def owed_ids(self) -> list[str]:
        """The configs whose results are owed."""
        names = os.listdir(self._outbox)  # noqa: PTH208
        return [name[: -len(".json")] for name in names if _is_entry(name)]

    def owed(self) -> list[Owed]:
        """The results that are owed, the oldest first."""
        from pathlib import Path

        paths = [Path(self._outbox, f"{config_id}.json") for config_id in self.owed_ids()]
        paths.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [owed for path in paths if (owed := _read_owed(path))]

    def config_path(self, config_id: str) -> Path:
        """Where the config stands as it was run."""
        from pathlib import Path

        return Path(self._deployed, f"{config_id}.json")

    def result_path(self, config_id: str) -> Path:
        """Where its result stands."""
        from pathlib import Path

        return Path(self._deployed, f"{config_id}.notify.json")


def _is_entry(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")


def _read_owed(path: Path) -> Owed | None:
    try:
        entry = json.loads(path.read_text("utf-8"))
        return Owed(entry["id"], dict(entry["values"]), dict(entry["message"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.error(f"{path} is not a result that is owed and stays where it is: {error!r}")
        return None


def _write_json(path: Path, content: object) -> None:
    from heat_config import files

    files.write_durably(path, json.dumps(content, indent=2) + "\n")


def _bring_over(old: str, new: str) -> None:
    """Take over what a server noted before 2015, when /var/run was the place."""
    if old == new or os.path.isdir(new) or not os.path.isdir(old):  # noqa: PTH112
        return
    import shutil

    log.info(f"taking over what was deployed from {old} to {new}")
    os.makedirs(os.path.dirname(new), 0o700, exist_ok=True)  # noqa: PTH103, PTH120
    shutil.move(old, new)
