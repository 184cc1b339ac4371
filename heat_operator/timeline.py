# SPDX-License-Identifier: Apache-2.0
"""``openstack software deployment timeline``: where the time of a stack's last action went."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osc_lib.command import command

from heat_config import terminal
from heat_operator import drawing, history, page, picture

if TYPE_CHECKING:
    import argparse


class Timeline(command.Command):
    """Show where the time of a stack's last action went, server by server, and its critical path.

    What a hook took is known of deployments whose config declares the output deploy_times.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The stack, and where a picture is to be written."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("stack", metavar="STACK", help="name or ID of the stack")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--svg", type=Path, metavar="FILE", help="write it as a picture")
        where.add_argument("--html", type=Path, metavar="FILE", help="write it as a page")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Print it, or write it to a file."""
        # python-heatclient puts it there.
        manager: Any = self.app.client_manager
        found = history.timeline(manager.orchestration, parsed_args.stack)
        if parsed_args.svg:
            parsed_args.svg.write_text(picture.svg(found), encoding="utf-8")
        elif parsed_args.html:
            parsed_args.html.write_text(page.html(found), encoding="utf-8")
        else:
            width = shutil.get_terminal_size((100, 24)).columns
            terminal.write(self.app.stdout, drawing.text(found, width))
