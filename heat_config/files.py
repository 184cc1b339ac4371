# SPDX-License-Identifier: Apache-2.0
"""Files that survive a crash and that nobody else can read."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
# Seconds after which a temporary file has no writer any more.
LEFT_OVER_AFTER = 3600


def make_private_folder(path: Path) -> None:
    """Make a folder for its owner alone, and so the folders above it that are not there.

    Those that a system has, ``/var/lib`` or ``/var/log``, are made for all: others need them.
    """
    for above in reversed(path.parents):
        if not above.is_dir():
            is_the_systems = len(above.parts) <= len(Path("/var/lib").parts)
            above.mkdir(mode=0o755 if is_the_systems else PRIVATE_FOLDER, exist_ok=True)
    path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def write_durably(path: Path, content: str | bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Replace a file as a whole: after a crash it is either the old or the new.

    The content goes to a temporary file beside it, is flushed to the disk, takes
    the name, and then the folder is flushed: only then is it promised.

    :raises OSError: the disk is full, the folder is not there, …
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write_private(temporary, content, mode=mode, flush=True)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def write_json(path: Path, content: object) -> None:
    """Replace a file by this content, durably, as JSON that people can read.

    :raises OSError: the disk is full, the folder is not there, …
    """
    write_durably(path, json.dumps(content, indent=2) + "\n")


def write_private(
    path: Path, content: str | bytes, *, mode: int = PRIVATE_FILE, flush: bool = False
) -> None:
    """Write a file afresh with exactly this mode, whatever stood there before."""
    encoded = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)  # the umask does not decide
        file.write(encoded)
        if flush:
            file.flush()
            os.fsync(file.fileno())


def remove_durably(path: Path) -> None:
    """Remove a file for good; that it is already gone is fine."""
    path.unlink(missing_ok=True)
    flush_folder(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder, an hour ago or more."""
    for left in folder.glob(".*.tmp"):
        try:
            if time.time() - left.stat().st_mtime > LEFT_OVER_AFTER:
                left.unlink()
        except FileNotFoundError:  # its writer was alive and has taken it away
            continue


def flush_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: str, wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a folder's lock; wait for it if need be.

    ``wait`` is called between two tries; without it the kernel waits. The lock goes with the
    process, however that ends.

    :raises OSError: the folder cannot be opened.
    """
    descriptor = _open_for_lock(folder)
    try:
        _lock(descriptor, wait)
        yield
    finally:
        os.close(descriptor)


def _open_for_lock(folder: str) -> int:
    """What a folder's lock is on: nobody else may be able to open it, or he could hold it for ever.

    It is the folder itself where that is its owner's alone, so there is no file that could stay
    behind; else a private folder in it.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(folder, flags & ~os.O_NOFOLLOW)
    if not os.fstat(descriptor).st_mode & 0o077:
        return descriptor
    try:
        with suppress(FileExistsError):
            os.mkdir(".lock", PRIVATE_FOLDER, dir_fd=descriptor)
        inner = os.open(".lock", flags, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    os.fchmod(inner, PRIVATE_FOLDER)
    return inner


def _lock(descriptor: int, wait: Callable[[], None] | None) -> None:
    while wait:
        with suppress(BlockingIOError):
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        wait()
    return fcntl.flock(descriptor, fcntl.LOCK_EX)


def is_locked(folder: str) -> bool:
    """Whether a process holds the folder's lock at this moment.

    :raises OSError: the folder cannot be opened.
    """
    descriptor = _open_for_lock(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
