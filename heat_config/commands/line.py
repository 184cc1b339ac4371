# SPDX-License-Identifier: Apache-2.0
"""The command line of ``heat-config``."""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import heat_config
from heat_config import log as journal
from heat_config import settings, terminal
from heat_config.commands import completion, display, log, notify, rebuild, status
from heat_config.events import Event
from heat_config.run import loop, stopped
from heat_config.run.refreshed import Refreshed
from heat_config.signals.own import with_own_program

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heat_config.settings import Settings

BROKEN = 70  # EX_SOFTWARE of sysexits.h


def main(arguments: Sequence[str]) -> int:
    """Run a command; return its exit status.

    :raises SettingsError: a setting is not usable.
    """
    options = _parser().parse_args(arguments)
    if options.command == "elements-path":
        print(elements_path())
        return 0
    given = settings.load()
    try:
        return _COMMANDS[options.command](options, given)
    except Exception:  # Python's own 1 would be taken for the command's word
        journal.error(f"a fault of heat-config itself:\n{traceback.format_exc()}")
        return BROKEN


def elements_path() -> Path:
    """The folder of the elements: in the installed package or in the checkout."""
    package = Path(heat_config.__file__).resolve().parent
    installed = package / "share" / "elements"
    return installed if installed.is_dir() else package.parent / "elements"


def _run(options: argparse.Namespace, given: Settings) -> int:
    settings_of_run = with_own_program(given)._replace(keep_of=options.keep)
    return loop.run(settings_of_run, force=options.keep or options.force)


def _refreshed(options: argparse.Namespace, given: Settings) -> int:
    if options.failed_in and stopped.is_shutting_down():
        journal.info("the server is shut down: os-refresh-config is run again after the boot")
        return loop.DONE
    if options.failed_in:
        journal.error(f"os-refresh-config has failed in {options.failed_in}", Event.NOT_APPLIED)
    status = loop.refreshed(with_own_program(given), Refreshed(options.failed_in))
    if options.failed_in is None and not completion.signal(given):
        return loop.FAILED
    return status


def _deliver(options: argparse.Namespace, given: Settings) -> int:
    return loop.deliver(with_own_program(given), due_only=options.due)


def _status(options: argparse.Namespace, given: Settings) -> int:
    found, unknown = _rows(options, given)
    waits = status.newer(given)
    said = [each for each in (status.now_applied(given, found), waits) if each]
    if options.short:
        terminal.write(sys.stdout, display.as_short(found, said, unknown))
        return status.exit_status(found, unknown or waits)
    # Where nothing is known nothing is shown: no row would mean that there is no deployment.
    if found or not unknown:
        show = display.as_json if options.format == "json" else display.as_table
        terminal.write(sys.stdout, show(found))
    for each in (*([unknown] if unknown else []), *said):
        terminal.write(sys.stderr, f"{terminal.shown(each)}\n")
    return status.exit_status(found, unknown or waits)


def _rows(options: argparse.Namespace, given: Settings) -> tuple[list[status.Row], str]:
    """The rows that are asked for, and why nothing is known of what Heat asks for by now."""
    try:
        found, unknown = _asked(options, given), ""
    except status.UnknownError as error:
        found, unknown = [], str(error)
    try:
        return [*(status.former(given) if options.all else ()), *found], unknown
    except status.UnknownError as error:
        return found, str(error)


def _asked(options: argparse.Namespace, given: Settings) -> list[status.Row]:
    return status.wait(given, options.timeout) if options.wait else status.rows(given)


def _log(options: argparse.Namespace, given: Settings) -> int:
    return log.show(options.id, given, follow=options.follow)


def _notify(options: argparse.Namespace, given: Settings) -> int:
    return notify.send(Path(options.config), sys.stdin.buffer.read(), given)


def _install(options: argparse.Namespace, given: Settings) -> int:
    from heat_config.commands import install

    return install.command(options, elements_path(), given)


def _join(options: argparse.Namespace, _: Settings) -> int:
    try:
        from heat_config.commands import join
    except ModuleNotFoundError as error:
        # The commands of a server work without its service, and then without what that needs.
        journal.error(f"join needs {error.name}: pip install 'heat-config[server]'")
        return loop.FAILED
    return join.command(options)


def _rebuild(_: argparse.Namespace, given: Settings) -> int:
    return rebuild.rebuild_deployed(given)


_COMMANDS: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
    "run": _run,
    "refreshed": _refreshed,
    "deliver": _deliver,
    "status": _status,
    "log": _log,
    "notify": _notify,
    "rebuild-deployed": _rebuild,
    "install": _install,
    "join": _join,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="heat-config",
        description="Run OpenStack Heat's software deployments on this server.",
    )
    parser.add_argument(
        "--version", action="version", version=f"heat-config {heat_config.__version__}"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="run what has not been run, and deliver the results",
        epilog="Exit status: 0 each config has its result; 1 could not: nothing has come from "
        "Heat, nothing that can be read, or not the config ID; 2 something could not be begun or "
        "kept on this server's disk, and will be taken up again.",
    )
    again = run.add_mutually_exclusive_group()
    again.add_argument("--force", metavar="ID", help="run this config again, whatever was before")
    again.add_argument(
        "--keep",
        metavar="ID",
        help="the same, and keep in /var/run/heat-config/kept/ID what its tool was given, and a "
        "script that runs it by hand",
    )

    refreshed = commands.add_parser(
        "refreshed",
        help="answer what os-apply-config has applied: os-refresh-config has ended",
        epilog="Exit status: 0 each config has its result; 1 nothing has come from Heat, or "
        "completion-handle or completion-signal could not be reached; 2 a result could not be "
        "kept on this server's disk, and will be.",
    )
    refreshed.add_argument("--failed-in", metavar="WHERE", help="it has failed, in this phase")

    status_of = commands.add_parser(
        "status",
        help="show the deployments, and whether Heat knows their results",
        epilog="Exit status: 0 all have run well and Heat knows; 1 one has failed, or its result "
        "was abandoned; 2 one is still to be run, is running, or its result is pending, "
        "newer metadata wait, or nothing is known of them.",
    )
    form = status_of.add_mutually_exclusive_group()
    form.add_argument("--format", choices=("table", "json"), default="table")
    form.add_argument("--short", action="store_true", help="a few lines, for those who log in")
    status_of.add_argument("--all", action="store_true", help="what ran before, too")
    status_of.add_argument("--wait", action="store_true", help="wait while the status would be 2")
    status_of.add_argument("--timeout", type=float, metavar="SECONDS", help="wait no longer")

    deliver = commands.add_parser(
        "deliver", help="deliver what is pending now; the exit status is 1 when some is left"
    )
    deliver.add_argument("--due", action="store_true", help="only what has waited long enough")

    log_of = commands.add_parser("log", help="show what a run has written")
    log_of.add_argument("id", metavar="ID")
    log_of.add_argument("-f", "--follow", action="store_true", help="while it goes on, too")

    notify_for = commands.add_parser("notify", help="deliver the result on stdin for one config")
    notify_for.add_argument("config", metavar="CONFIG", help="the config's file")

    commands.add_parser("rebuild-deployed", help="take all deployments for done, run none")
    _add_install(commands)
    _add_join(commands)
    commands.add_parser("elements-path", help="print the folder to put into ELEMENTS_PATH")
    return parser


def _add_install(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    install = commands.add_parser(
        "install",
        help="set this server up: units, programs, hooks and folders, as an image has them",
        epilog="Exit status: 0 all is as it has to be; 1 could not. A second time it changes "
        "nothing, and after an upgrade it changes what is new.",
    )
    install.add_argument(
        "--hook",
        action="append",
        metavar="GROUP",
        help="a hook; again for each. Without: those there are, at first script",
    )
    install.add_argument("--dry-run", action="store_true", help="only say what would be done")
    install.add_argument("--root", default="/", metavar="FOLDER", help="where its files are")
    install.add_argument("--uninstall", action="store_true", help="take it away; data stay")
    install.add_argument("--purge", action="store_true", help="take it away with its data")
    install.add_argument(
        "--force",
        action="store_true",
        help="replace programs of others, which come back when it is taken away; take it away also "
        "while a config is being run",
    )


def _add_join(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    join = commands.add_parser(
        "join",
        help="give this server to a stack: OS::Heat::DeployedServer's os_collect_config",
        epilog="Exit status: 0 the metadata have come; 1 what was given cannot be used, or the "
        "service does not start; 2 they have not come in time, and the service goes on trying.",
    )
    join.add_argument(
        "given",
        nargs="?",
        default="-",
        metavar="FILE",
        help="the attribute, or what openstack stack output show prints of it, with -f json or "
        "-f value; without: on stdin",
    )
    join.add_argument("--server-id", metavar="ID", help="of the server's resource: Heat is asked")
    join.add_argument("--timeout", type=float, default=60, metavar="SECONDS", help="wait so long")
