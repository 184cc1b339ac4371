# SPDX-License-Identifier: Apache-2.0
"""Where an image's packages come from: apt's own files on this machine."""

from __future__ import annotations

from pathlib import Path

from lab.mirrors import apt_sources, mirrors


class TestAptSources:
    def test_reads_the_modern_file(self, tmp_path: Path) -> None:
        (tmp_path / "sources.list.d").mkdir()
        (tmp_path / "sources.list.d" / "debian.sources").write_text(
            "Types: deb\n# old: nothing\nURIs: http://m/debian http://n/debian\n"
            "Suites: bookworm bookworm-updates\nComponents: main\n\n"
            "Types: deb-src\nURIs: http://m/source\nSuites: bookworm\n\n"
            "Types: deb\nURIs: http://m/security\nSuites: bookworm-security\n"
        )

        assert list(apt_sources(tmp_path)) == [
            ("http://m/debian", ("bookworm", "bookworm-updates")),
            ("http://m/security", ("bookworm-security",)),
        ]

    def test_reads_the_classic_file(self, tmp_path: Path) -> None:
        (tmp_path / "sources.list").write_text(
            "# deb http://no/debian bookworm main\n"
            "deb [signed-by=/k] http://m/debian bookworm main\n"
            "deb http://m/debian-security bookworm-security main\n"
            "deb http://tool.example/apt stable main\n"
        )

        assert list(apt_sources(tmp_path)) == [
            ("http://m/debian", ("bookworm",)),
            ("http://m/debian-security", ("bookworm-security",)),
        ]

    def test_finds_nothing_on_another_distribution(self, tmp_path: Path) -> None:
        assert list(apt_sources(tmp_path)) == []

    def test_takes_both_files_the_modern_one_first(self, tmp_path: Path) -> None:
        modern(tmp_path, "http://m/debian", "bookworm")
        (tmp_path / "sources.list").write_text("deb http://n/debian bookworm main\n")

        assert [source.address for source in apt_sources(tmp_path)] == [
            "http://m/debian",
            "http://n/debian",
        ]


class TestMirrors:
    def test_are_dibs_settings_the_first_of_each_kind(self, tmp_path: Path) -> None:
        modern(tmp_path, "http://s", "x-security")
        modern(tmp_path, "http://m", "x x-updates")
        modern(tmp_path, "http://late", "x")

        assert mirrors(tmp_path) == {
            "DIB_DEBIAN_SECURITY_MIRROR": "http://s",
            "DIB_DISTRIBUTION_MIRROR": "http://m",
        }

    def test_of_another_distribution_are_left_to_dib(self, tmp_path: Path) -> None:
        assert mirrors(tmp_path) == {}


def modern(apt: Path, address: str, suites: str) -> None:
    """Add one stanza to apt's modern file."""
    path = apt / "sources.list.d" / "debian.sources"
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(f"Types: deb\nURIs: {address}\nSuites: {suites}\nComponents: main\n\n")
