# SPDX-License-Identifier: Apache-2.0
"""A run in whose middle the server is shut down, or the agent's service stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from heat_config import cli
from heat_config.run import stopped
from heat_config.run.store import Store
from heat_config.settings import Settings
from tests.support.deployments import script

AGENT = "import sys; from heat_config.cli import main; sys.exit(main(['run']))"


def systemd_says(state: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for systemctl."""
    program = folder / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ntest "$*" = is-system-running && echo {state}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def ended_while_it_ran(settings: Settings, item: dict[str, Any], pid_file: Path) -> int:
    """Run the agent, and ask it to end when the script has begun; return its exit status."""
    Path(settings.config_file).write_text(json.dumps([item]))
    with subprocess.Popen([sys.executable, "-c", AGENT]) as agent:
        while not (pid_file.exists() and pid_file.read_text().strip()):
            assert agent.poll() is None
            time.sleep(0.02)
        agent.terminate()
        status = agent.wait()
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
    return status


@pytest.mark.parametrize(
    ("state", "why"), [("stopping", stopped.SHUTDOWN), ("degraded", stopped.TERMINATED)]
)
def test_the_result_says_which(
    deploy: Any,
    answer: Any,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    why: str,
) -> None:
    systemd_says(state, tmp_path, monkeypatch)
    item = script(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 300")
    assert ended_while_it_ran(settings, item, tmp_path / "pid") == -signal.SIGTERM
    assert not Store(settings).has_ended("c1")
    assert deploy(item) == 0
    assert f"the run was interrupted: {why} before it had ended. " in answer("c1")["deploy_stderr"]
    assert answer("c1")["deploy_interrupted"] is True


def test_what_fails_in_a_shutdown_is_answered_after_the_boot(
    deploy: Any, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that wants a service restarted is refused that, for example."""
    systemd_says("stopping", tmp_path, monkeypatch)
    deploy(script("", group="os-apply-config", config={"k": 1}))
    assert cli.main(["refreshed", "--failed-in", "its phase configure"]) == 0
    assert not Store(settings).has_begun("c1")


def test_after_the_run_it_is_nobodys_note(deploy: Any, settings: Settings) -> None:
    before = signal.getsignal(signal.SIGTERM)
    deploy(script("true"))
    assert signal.getsignal(signal.SIGTERM) is before
    assert Store(settings).begun("c1").stopped is None
