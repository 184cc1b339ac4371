# SPDX-License-Identifier: Apache-2.0
"""How an image is named after what it is made from, and when it is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.image import places
from lab.image.build import build
from lab.image.dib import phase_of
from lab.image.recipe import Image, Others, key_of


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "CHECKOUT", tmp_path)
    monkeypatch.setattr(places, "IMAGES", tmp_path / "cache")
    for name in ("elements/a/install.d/50-a", "hooks/script", "heat_config/__init__.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.usefixtures("checkout")
class TestKey:
    def test_stays_the_same(self) -> None:
        assert tar() == tar()

    def test_is_another_when_a_file_a_mode_or_a_name_changes(self, checkout: Path) -> None:
        keys = {tar()}
        hook = checkout / "hooks" / "script"
        hook.write_text("other")
        keys.add(tar())
        hook.chmod(0o755)
        keys.add(tar())
        hook.rename(checkout / "hooks" / "ansible")
        keys.add(tar())

        assert len(keys) == 4

    def test_is_another_for_another_format_release_or_element(self) -> None:
        keys = {tar(), Image.of("tar", "trixie", ("a",)).key}
        keys.add(Image.of("tar", "bookworm", ("a", "b")).key)
        keys.add(Image.of("qcow2", "bookworm", ("a",)).key)

        assert len(keys) == 4

    def test_ignores_byte_code(self, checkout: Path) -> None:
        before = tar()
        cache = checkout / "heat_config" / "__pycache__"
        cache.mkdir()
        (cache / "x.pyc").write_text("")

        assert tar() == before

    def test_tells_names_from_contents(self, checkout: Path) -> None:
        one, other = checkout / "ab", checkout / "a"
        one.write_text("c")
        other.write_text("bc")

        assert key_of("", [one], checkout) != key_of("", [other], checkout)

    def test_is_another_for_other_elements_behind_ours_wherever_they_lie(
        self, tmp_path: Path
    ) -> None:
        keys = set()
        for folder, content in (("one", "a"), ("other", "a"), ("third", "b")):
            path = tmp_path / folder / "hosts" / "element-deps"
            path.parent.mkdir(parents=True)
            path.write_text(content)
            keys.add(beside(Others((tmp_path / folder,))))
        keys.add(beside(Others(settings={"OPENSTACK_VENV_DIR": "/srv"})))

        assert len(keys) == 3


def tar() -> str:
    return Image.of("tar", "bookworm", ("a",)).key


def beside(others: Others) -> str:
    return Image.of("tar", "bookworm", ("a",), others).key


@pytest.mark.usefixtures("checkout")
def test_an_image_that_is_there_is_not_built_again() -> None:
    there = Image.of("tar", "bookworm", ("a",))
    there.directory.mkdir(parents=True)
    there.path.write_text("")

    assert build(there) == there.path


@pytest.mark.usefixtures("checkout")
def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    with pytest.raises(LabError, match="root"):
        build(Image.of("tar", "bookworm", ("a",)))


@pytest.mark.parametrize(
    ("line", "phase"),
    [
        ("2026 | dib-run-parts Running /tmp/in_target.d/pre-install.d/01-x", "pre-install"),
        ("2026 | dib-run-parts 01-x completed", ""),
        ("", ""),
    ],
)
def test_phase_of(line: str, phase: str) -> None:
    assert phase_of(line) == phase
