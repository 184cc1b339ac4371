# SPDX-License-Identifier: Apache-2.0
"""A config that Heat asks for no more, while its hook runs: its option may have it cancelled.

The collector goes on while os-refresh-config runs, and notes what Heat asks for by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat_config import waiting

if TYPE_CHECKING:
    from heat_config.deployment import Deployment
    from heat_config.settings import Settings


def is_to_be_cancelled(target: Deployment, settings: Settings) -> bool:
    """Whether Heat has removed or replaced a config with the option ``on_removed: cancel``."""
    if target.error or target.item["options"].get("on_removed") != "cancel":
        return False
    newer = waiting.read(settings)
    return newer is not None and newer.asked is not None and target.id not in newer.asked
