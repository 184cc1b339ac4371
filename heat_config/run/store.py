# SPDX-License-Identifier: Apache-2.0
"""What this server has done.

``deployed/<id>.json``         the config as run; there before the run begins
``deployed/<id>.notify.json``  its result; there when the run has ended

Both are heat-agents' format. An empty ``<id>.json`` was made by
heat-config-rebuild-deployed: done long ago, and nothing is owed for it.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from heat_config import files, log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from heat_config.deployment import Deployment
    from heat_config.result import Result
    from heat_config.settings import Settings


class Store:
    """The server's memory of its runs, safe against a crash at any point."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.deployed
        _bring_over(settings.deployed_old, settings.deployed)
        os.makedirs(settings.deployed, 0o700, exist_ok=True)  # noqa: PTH103 - pathlib is slow
        self._known = set(os.listdir(settings.deployed))  # noqa: PTH208

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Wait until no other run goes on, and keep others out."""
        with files.locked(self._folder):
            self._known = set(os.listdir(self._folder))  # noqa: PTH208
            yield

    def is_running(self) -> bool:
        """Whether a run goes on at this moment."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def has_begun(self, config_id: str) -> bool:
        """Whether this config has been begun: it is never run a second time."""
        return f"{config_id}.json" in self._known

    def has_ended(self, config_id: str) -> bool:
        """Whether its run has a result, or was noted as done without one."""
        if f"{config_id}.notify.json" in self._known:
            return True
        return self.has_begun(config_id) and self.config_path(config_id).stat().st_size == 0

    def begin(self, deployment: Deployment) -> Path:
        """Note that a config is about to be run; return the note's path.

        :raises OSError: it could not be noted, so the config must not be run.
        """
        path = self.config_path(deployment.id)
        files.write_json(path, deployment.item)
        self._known.add(path.name)
        return path

    def end(self, config_id: str, result: Result) -> None:
        """Keep the result.

        :raises OSError: it could not be kept; the run will be reported as cut.
        """
        path = self.result_path(config_id)
        files.write_json(path, result.as_dict())
        self._known.add(path.name)

    def forget(self, config_id: str) -> None:
        """Forget that a config was run, so that it is run again."""
        # The result first: a config without one, at worst, is reported as cut.
        for path in (self.result_path(config_id), self.config_path(config_id)):
            files.remove_durably(path)
            self._known.discard(path.name)

    def config_path(self, config_id: str) -> Path:
        """Where the config stands as it was run."""
        from pathlib import Path

        return Path(self._folder, f"{config_id}.json")

    def result_path(self, config_id: str) -> Path:
        """Where its result stands."""
        from pathlib import Path

        return Path(self._folder, f"{config_id}.notify.json")


def _bring_over(old: str, new: str) -> None:
    """Take over what a server noted before 2015, when /var/run was the place."""
    if old == new or os.path.isdir(new) or not os.path.isdir(old):  # noqa: PTH112
        return
    import shutil

    log.info(f"taking over what was deployed from {old} to {new}")
    os.makedirs(os.path.dirname(new), 0o700, exist_ok=True)  # noqa: PTH103, PTH120
    shutil.move(old, new)
