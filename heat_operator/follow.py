# SPDX-License-Identifier: Apache-2.0
"""``openstack software deployment follow``: what deployments write, while they write it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from heatclient import exc
from osc_lib import exceptions
from osc_lib.command import command

from heat_config import terminal
from heat_operator import words
from heat_operator.following import Followed, Following, OfOne, OfStack, Pace, Target

if TYPE_CHECKING:
    import argparse
    from typing import TextIO


class Follow(command.Command):
    """Show what the deployments of a stack, or one deployment, write while they run.

    Each line begins with its deployment: "|" is a line of the run, "*" is about it. It ends when
    Heat waits for nothing more. The exit status is the deployment's; of a stack 0 when all have
    ended well, 1 when one or the stack has failed, 2 when one was left unfinished.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The stack or the deployment."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "target",
            metavar="STACK|DEPLOYMENT",
            help="name or ID of the stack, or ID of the deployment",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Follow it to its end; return the exit status."""
        # python-heatclient puts it there.
        manager: Any = self.app.client_manager
        heat, trust = manager.orchestration, words.trust_of(manager)
        out: TextIO = self.app.stdout

        def make(name: str) -> Followed:
            return Followed(heat, trust, lambda line: _write(out, f"{name} {line}"))

        target = _target(heat, parsed_args.target)
        return Following(target, make, lambda line: _write(sys.stderr, line), Pace()).run()


def _write(stream: TextIO, line: str) -> None:
    """A line without orders to a terminal, wherever it goes."""
    terminal.write(stream, terminal.shown(line, keep="\t") + "\n")


def _target(heat: Any, name: str) -> Target:
    """The stack, or the deployment, of this name.

    :raises CommandError: there is none.
    """
    try:
        return OfStack(heat, heat.stacks.get(name).id)
    except exc.HTTPNotFound:
        pass
    try:
        return OfOne(heat, heat.software_deployments.get(name).id)
    except exc.HTTPNotFound:
        raise exceptions.CommandError(f"there is no stack or deployment {name}") from None
