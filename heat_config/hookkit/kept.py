# SPDX-License-Identifier: Apache-2.0
"""What ``heat-config run --keep`` leaves of a run: its tool's commands, to be run by hand.

They are in the run's own folder, where what they read stays, too: for root alone, because inputs
are in both.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import files, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SCRIPT = "run.sh"
_FIRST = "#!/bin/sh\n# What the hook has run, in its order, with what it has set for it.\n"
# What a shell takes for a variable's name.
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def is_asked_for() -> bool:
    """Whether what the run's tool was given is to stay."""
    return settings.KEPT_VARIABLE in os.environ


def note(argv: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None) -> None:
    """Add a command to the script, if that is asked for.

    :raises OSError: it cannot be written.
    """
    if not is_asked_for():
        return
    path = Path(os.environ[settings.SECRETS_VARIABLE], SCRIPT)
    before = path.read_text(encoding="utf-8") if path.exists() else _FIRST
    lines = [*_surroundings(env, cwd), f"exec {shlex.join(map(str, argv))}"]
    text = "\n".join(["(", *lines, ")", ""])
    files.write_private(path, before + text, mode=0o700)


def _surroundings(env: Mapping[str, str], cwd: Path | None) -> Iterator[str]:
    """The folder, and the variables that the hook has set."""
    if cwd:
        yield f"cd {shlex.quote(str(cwd))} || exit"
    for name, value in env.items():
        if os.environ.get(name) == value:
            continue
        if _NAME.fullmatch(name):
            yield f"export {name}={shlex.quote(value)}"
        else:
            yield f"# not set, because no shell can: {name!r}"
