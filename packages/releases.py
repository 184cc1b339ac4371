# SPDX-License-Identifier: Apache-2.0
"""What differs between the releases for which packages are built."""

from __future__ import annotations

from typing import NamedTuple


class Release(NamedTuple):
    """A release of Debian."""

    name: str
    number: str
    python: str
    """Its Python, for which the environment's wheels are: a package is for that one alone."""
    units: str
    """Where its packages have units of systemd."""


RELEASES = {
    "bookworm": Release("bookworm", "12", "3.11", "/lib/systemd/system"),
    "trixie": Release("trixie", "13", "3.13", "/usr/lib/systemd/system"),
}
