# SPDX-License-Identifier: Apache-2.0
"""Where roots come from, and what is left of a program in one: nothing."""

from __future__ import annotations

import pytest

from lab.mirrors import Source
from packages import roots
from packages.releases import RELEASES


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], ["deb http://deb.debian.org/debian trixie main"]),
        (
            [
                Source("http://m/debian", ("bookworm", "bookworm-updates")),
                Source("http://m/debian-security", ("bookworm-security",)),
            ],
            [
                "deb http://m/debian trixie main",
                "deb http://m/debian trixie-updates main",
                "deb http://m/debian-security trixie-security main",
            ],
        ),
    ],
)
def test_they_come_from_this_machines_mirror(
    known: list[Source], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roots, "apt_sources", lambda: iter(known))
    assert roots.sources(RELEASES["trixie"])[: len(expected)] == expected
