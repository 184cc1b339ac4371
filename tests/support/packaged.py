# SPDX-License-Identifier: Apache-2.0
"""What tests of packages know of them."""

from __future__ import annotations

DEPENDENCIES = ("ca-certificates", "jq", "python3", "rsync")
"""What the agent's package depends on, beside what each Debian has."""

APT = "env DEBIAN_FRONTEND=noninteractive apt-get --yes --quiet --no-install-recommends"
"""apt, as a script asks it, without what is only recommended."""

MODES = """600 /etc/os-collect-config.conf
600 /var/log/os-apply-config.log
644 /etc/heat-config.conf
700 /var/lib/heat-cfntools
700 /var/lib/heat-config
700 /var/lib/heat-config/outbox
700 /var/lib/os-collect-config
700 /var/lib/os-collect-config/local-data
700 /var/log/heat-config
755 /usr/libexec/heat-config/hooks/script
"""
"""As ``stat -c "%a %n"`` shows what is installed."""

# What Debian's own programs note of a package that is gone, and what is no part of a system.
_NOT_OURS = (
    *("/packages", "/proc", "/run", "/sys", "/tmp", "/dev", "/var/cache", "/var/log/journal"),
    *("/var/lib/apt", "/var/lib/dpkg", "/var/log/apt", "/var/log/dpkg.log", "/var/tmp"),
)
EVERYTHING = f"find / \\( {' -o '.join(f'-path {path}' for path in _NOT_OURS)} \\) -prune -o -print"
"""A command that prints each path of a system."""


def paths() -> list[str]:
    """Those of which MODES tells."""
    return [line.split()[1] for line in MODES.splitlines()]
