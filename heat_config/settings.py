# SPDX-License-Identifier: Apache-2.0
"""Where things are on a server, and what an operator may set.

The variables and the paths are those that heat-agents has used since 2014;
``HEAT_CONFIG_OUTBOX``, ``_CA_FILE`` and ``_INSECURE`` are new.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(NamedTuple):
    """The agent's settings; see :func:`from_environment`."""

    config_file: str
    """The deployments, as os-apply-config has rendered them (HEAT_SHELL_CONFIG)."""
    hook_folders: tuple[str, ...]
    """Where hooks are looked for, the first that has one wins (HEAT_CONFIG_HOOKS)."""
    deployed: str
    """What this server has run (HEAT_CONFIG_DEPLOYED)."""
    deployed_old: str
    """Where that stood before 2015 (HEAT_CONFIG_DEPLOYED_OLD)."""
    outbox: str
    """The results that have not been accepted yet (HEAT_CONFIG_OUTBOX)."""
    notify: str | None
    """A program that sends results in the agent's place (HEAT_CONFIG_NOTIFY)."""
    ca_file: str | None
    """Certificates of the authorities to trust (HEAT_CONFIG_CA_FILE); else the system's."""
    insecure: bool
    """Do not verify certificates (HEAT_CONFIG_INSECURE=1)."""


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; an empty variable counts as not set."""

    def get(name: str, default: str) -> str:
        return environ.get(name) or default

    hooks = ("/usr/libexec/heat-config/hooks", "/var/lib/heat-config/hooks")
    own_hooks = environ.get("HEAT_CONFIG_HOOKS")
    return Settings(
        config_file=get("HEAT_SHELL_CONFIG", "/var/run/heat-config/heat-config"),
        hook_folders=(own_hooks, *hooks) if own_hooks else hooks,
        deployed=get("HEAT_CONFIG_DEPLOYED", "/var/lib/heat-config/deployed"),
        deployed_old=get("HEAT_CONFIG_DEPLOYED_OLD", "/var/run/heat-config/deployed"),
        outbox=get("HEAT_CONFIG_OUTBOX", "/var/lib/heat-config/outbox"),
        notify=environ.get("HEAT_CONFIG_NOTIFY") or None,
        ca_file=environ.get("HEAT_CONFIG_CA_FILE") or environ.get("OS_CACERT") or None,
        insecure=get("HEAT_CONFIG_INSECURE", "0").lower() in ("1", "true", "yes"),
    )
