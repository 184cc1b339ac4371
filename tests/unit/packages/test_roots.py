# SPDX-License-Identifier: Apache-2.0
"""Where roots come from, and what is left of a program in one: nothing."""

from __future__ import annotations

import pytest

from lab.errors import LabError
from lab.mirrors import Source
from packages import roots
from packages.releases import RELEASES

KNOWN = [
    Source("http://m/debian", ("bookworm", "bookworm-updates")),
    Source("http://m/debian-security", ("bookworm-security",)),
]


def test_they_come_from_this_machines_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roots, "apt_sources", lambda: iter(KNOWN))
    assert roots.sources(RELEASES["trixie"]) == [
        "deb http://m/debian trixie main",
        "deb http://m/debian trixie-updates main",
        "deb http://m/debian-security trixie-security main",
    ]


def test_a_machine_without_a_mirror_is_told_what_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roots, "apt_sources", lambda: iter([]))
    with pytest.raises(LabError, match=r"no source\n  add one to /etc/apt"):
        roots.sources(RELEASES["trixie"])
