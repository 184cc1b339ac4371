# SPDX-License-Identifier: Apache-2.0
"""The project's version as Debian writes it, and who stands for a package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import formatdate

# Of whom nobody has been named: there is no address that would be true everywhere.
LOCAL = "A local build <nobody@localhost>"

# What comes before a release sorts before it with a tilde alone, and with two before those.
_BEFORE = re.compile(r"[-_.]?(a|b|rc)(?=\d)")
_LONG_BEFORE = re.compile(r"[-_.]?dev(?=\d)")


def debian_version(version: str, number: str, revision: int) -> str:
    """Write a version of Python's for the packages of a release.

    :param number: the release's. An upgrade of the system is one of the package, too: the
        environment is for another Python.
    :param revision: which build of this version, from 1.
    """
    return f"{ordered(version)}-{revision}+deb{number}"


def ordered(version: str) -> str:
    """Write a version of Python's so that dpkg and rpm have it in Python's order."""
    return _LONG_BEFORE.sub("~~dev", _BEFORE.sub(r"~\1", version))


def maintainer(environ: Mapping[str, str]) -> str:
    """Whoever builds a package stands for it: who that is, in the variables of Debian's tools."""
    name, address = environ.get("DEBFULLNAME"), environ.get("DEBEMAIL")
    return f"{name} <{address}>" if name and address else LOCAL


def changelog(version: str, release: str, seconds: float, by: str) -> str:
    """Write Debian's changelog, with the one entry that a build needs.

    :param seconds: the time of the sources, since 1970.
    :param by: see :func:`maintainer`.
    """
    return (
        f"heat-config ({version}) {release}; urgency=medium\n\n"
        "  * Built from upstream's sources; CHANGELOG.md says what has changed.\n\n"
        f" -- {by}  {formatdate(seconds)}\n"
    )
