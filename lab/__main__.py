# SPDX-License-Identifier: Apache-2.0
"""The command line: python3 -m lab install|up|down|status|env|logs."""

import argparse
import shlex
import signal
import sys
from pathlib import Path
from types import FrameType

from . import venv
from .config import PLAIN
from .control_plane import DEFAULT_DIRECTORY, Lab
from .errors import LabError
from .swift import REQUIREMENTS, SWIFT


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a LabError becomes its message and status 1."""
    options = _parser().parse_args(arguments)
    # Else a TERM would leave a lab that is half up.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return _COMMANDS[options.command](options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m lab", description=sys.modules["lab"].__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--directory", type=Path, default=DEFAULT_DIRECTORY, help="where it lives (%(default)s)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    install = commands.add_parser("install", help="create the services' Python environment")
    up = commands.add_parser("up", help="bring the control plane up, and leave it running")
    up.add_argument("--token-expiration", type=int, default=3600, metavar="SECONDS")
    for command in (install, up):
        command.add_argument("--swift", action="store_true", help="with Swift")
    commands.add_parser("down", help="take it down, whatever state it is in")
    commands.add_parser("status", help="list the services; status 1 unless all run")
    env = commands.add_parser("env", help='print variables for clients: eval "$(…)"')
    env.add_argument("--user", choices=("demo", "admin"), default="demo")
    logs = commands.add_parser("logs", help="print the last lines of the logs")
    logs.add_argument("service", nargs="?", help="of this service alone")
    logs.add_argument("--lines", type=int, default=30)
    return parser


def _install(options: argparse.Namespace) -> int:
    made = venv.install()
    if options.swift:
        made = venv.add(REQUIREMENTS) or made
    print(f"{venv.VENV} {'installed' if made else 'is up to date'}")
    return 0


def _up(options: argparse.Namespace) -> int:
    profile = SWIFT if options.swift else PLAIN
    lab = Lab(options.directory, token_expiration=options.token_expiration, profile=profile)
    if not lab.up():
        print(f"the lab in {lab.directory} is up already")
    return 0


def _down(options: argparse.Namespace) -> int:
    Lab(options.directory).down()
    return 0


def _status(options: argparse.Namespace) -> int:
    lab = Lab(options.directory)
    states = lab.status()
    if not states:
        print(f"no lab is up in {lab.directory}")
        return 1
    row = "{:<16} {:>8} {:<24} {:<6} {}"
    print(row.format("SERVICE", "PID", "PORT", "STATE", "LOG"))
    for state in states:
        ports = " ".join(f"127.0.0.1:{port}" for port in state.ports)
        print(row.format(state.name, state.pid, ports, "up" if state.alive else "DEAD", state.log))
    return 0 if lab.running else 1


def _env(options: argparse.Namespace) -> int:
    for name, value in Lab(options.directory).environment(options.user).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _logs(options: argparse.Namespace) -> int:
    lab = Lab(options.directory)
    if options.service and options.service not in lab.logs:
        raise LabError(f"no service {options.service}", hint=f"there are: {' '.join(lab.logs)}")
    for name in [options.service] if options.service else lab.logs:
        print(lab.tail(name, options.lines))
    return 0


def _terminate(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


_COMMANDS = {
    "install": _install,
    "up": _up,
    "down": _down,
    "status": _status,
    "env": _env,
    "logs": _logs,
}

if __name__ == "__main__":
    sys.exit(main())
