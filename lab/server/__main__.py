# SPDX-License-Identifier: Apache-2.0
"""The command line: python3 -m lab.server."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import LabError
from .machine import Server

COMMANDS = {
    "boot": "boot an unpacked image and leave it running",
    "shell": "get a shell in a server that was left running",
    "journal": "print its journal",
    "stop": "power it off",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "boot":
            return _boot(options.root, options.name)
        return _use(Server.find(options.name), options.command)
    except LabError as error:
        print(f"lab.server: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m lab.server", description="A booted image.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, explained in COMMANDS.items():
        command = commands.add_parser(name, help=explained)
        command.add_argument("--name", default="server", help="which server (%(default)s)")
    commands.choices["boot"].add_argument("root", type=Path, help="an unpacked image")
    return parser


def _boot(root: Path, name: str) -> int:
    server = Server(root, name=name, keep=True)
    server.boot()
    print(server.shell_command())
    return 0


def _use(server: Server, command: str) -> int:
    if command == "shell":
        return subprocess.run(shlex.split(server.shell_command()), check=False).returncode
    if command == "journal":
        print(server.journal(), end="")
    else:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
