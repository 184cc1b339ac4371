# SPDX-License-Identifier: Apache-2.0
"""The two kinds of images, and the elements that make them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .build import build
from .progress import Progress
from .recipe import OURS_ALONE, Image, Others

RELEASES = ("bookworm", "trixie")
ELEMENTS = (
    "os-collect-config",
    "os-refresh-config",
    "os-apply-config",
    "heat-config",
    "heat-config-script",
)
CONTAINER = ("debian-minimal", "no-kernel", "no-nameserver")
CLOUD = ("debian-minimal", "cloud-init", "cloud-network", "no-nameserver", "openssh-server")


def build_tar(
    release: str = "bookworm",
    elements: Sequence[str] = (),
    *,
    others: Others = OURS_ALONE,
    progress: Progress = print,
) -> Path:
    """Return a Debian root with our elements and these ones, without a kernel, as a tar file."""
    chosen = (*CONTAINER, *ELEMENTS, *elements)
    return build(Image.of("tar", release, chosen, others), progress=progress)


def build_qcow2(
    release: str = "bookworm", elements: Sequence[str] = (), *, progress: Progress = print
) -> Path:
    """Return an image with a kernel and cloud-init. It has partitions where that is possible."""
    if has_device_mapper():
        return build_file_system(release, (*elements, "vm"), progress=progress)
    progress(
        "This machine has no device-mapper, which dib needs for partitions: the image is one"
        " file system without a boot loader. Start it with its own /vmlinuz and /initrd.img"
        " (qemu -kernel, Glance's kernel_id and ramdisk_id), root=LABEL=cloudimg-rootfs."
    )
    return build_file_system(release, elements, progress=progress)


def build_file_system(
    release: str = "bookworm", elements: Sequence[str] = (), *, progress: Progress = print
) -> Path:
    """Return the same as one file system, if no element makes partitions of it."""
    return build(Image.of("qcow2", release, (*CLOUD, *ELEMENTS, *elements)), progress=progress)


def has_device_mapper() -> bool:
    """Say whether the kernel can map the partitions of a loop device."""
    return Path("/dev/mapper/control").exists()
