# SPDX-License-Identifier: Apache-2.0
"""Version 0.1.0, as it was: its own checkout builds its own image."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.command import run
from lab.venv import CACHE, locked
from tests.support.checkout import REPOSITORY

# The last one that is whole and whose changelog has no later version.
COMMIT = "87aa6ac91828796f2617c1b6bf5d0b93c5f822c5"
HOME = CACHE / f"first-release-{COMMIT[:8]}"
MADE = HOME / ".cache/image-is-in"
# Both are parts of it, and say where the root is.
BUILD = "from lab.image import build_tar, unpack; print(unpack(build_tar(progress=lambda _: None)))"


def image() -> Path:
    """The root of its image, built once. Do not write to it.

    :raises LabError: it cannot be built.
    """
    CACHE.mkdir(exist_ok=True)
    with locked(CACHE / "first-release.lock"):
        if not MADE.is_file():
            HOME.mkdir(exist_ok=True)
            archive = HOME.with_name(f"{HOME.name}.tar")
            run(["git", "-C", REPOSITORY, "archive", f"--output={archive}", COMMIT])
            run(["tar", "-C", HOME, "-xf", archive])
            archive.unlink()
            root = run(
                ["env", f"--chdir={HOME}", f"PYTHONPATH={HOME}", sys.executable, "-c", BUILD]
            )
            MADE.parent.mkdir(exist_ok=True)
            MADE.write_text(root)
    return Path(MADE.read_text().strip())
