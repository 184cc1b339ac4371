# SPDX-License-Identifier: Apache-2.0
"""Heat's domain in the lab's Keystone, in which a stack's users are made."""

from __future__ import annotations

import subprocess

from lab import Lab


def users(lab: Lab) -> list[str]:
    """The ids of all its users."""
    openstack = str(lab.bin("openstack"))
    command = [openstack, "user", "list", "--domain", "heat", "-f", "value", "-c", "ID"]
    listed = subprocess.run(
        command, env=lab.environment("admin"), check=True, capture_output=True, text=True
    )
    return sorted(listed.stdout.split())
