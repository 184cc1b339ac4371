# SPDX-License-Identifier: Apache-2.0
"""Which of a server's files hold a password that Heat has given it."""

from __future__ import annotations

from lab.server import Server

# Where all that comes from Heat is kept.
_FOLDERS = (
    "/etc/os-collect-config.conf",
    "/var/lib/heat-cfntools",
    "/var/lib/os-collect-config",
    "/var/lib/heat-config",
    "/run/heat-config",
)
# The server's own user in JSON and in an INI file; the user of a deployment among its inputs.
_HELD = r'"password": *"[^"]|^password *= *[^ ]|"deploy_password"'


def held(server: Server) -> list[str]:
    """The paths of those files."""
    found = server.run(["grep", "-rlE", "--", _HELD, *_FOLDERS], check=False)
    return sorted(found.stdout.split())
