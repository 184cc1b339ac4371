# SPDX-License-Identifier: Apache-2.0
"""diskimage-builder: an environment with it, and a run of it that leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ..command import run
from ..mirrors import mirrors
from ..venv import CACHE, CHECKOUT
from . import places
from .progress import Progress
from .recipe import Image

VENV = CACHE / "venv-dib"
REQUIREMENTS = CHECKOUT / "lab/requirements-dib.txt"

# Debian's names of architectures, where the kernel has another.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

# One file system without partitions: dib's own default, in a folder of our choice. There it is a
# file on disk, by whose path a loop device that was left over can be told.
BLOCK_DEVICE = """
- local_loop:
    name: image0
    directory: {directory}
    mkfs:
      name: mkfs_root
      mount:
        mount_point: /
        fstab:
          options: defaults
          fsck-passno: 1
"""

# Namespaces of its own, which end with it and with the program that started it.
ALONE = (
    *("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"),
    "--mount-proc",
)


def install(progress: Progress) -> None:
    """Make the virtual environment with diskimage-builder, unless it is there already."""
    marker = VENV / "requirements-dib.txt"
    wanted = REQUIREMENTS.read_text()
    if marker.is_file() and marker.read_text() == wanted:
        return
    progress("installing diskimage-builder")
    shutil.rmtree(VENV, ignore_errors=True)
    run([sys.executable, "-m", "venv", VENV])
    run([VENV / "bin/python", "-m", "pip", "-qq", "install", "--no-deps", "-r", REQUIREMENTS])
    marker.write_text(wanted)


def disk_image_create(image: Image, scratch: Path, log: Path, report: Progress) -> int:
    """Run disk-image-create on the sources in scratch/source; return its exit status.

    The image is scratch/out/image.KIND. All that dib prints is in the log.
    """
    for name in ("out", "disk"):
        (scratch / name).mkdir()
    command = [*ALONE, str(VENV / "bin/disk-image-create"), "-n", "-t", image.kind]
    process = subprocess.Popen(
        [*command, "-o", str(scratch / "out/image"), *image.elements],
        cwd=scratch,
        env=_environment(image, scratch),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
    )
    try:
        _follow(process, log, report)
        return process.wait()
    finally:
        process.kill()
        process.wait()


def phase_of(line: str) -> str:
    """Return the phase of the build that a line of its log tells about, or ""."""
    match = re.search(r"dib-run-parts Running \S+/([a-z-]+)\.d/", line)
    return match[1] if match else ""


def architecture() -> str:
    """Return this machine's architecture by Debian's name."""
    machine = os.uname().machine
    return ARCHITECTURES.get(machine, machine)


def _follow(process: subprocess.Popen[str], log: Path, report: Progress) -> None:
    """Write what it prints into the log, and report each phase as it begins."""
    assert process.stdout is not None  # noqa: S101 - what stdout=PIPE means
    phase = ""
    with log.open("w") as output:
        for line in process.stdout:
            output.write(line)
            if (begun := phase_of(line)) not in ("", phase):
                phase = begun
                report(phase)


def _environment(image: Image, scratch: Path) -> dict[str, str]:
    """Return dib's environment: the caller's, without settings of other builds."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIB_")}
    caches, source = places.IMAGES / "dib", scratch / "source"
    folders = (source / "elements", source / "lab/elements", *image.others.folders)
    caches.mkdir(exist_ok=True)
    if "vm" not in image.elements:
        kept["DIB_BLOCK_DEVICE_CONFIG"] = BLOCK_DEVICE.format(directory=scratch / "disk")
    return {
        **kept,
        **mirrors(),
        "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}",
        **image.others.settings,
        "ELEMENTS_PATH": ":".join(map(str, folders)),
        "ARCH": architecture(),
        "DIB_RELEASE": image.release,
        "DIB_IMAGE_CACHE": str(caches),
        "DIB_LOCKFILES": str(caches),
        "DIB_DEBOOTSTRAP_CACHE": "1",
        "DIB_DEBIAN_USE_DEBOOTSTRAP_CACHE": "1",
        "TMP_DIR": str(scratch),
        "TMPDIR": str(scratch),
    }
