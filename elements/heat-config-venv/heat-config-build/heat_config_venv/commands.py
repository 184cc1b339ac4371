# SPDX-License-Identifier: Apache-2.0
"""The one way in which a build runs programs, and the one error that stops it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Union

Word = Union[str, "os.PathLike[str]"]


class BuildError(Exception):
    """The image cannot be built; the message names what is wrong and, where known, the remedy."""


def run(
    command: Sequence[Word], otherwise: str, *, environment: Mapping[str, str] | None = None
) -> None:
    """Run a program; what it prints is in the build's log.

    :raises BuildError: with the text ``otherwise``, when it fails.
    """
    sys.stdout.flush()
    if subprocess.run(command, env=environment, check=False).returncode:
        raise BuildError(otherwise)


def output(command: Sequence[Word]) -> str:
    """Return what a program prints, whether it fails or not; "" where there is no such program."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    except OSError:
        return ""
    return done.stdout.decode(errors="replace")


def program(main: Callable[[], None]) -> int:
    """Run the function of a program; return its exit status."""
    try:
        main()
    except BuildError as error:
        print(f"heat-config-venv: {error}", file=sys.stderr, flush=True)
        return 1
    return 0
