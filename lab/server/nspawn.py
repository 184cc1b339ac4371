# SPDX-License-Identifier: Apache-2.0
"""A container, as systemd-nspawn starts it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple

from . import cgroups

# What would call out, set this machine's network up, or wait for someone at a console.
MASKED = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "e2scrub_reap.service",
    "networking.service",
    "systemd-firstboot.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-remount-fs.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
)

# The metadata service's address is not on loopback. Whatever collectors a server is told to use,
# oslo.config takes this one from the environment: a port on which nothing listens.
SERVICE_ENVIRONMENT = {"OS_EC2__METADATA_URL": "http://127.0.0.1:9/"}

# Starts nspawn in control groups of its own and takes them away after it, also when the program
# that booted the server is killed: then this gets a TERM (setpriv --pdeathsig), which it hands on.
# $1: the groups' folders, $2...: the command.
_SUPERVISOR = """
groups=$1; shift
for group in $groups; do mkdir -p "$group" && echo $$ > "$group/cgroup.procs"; done
setpriv --pdeathsig=TERM "$@" < /dev/null &
nspawn=$!
trap 'kill -TERM $nspawn' TERM
while kill -0 $nspawn 2> /dev/null; do wait $nspawn; status=$?; done
for group in $groups; do
    echo $$ > "${group%/*}/cgroup.procs"
    for try in 1 2 3 4 5 6 7 8 9; do
        find "$group" -depth -type d -delete 2> /dev/null && break
        sleep 0.1
    done
done
exit $status
"""


class Container(NamedTuple):
    """What is started."""

    machine: str
    """Its name for systemd."""
    root: Path
    disks: Mapping[str, Path]
    """Folders of this machine, by their path inside."""
    keep: bool
    """It goes on after the end of the thread that starts it."""

    def start(self, secret: int, console: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start it; return its supervisor. ``secret``: a descriptor of lines for tmpfiles."""
        groups = " ".join(map(str, cgroups.for_machine(self.machine)))
        linked = [] if self.keep else ["setpriv", "--pdeathsig=TERM"]
        supervisor = ["sh", "-c", _SUPERVISOR, "supervisor", groups]
        return subprocess.Popen(
            [*linked, *supervisor, *self._command(secret, own_groups=bool(groups))],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            pass_fds=[secret],
            start_new_session=True,
        )

    def _command(self, secret: int, *, own_groups: bool) -> list[str]:
        return [
            *("systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}", "--read-only"),
            *("--volatile=overlay", "--register=no", f"--machine={self.machine}"),
            *("--console=pipe", "--resolv-conf=off", "--timezone=off", "--link-journal=no"),
            # Not a file, and not an argument: others could read those.
            f"--load-credential=tmpfiles.extra:/proc/self/fd/{secret}",
            *(["--keep-unit"] if own_groups else []),
            *(f"--bind={folder}:{path}" for path, folder in self.disks.items()),
            *(f"systemd.mask={unit}" for unit in MASKED),
            *(f"systemd.setenv={name}={value}" for name, value in SERVICE_ENVIRONMENT.items()),
        ]
