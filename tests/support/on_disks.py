# SPDX-License-Identifier: Apache-2.0
"""What a program of :mod:`tests.support.disks` can do: all of it, in the order of its lines."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

from heat_config import cli, settings
from heat_config.commands import status as status_of
from heat_config.run import loop
from heat_config.run.unfinished import Unfinished
from tests.support.deployments import inputs, script

GIVEN = settings.load()
STATE = Path(GIVEN.outbox).parent
# Nobody listens there, so what is sent stays in the outbox.
AWAY = "http://127.0.0.1:1/"

for folder in (STATE, Path(GIVEN.config_file).parent):
    folder.mkdir(parents=True)


def mount(name: str, size: str = "2m") -> None:
    """Put a file system of its own on a folder of the agent's."""
    folder = STATE / name
    folder.mkdir(parents=True, exist_ok=True)
    options = ["-o", f"size={size},mode=0700"]
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", folder], check=True)


def read_only(name: str) -> None:
    """From now on nothing on it can be changed."""
    subprocess.run(["mount", "-o", "remount,ro", STATE / name], check=True)


def writable(name: str) -> None:
    """It can be changed again."""
    subprocess.run(["mount", "-o", "remount,rw", STATE / name], check=True)


def fill(name: str) -> None:
    """Leave no room on it."""
    with contextlib.suppress(OSError), (STATE / name / "fill").open("ab", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


def empty(name: str) -> None:
    """Take away what has filled it."""
    (STATE / name / "fill").unlink()


def run(*ids: str, to: str = AWAY) -> int:
    """Run the agent for these configs; return its exit status."""
    asked = [script("x", config_id=each, inputs=inputs(deploy_signal_id=to)) for each in ids]
    Path(GIVEN.config_file).write_text(json.dumps(asked))
    return again()


def again() -> int:
    """Run the agent with what Heat has asked for before, as the unit does that resumes."""
    return cli.main(["run"])


def deliver() -> int:
    """Deliver by hand."""
    return loop.deliver(GIVEN)


def status() -> tuple[int, list[str]]:
    """The exit status of ``heat-config status``, and each row's state, signal and problem."""
    with contextlib.redirect_stdout(io.StringIO()):
        code = cli.main(["status"])
    rows = status_of.rows(GIVEN)
    return code, [f"{row.id}: {row.state}, {row.signal}: {row.problem}" for row in rows]


def unfinished() -> list[str]:
    """The configs that are to be taken up again."""
    return Unfinished(GIVEN).ids()


def pending() -> dict[str, Any]:
    """The results in the outbox, by their configs."""
    found = {path.stem: json.loads(path.read_text()) for path in Path(GIVEN.outbox).glob("*.json")}
    return {each: entry["message"] for each, entry in found.items()}


def results() -> dict[str, Any]:
    """The results for people, by their configs."""
    paths = Path(GIVEN.deployed).glob("*.notify.json")
    return {path.name.partition(".")[0]: json.loads(path.read_text()) for path in paths}


def tell(*what: Any) -> None:
    """Tell the test."""
    print(json.dumps(what[0] if len(what) == 1 else what), flush=True)
