# SPDX-License-Identifier: Apache-2.0
"""``heat-config join``: this server gets what Heat has for it, and with that its first metadata.

    read, checked ─▶ written, for root alone ─▶ the service starts ─▶ the metadata have come

The service does the last step; here it is only seen, and, where they do not come, said why.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heat_config import files, log, terminal
from heat_config.cloud import signed
from heat_config.cloud.errors import CloudError
from heat_config.collect import loop
from heat_config.collect.cache import Cache
from heat_config.collect.gathered import Gathered, whose
from heat_config.install import given, parts, services
from heat_config.install.errors import InstallError
from heat_config.install.items import rendered
from heat_config.install.services import Systemd
from heat_config.install.steps import below

if TYPE_CHECKING:
    import argparse

JOINED, COULD_NOT, NOT_YET = 0, 1, 2
ROOT = Path("/")
STDIN = "-"
# Seconds between two looks whether the metadata have come.
LOOK_EVERY = 0.5
SECRETS = ("password", "secret_access_key", "user_id", "access_key_id")


def command(options: argparse.Namespace) -> int:
    """Join; return the exit status.

    0 the metadata have come; 1 what was given cannot be used, or the service does not start; 2 they
    have not come in time.
    """
    try:
        if os.geteuid() != 0:
            raise InstallError("only root can do this")
        names = _begin(_text(options.given), options.server_id)
    except (InstallError, OSError) as error:
        log.error(str(error))
        return COULD_NOT
    return _wait_for(names, options.timeout)


def _text(path: str) -> str:
    if path == STDIN and sys.stdin.isatty():
        raise InstallError(f"name a file, or pipe it in: {given.AGAIN} | heat-config join")
    data = sys.stdin.buffer.read() if path == STDIN else Path(path).read_bytes()
    return data.decode(errors="replace")


def _begin(text: str, server_id: str | None) -> list[str]:
    """Check and write what was given, start the service, and return Heat's collectors in it.

    :raises InstallError: it cannot be used, or the service does not start.
    :raises OSError: it cannot be written.
    """
    template = below(ROOT, f"{parts.TEMPLATES}{parts.CONF}")
    config = given.read(text)
    names = given.check(config, given.Template.of(template))
    for name in names:
        log.conceal(str(config[name][each]) for each in SECRETS if config[name].get(each))
    zaqar = config.get("zaqar") or {}
    _check_address(zaqar.get("signed_address"))
    if server_id:
        config["zaqar"] = {**zaqar, "server_id": server_id}
    _write({"deployments": [], given.SECTION: config}, template)
    # To look as the service does, and to take nothing off a queue.
    loop.configure(["--print", "--config-file", str(below(ROOT, parts.CONF))])
    Systemd.of(ROOT).start_anew(services.COLLECTOR)
    return names


def _check_address(address: str | None) -> None:
    """Of a queue that is read without a user.

    :raises InstallError: it is none, or has ended.
    """
    try:
        ended = address and signed.parse(address).seconds_left(time.time()) < 0
    except CloudError as error:
        raise InstallError(
            f"zaqar: signed_address: {error}; get it again ({given.AGAIN})"
        ) from None
    if ended:
        raise InstallError(
            "zaqar: signed_address has ended: openstack stack update --existing STACK renews it; "
            f"then get it again ({given.AGAIN})"
        )


def _write(metadata: dict[str, Any], template: Path) -> None:
    """What the server is booted with from now on, and what its service is configured with."""
    conf = rendered(template, metadata)
    boot_data = below(ROOT, str(services.BOOT_DATA))
    files.make_private_folder(boot_data.parent)
    files.write_json(boot_data, metadata)
    files.write_durably(below(ROOT, parts.CONF), conf)


def _wait_for(names: list[str], limit: float) -> int:
    """Wait until the service has the metadata from one of these collectors."""
    end = time.monotonic() + limit
    while not _came_from(names) and time.monotonic() < end:
        time.sleep(LOOK_EVERY)
    gathered = Gathered(Cache(loop.CONF.cachedir))
    gathered.take(names)
    came = _came_from(names)
    if came and came not in gathered.away:
        _say(f"joined: the metadata have come from {came}; heat-config status shows what they ask")
        return JOINED
    log.error(_reason(names, gathered))
    return NOT_YET


def _came_from(names: list[str]) -> str | None:
    """The collector from which the service has metadata of where this server belongs now."""
    cache = Cache(loop.CONF.cachedir)
    found = ((name, cache.given(name)) for name in names)
    return next((name for name, each in found if each and each.whose == whose(name)), None)


def _reason(names: list[str], gathered: Gathered) -> str:
    goes_on = f"{services.COLLECTOR} goes on trying"
    if gathered.away:
        return f"{', '.join(gathered.away)} cannot be asked, for the reason above; {goes_on}"
    if gathered.given():
        return f"the metadata are there, and not here yet: journalctl -u {services.COLLECTOR}"
    return (
        f"{', '.join(names)} can be asked, and has nothing; {goes_on}. Heat posts when a "
        "deployment is created or updated, and a message lives for an hour: with --server-id ID "
        "(openstack stack resource show STACK SERVER -c physical_resource_id) Heat itself is asked"
    )


def _say(line: str) -> None:
    terminal.write(sys.stdout, f"{terminal.shown(line)}\n")
