# SPDX-License-Identifier: Apache-2.0
"""What differs from one lab to the next: ports, passwords, and the files they go into."""

import os
import random
import secrets
import shutil
import socket
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from . import venv
from .errors import LabError

TEMPLATES = Path(__file__).with_name("etc")
# What the plug-in ships for Heat.
PLUGIN = venv.CHECKOUT / "heat_plugin/share"
REGION = "RegionOne"

# Below the range from which the kernel takes ports for outgoing connections: a port that is
# free now is not taken by a client before its service has bound it.
_PORTS = range(15000, 32000)
_CLAIMS: list[socket.socket] = []

PORTS = (
    "postgresql",
    "redis",
    "keystone",
    "zaqar",
    "websocket",
    "websocket_notification",
    "heat",
    "heat_cfn",
    "compute",
)

PASSWORDS = (
    "admin_password",
    "demo_password",
    "heat_password",
    "heat_auth_encryption_key",
    "heat_database_password",
    "heat_domain_admin_password",
    "redis_password",
    "zaqar_password",
    "zaqar_signed_url_key",
)


class Profile(NamedTuple):
    """What a lab has beside Keystone, Zaqar and Heat, and where."""

    address: str = "127.0.0.1"
    """Where the servers that it configures reach it."""
    stand_in: bool = True
    """Whether the stand-in for Nova is there (no_nova.py)."""
    ports: tuple[str, ...] = ()
    passwords: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    swift: bool = False
    """Whether Swift is there (lab/swift)."""


PLAIN = Profile()


@dataclass(frozen=True)
class Settings:
    """One lab's own values."""

    directory: Path
    ports: Mapping[str, int]
    passwords: Mapping[str, str]
    token_expiration: int
    # Whether Heat loads the plug-in.
    plugin: bool = False
    # Whether it serves the stacks that do not ask for it, too.
    for_all: bool = True
    profile: Profile = PLAIN

    @classmethod
    def new(
        cls,
        directory: Path,
        *,
        token_expiration: int = 3600,
        plugin: bool = False,
        for_all: bool = True,
        profile: Profile = PLAIN,
    ) -> "Settings":
        """Choose ports that are free, and new passwords."""
        ports = free_ports((*PORTS, *profile.ports))
        passwords = new_passwords((*PASSWORDS, *profile.passwords))
        return cls(directory, ports, passwords, token_expiration, plugin, for_all, profile)

    @property
    def identity_url(self) -> str:
        """Keystone's URL as the catalog has it, without a version: heat-api-cfn adds /v3."""
        return self.url("keystone")

    def url(self, port: str) -> str:
        """The URL of what listens there, for whoever may reach it."""
        return f"http://{self.profile.address}:{self.ports[port]}"

    def values(self) -> dict[str, object]:
        """What configuration files are made with."""
        return {
            "address": self.profile.address,
            "directory": self.directory,
            "venv": venv.VENV,
            "region": REGION,
            "identity_url": self.identity_url,
            "plugin_dirs": PLUGIN / "plugin_dir" if self.plugin else "",
            "token_expiration": self.token_expiration,
            **{f"{name}_port": port for name, port in self.ports.items()},
            **self.passwords,
        }

    def render(self) -> None:
        """Write all configuration files into etc/."""
        values = self.values()
        target = self.directory / "etc"
        target.mkdir(mode=0o700, exist_ok=True)
        for template in TEMPLATES.iterdir():
            render(template, target / template.name, values)
        self._link_environments(target / "environment.d")

    def _link_environments(self, target: Path) -> None:
        """What Heat reads for every stack: its own files and, with it, the plug-in's."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(mode=0o700)
        sources = [venv.VENV / "etc/heat/environment.d"]
        sources += [PLUGIN / "environment.d"] if self.plugin and self.for_all else []
        for source in sources:
            for path in source.glob("*"):
                (target / path.name).symlink_to(path)


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """Give each name a port on 127.0.0.1 that nobody has now.

    No other lab is given it as long as this program runs: until the service listens there, and
    while it is stopped.
    """
    candidates = random.SystemRandom().sample(_PORTS, len(_PORTS))
    free = (port for port in candidates if _is_free(port) and _claim(port))
    chosen = dict(zip(names, free, strict=False))
    if len(chosen) < len(names):
        raise LabError(f"127.0.0.1 has fewer than {len(names)} free ports")
    return chosen


def _claim(port: int) -> bool:
    """Say whether the port is this program's from now on, by a name that the kernel gives once."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0heat-config-lab-port-{port}")
    except OSError:
        claim.close()
        return False
    _CLAIMS.append(claim)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def new_passwords(names: Sequence[str] = PASSWORDS) -> dict[str, str]:
    """Return a new password for each purpose: 32 hexadecimal digits, as Heat's key must have."""
    return {name: secrets.token_hex(16) for name in names}


def render(template: Path, target: Path, values: Mapping[str, object]) -> None:
    """Write a configuration file from its template, for nobody else to read."""
    text = string.Template(template.read_text()).substitute(values)
    write_private(target, text)


def write_private(path: Path, text: str) -> None:
    """Put a file in place whole, mode 0600: a reader finds the old or the new one."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    new.replace(path)


def environment(directory: Path) -> dict[str, str]:
    """Return the services' environment: nothing of the caller's, so no proxy on the way to
    127.0.0.1. Zaqar and Keystone under uWSGI look for their files in the home directory; the
    plug-in is this checkout's.
    """
    etc = directory / "etc"
    return {
        "HOME": str(etc),
        "LANG": "C.UTF-8",
        "OS_KEYSTONE_CONFIG_DIR": str(etc),
        "PATH": f"{venv.VENV / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(venv.CHECKOUT),
        "PYTHONUNBUFFERED": "1",
    }
