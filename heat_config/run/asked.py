# SPDX-License-Identifier: Apache-2.0
"""What Heat asks of this server, as it was rendered or as it was collected."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import deployment as deployments
from heat_config import files, log, process
from heat_config.deployment import MetadataError

if TYPE_CHECKING:
    from heat_config.deployment import Deployment
    from heat_config.settings import Settings

QUERY = ["os-apply-config", "--key", "deployments", "--type", "raw", "--key-default", "[]"]


class Asked:
    """The file of the deployments, read again when it has changed."""

    def __init__(self, settings: Settings) -> None:
        self._path = Path(settings.config_file)
        self._seen: tuple[int, ...] | None = None

    def read(self) -> list[Deployment]:
        """Read it and make sure that nobody else can: it holds passwords.

        :raises OSError: the file is not there, or cannot be read.
        :raises MetadataError: it holds no list of deployments.
        """
        with self._path.open(encoding="utf-8", errors="replace") as file:
            os.fchmod(file.fileno(), files.PRIVATE_FILE)
            self._seen = _state(os.fstat(file.fileno()))
            return deployments.parse(file.read())

    def newer(self) -> list[Deployment] | None:
        """The list when it was rendered anew since it was read; None when not, or of no use."""
        with suppress(OSError, MetadataError):
            if _state(self._path.stat()) != self._seen:
                return self.read()
        return None


def collected() -> list[Deployment]:
    """The deployments in the metadata, whether or not a file could be made of them.

    :raises OSError: os-apply-config, which merges the metadata, cannot be run.
    :raises MetadataError: it fails, or has no list of deployments.
    """
    completed = process.run(QUERY, on_stderr=log.debug)
    if completed.returncode:
        raise MetadataError(f"cannot be read: os-apply-config {completed.ending}")
    return deployments.parse(completed.stdout.decode("utf-8", "replace"))


def _state(of: os.stat_result) -> tuple[int, ...]:
    return of.st_dev, of.st_ino, of.st_size, of.st_mtime_ns
