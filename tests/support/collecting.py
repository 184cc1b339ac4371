# SPDX-License-Identifier: Apache-2.0
"""heat-config-collect as a process: its configuration, queue, and what its command was run with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import requests

from lab import Lab
from tests.support.checkout import REPOSITORY
from tests.support.user import DemoUser

PROGRAM = "import sys; from heat_config.collect.loop import main; sys.exit(main())"


class Collecting:
    """A server's heat-config-collect, its configuration and its files."""

    def __init__(self, lab: Lab, root: Path) -> None:
        self.root = root
        self.user = DemoUser(lab)
        self.queue = f"collect-{uuid.uuid4().hex[:12]}"
        self.values = {
            **{
                name: self.user.values[f"deploy_{name}"]
                for name in ("auth_url", "user_id", "password", "project_id", "region_name")
            },
            "queue_id": self.queue,
        }
        self.log = root / "log"
        self.environment = {"LC_ALL": "C.UTF-8"}
        self.applied_file = root / "applied"
        (root / "local-data").mkdir(parents=True)
        self._zaqar = lab.endpoints["messaging"]
        self._program = root / "heat-config-collect"
        self.tune("")
        # Nothing is committed before this has ended well.
        self.command = (
            f"tr -d '\\n' < {root}/cache/zaqar.json > {root}/line && echo >> {root}/line"
            f" && cat {root}/line >> {root}/applied"
        )

    def configure(self, collectors: str = "zaqar", **options: object) -> Path:
        settings = {
            "cachedir": self.root / "cache",
            "backup_cachedir": self.root / "backup",
            "command": self.command,
            "min_polling_interval": 0.2,
            "polling_interval": 1,
            **options,
        }
        lines = ["[DEFAULT]", *(f"{key} = {value}" for key, value in settings.items())]
        lines += [f"collectors = {name}" for name in collectors.split()]
        lines += ["[local]", f"path = {self.root}/local-data", "[zaqar]"]
        # As oslo.config reads it back.
        lines += [f"{key} = {str(value).replace('$', '$$')}" for key, value in self.values.items()]
        path = self.root / "collect.conf"
        path.write_text("\n".join(lines) + "\n")
        return path

    def tune(self, statements: str) -> None:
        """Let the program begin with these: to have a time limit of half a minute end sooner."""
        self._program.write_text(f"#!{sys.executable}\n{statements}\n{PROGRAM}\n")
        self._program.chmod(0o755)

    def start(self, *arguments: str, **options: object) -> subprocess.Popen[str]:
        with self.log.open("a") as log:
            return subprocess.Popen(
                [self._program, "--config-file", self.configure(**options), *arguments],  # type: ignore[arg-type]
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), **self.environment},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def once(self, *arguments: str, **options: object) -> str:
        """Run it to its end; return what it printed."""
        with self.start(*(arguments or ("--one-time",)), **options) as program:
            printed, _ = program.communicate(timeout=180)
        self.status = program.returncode
        return printed

    def post(self, *bodies: object) -> None:
        messages = [{"body": body, "ttl": 300} for body in bodies]
        self.queue_request("POST", "/messages", json={"messages": messages})

    def waiting(self) -> list[Any]:
        """The bodies of what is on the queue."""
        found = self.queue_request("GET", "/messages?echo=true&include_claimed=true&marker=0")
        return [message["body"] for message in found["messages"]]

    def applied(self) -> list[Any]:
        """The numbers of what the command was run with."""
        if not self.applied_file.exists():
            return []
        return [json.loads(line).get("n") for line in self.applied_file.read_text().splitlines()]

    def queue_request(self, method: str, path: str = "", **options: Any) -> Any:
        """What another program does with the queue."""
        url = f"{self._zaqar}/v2/queues/{self.queue}{path}"
        with requests.request(
            method, url, headers=self.user.headers(), timeout=30, **options
        ) as found:
            found.raise_for_status()
            return found.json() if found.content else None


def body(number: int) -> dict[str, Any]:
    return {"deployments": [], "n": number}


def has_applied(collecting: Collecting, number: int) -> bool:
    """Whether this is what was applied last."""
    return collecting.applied()[-1:] == [number]


def has_started_anew(collecting: Collecting, times: int) -> bool:
    return said(collecting, "starting anew") == times


def said(collecting: Collecting, text: str) -> int:
    """In how many lines it has said this."""
    lines = collecting.log.read_text().splitlines()
    return sum(text in line for line in lines)
