# SPDX-License-Identifier: Apache-2.0
"""What has stood where an installation puts something: somebody else's, a package's for example.

It is replaced only where the operator says so, is kept before that, and comes back in the end.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from heat_config import files
from heat_config.install.errors import InstallError
from heat_config.install.steps import File, Link, below, mark_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from heat_config.install.record import Record
    from heat_config.install.steps import Step

KEPT = "/var/lib/heat-config/replaced"
"""The folder with all that was replaced, by its path."""


def of_others(steps: Iterable[Step], before: Record, root: Path) -> list[str]:
    """The paths at which something stands that no installation of this package has made.

    ``before``: what the last one has made. What it was to keep, and was cut before, is still there.

    :raises InstallError: it can be neither kept nor replaced.
    """
    found = [
        step.path
        for step in steps
        if isinstance(step, File | Link)
        and os.path.lexists(below(root, step.path))
        and not _is_ours(step.path, before, root)
    ]
    for path in found:
        place = below(root, path)
        if not (place.is_symlink() or place.is_file()):
            raise InstallError(f"{path} is no file: move it away")
        if path not in before.made and is_kept(path, root):
            raise InstallError(f"{KEPT}{path} was replaced long ago, and is kept: move it away")
    return found


def _is_ours(path: str, before: Record, root: Path) -> bool:
    """Whether it may be replaced: where others have been, only while it is as it was made."""
    if path not in before.replaced:
        return path in before.made
    # The latter when it was cut between the two.
    expected = (before.made[path], before.replaced[path])
    return is_kept(path, root) and mark_of(below(root, path)) in expected


def refuse(paths: Iterable[str]) -> None:
    """Say what stands in the way, and what helps.

    :raises InstallError: something does.
    """
    listed = ", ".join(paths)
    if listed:
        raise InstallError(
            f"not of heat-config, and in its way: {listed}. Remove the packages that they are "
            f"from, or have them replaced (--force): they are kept in {KEPT}, and "
            "heat-config install --uninstall puts them back"
        )


def keep(path: str, root: Path) -> None:
    """Copy what is to be replaced to where it is kept, durably.

    :raises OSError: the disk is full, …
    """
    to = _kept(root, path)
    files.make_private_folder(to.parent)
    _copy(below(root, path), to)


def put_back(path: str, root: Path) -> None:
    """Put back what was kept; what stands there is replaced at once.

    :raises OSError: the disk is full, …
    """
    kept = _kept(root, path)
    _copy(kept, below(root, path))
    kept.unlink()
    folder = kept.parent
    with suppress(OSError):  # one that holds something else ends it
        while folder.is_relative_to(below(root, KEPT)):
            folder.rmdir()
            folder = folder.parent


def is_kept(path: str, root: Path) -> bool:
    """Whether what was there before is kept."""
    return os.path.lexists(_kept(root, path))


def can_come_back(path: str, now: str, known: Record, root: Path) -> bool:
    """Whether something is kept, and nothing stands in its place but what was made.

    ``now``: the mark of what stands there. After a crash it may be what came back.
    """
    if path not in known.replaced or not is_kept(path, root):
        return False
    return now in ("", known.made[path], known.replaced[path])


def left(root: Path) -> list[str]:
    """What is still kept, because somebody has changed what took its place."""
    folder = below(root, KEPT)
    found = sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return [f"{KEPT}/{path.relative_to(folder)}" for path in found]


def _kept(root: Path, path: str) -> Path:
    return below(root, f"{KEPT}{path}")


def _copy(place: Path, to: Path) -> None:
    """Copy a file or a link with its owner and mode; whoever looks finds it whole."""
    temporary = to.with_name(f".{to.name}.heat-config-new")
    temporary.unlink(missing_ok=True)
    shutil.copyfile(place, temporary, follow_symlinks=False)
    found = place.lstat()
    os.chown(temporary, found.st_uid, found.st_gid, follow_symlinks=False)
    shutil.copystat(place, temporary, follow_symlinks=False)
    os.sync()
    temporary.replace(to)
    os.sync()  # the folders above it, too
