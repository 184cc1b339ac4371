# SPDX-License-Identifier: Apache-2.0
"""Roots of a release, made by mmdebstrap from this machine's own mirror, and programs in them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.command import run
from lab.errors import LabError
from lab.image.scratch import remove_tree
from lab.mirrors import apt_sources
from lab.venv import CACHE, locked

from .releases import Release

PACKAGES = CACHE / "packages"
LOCK = PACKAGES / "lock"

# A root's layers live and end with this program: it is alone in its namespaces.
# $1: the root, $2: a folder for what is written, $3...: the command.
_INSIDE = """
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
at=$2/root; shift 2
exec env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$at" "$@"
"""


def made(release: Release, include: Sequence[str], *hooks: str) -> Path:
    """Return a folder with such a root, which is made once. Do not write to it.

    :param include: packages beside those that apt needs.
    :param hooks: shell commands on it (``$1``), once it is whole.
    :raises LabError: it cannot be made. The caller holds the lock.
    """
    wanted = "\0".join((*sources(release), *include, *hooks))
    key = hashlib.sha256(wanted.encode()).hexdigest()[:12]
    root = PACKAGES / f"root-{release.name}-{key}"
    if not root.exists():
        with scratch() as folder:
            _bootstrap(release, include, hooks, folder / "root")
            (folder / "root").rename(root)
    return root


def _bootstrap(release: Release, include: Sequence[str], hooks: Sequence[str], to: Path) -> None:
    if not shutil.which("mmdebstrap"):
        raise LabError("mmdebstrap is missing", hint="apt-get install mmdebstrap")
    after = [f"--customize-hook={hook}" for hook in hooks]
    options = ["--quiet", "--mode=root", "--variant=apt", "--skip=cleanup/apt", *after]
    options += [f"--include={','.join(include)}"]
    run(["mmdebstrap", *options, release.name, to, *sources(release)])


def sources(release: Release) -> list[str]:
    """Return the release's package sources on this machine's mirror, as apt writes them.

    :raises LabError: this machine's apt names none.
    """
    found = list(apt_sources())
    main = next((each.address for each in found if not each.security), "")
    if not main:
        raise LabError("apt here has no source", hint="add one to /etc/apt/sources.list")
    security = next((each.address for each in found if each.security), "")
    suites = [f"{main} {release.name}", f"{main} {release.name}-updates"]
    suites += [f"{security} {release.name}-security"] if security else []
    return [f"deb {suite} main" for suite in suites]


@contextmanager
def scratch() -> Iterator[Path]:
    """Provide a temporary folder; what an earlier one that was killed has left goes first."""
    PACKAGES.mkdir(parents=True, exist_ok=True)
    for stale in PACKAGES.glob("scratch-*"):
        remove_tree(stale)
    folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=PACKAGES))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        remove_tree(folder)


def run_inside(root: Path, written: Path, command: Sequence[str], log: Path) -> int:
    """Run a command in a root, without a network; return its exit status.

    What it writes is in ``written/upper`` and not in the root. Nothing of it runs on, and nothing
    stays mounted, however this program ends.
    """
    for name in ("upper", "work", "root"):
        (written / name).mkdir(exist_ok=True)
    alone = ("unshare", "--mount", "--pid", "--ipc", "--net", "--fork", "--kill-child")
    linked = ("setpriv", "--pdeathsig=TERM")
    shell = ("sh", "-euc", _INSIDE, "inside", str(root), str(written))
    with log.open("a") as output:
        return subprocess.run(
            [*linked, *alone, *shell, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode


__all__ = ["LOCK", "PACKAGES", "locked", "made", "run_inside", "scratch", "sources"]
