# SPDX-License-Identifier: Apache-2.0
"""os-refresh-config with the elements' scripts: what it applies is answered when it has ended."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from heat_config.settings import Settings
from tests.support.checkout import ELEMENTS, REPOSITORY
from tests.support.deployments import script, to
from tests.support.inbox import Inbox

NOTHING = script("", group="os-apply-config", config={"motd": "hello"})


class Machine:
    """A server's scripts and templates below a folder."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root = root
        self._run = root / "run"
        self._phases = root / "os-refresh-config"
        (root / "tmp").mkdir(parents=True)
        paths = {"/var/run/heat-config": str(self._run)}
        for element in ("os-apply-config", "os-refresh-config", "heat-config"):
            _copy(ELEMENTS / element / "os-refresh-config", self._phases, paths)
        templates = ELEMENTS / "heat-config/os-apply-config/var/run/heat-config"
        shutil.copytree(templates, root / "templates" / str(self._run).lstrip("/"))
        for phase in ("pre-configure.d", "post-configure.d"):
            (self._phases / phase).mkdir()
        program = root / "bin" / "heat-config"
        program.parent.mkdir()
        code = "import sys; from heat_config.cli import main; sys.exit(main())"
        program.write_text(f"#!{sys.executable}\n{code}\n")
        program.chmod(0o755)
        self._settings = settings

    def adds(self, name: str, text: str) -> None:
        """A script of the operator's own."""
        path = self._phases / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def renders(self, text: str) -> None:
        """A template of the operator's own, which is a program."""
        path = self.root / "templates" / str(self.root / "own").lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def refresh(self, *items: Any, **more: Any) -> int:
        """Run os-refresh-config with this metadata; return its exit status."""
        metadata = self.root / "metadata.json"
        metadata.write_text(json.dumps({"deployments": items, **more}))
        lock = f"--lockfile={self.root}/lock"
        done = subprocess.run(
            ["os-refresh-config", lock], env=self._environment(metadata), text=True, check=False
        )
        return done.returncode

    @property
    def left(self) -> list[str]:
        """What is left in the folder for temporary files."""
        return sorted(path.name for path in (self.root / "tmp").iterdir())

    def _environment(self, metadata: Path) -> dict[str, str]:
        programs = [self.root / "bin", Path(sys.executable).parent, os.environ["PATH"]]
        return {
            **os.environ,
            "PATH": ":".join(map(str, programs)),
            "PYTHONPATH": str(REPOSITORY),
            "TMPDIR": str(self.root / "tmp"),
            "OS_CONFIG_FILES": str(metadata),
            "OS_CONFIG_APPLIER_TEMPLATES": str(self.root / "templates"),
            "OS_REFRESH_CONFIG_BASE_DIR": str(self._phases),
            "HEAT_SHELL_CONFIG": str(self._run / "heat-config"),
        }


def _copy(source: Path, target: Path, paths: dict[str, str]) -> None:
    for path in (each for each in source.rglob("*") if each.is_file()):
        text = path.read_text()
        for name, here in paths.items():
            text = text.replace(name, here)
        copied = target / path.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_text(text)
        copied.chmod(path.stat().st_mode)


@pytest.fixture
def machine(tmp_path: Path, settings: Settings) -> Machine:
    return Machine(tmp_path / "server", settings)


def test_what_is_applied_is_answered_after_the_last_phase(machine: Machine, inbox: Inbox) -> None:
    here = machine.root
    machine.adds("migration.d/50-own", f"cp {here}/own {here}/rendered")
    machine.renders("cat")
    asked = {**NOTHING, "inputs": to(inbox.url)}
    first = script("true", config_id="c2", inputs=to(inbox.url + "-2"))
    assert machine.refresh(asked, first, **{"completion-handle": None}) == 0
    assert json.loads((here / "rendered").read_text())["deployments"] == [asked, first]
    assert [path[-2:] for _, path, *_ in inbox.received] == ["-2", "23"]
    assert [message["deploy_status_code"] for message in inbox.messages] == [0, 0]
    assert machine.left == []


@pytest.mark.parametrize("phase", ["pre-configure", "migration"])
def test_a_failure_of_a_phase_is_what_came_of_it(
    machine: Machine, inbox: Inbox, phase: str
) -> None:
    machine.adds(f"{phase}.d/60-own", "exit 1")
    assert machine.refresh({**NOTHING, "inputs": to(inbox.url)}) == 1
    (message,) = inbox.messages
    assert message["deploy_status_code"] == 1
    assert f"has failed in its phase {phase}, at 60-own: " in message["deploy_stderr"]
    assert machine.left == []


def test_a_template_that_cannot_be_rendered_with_it_is_a_failure(
    machine: Machine, inbox: Inbox
) -> None:
    machine.renders("exit 1")
    assert machine.refresh({**NOTHING, "inputs": to(inbox.url)}) == 1
    assert "its phase configure, at 20-os-apply-config" in inbox.messages[0]["deploy_stderr"]


def test_whoever_waits_for_the_end_is_signalled_then(machine: Machine, inbox: Inbox) -> None:
    machine.adds("migration.d/60-own", f"test -e {machine.root}/good")
    more = {"completion-handle": f"{inbox.url}&handle=\u00e9", "instance-id": "i-1"}
    assert machine.refresh(**more) == 1
    assert inbox.received == []
    (machine.root / "good").touch()
    assert machine.refresh(**more) == 0
    ((verb, path, _, message),) = inbox.received
    assert (verb, path[-8:], message["UniqueId"]) == ("PUT", "e=%C3%A9", "i-1")
