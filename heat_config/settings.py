# SPDX-License-Identifier: Apache-2.0
"""Where things are on a server, and what an operator may set.

Each setting is a variable of the environment, or a line ``NAME=value`` in
``/etc/heat-config.conf``; the environment wins. The variables and the paths that
heat-agents knows have their names from there.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing's, without importing it
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NamedTuple
else:
    from heat_config.tuples import NamedTuple

FILE = "/etc/heat-config.conf"
# What a hook's environment has: where secrets lie that only its run needs.
SECRETS_VARIABLE = "HEAT_CONFIG_SECRETS"
# And where that stays: what is there must not be removed.
KEPT_VARIABLE = "HEAT_CONFIG_KEPT"

# Seconds: no time that is set is longer than a year.
LONGEST = 31_536_000


class SettingsError(Exception):
    """A setting has a value that cannot be used; the message names both."""


class Settings(NamedTuple):
    """The agent's settings; see :func:`load`."""

    config_file: str
    """The deployments, as os-apply-config has rendered them (HEAT_SHELL_CONFIG)."""
    hook_folders: tuple[str, ...]
    """Where hooks are looked for, the first that has one wins (HEAT_CONFIG_HOOKS)."""
    deployed: str
    """What this server has run (HEAT_CONFIG_DEPLOYED)."""
    deployed_old: str
    """Where that stood before 2015 (HEAT_CONFIG_DEPLOYED_OLD)."""
    outbox: str
    """The results that are pending (HEAT_CONFIG_OUTBOX)."""
    logs: str
    """What each run has written, in full (HEAT_CONFIG_LOGS)."""
    logs_size: int
    """How many bytes of logs are kept (HEAT_CONFIG_LOGS_SIZE)."""
    keep: float
    """Seconds that more than the fact is kept of a run that Heat asks for no more; see
    :mod:`heat_config.run.ageing` (HEAT_CONFIG_KEEP)."""
    notify: str | None
    """A program that sends results in the agent's place (HEAT_CONFIG_NOTIFY)."""
    time_limit: float
    """Seconds that a hook may take unless its config says otherwise (HEAT_CONFIG_TIMEOUT)."""
    message_ttl: int
    """Seconds that a result waits on its queue for Heat (HEAT_CONFIG_MESSAGE_TTL)."""
    unfinished: str
    """What could not be begun or kept on this server's disk; beside ``config_file``."""
    secrets: str
    """A folder for each run that goes on, in memory; beside ``config_file``."""
    kept: str
    """What an operator has kept of runs (``heat-config run --keep``); beside ``config_file``."""
    completion: str
    """Whom the metadata ask to signal when os-refresh-config has ended; beside ``config_file``."""
    fallback_after: float
    """Seconds of tries after which Heat itself is notified (HEAT_CONFIG_FALLBACK_AFTER)."""
    first_wait: float
    """Seconds before a result is sent a second time; then doubled (HEAT_CONFIG_FIRST_WAIT)."""
    deadline: float
    """Seconds for one request in all, and for one try to deliver (HEAT_CONFIG_DEADLINE)."""
    ca_file: str | None
    """Certificates of the authorities to trust (HEAT_CONFIG_CA_FILE); else the system's."""
    insecure: bool
    """Do not verify certificates (HEAT_CONFIG_INSECURE=1)."""
    keep_of: str | None = None
    """The config of whose run that is kept: the command's word, nothing that is set."""


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; an empty one counts as not set.

    :raises SettingsError: what must be a number is not one, or is out of its bounds.
    """
    given = {**_from_file(environ.get("HEAT_CONFIG_SETTINGS") or FILE), **environ}
    get = _Reader(given)
    # Packages and images have theirs in the second, operators their own in the first.
    hooks = ("/var/lib/heat-config/hooks", "/usr/libexec/heat-config/hooks")
    own_hooks = get.text("HEAT_CONFIG_HOOKS", "")
    config_file = get.text("HEAT_SHELL_CONFIG", "/var/run/heat-config/heat-config")
    volatile = os.path.dirname(os.path.abspath(config_file))  # noqa: PTH100, PTH120 - quick
    return Settings(
        config_file=config_file,
        hook_folders=(own_hooks, *hooks) if own_hooks else hooks,
        deployed=get.text("HEAT_CONFIG_DEPLOYED", "/var/lib/heat-config/deployed"),
        deployed_old=get.text("HEAT_CONFIG_DEPLOYED_OLD", "/var/run/heat-config/deployed"),
        outbox=get.text("HEAT_CONFIG_OUTBOX", "/var/lib/heat-config/outbox"),
        logs=get.text("HEAT_CONFIG_LOGS", "/var/log/heat-config"),
        logs_size=int(get.number("HEAT_CONFIG_LOGS_SIZE", 268_435_456, 1_048_576, 1 << 50)),
        keep=get.number("HEAT_CONFIG_KEEP", 7_776_000, 86_400, 10 * LONGEST),
        notify=get.text("HEAT_CONFIG_NOTIFY", "") or None,
        time_limit=get.number("HEAT_CONFIG_TIMEOUT", 86_400, 1, LONGEST),
        # Zaqar's bounds for a message: 60 seconds to 14 days.
        message_ttl=int(get.number("HEAT_CONFIG_MESSAGE_TTL", 86_400, 60, 1_209_600)),
        unfinished=f"{volatile}/unfinished",
        secrets=f"{volatile}/secrets",
        kept=f"{volatile}/kept",
        completion=f"{volatile}/completion",
        fallback_after=get.number("HEAT_CONFIG_FALLBACK_AFTER", 600, 0, LONGEST),
        # The waits are what a result grows old by: without any it never would.
        first_wait=get.number("HEAT_CONFIG_FIRST_WAIT", 0.5, 0.001, 60),
        deadline=get.number("HEAT_CONFIG_DEADLINE", 30, 1, 600),
        ca_file=get.text("HEAT_CONFIG_CA_FILE", "") or get.text("OS_CACERT", "") or None,
        insecure=get.text("HEAT_CONFIG_INSECURE", "0").lower() in ("1", "true", "yes"),
    )


class _Reader(NamedTuple):
    given: Mapping[str, str]

    def text(self, name: str, default: str) -> str:
        return self.given.get(name) or default

    def number(self, name: str, default: float, least: float, most: float) -> float:
        text = self.text(name, str(default))
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            bounds = f"at least {least:.16g} and at most {most:.16g}"
            raise SettingsError(f"{name}={text[:80]!r} must be a number, {bounds}")
        return value


def _from_file(path: str) -> dict[str, str]:
    """Read the lines ``NAME=value``; quotes around a value are taken off."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - quick
            lines = [line.strip() for line in file]
    except FileNotFoundError:
        return {}
    pairs = [line.partition("=") for line in lines if not line.startswith("#")]
    return {name.strip(): value.strip().strip("\"'") for name, equals, value in pairs if equals}
