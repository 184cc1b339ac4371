# SPDX-License-Identifier: Apache-2.0
"""A server without an image: the elements' files and os-*-config, in a folder.

What differs from a server that was built is where things are, and that the
service does not loop unless that is asked for (:meth:`HostServer.in_service`):
each :meth:`HostServer.poll` is one run of heat-config-collect.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from heat_config.collect.loop import NOT_ASKED
from tests.support.checkout import ELEMENTS, REPOSITORY
from tests.support.hooks import installed


class HostServer:
    """os-collect-config, os-apply-config and the agent below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "log"
        self.hooks = installed(root / "usr/libexec/heat-config/hooks")
        self._templates = root / "templates"
        for folder in ("bin", "etc", "cache", "local-data"):
            (root / folder).mkdir(parents=True)
        for element in ("os-collect-config", "heat-config"):
            source = ELEMENTS / element / "os-apply-config"
            shutil.copytree(source, self._templates, dirs_exist_ok=True)
        for name, entry in (("heat-config", "main"), ("heat-config-notify", "notify")):
            code = f"import sys; from heat_config.cli import {entry}; sys.exit({entry}())"
            self._program(name, f"exec {sys.executable} -c '{code}' \"$@\"")
        self.tune("")
        agent = ELEMENTS / "heat-config/os-refresh-config/configure.d/55-heat-config"
        self._program("heat-config-run", agent.read_text())
        apply = f"os-apply-config --templates {self._templates} --output {root}"
        self._program("refresh", f"set -eu\n{apply}\nheat-config-run\nexec heat-config refreshed")

    def tune(self, statements: str) -> None:
        """Let heat-config-collect begin with these."""
        collect = "import sys; from heat_config.collect.loop import main; sys.exit(main())"
        self._program("heat-config-collect", f"#!{sys.executable}\n{statements}\n{collect}\n")

    def boot(self, os_collect_config: dict[str, Any]) -> None:
        """The first run, from what Nova's user data or an operator has put there."""
        data = self.root / "cfn-init-data"
        data.write_text(json.dumps({"deployments": [], "os-collect-config": os_collect_config}))
        status = self._collect("heat_local", "--heat_local-path", data)
        assert status in (0, NOT_ASKED), self.log.read_text()[-3000:]

    def poll(self) -> None:
        """One run of heat-config-collect with what the last one has configured."""
        # What could not be asked for is no fault of the server's.
        assert self.look() in (0, NOT_ASKED), self.log.read_text()[-3000:]

    def look(self) -> int:
        """The same, however it ends; return its exit status."""
        return self._collect("--config-file", self.root / "etc/os-collect-config.conf")

    @contextmanager
    def in_service(self) -> Iterator[None]:
        """Its services, within the block: one looks each second, one sends what is pending."""
        collector = self._collector("--config-file", self.root / "etc/os-collect-config.conf")
        often = ("--min-polling-interval", "0.2", "--polling-interval", "1")
        with self._running(*collector, *often), self._running("sh", "-c", self._timer):
            yield

    @property
    def _timer(self) -> str:
        """What heat-config-deliver's units do."""
        pending = self.root / "var/lib/heat-config/outbox/*.json"
        send = f'set -- {pending}; [ ! -e "$1" ] || heat-config deliver --due'
        return f"while sleep 5; do {send}; done"

    @contextmanager
    def _running(self, *command: str | Path) -> Iterator[None]:
        # It goes with the thread that has started it, also where that is killed.
        bound = ("setpriv", "--pdeathsig=KILL")
        with (
            self.log.open("a") as log,
            subprocess.Popen(
                [*bound, *command],
                env=self._environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            ) as program,
        ):
            try:
                yield
            finally:
                # With the command that it may be running.
                os.killpg(program.pid, signal.SIGKILL)

    def run(self, *command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program as on the server."""
        return subprocess.run(
            command, env=self._environment(), text=True, capture_output=True, **options
        )

    def asks_for(self, items: list[Any]) -> None:
        """Put the deployments where os-apply-config renders them."""
        path = self.root / "var/run/heat-config/heat-config"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(items))

    @property
    def deployed(self) -> Path:
        return self.root / "var/lib/heat-config/deployed"

    @property
    def undelivered(self) -> list[Path]:
        return list((self.root / "var/lib/heat-config/outbox").glob("*.json"))

    def _collect(self, *arguments: str | Path) -> int:
        with self.log.open("a") as log:
            done = subprocess.run(
                [*self._collector(*arguments), "--one-time"],
                env=self._environment(),
                stdout=log,
                stderr=log,
            )
        return done.returncode

    def _collector(self, *arguments: str | Path) -> list[str | Path]:
        settings = {
            "--cachedir": self.root / "cache",
            "--backup-cachedir": self.root / "cache-backup",
            "--local-path": self.root / "local-data",
            "--command": self.root / "bin/refresh",
        }
        options = [part for pair in settings.items() for part in pair]
        # A --config-file overrides the options before it.
        return [self.root / "bin/heat-config-collect", *arguments, *options]

    def _program(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def _environment(self) -> dict[str, str]:
        state = self.root / "var/lib/heat-config"
        programs = [self.root / "bin", Path(sys.executable).parent, os.environ["PATH"]]
        return {
            **os.environ,
            "PATH": ":".join(map(str, programs)),
            "PYTHONPATH": str(REPOSITORY),
            "OS_COLLECT_CONFIG_FILE": str(self.root / "etc/os-collect-config.conf"),
            "HEAT_SHELL_CONFIG": str(self.root / "var/run/heat-config/heat-config"),
            "HEAT_CONFIG_HOOKS": str(self.hooks),
            "HEAT_CONFIG_DEPLOYED": str(state / "deployed"),
            "HEAT_CONFIG_DEPLOYED_OLD": str(self.root / "var/run/heat-config/deployed"),
            "HEAT_CONFIG_OUTBOX": str(state / "outbox"),
            "HEAT_CONFIG_LOGS": str(self.root / "var/log/heat-config"),
            "HEAT_CONFIG_SETTINGS": str(self.root / "etc/heat-config.conf"),
            "HEAT_SCRIPT_WORKING": str(state / "heat-config-script"),
            "HEAT_SCRIPT_OUTPUTS": str(self.root / "var/run/heat-config/heat-config-script"),
        }
