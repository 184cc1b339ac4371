# SPDX-License-Identifier: Apache-2.0
"""What a run of the agent could not begin or keep, because of the server's own disk.

``/var/run/heat-config/unfinished/<id>.json`` names one such config, and holds its result
where there is one already. It stands beside the rendered deployments, in memory, so that a
disk that is full or read-only does not keep it from being noted. heat-config-resume.path
waits for it and has it taken up again, without new metadata.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import files, readable
from heat_config.result import from_dict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from heat_config.result import Result
    from heat_config.settings import Settings


class Unfinished:
    """The folder."""

    def __init__(self, settings: Settings) -> None:
        self._folder = Path(settings.unfinished)

    def ids(self) -> list[str]:
        """The configs that are to be taken up again."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def note(self, config_ids: Iterable[str]) -> None:
        """Say which configs are to be taken up again, beside those whose results are kept.

        :raises OSError: not even this can be written.
        """
        wanted = set(config_ids)
        known = set(self.ids())
        for config_id in known - wanted:
            if self.result(config_id) is None:
                self.forget(config_id)
        for config_id in wanted - known:
            self._write(config_id, None)
        with suppress(OSError):  # it was not there, or something is in it
            self._folder.rmdir()

    def keep(self, config_id: str, result: Result) -> None:
        """Keep a result that could not be kept where it belongs.

        :raises OSError: not even this can be written.
        """
        self._write(config_id, result)

    def forget(self, config_id: str) -> None:
        """Forget a config: it is run again, or its result is where it belongs."""
        self._path(config_id).unlink(missing_ok=True)

    def result(self, config_id: str) -> Result | None:
        """The result that was kept of a config; None where none was."""
        try:
            found = readable.own(self._path(config_id).read_bytes())
        except (OSError, ValueError):
            return None
        return from_dict(found) if isinstance(found, dict) else None

    def _write(self, config_id: str, result: Result | None) -> None:
        files.make_private_folder(self._folder)
        files.write_json(self._path(config_id), result and result.as_dict())

    def _path(self, config_id: str) -> Path:
        return self._folder / f"{config_id}.json"
