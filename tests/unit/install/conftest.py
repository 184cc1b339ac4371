# SPDX-License-Identifier: Apache-2.0
"""A server that is a folder, an environment that is whole, and a systemctl that notes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

PROGRAMS = (
    *("heat-config", "heat-config-collect", "heat-config-notify", "heat-config-rebuild-deployed"),
    *("os-apply-config", "os-refresh-config", "dib-run-parts"),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A server's root, with the folders that every system has."""
    made = tmp_path / "root"
    for folder in (
        "etc",
        "usr/local/bin",
        "usr/local/lib",
        "usr/local/share",
        "var/lib",
        "var/log",
    ):
        (made / folder).mkdir(parents=True)
    (made / "etc/os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    return made


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment's folder of programs."""
    made = tmp_path / "venv" / "bin"
    made.mkdir(parents=True)
    for name in PROGRAMS:
        (made / name).write_text("#!/bin/sh\n")
        (made / name).chmod(0o755)
    monkeypatch.setattr(sys, "prefix", str(made.parent))
    monkeypatch.setenv("DIB_HEAT_CONFIG_PROGRAMS", "/usr/local/bin")
    return made


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What systemctl was asked: a line for each time. It fails where a file ``fails`` is."""
    folder = tmp_path / "bin"
    folder.mkdir()
    noted = tmp_path / "asked"
    noted.touch()
    program = folder / "systemctl"
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {noted}\n[ ! -e {tmp_path}/fails ] || '
        "{ echo Unit is masked. >&2; exit 5; }\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return noted
