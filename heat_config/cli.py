# SPDX-License-Identifier: Apache-2.0
"""Where the programs begin: heat-config, heat-config-notify, heat-config-rebuild-deployed.

``heat-config run`` is started at every change, and most often there is nothing to do. That
is found out here, before anything large is imported.
"""

from __future__ import annotations

import sys

from heat_config import log, quick, settings

TYPE_CHECKING = False  # typing's, without importing it
if TYPE_CHECKING:
    from collections.abc import Sequence

BAD_SETTING = 78  # EX_CONFIG of sysexits.h


def main(argv: Sequence[str] | None = None) -> int:
    """``heat-config COMMAND``; the exit status is 2 for a usage that is not one."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments in (["run"], ["refreshed"]):
            given = settings.load()
            done = quick.all_done(given)
            if done is not None and (arguments == ["run"] or not quick.completion(given)):
                log.debug(f"{done} deployments, nothing to do")
                return 0
        from heat_config.commands import line

        return line.main(arguments)
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
    if list(sys.argv[1:] if argv is None else argv):
        print("usage: heat-config-rebuild-deployed", file=sys.stderr)
        return 2
    return main(["rebuild-deployed"])
