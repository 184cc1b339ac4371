# SPDX-License-Identifier: Apache-2.0
"""Swift, in a lab that asks for it: its profile, and what its servers find when they start."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from .. import venv
from ..command import run
from ..config import Profile, Settings, render

HERE = Path(__file__).parent
# What it needs beside the other services' packages.
REQUIREMENTS = HERE.with_name("requirements-swift.txt")
DEVICE = "disk"
KINDS = ("account", "container", "object")

SWIFT = Profile(
    ports=("swift", *(f"swift_{kind}" for kind in KINDS)),
    passwords=("swift_hash_suffix", "swift_password"),
    swift=True,
)


def prepare(settings: Settings) -> None:
    """Make its folder, its files, and its rings, which say who keeps what."""
    (settings.directory / "data/swift" / DEVICE).mkdir(parents=True)
    etc = settings.directory / "etc"
    # Swift becomes the user that its files name.
    values = {**settings.values(), "user": pwd.getpwuid(os.geteuid()).pw_name}
    for template in (HERE / "etc").iterdir():
        render(template, etc / template.name, values)
    ports = [str(settings.ports[f"swift_{kind}"]) for kind in KINDS]
    run([venv.python(), HERE / "rings.py", etc, DEVICE, *ports])
