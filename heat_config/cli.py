# SPDX-License-Identifier: Apache-2.0
"""The programs: heat-config, heat-config-notify and heat-config-rebuild-deployed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from heat_config import log, settings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from pathlib import Path

BAD_SETTING = 78  # EX_CONFIG of sysexits.h


def main(argv: Sequence[str] | None = None) -> int:
    """``heat-config COMMAND``; the exit status is 2 for a usage that is not one."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments == ["run"]:  # at every change: without the time that argparse takes
            from heat_config.run import loop as agent

            return agent.run(settings.load())
        return _command(_parser().parse_args(arguments))
    except settings.SettingsError as error:
        log.error(str(error))
        return BAD_SETTING


def notify(argv: Sequence[str] | None = None) -> int:
    """``heat-config-notify /path/to/config.json < result.json``.

    The exit status is 0 when the result was accepted or none is expected, 1
    when it was not accepted, 2 when the files are not what they must be.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if len(arguments) != 1:
        print(
            "usage: heat-config-notify /path/to/config.json < /path/to/result.json",
            file=sys.stderr,
        )
        return 2
    return main(["notify", *arguments])


def rebuild_deployed(argv: Sequence[str] | None = None) -> int:
    """``heat-config-rebuild-deployed``: take all deployments for done, run none.

    For a server whose folder of what is deployed was lost: its deployments were
    run long ago, and running them again would not be right.
    """
    from heat_config.commands import rebuild

    if list(sys.argv[1:] if argv is None else argv):
        print("usage: heat-config-rebuild-deployed", file=sys.stderr)
        return 2
    return rebuild.rebuild_deployed(settings.load())


def elements_path() -> Path:
    """The folder of the elements: in the installed package or in the checkout."""
    from pathlib import Path

    package = Path(__file__).resolve().parent
    installed = package / "share" / "elements"
    return installed if installed.is_dir() else package.parent / "elements"


def _command(options: Namespace) -> int:
    if options.command == "elements-path":
        print(elements_path())
        return 0
    given = settings.load()
    if options.command == "status":
        return _status(options, given)
    if options.command == "log":
        from heat_config.commands import log as follow

        return follow.show(options.id, given, follow=options.follow)
    if options.command == "notify":
        from pathlib import Path

        from heat_config.commands import notify as notification

        return notification.send(Path(options.config), sys.stdin.buffer.read(), given)
    from heat_config.run import loop as agent

    if options.command == "deliver":
        return agent.deliver(given, due_only=options.due)
    return agent.run(given, force=options.force)


def _status(options: Namespace, given: settings.Settings) -> int:
    from heat_config.commands import status

    try:
        found = status.wait(given, options.timeout) if options.wait else status.rows(given)
    except status.UnknownError as error:
        print(error, file=sys.stderr)
        return status.UNFINISHED
    show = status.as_json if options.format == "json" else status.as_table
    print(show(found), end="")
    return status.exit_status(found)


def _parser() -> ArgumentParser:
    import argparse

    from heat_config import __version__

    parser = argparse.ArgumentParser(
        prog="heat-config",
        description="Run OpenStack Heat's software deployments on this server.",
    )
    parser.add_argument("--version", action="version", version=f"heat-config {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run what has not been run, and send the results")
    run.add_argument("--force", metavar="ID", help="run this config again, whatever was before")

    status = commands.add_parser(
        "status",
        help="show the deployments, and whether Heat knows their results",
        epilog="Exit status: 0 all have run well and Heat knows; 1 one has failed, or its result "
        "was given up; 2 one is still to be run, is running, or its result is owed, or nothing is "
        "known of them.",
    )
    status.add_argument("--format", choices=("table", "json"), default="table")
    status.add_argument("--wait", action="store_true", help="wait while the status would be 2")
    status.add_argument("--timeout", type=float, metavar="SECONDS", help="wait no longer")

    deliver = commands.add_parser(
        "deliver", help="send what is owed now; the exit status is 1 when some is left"
    )
    deliver.add_argument("--due", action="store_true", help="only what has waited long enough")

    log_of = commands.add_parser("log", help="show what a run has written")
    log_of.add_argument("id", metavar="ID")
    log_of.add_argument("-f", "--follow", action="store_true", help="while it goes on, too")

    notify_for = commands.add_parser("notify", help="send the result on stdin for one config")
    notify_for.add_argument("config", metavar="CONFIG", help="the config's file")

    commands.add_parser("elements-path", help="print the folder to put into ELEMENTS_PATH")
    return parser
