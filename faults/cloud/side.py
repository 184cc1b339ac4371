# SPDX-License-Identifier: Apache-2.0
"""Whose software answers: with our side of Heat, our agent alone, or heat-agents."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from faults.cloud.schedule import Schedule
from tests.support.template import template

ACTIONS = ["CREATE", "UPDATE", "DELETE"]
# The path that the script hooks give a run holds the id of its config.
SCRIPT = """#!/bin/sh
echo "$deploy_action $who $step $(basename "$heat_outputs_path")" >> "$runs"
sleep $pause
echo "$who"
"""


class Side(NamedTuple):
    """What differs."""

    name: str
    plugin: bool
    """Whether Heat has our plug-in."""
    server_transport: str
    signal_transport: str

    def template(self, schedule: Schedule, who: str, runs: Path) -> dict[str, Any]:
        """A server and the steps of a schedule, all of which shall say ``who``."""
        made = template(
            server_transport=self.server_transport,
            signal_transport=self.signal_transport,
            deployments={
                step.name: {
                    "config": SCRIPT,
                    "values": {
                        "who": who,
                        "step": step.name,
                        "pause": str(step.pause),
                        "runs": str(runs),
                    },
                }
                for step in schedule.steps
            },
        )
        for step in schedule.steps:
            resource = made["resources"][f"{step.name}_deployment"]
            resource["properties"]["actions"] = ACTIONS
            if step.after:
                resource["depends_on"] = f"{step.after}_deployment"
        return made


PLUGIN = Side("plugin", True, "AUTO", "AUTO")
ALONE = Side("alone", False, "ZAQAR_MESSAGE", "ZAQAR_SIGNAL")
SIDES = {side.name: side for side in (PLUGIN, ALONE)}
