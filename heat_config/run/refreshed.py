# SPDX-License-Identifier: Apache-2.0
"""What comes of a config that os-apply-config applies: what os-refresh-config came to.

Nothing of it is run here. It is rendered at the beginning of os-refresh-config, and whether the
server could make use of it is known at the end: until then it is pending. os-refresh-config
that is cut is run again by the collector, and answers then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from heat_config import applied
from heat_config.deployment import APPLIED_WITHOUT_HOOK
from heat_config.result import Result, failure
from heat_config.run import hook

if TYPE_CHECKING:
    from heat_config.deployment import Deployment
    from heat_config.settings import Settings


class Refreshed(NamedTuple):
    """How os-refresh-config has ended."""

    failed_in: str | None = None
    """Where it has failed, its phase for example; None when it has not."""

    def result(self, target: Deployment) -> Result:
        """What one config came to."""
        if reason := applied.problem(target):
            return failure(f"{reason}\n")
        if self.failed_in is None:
            done = "applied by os-apply-config, and os-refresh-config has ended well"
            return Result(0, f"group {target.group}: {done}\n")
        return failure(
            f"os-refresh-config, which applies the config, has failed in {self.failed_in}: on the "
            "server, journalctl -u os-collect-config says why\n"
        )


def is_applied(target: Deployment, settings: Settings) -> bool:
    """Whether os-apply-config alone applies it: a server may have a hook for its group, too."""
    if target.group not in APPLIED_WITHOUT_HOOK or target.error:
        return False
    return hook.find(target.group, settings.hook_folders) is None
