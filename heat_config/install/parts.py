# SPDX-License-Identifier: Apache-2.0
"""The description of an installation, of which there is no other.

Each part is named as the script is, without its number, that installs it in an image
(``elements/*/install.d``); on a running server all parts are installed whose element is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat_config.install.items import (
    Copy,
    Default,
    Enabled,
    Hooks,
    Known,
    Log,
    Manual,
    Private,
    Program,
    Public,
    Rendered,
    Rules,
    Tree,
    Units,
)

if TYPE_CHECKING:
    from collections.abc import Container

    from heat_config.install.items import Item

# The elements that every server has; those of the hooks come to them.
BASE = ("os-refresh-config", "os-apply-config", "os-collect-config", "heat-config")

# The parts that are only there with the element of the same name.
OPTIONAL = {"heat-config-kubelet"}

SCRIPTS = "/usr/libexec/os-refresh-config"
TEMPLATES = "/usr/libexec/os-apply-config/templates"
DEFAULTS = "/usr/share/os-collect-config"
CONF = "/etc/os-collect-config.conf"

PARTS: dict[str, tuple[Item, ...]] = {
    "os-refresh-config": (
        Known("os-refresh-config"),
        Known("dib-run-parts"),
        Public(f"{SCRIPTS}/pre-configure.d"),
        Public(f"{SCRIPTS}/configure.d"),
        Public(f"{SCRIPTS}/migration.d"),
        Public(f"{SCRIPTS}/post-configure.d"),
    ),
    "os-apply-config": (
        Known("os-apply-config"),
        Public(TEMPLATES),
        # It writes the output of a template that fails, which may hold secrets, there.
        Log("/var/log/os-apply-config.log"),
    ),
    "os-collect-config": (
        # The same program under both names: os-collect-config's own takes a message off the
        # queue before it is on the disk, also where it is only to be printed.
        Known("os-collect-config", of="heat-config-collect"),
        Program("heat-config-collect"),
        Private("/var/lib/os-collect-config"),
        Private("/var/lib/os-collect-config/local-data"),
        # The user data's file is private before cloud-init writes it: from now on, and after
        # "cloud-init clean" from the next boot on.
        Rules(
            "os-collect-config/tmpfiles.conf",
            "/usr/lib/tmpfiles.d/os-collect-config.conf",
        ),
        # Without a command it would print all metadata, secrets too, into the journal.
        Copy(
            "os-collect-config/os-collect-config-dist.conf",
            f"{DEFAULTS}/os-collect-config-dist.conf",
        ),
        # Where a server that has nothing from Heat yet looks for it.
        Rendered(f"os-apply-config{CONF}", CONF),
        Enabled("os-collect-config.service"),
    ),
    "heat-config": (
        Program("heat-config"),
        Known("heat-config-notify"),
        Known("heat-config-rebuild-deployed"),
        Public("/usr/libexec/heat-config/hooks"),
        Manual("heat-config/heat-config.8"),
        # Another element's, with an operator's settings, stays.
        Default("heat-config/heat-config.conf", "/etc/heat-config.conf"),
        # What it has run holds secrets, and so may what configs leave there and print.
        Private("/var/lib/heat-config"),
        Private("/var/lib/heat-config/outbox"),
        Private("/var/log/heat-config"),
        Units(),
        # They start the others.
        Enabled("heat-config-deliver.path"),
        Enabled("heat-config-resume.path"),
    ),
    # It does nothing where there is no archive.
    "heat-config-kubelet": (Enabled("heat-config-kubelet-load-images.service"),),
    "heat-config-hooks": (Hooks("/usr/libexec/heat-config/hooks"),),
    "os-refresh-config-scripts": (Tree("os-refresh-config", SCRIPTS),),
    "os-apply-config-templates": (Tree("os-apply-config", TEMPLATES),),
}


def items_of(elements: Container[str]) -> list[Item]:
    """All that is to be installed with these elements beside the base, in its order."""
    wanted = [part for part in PARTS if part not in OPTIONAL or part in elements]
    return [item for part in wanted for item in PARTS[part]]
