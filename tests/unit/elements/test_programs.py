# SPDX-License-Identifier: Apache-2.0
"""Where an image has the programs: one variable says it, and nothing else does."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from heat_config.install.__main__ import main as install_part
from tests.support.checkout import ELEMENTS

# The names that RPMs of heat-agents and os-*-config have in /usr/bin.
KNOWN = (
    *("heat-config-notify", "heat-config-rebuild-deployed", "dib-run-parts"),
    *("os-apply-config", "os-collect-config", "os-refresh-config"),
)
OURS = ("heat-config", "heat-config-collect")
PARTS = ("os-refresh-config", "os-apply-config", "os-collect-config", "heat-config")


class Image:
    """The root of an image, in which the elements' install scripts are run."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._root = root / "image"
        self._merged = root / "hooks"
        self._set = monkeypatch.setenv
        environment = root / "venv/bin"
        environment.mkdir(parents=True)
        for name in (*KNOWN, *OURS):
            (environment / name).write_text("#!/bin/sh\n")
            (environment / name).chmod(0o755)
        monkeypatch.setattr("sys.prefix", str(environment.parent))
        for folder in ("usr/local/bin", "usr/bin"):
            (self._root / folder).mkdir(parents=True)
        for element in ("os-collect-config", "heat-config"):
            shutil.copytree(ELEMENTS / element, self._merged, dirs_exist_ok=True)
        (root / "systemctl").write_text("#!/bin/sh\n")
        (root / "systemctl").chmod(0o755)
        monkeypatch.setenv("PATH", f"{root}:{os.environ['PATH']}")

    def install(self, programs: str) -> None:
        """Install the parts that have programs."""
        self._set("DIB_HEAT_CONFIG_PROGRAMS", programs)
        for part in PARTS:
            assert install_part(self._merged, part, self._root) == 0

    def programs(self, folder: str) -> dict[str, Path]:
        """What is in a folder of programs, and where it leads."""
        return {path.name: path.readlink() for path in (self._root / folder[1:]).iterdir()}

    def has(self, path: str) -> bool:
        return (self._root / path).is_file()

    def text(self, path: str) -> str:
        return (self._root / path).read_text()


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    return Image(tmp_path, monkeypatch)


def test_are_in_usr_local_and_the_known_names_where_rpms_have_them(image: Image) -> None:
    image.install("/usr/local/bin")

    assert set(image.programs("/usr/local/bin")) == {*KNOWN, *OURS}
    assert set(image.programs("/usr/bin")) == set(KNOWN)
    assert image.has("usr/local/share/man/man8/heat-config.8")


def test_of_a_package_are_all_in_usr_bin(image: Image) -> None:
    image.install("/usr/bin")

    assert set(image.programs("/usr/bin")) == {*KNOWN, *OURS}
    assert image.programs("/usr/local/bin") == {}
    assert image.has("usr/share/man/man8/heat-config.8")


def test_of_both_names_of_the_collector_are_ours(image: Image) -> None:
    """os-collect-config's own program takes a message off its queue to print it.

    So a drop-in with the ExecStart of another's unit starts what tells systemd that it is up.
    """
    image.install("/usr/local/bin")

    for folder in ("/usr/local/bin", "/usr/bin"):
        assert image.programs(folder)["os-collect-config"].name == "heat-config-collect"
    assert "collectors = heat_local" in image.text("etc/os-collect-config.conf")


def test_nothing_but_the_variables_default_says_where() -> None:
    # As values or arguments: comments may say where others have them.
    named = [
        f"{path.relative_to(ELEMENTS)}: {line}"
        for path in sorted(ELEMENTS.rglob("*"))
        if path.is_file() and path.suffix not in (".rst", ".pyc")
        for line in path.read_text(errors="replace").splitlines()
        if "/usr/local/bin" in line and not line.startswith("#")
    ]

    assert [line.partition(":")[0] for line in named] == [
        "heat-config-venv/environment.d/10-heat-config-venv.bash",
        "heat-config-venv/heat-config-build/heat_config_venv/install.py",
        "os-refresh-config/os-refresh-config/environment.d/05-os-refresh-config",
    ]
