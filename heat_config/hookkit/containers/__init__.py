# SPDX-License-Identifier: Apache-2.0
"""What the hooks for containers share: containers by their labels and names, and clean-up.

These hooks leave something running. What belongs to a config that is in the server's
metadata no more is taken away by the same program, which os-refresh-config starts as
``<hook> --remove-vanished`` before the agent.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heat_config import deployment, hookkit, log, origin, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from heat_config import process
    from heat_config.result import Result

ENGINE = hookkit.Tool("HEAT_DOCKER_CMD", ("docker", "podman"), "docker.io or podman")


def main(
    run: Callable[[hookkit.Config], Result],
    remove_vanished: Callable[[list[deployment.Deployment]], None],
) -> int:
    """Run the hook, or with ``--remove-vanished`` the clean-up; return 0.

    The clean-up never keeps os-refresh-config from what comes after it.
    """
    if sys.argv[1:] != ["--remove-vanished"]:
        return hookkit.main(run)
    try:
        present = metadata()
        if present is not None:
            remove_vanished(present)
    except (hookkit.HookError, OSError) as error:
        log.plain(str(error))
    return 0


def metadata() -> list[deployment.Deployment] | None:
    """What Heat asks of this server; None when that is not known.

    A file that is not there, is empty or broken is no wish to have everything removed; neither
    is the list that the server was booted with, or one of an operator's own.
    """
    try:
        text = Path(settings.load().config_file).read_text(encoding="utf-8")
        if not text.strip():
            return None
        found = deployment.parse(text)
        source = origin.of_deployments()
        if source in origin.HEATS:
            return found
        log.plain(f"nothing is removed: the list of deployments is {source or 'nobody'}'s word")
        return None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, deployment.MetadataError) as error:
        raise hookkit.HookError(f"nothing is removed: the server's metadata {error}") from None


def ask(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a program for what it answers; nothing of it goes to the log."""
    return subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)


class Container:
    """What docker or podman knows of one container."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.id = str(facts["Id"])

    @property
    def name(self) -> str:
        """Its name, which docker begins with a slash."""
        return str(self.facts["Name"]).lstrip("/")

    def label(self, name: str) -> str:
        """One of its labels; an empty text where it has none of this name."""
        return str((self.facts["Config"].get("Labels") or {}).get(name, ""))

    @property
    def state(self) -> dict[str, Any]:
        """Status, Running, ExitCode and more."""
        return dict(self.facts["State"])


def inspect(program: str, ids: Sequence[str]) -> list[Container]:
    """What docker or podman knows of these containers; of those that are gone, nothing.

    :raises hookkit.HookError: it cannot tell.
    """
    if not ids:
        return []
    said = ask(program, "container", "inspect", *ids)
    try:
        return [Container(facts) for facts in json.loads(said.stdout)]
    except ValueError:
        raise hookkit.HookError(f"{program} inspect has failed: {said.stderr.strip()}") from None


def with_labels(program: str, *labels: str) -> list[Container]:
    """The containers that have all of these labels, running or not.

    :raises hookkit.HookError: docker or podman cannot tell.
    """
    filters = [f"--filter=label={label}" for label in labels]
    answer = ask(program, "ps", "-aq", "--no-trunc", *filters)
    if answer.returncode:
        raise hookkit.HookError(f"{program} cannot list containers: {answer.stderr.strip()}")
    return inspect(program, answer.stdout.split())


def remove(program: str, found: Iterable[Container]) -> process.Completed:
    """Remove containers, also those that run."""
    return hookkit.run([program, "rm", "-f", *(each.id for each in found)], env=os.environ)


def free_name(program: str, name: str) -> str:
    """The name, with something after it while another container has it."""
    free = name
    while ask(program, "container", "inspect", free).returncode == 0:
        free = f"{name}-{secrets.token_hex(4)}"
    return free
