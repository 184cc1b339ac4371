# SPDX-License-Identifier: Apache-2.0
"""What the hooks for containers share: the program to use, and clean-up.

These hooks leave something running. What belongs to a config that is in the server's
metadata no more is taken away by the same program, which os-refresh-config starts as
``<hook> --remove-vanished`` before the agent.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heat_config import deployment, hookkit, log, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heat_config.result import Result

DELETE = "DELETE"


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

    A file that is not there, is empty or broken is no wish to have everything removed.
    """
    try:
        text = Path(settings.load().config_file).read_text(encoding="utf-8")
        return deployment.parse(text) if text.strip() else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, deployment.MetadataError) as error:
        raise hookkit.HookError(f"nothing is removed: the server's metadata {error}") from None


def engine() -> str:
    """docker or podman, whichever is there; HEAT_DOCKER_CMD names another.

    :raises hookkit.HookError: neither is.
    """
    return hookkit.find_tool("HEAT_DOCKER_CMD", ("docker", "podman"), "docker.io or podman")


def ask(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a program for what it answers; nothing of it goes to the log."""
    return subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)


def inspect(program: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """What docker or podman knows of these containers; of those that are gone, nothing."""
    if not ids:
        return []
    said = ask(program, "container", "inspect", *ids).stdout
    try:
        found: list[dict[str, Any]] = json.loads(said)
    except ValueError:
        raise hookkit.HookError(f"{program} inspect has not answered in JSON: {said}") from None
    return found


def with_labels(program: str, *labels: str) -> list[dict[str, Any]]:
    """The containers that have all of these labels, running or not.

    :raises hookkit.HookError: docker or podman cannot tell.
    """
    filters = [f"--filter=label={label}" for label in labels]
    answer = ask(program, "ps", "-aq", "--no-trunc", *filters)
    if answer.returncode:
        raise hookkit.HookError(f"{program} cannot list containers: {answer.stderr.strip()}")
    return inspect(program, answer.stdout.split())
