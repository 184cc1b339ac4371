# SPDX-License-Identifier: Apache-2.0
"""The project's version as Debian writes it."""

from __future__ import annotations

import re
from email.utils import formatdate

MAINTAINER = "heat-config <heat-config@localhost>"

# What comes before a release sorts before it with a tilde alone, and with two before those.
_BEFORE = re.compile(r"[-_.]?(a|b|rc)(?=\d)")
_LONG_BEFORE = re.compile(r"[-_.]?dev(?=\d)")


def debian_version(version: str, number: str, revision: int) -> str:
    """Write a version of Python's for the packages of a release.

    :param number: the release's. An upgrade of the system is one of the package, too: the
        environment is for another Python.
    :param revision: which build of this version, from 1.
    """
    upstream = _LONG_BEFORE.sub("~~dev", _BEFORE.sub(r"~\1", version))
    return f"{upstream}-{revision}+deb{number}"


def changelog(version: str, release: str, seconds: float) -> str:
    """Write Debian's changelog, with the one entry that a build needs.

    :param seconds: the time of the sources, since 1970.
    """
    return (
        f"heat-config ({version}) {release}; urgency=medium\n\n"
        "  * Built from upstream's sources; CHANGELOG.md says what has changed.\n\n"
        f" -- {MAINTAINER}  {formatdate(seconds)}\n"
    )
