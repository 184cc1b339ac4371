# SPDX-License-Identifier: Apache-2.0
"""``heat-config install``: this server gets what the elements give an image."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import log, terminal
from heat_config.install import idle, record, server, tools
from heat_config.install.errors import InstallError
from heat_config.install.items import Place
from heat_config.install.server import Site
from heat_config.install.services import Systemd
from heat_config.install.steps import below

if TYPE_CHECKING:
    import argparse

    from heat_config.install.server import Plan
    from heat_config.settings import Settings

DONE, COULD_NOT = 0, 1


def command(options: argparse.Namespace, elements: Path, given: Settings) -> int:
    """Install, or remove; return the exit status: 0 done, 1 could not.

    ``elements``: the folder of the elements, in the installed package or in a checkout.
    """
    os.umask(0o022)
    try:
        if options.uninstall or options.purge:
            _uninstall(options, elements, given)
        else:
            _install(options, elements)
    except (InstallError, OSError) as error:
        log.error(str(error))
        return COULD_NOT
    return DONE


def _install(options: argparse.Namespace, elements: Path) -> None:
    site = _site(options)
    before = record.load(site.root).hooks
    wanted = _plan(options.hook or before or server.DEFAULT_HOOKS, elements)
    if not server.install(wanted, site):
        _say("nothing to change: all is as it has to be")
    for group in wanted.hooks:
        if group not in before:
            _tell_of_tools(group, elements, site.root)


def _uninstall(options: argparse.Namespace, elements: Path, given: Settings) -> None:
    site = _site(options)
    is_meant = not options.dry_run and not options.force and site.root == Path("/")
    if is_meant and idle.runs_config(given):
        raise InstallError(f"{idle.REMEDY}, or leave it alone and its result unsent (--force)")
    wanted = _plan(record.load(site.root).hooks, elements)
    if not options.purge or record.load(site.root) != record.NONE:
        server.uninstall(wanted, site)
    if options.purge:
        server.purge(wanted, site)
    else:
        _tell_of_pending(below(site.root, given.outbox))


def _plan(hooks: tuple[str, ...], elements: Path) -> Plan:
    if sys.prefix == sys.base_prefix:
        raise InstallError(
            "heat-config has no virtual environment of its own: python3 -m venv "
            "/opt/stack/venvs/heat-config, and install the package there"
        )
    return server.plan(elements, hooks, Place(Path(sys.prefix, "bin"), units=server.UNITS))


def _site(options: argparse.Namespace) -> Site:
    root = Path(options.root).resolve()
    if options.dry_run:
        return Site(root, None, lambda line: _say(f"would {line}"), options.force)
    if os.geteuid() != 0:
        raise InstallError("only root can do this; --dry-run shows what would be done")
    return Site(root, Systemd.of(root), _say, options.force)


def _tell_of_pending(outbox: Path) -> None:
    pending = len(list(outbox.glob("*.json")))
    if pending:
        log.warning(f"{pending} results are still pending, and stay in {outbox}")


def _tell_of_tools(group: str, elements: Path, root: Path) -> None:
    release = below(root, "/etc/os-release")
    system = tools.system_of(release.read_text() if release.is_file() else "")
    for line in tools.needed(server.element_of(elements, group), system):
        _say(f"the hook {group} needs its tool: {line}")


def _say(line: str) -> None:
    terminal.write(sys.stdout, f"{terminal.shown(line)}\n")
