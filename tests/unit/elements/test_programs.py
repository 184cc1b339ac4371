# SPDX-License-Identifier: Apache-2.0
"""Where an image has the programs: one variable says it, and nothing else does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.checkout import ELEMENTS

VENV = Path("/venv/bin")
# The names that RPMs of heat-agents and os-*-config have in /usr/bin.
KNOWN = (
    *("heat-config-notify", "heat-config-rebuild-deployed", "dib-run-parts"),
    *("os-apply-config", "os-collect-config", "os-refresh-config"),
)
OURS = ("heat-config", "heat-config-collect")
SCRIPTS = (
    *("os-apply-config/install.d/10-os-apply-config", "heat-config/install.d/50-heat-config"),
    "os-collect-config/install.d/50-os-collect-config",
    "os-refresh-config/install.d/10-os-refresh-config",
)


class Image:
    """The root of an image, in which the elements' install scripts are run."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._phase = root / "hooks/install.d"
        for folder in ("usr/local/bin", "usr/bin", "etc", "var/log", "hooks/install.d", "bin"):
            (root / folder).mkdir(parents=True)
        for element in ("os-collect-config", "heat-config"):
            shutil.copytree(ELEMENTS / element, root / "hooks", dirs_exist_ok=True)
        for program in ("systemctl", "systemd-tmpfiles"):
            (root / "bin" / program).write_text("#!/bin/sh\n")
            (root / "bin" / program).chmod(0o755)

    def install(self, programs: str) -> None:
        """Run the scripts that install programs."""
        environment = {
            "DIB_INIT_SYSTEM": "systemd",
            "DIB_HEAT_CONFIG_VENV": "/venv",
            "DIB_HEAT_CONFIG_PROGRAMS": f"{self._root}{programs}",
            "PATH": f"{self._root}/bin:{os.environ['PATH']}",
        }
        for script in SCRIPTS:
            text = (ELEMENTS / script).read_text()
            here = self._phase / Path(script).name
            here.write_text(re.sub(r"(?<=[ \"])/(?=usr|var|etc)", f"{self._root}/", text))
            subprocess.run(["bash", here], env=environment, check=True)

    def programs(self, folder: str) -> dict[str, Path]:
        """What is in a folder of programs, and where it leads."""
        return {path.name: path.readlink() for path in (self._root / folder[1:]).iterdir()}

    def has(self, path: str) -> bool:
        return (self._root / path).is_file()

    def text(self, path: str) -> str:
        return (self._root / path).read_text()


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image(tmp_path)


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
        assert image.programs(folder)["os-collect-config"] == VENV / "heat-config-collect"
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
