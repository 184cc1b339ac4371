# SPDX-License-Identifier: Apache-2.0
"""Where this machine gets Debian's packages from, so that an image's build asks there, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

APT = Path("/etc/apt")


class Source(NamedTuple):
    """One of Debian's own package sources."""

    address: str
    suites: tuple[str, ...]

    @property
    def security(self) -> bool:
        """Whether it has security updates."""
        return any(suite.endswith("-security") for suite in self.suites)


def mirrors(apt: Path = APT) -> dict[str, str]:
    """Return dib's settings for the Debian mirrors that this machine uses itself."""
    found: dict[str, str] = {}
    for source in apt_sources(apt):
        name = "DIB_DEBIAN_SECURITY_MIRROR" if source.security else "DIB_DISTRIBUTION_MIRROR"
        found.setdefault(name, source.address)
    return found


def apt_sources(apt: Path = APT) -> Iterator[Source]:
    """Yield Debian's package sources, in the order in which apt's configuration has them."""
    modern = apt / "sources.list.d" / "debian.sources"
    if modern.is_file():
        yield from _stanzas(modern.read_text())
    classic = apt / "sources.list"
    if classic.is_file():
        yield from _lines(classic.read_text())


def _stanzas(text: str) -> Iterator[Source]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"(?m)^(\w+):[ \t]*(.*)$", stanza))
        if "URIs" in fields and "deb" in fields.get("Types", "").split():
            yield Source(fields["URIs"].split()[0], tuple(fields.get("Suites", "").split()))


def _lines(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S*debian\S*)\s+(\S+)", line)
        if match:
            yield Source(match[1], (match[2],))
