# SPDX-License-Identifier: Apache-2.0
"""The projects of the group ``docker-compose``: one folder each, and the tool that runs them."""

from __future__ import annotations

import ast
import json
import os
import shlex
import shutil
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heat_config import files, hookkit
from heat_config.hookkit import containers
from heat_config.hookkit.containers import projects
from heat_config.hookkit.containers.projects import COMPOSE_FILE

if TYPE_CHECKING:
    from heat_config import process

TOOL = hookkit.Tool(
    "HEAT_DOCKER_COMPOSE_CMD",
    ("docker compose", "docker-compose", "podman-compose"),
    "docker-compose (on podman: podman-compose 1.1 or later)",
)


def find() -> list[str]:
    """The words that start compose: the variable's, or the first that the server has.

    :raises hookkit.HookError: it has none.
    """
    named = os.environ.get(TOOL.variable)
    for candidate in [named] if named else TOOL.names:
        words = shlex.split(candidate)
        if shutil.which(words[0]) and (named or _answers(words)):
            return words
    raise TOOL.missing(named or " or ".join(TOOL.names))


def _answers(words: list[str]) -> bool:
    """Whether a docker has the plug-in: what is one word need not be asked."""
    return len(words) == 1 or containers.ask(*words, "version").returncode == 0


class Project:
    """A deployment's project: a folder of its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, name: str) -> Project:
        """The project of a deployment's name.

        :raises hookkit.HookError: the name would lead elsewhere.
        """
        if "/" in name or "\0" in name or name in (".", "..", ""):
            raise hookkit.HookError(f"the deployment's name {name!r} cannot be a folder's")
        return cls(_folder() / name)

    @classmethod
    def all(cls) -> list[Project]:
        """Those that have been brought up."""
        return [cls(file.parent) for file in sorted(_folder().glob(f"*/{COMPOSE_FILE}"))]

    @property
    def exists(self) -> bool:
        """Whether it has been brought up."""
        return (self.folder / COMPOSE_FILE).exists()

    @cached_property
    def name(self) -> str:
        """What compose knows it by."""
        return projects.name_of(self.folder, self._others)

    @property
    def _others(self) -> list[Path]:
        return [each.folder for each in Project.all() if each.folder != self.folder]

    @property
    def _orphans(self) -> list[str]:
        """What makes compose remove the services that are not in the file any more."""
        shared = projects.is_shared(self.name, self._others)
        return [] if shared else ["--remove-orphans"]

    def write(self, compose: dict[str, Any], env_files: dict[str, str]) -> None:
        """Write its files for root alone: they may hold secrets.

        :raises hookkit.HookError: an env file would be outside of the folder.
        """
        hookkit.write_files(self.folder, env_files)
        projects.keep(self.folder, self.name)
        # Compose's first format had the services at the top, and nothing else.
        services = compose if "services" in compose else {"services": compose}
        files.write_private(self.folder / COMPOSE_FILE, hookkit.as_json(services))

    def run(self, program: list[str], *words: str) -> process.Completed:
        """Run compose on it, in its folder."""
        environment = {**os.environ, "COMPOSE_PROJECT_NAME": self.name}
        argv = [*program, "-p", self.name, "-f", str(self.folder / COMPOSE_FILE), *words]
        return hookkit.run(argv, env=environment, cwd=self.folder)

    def up(self, program: list[str]) -> process.Completed:
        """Bring it up, as its files have it."""
        return self.run(program, "up", "-d", "--no-build", *self._orphans)

    def stop(self, program: list[str]) -> process.Completed:
        """Remove its containers."""
        return self.run(program, "down", *self._orphans)

    def down(self, program: list[str]) -> process.Completed:
        """Bring it down; its named volumes stay. After a failure it can be tried again."""
        done = self.stop(program)
        if done.status == 0:
            shutil.rmtree(self.folder)
        return done


def _folder() -> Path:
    default = "/var/lib/heat-config/heat-config-docker-compose"
    return hookkit.folder("HEAT_DOCKER_COMPOSE_WORKING", default)


def env_files(given: object) -> dict[str, str]:
    """The input ``env_files``: a list of maps, or the text of one, as JSON or Python has it.

    :raises hookkit.HookError: it is something else.
    """
    entries: Any = given or []
    try:
        if isinstance(entries, str):
            entries = _literal(entries)
        return {str(entry["file_name"]): str(entry["content"]) for entry in entries}
    except (ValueError, SyntaxError, TypeError, KeyError):
        raise hookkit.HookError(
            "the input 'env_files' is not a list of maps with 'file_name' and 'content'"
        ) from None


def _literal(text: str) -> Any:
    """A text as JSON, or else as what Python writes (from a template's str_replace)."""
    try:
        return json.loads(text)
    except ValueError:
        return ast.literal_eval(text)
