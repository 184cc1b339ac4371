# SPDX-License-Identifier: Apache-2.0
"""The programs: heat-config, heat-config-notify and heat-config-rebuild-deployed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from heat_config import settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

USAGE = """\
usage: heat-config COMMAND

  run              run the deployments that have not been run, and send their
                   results; what os-refresh-config runs at every change
  deliver          send the results that no transport has accepted yet; the exit
                   status is 1 when some are left
  notify CONFIG    send the result on stdin for the deployment in the file CONFIG
  elements-path    print the folder to put into ELEMENTS_PATH for disk-image-create
  --version        print the version
"""


def main(argv: Sequence[str] | None = None) -> int:
    """``heat-config COMMAND``; the exit status is 2 for a usage that is not one."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    match arguments:
        case ["run"]:
            from heat_config import agent

            return agent.run(settings.from_environment())
        case ["deliver"]:
            from heat_config import agent

            return agent.deliver(settings.from_environment())
        case ["notify", *rest]:
            return notify(rest)
        case ["elements-path"]:
            print(elements_path())
            return 0
        case ["--version"]:
            from heat_config import __version__

            print(f"heat-config {__version__}")
            return 0
        case ["-h" | "--help" | "help"]:
            print(USAGE, end="")
            return 0
    asked = " ".join(arguments) or "no command"
    print(f"heat-config: {asked}?\n\n{USAGE}", end="", file=sys.stderr)
    return 2


def notify(argv: Sequence[str] | None = None) -> int:
    """``heat-config-notify /path/to/config.json < result.json``.

    The exit status is 0 when the result was accepted or none is expected, 1
    when it was not accepted, 2 when the files are not what they must be.
    """
    from pathlib import Path

    from heat_config import notification

    arguments = list(sys.argv[1:] if argv is None else argv)
    if len(arguments) != 1:
        print(
            "usage: heat-config-notify /path/to/config.json < /path/to/result.json",
            file=sys.stderr,
        )
        return 2
    return notification.send(Path(arguments[0]), sys.stdin.buffer.read(), _settings())


def rebuild_deployed(argv: Sequence[str] | None = None) -> int:
    """``heat-config-rebuild-deployed``: take all deployments for done, run none.

    For a server whose folder of what is deployed was lost: its deployments were
    run long ago, and running them again would not be right.
    """
    from heat_config import rebuild

    if list(sys.argv[1:] if argv is None else argv):
        print("usage: heat-config-rebuild-deployed", file=sys.stderr)
        return 2
    return rebuild.rebuild_deployed(_settings())


def elements_path() -> Path:
    """The folder of the elements: in the installed package or in the checkout."""
    from pathlib import Path

    package = Path(__file__).resolve().parent
    installed = package / "share" / "elements"
    return installed if installed.is_dir() else package.parent / "elements"


def _settings() -> settings.Settings:
    return settings.from_environment(os.environ)
