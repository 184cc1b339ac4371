# SPDX-License-Identifier: Apache-2.0
"""``openstack software deployment overview``: how far the deployments of a stack are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from osc_lib.command import command

from heat_operator import rows, words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

# Seconds between two looks.
_PAUSE = 5.0


class Overview(command.Lister):
    """Show each software deployment of a stack, those of nested stacks and of groups, too.

    Of one in progress its server's own word is shown, where it posts its progress. The exit status
    is 0 when all have ended well; 2 while Heat is at the stack, or when it has left one unfinished;
    1 when one or the stack has failed.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The stack and how long to wait for it."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("stack", metavar="STACK", help="name or ID of the stack")
        parser.add_argument("--wait", action="store_true", help="until Heat is at it no more")
        parser.add_argument(
            "--timeout", type=float, default=float("inf"), help="seconds to wait at most"
        )
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Show the rows and end with their status."""
        self._status = rows.Status.UNFINISHED
        super().run(parsed_args)
        return self._status

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[tuple[str, ...], list[Any]]:
        """The columns and the rows."""
        # python-heatclient puts it there.
        manager: Any = self.app.client_manager
        heat = manager.orchestration
        limit = parsed_args.timeout if parsed_args.wait else 0.0
        word = words.Words(heat, words.trust_of(manager)).of
        found = _awaited(lambda: rows.overview(heat, parsed_args.stack, word), limit)
        self._status = found.status()
        return rows.Row._fields, list(found.rows)


def _awaited(look: Callable[[], rows.Overview], limit: float) -> rows.Overview:
    end = time.monotonic() + limit
    found = look()
    while found.in_progress() and (left := end - time.monotonic()) > 0:
        time.sleep(min(_PAUSE, left))
        found = look()
    return found
