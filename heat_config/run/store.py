# SPDX-License-Identifier: Apache-2.0
"""What this server has done.

``deployed/<id>.json``         the config as run; there before the run begins
``deployed/<id>.notify.json``  its result; there when the run has ended

Without the first one nothing was run, whatever else is there: operators of heat-agents know
that a config is run again when they remove it.

Both are heat-agents' format; ours adds the key :data:`RUN` to the first one. An empty
``<id>.json`` was made by heat-config-rebuild-deployed, or is what is left of a run that has
aged: done long ago, and no result is due.

The timer that delivers results writes here, too. So nothing is remembered: each question is
answered by what is on disk at that moment.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import files, log, readable
from heat_config.result import from_dict

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager

    from heat_config.deployment import Deployment
    from heat_config.result import Result
    from heat_config.settings import Settings

# The key of what the agent notes of a run beside its config.
RUN = "heat_config_run"


class Begun(NamedTuple):
    """What was noted when a run began."""

    forced: bool = False
    """Whether an operator has forced it: Heat may have an answer already."""
    scope: dict[str, Any] = {}  # noqa: RUF012 - never changed, as nothing of it is
    """What tells its processes; see :mod:`heat_config.run.scope`."""
    outcome: dict[str, Any] | None = None
    """The result where nothing is run (:mod:`heat_config.run.refreshed`): it is known before."""
    stopped: str | None = None
    """Why the run was cut, where that could be noted; see :mod:`heat_config.run.stopped`."""


class Store:
    """The server's memory of its runs, safe against a crash at any point."""

    def __init__(self, settings: Settings) -> None:
        """Make the folder unless it is there.

        :raises OSError: it can neither be found nor be made.
        """
        self._folder = Path(settings.deployed)
        _bring_over(Path(settings.deployed_old), self._folder)
        files.make_private_folder(self._folder)

    def locked(self) -> AbstractContextManager[None]:
        """Wait until no other run goes on, and keep others out."""
        return files.locked(str(self._folder))

    def is_running(self) -> bool:
        """Whether a run goes on at this moment."""
        return files.is_locked(str(self._folder))

    def has_begun(self, config_id: str) -> bool:
        """Whether this config has been begun: it is never run a second time.

        :raises OSError: the disk does not say.
        """
        return _is_there(self.config_path(config_id))

    def has_ended(self, config_id: str) -> bool:
        """Whether its run has a result, or was noted as done without one.

        :raises OSError: the disk does not say.
        """
        if not self.has_begun(config_id):
            return False
        if _is_there(self.result_path(config_id)):
            return True
        try:
            return self.config_path(config_id).stat().st_size == 0
        except FileNotFoundError:
            return False

    def was_taken_back(self, config_id: str) -> bool:
        """Whether an operator has removed the note of a run that had ended, to have it run again.

        :raises OSError: the disk does not say.
        """
        return _is_there(self.result_path(config_id)) and not self.has_begun(config_id)

    def begin(self, deployment: Deployment, begun: Begun) -> None:
        """Note that a config is about to be run.

        :raises OSError: it could not be noted, so the config must not be run.
        """
        files.write_json(self.config_path(deployment.id), {**deployment.item, RUN: begun._asdict()})
        # Of an earlier run that this one is forced after. Until here that one counts.
        if self.result_path(deployment.id).exists():
            files.remove_durably(self.result_path(deployment.id))

    def begun(self, config_id: str) -> Begun:
        """What was noted when a run began; of a note that says nothing, the defaults.

        :raises OSError: the note is there, and cannot be read.
        """
        with suppress(FileNotFoundError, IsADirectoryError, ValueError, KeyError, TypeError):
            note = readable.own(self.config_path(config_id).read_bytes())[RUN]
            forced, scope = bool(note["forced"]), dict(note["scope"])
            outcome, stopped = note.get("outcome"), note.get("stopped")
            return Begun(
                forced,
                scope,
                outcome if isinstance(outcome, dict) else None,
                stopped if isinstance(stopped, str) else None,
            )
        return Begun()

    def is_own(self, config_id: str) -> bool:
        """Whether the run was this agent's, and not one of heat-agents."""
        try:
            return RUN in self.item(config_id)
        except (OSError, ValueError, TypeError):
            return False

    def end(self, config_id: str, result: Result) -> None:
        """Keep the result.

        :raises OSError: it could not be kept; the run will be reported as interrupted.
        """
        files.write_json(self.result_path(config_id), result.as_dict())

    def item(self, config_id: str) -> Any:
        """The config as it was run.

        :raises OSError, ValueError: it cannot be read.
        """
        return readable.own(self.config_path(config_id).read_bytes())

    def result(self, config_id: str) -> Result:
        """The result of a run.

        :raises OSError, ValueError: it cannot be read.
        """
        message = readable.own(self.result_path(config_id).read_bytes())
        if not isinstance(message, dict):
            raise ValueError(f"{self.result_path(config_id)} holds no JSON object")
        return from_dict(message)

    def ids(self) -> list[str]:
        """The configs that were begun.

        :raises OSError: the folder cannot be read.
        """
        names = [path.name for path in self._folder.glob("[!.]*.json")]
        return sorted(
            name.removesuffix(".json") for name in names if not name.endswith(".notify.json")
        )

    def old(self, before: float, kept: Collection[str]) -> list[str]:
        """The configs of which more is noted than that they ran, the last of it before a moment.

        :raises OSError: the folder cannot be read.
        """
        with os.scandir(self._folder) as found:
            noted = {
                each.name: each.stat(follow_symlinks=False)
                for each in found
                if each.name.endswith(".json")
            }
        ids = {name.removesuffix(".json").removesuffix(".notify") for name in noted}
        return sorted(
            config_id
            for config_id in ids - set(kept)
            if (own := [noted[name] for name in _names(config_id) if name in noted])
            and any(each.st_size for each in own)
            and max(each.st_mtime for each in own) < before
        )

    def strip(self, config_id: str) -> None:
        """Keep of a config only that it ran: neither what was asked nor what came of it.

        Of one that was cut and not answered, also what its answer would say if Heat asked again.

        :raises OSError: it could not be kept.
        """
        if self.was_taken_back(config_id):
            files.remove_durably(self.result_path(config_id))
            return
        if self.has_ended(config_id):
            files.write_durably(self.config_path(config_id), "")
            files.remove_durably(self.result_path(config_id))
            return
        note = {"id": config_id, RUN: self.begun(config_id)._asdict()}
        files.write_json(self.config_path(config_id), note)

    def config_path(self, config_id: str) -> Path:
        """Where the config stands as it was run."""
        return self._folder / f"{config_id}.json"

    def result_path(self, config_id: str) -> Path:
        """Where its result stands."""
        return self._folder / f"{config_id}.notify.json"


def _names(config_id: str) -> tuple[str, str]:
    return f"{config_id}.json", f"{config_id}.notify.json"


def _is_there(path: Path) -> bool:
    """Whether a name is there, wherever it leads.

    :raises OSError: the disk does not say; what has no note would be run again.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _bring_over(old: Path, new: Path) -> None:
    """Take over what a server noted before 2015, when /var/run was the place: all of it at once.

    What of it is not noted is run again.
    """
    if old == new or new.is_dir() or not old.is_dir():
        return
    log.info(f"taking over what was deployed from {old} to {new}")
    files.make_private_folder(new.parent)
    with tempfile.TemporaryDirectory(dir=new.parent, prefix=f".{new.name}-") as parent:
        copied = shutil.copytree(old, Path(parent, new.name))
        os.sync()
        copied.rename(new)
    files.flush_folder(new.parent)
    shutil.rmtree(old, ignore_errors=True)
