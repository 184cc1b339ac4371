# SPDX-License-Identifier: Apache-2.0
"""What a cloud has before anybody can boot a server: an image, a flavor, a network."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..command import run
from ..errors import LabError
from ..identity import request
from . import profile

# Not `rw`: a first boot then switches on every unit, and the server waits two minutes for a
# network of which nobody knows.
#
# What is masked costs seconds each where the processor is emulated, and a server of the lab's can
# do without it. Of cloud-init's four stages the first two stay: they read Heat's user data and
# write the files of a cloud-config. Its commands and scripts, which are for the others, do not run.
_MASKED = (
    *("cloud-config", "cloud-final", "e2scrub_reap", "ssh", "ssh-keygen"),
    *("systemd-binfmt", "systemd-timesyncd"),
)
KERNEL_ARGUMENTS = " ".join(
    (
        "root=LABEL=cloudimg-rootfs ro console=ttyS0 quiet mitigations=off fsck.mode=skip",
        "systemd.journald.forward_to_console=1",
        *(f"systemd.mask={unit}.service" for unit in _MASKED),
    )
)
# In MiB and GiB; the server uses 100 MiB, and a disk of 0 is refused to its owner.
FLAVOR = {"name": "small", "ram": 384, "vcpus": 1, "disk": 2}
# An upload of the image takes seconds.
_PATIENCE = 300


class Boot(NamedTuple):
    """An image's kernel and initial RAM disk, out of its file system."""

    kernel: Path
    ramdisk: Path


def boot_files(image: Path) -> Boot:
    """Take them out of an image that has no partitions; they are kept beside it."""
    files = Boot(image.with_name("kernel"), image.with_name("ramdisk"))
    if not files.ramdisk.exists():
        raw = image.with_name("image.raw")
        run(["qemu-img", "convert", "-O", "raw", image, raw])
        names = run(["debugfs", "-R", "ls -p /boot", raw])
        for kind, path in zip(("vmlinuz", "initrd.img"), files, strict=True):
            name = newest(kind, names)
            new = path.with_name(path.name + ".new")
            run(["debugfs", "-R", f"dump /boot/{name} {new}", raw])
            new.rename(path)
        raw.unlink()
    return files


def newest(kind: str, listing: str) -> str:
    """The name of the newest file of a kind, of debugfs's listing of /boot.

    :raises LabError: there is none.
    """
    found = re.findall(rf"/({re.escape(kind)}-[^/]+)/", listing)
    if not found:
        raise LabError(f"the image has no {kind} in /boot")
    return str(max(found, key=_version))


def _version(name: str) -> list[tuple[int, str]]:
    """To sort by: numbers as numbers, so that 41 is newer than 9."""
    return [(int(number or 0), text) for number, text in re.findall(r"(\d+)|(\D+)", name)]


class Administrator(NamedTuple):
    """Who fills the cloud."""

    token: str
    endpoints: Mapping[str, str]

    def post(self, service: str, path: str, body: object) -> dict[str, Any]:
        """Make something; return it."""
        answer, _ = request("POST", f"{self.endpoints[service]}{path}", body, token=self.token)
        return dict(answer)

    def image(self, name: str, path: Path, kind: str, **properties: str) -> str:
        """Upload an image for everybody; return its id."""
        formats = {"container_format": "bare", "disk_format": kind}
        if kind in ("aki", "ari"):
            formats["container_format"] = kind
        about = {"name": name, "visibility": "public", **formats, **properties}
        made = self.post("image", "/v2/images", about)
        self._upload(f"{self.endpoints['image']}/v2/images/{made['id']}/file", path)
        return str(made["id"])

    def _upload(self, url: str, path: Path) -> None:
        """PUT a file that is too large for the memory."""
        headers = {
            "X-Auth-Token": self.token,
            "Content-Type": "application/octet-stream",
            "Content-Length": str(path.stat().st_size),
        }
        with path.open("rb") as file:
            # S310: the URL is ours and begins with http.
            query = urllib.request.Request(url, file, headers, method="PUT")  # noqa: S310
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            opener.open(query, timeout=_PATIENCE).close()


def fill(administrator: Administrator, image: Path) -> None:
    """Upload an image that is a file system, and its kernel; make the flavor and the network."""
    boot = boot_files(image)
    properties = {
        "kernel_id": administrator.image("kernel", boot.kernel, "aki"),
        "ramdisk_id": administrator.image("ramdisk", boot.ramdisk, "ari"),
        "os_command_line": KERNEL_ARGUMENTS,
    }
    administrator.image("heat-config", image, "qcow2", **properties)
    administrator.post("compute", "/flavors", {"flavor": FLAVOR})
    _make_network(administrator)


def _make_network(administrator: Administrator) -> None:
    """One network for everybody; a server learns its address from the configuration drive."""
    network = {
        "name": "lab",
        "shared": True,
        "provider:network_type": "flat",
        "provider:physical_network": "lab",
    }
    made = administrator.post("network", "/v2.0/networks", {"network": network})
    first, last = profile.SERVERS
    subnet = {
        "network_id": made["network"]["id"],
        "ip_version": 4,
        "cidr": profile.NETWORK,
        "gateway_ip": None,
        "enable_dhcp": False,
        "allocation_pools": [{"start": first, "end": last}],
    }
    administrator.post("network", "/v2.0/subnets", {"subnet": subnet})
