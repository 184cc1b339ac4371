# SPDX-License-Identifier: Apache-2.0
"""A server's first configuration, from its user data: it holds the password of Heat's user.

Heat's part-handler, which cloud-init runs, writes it twice, the second time where everybody can
read it. A file that is there already keeps its mode, so the element has made that one before; but
``cloud-init clean`` takes it away, and an image may have been made without the element.

Source: ``heat/cloudinit/part_handler.py``.
"""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import files, log, origin

if TYPE_CHECKING:
    from collections.abc import Iterable

_said: set[str] = set()


def make_private(paths: Iterable[str] = origin.FALLBACKS) -> None:
    """Let root alone read what cloud-init has written; called again and again, as it may be."""
    for path in paths:
        try:
            _make_private(Path(path))
        except OSError as error:
            if path not in _said:
                log.warning(f"{path} holds a password, and others can read it: {error}")
            _said.add(path)


def _make_private(path: Path) -> None:
    # What lies in the folder of somebody else may be a link to anything.
    with suppress(FileNotFoundError, NotADirectoryError):
        found = path.lstat().st_mode
        if stat.S_ISREG(found) and found & 0o077:
            path.chmod(files.PRIVATE_FILE)
            # Its folder may have kept them from it.
            log.info(f"{path} holds a password, its mode was {found & 0o777:o}: now root alone can")
