# SPDX-License-Identifier: Apache-2.0
"""Namespaces of one's own, so that whatever is made in them goes with the process that made them.

Source: ``unshare(1)``, ``pid_namespaces(7)``.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from ..command import run
from ..errors import LabError
from . import profile

BRIDGE = "lab"
# Shared memory too: a killed PostgreSQL leaves a segment of it. The kernel ends the first process
# in there when unshare ends, and with that one all others.
_UNSHARE = (
    "unshare",
    "--net",
    "--mount",
    "--pid",
    "--ipc",
    "--fork",
    "--kill-child",
    "--mount-proc",
)

# libvirt keeps its files at these places, by mounts in the lab's folder.
LIBVIRT_ETC = Path("/etc/libvirt")
_LIBVIRTS = {
    "/var/lib/libvirt": "lib",
    "/var/log/libvirt": "log",
    "/var/cache/libvirt": "cache",
    str(LIBVIRT_ETC): "etc",
}


def enter(arguments: Sequence[str]) -> None:
    """Start this interpreter anew, with these arguments, as the first process in there.

    :raises LabError: it is not root, or unshare is not there.
    """
    if os.geteuid():
        raise LabError("namespaces need root", hint="start it again with sudo")
    try:
        os.execvp(_UNSHARE[0], [*_UNSHARE, sys.executable, *arguments])  # noqa: S606
    except FileNotFoundError:
        raise LabError("unshare is not installed", hint="apt-get install util-linux") from None


def is_inside() -> bool:
    """Whether this process is the first one of such a space, or has been started by that one."""
    return _command_line("1") == _command_line("self")


def _command_line(process: str) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()


def begin() -> None:
    """Go on in a child; the first process waits for all that end, until the child does.

    Whoever is orphaned in there becomes a child of the first process, and stays a zombie until
    that one asks for its end: libvirt takes such a qemu for one that cannot be killed.
    """
    child = os.fork()
    if not child:
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def furnish(directory: Path) -> None:
    """Make the network, and put what libvirt keeps into a folder, which is emptied.

    :raises LabError: this process is in no space of its own, or a command has failed.
    """
    if not is_inside():
        raise LabError("this is the machine's own network, and its mounts")
    shutil.rmtree(directory, ignore_errors=True)
    _make_network()
    # libvirt and Nova look for network devices there, and see those of the namespace that it
    # was mounted in.
    run(["mount", "-t", "sysfs", "sysfs", "/sys"])
    run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
    for target, name in _LIBVIRTS.items():
        source = directory / name
        source.mkdir(parents=True, exist_ok=True)
        run(["mount", "--bind", source, target])


def _make_network() -> None:
    """A bridge for the servers, with the address on which the services listen."""
    prefix = profile.NETWORK.partition("/")[2]
    for words in (
        ("link", "set", "lo", "up"),
        ("link", "add", BRIDGE, "type", "bridge"),
        ("address", "add", f"{profile.ADDRESS}/{prefix}", "dev", BRIDGE),
        ("link", "set", BRIDGE, "up"),
    ):
        run(["ip", *words])
