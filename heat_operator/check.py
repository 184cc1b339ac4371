# SPDX-License-Identifier: Apache-2.0
"""``openstack software config check``: what in this cloud does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osc_lib.command import command

from heat_config.terminal import shown
from heat_operator import looks
from heat_plugin import judging

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from heat_plugin.judging import Finding

COLUMNS = ("state", "what", "found", "remedy")


class Check(command.Lister):
    """Say what in this cloud does not fit software deployments over Zaqar, and what helps.

    It posts a message on a queue of this project, which it deletes again. The exit status is 0 when
    nothing is missing, else 1. What heat.conf says heat-config-heat-check knows, on Heat's host.
    """

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Show the rows and end with their status."""
        self._found: Sequence[Finding] = ()
        super().run(parsed_args)
        return judging.status(self._found)

    def take_action(
        self,
        parsed_args: argparse.Namespace,  # noqa: ARG002 - as inherited
    ) -> tuple[tuple[str, ...], list[Any]]:
        """The columns and the rows."""
        self._found = list(looks.all_looks(self.app.client_manager))
        return COLUMNS, [_row(each) for each in self._found]


def _row(finding: Finding) -> tuple[str, ...]:
    state = "ok" if finding.ok else "MISSING"
    return state, finding.what, shown(finding.said), finding.remedy
