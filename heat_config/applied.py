# SPDX-License-Identifier: Apache-2.0
"""The configs that are data: no hook runs them, os-apply-config renders its templates with them.

The collector writes each of them to a file of its own, os-apply-config merges all files, and
the agent answers when os-refresh-config has ended. Here is what both must agree on: which
configs these are, and why one cannot be applied.

Source: ``os_collect_config.merger``, ``os_apply_config.collect_config``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heat_config import deployment
from heat_config.data import kind
from heat_config.deployment import APPLIED_WITHOUT_HOOK, UNGROUPED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from heat_config.deployment import Deployment

# What the server itself goes by. A config that could say the same would take the other
# configs, or the way to Heat, from it.
SERVERS_OWN = ("deployments", "os-collect-config")


def sources(items: Iterable[object]) -> list[tuple[str, Any]]:
    """The name and the data of each config that is applied, in their order: the later one counts.

    Several may have one name, which can be any text.
    """
    targets = filter(None, map(_applied, items))
    return [(target.name, target.item["config"]) for target in targets]


def problem(target: Deployment) -> str | None:
    """Why the config cannot be applied, for its author; None when it can."""
    config = target.item["config"]
    if not config:  # a stack may have one for its order alone
        return None
    if not isinstance(config, dict):
        return _no_map(target.group, config)
    own = [key for key in SERVERS_OWN if key in config]
    if own:
        return (
            f"nothing of the config was applied: {' and '.join(own)} are the server's own data, "
            "which come from Heat or from the section 'metadata' of the server's resource"
        )
    return None


def _no_map(group: str, config: object) -> str:
    reason = f"nothing was applied: the config is {kind(config)}, not a map of data. "
    if group == UNGROUPED:
        return reason + "It names no group: which hook is to run it, for example group: script?"
    return reason + "Use OS::Heat::StructuredConfig"


def _applied(item: object) -> Deployment | None:
    """A config that is applied; None where it is none, or none that can be."""
    if not isinstance(item, dict):
        return None
    # An operator's own metadata need not have ids.
    target = deployment.read({**item, "id": "none"} if item.get("id") is None else item)
    if target.error or target.group not in APPLIED_WITHOUT_HOOK or not target.item["config"]:
        return None
    return None if problem(target) else target
