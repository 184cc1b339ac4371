# SPDX-License-Identifier: Apache-2.0
"""The program that a hook needs: found, run, and what it has done as a result."""

from __future__ import annotations

import os
import shutil
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from heat_config import log, process
from heat_config.hookkit import kept
from heat_config.hookkit.values import HookError
from heat_config.result import Result, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Bytes: the agent keeps more of what a hook prints, and no signal may have more.
LARGEST_ANSWER = process.KEPT // 2


class Tool(NamedTuple):
    """A program that a hook needs."""

    variable: str
    """The variable of the environment that names another one."""
    names: tuple[str, ...]
    """What it may be called; the first that is on the server is taken."""
    package: str
    """What to install where none is."""

    def find(self) -> str:
        """The program to run.

        :raises HookError: it is not on the server; the message names the package.
        """
        named = os.environ.get(self.variable)
        for name in [named] if named else self.names:
            if shutil.which(name):
                return name
        raise self.missing(named or " or ".join(self.names))

    def missing(self, name: str) -> HookError:
        """The error for a program that is not there."""
        return HookError(
            f"{name} is not on this server: install the package {self.package}", process.NOT_FOUND
        )


def not_used(variable: str, why: str) -> None:
    """Say in the run's log that a variable of heat-agents' is set, and does nothing here."""
    if os.environ.get(variable):
        log.plain(f"{variable} is set and not used: {why}")


# Of a tool's errors: how many are kept, and characters of one, which may hold all that a
# task has written.
_MOST_ERRORS = 16
_LONGEST_ERROR = 4096


class Reasons:
    """Why a tool has failed: the messages on its stderr that begin as its errors do.

    A message goes on until the next one, of which ``others`` are no errors.
    """

    def __init__(self, errors: tuple[str, ...], others: tuple[str, ...]) -> None:
        self._errors = errors
        self._others = others
        self._kept: deque[list[str]] = deque(maxlen=_MOST_ERRORS)
        self._room = 0

    def watch(self, line: str) -> None:
        """Keep a line if it is of an error: of a long stderr only the end is kept elsewhere."""
        if line.startswith(self._errors):
            self._kept.append([])
            self._room = _LONGEST_ERROR
        elif line.startswith(self._others):
            self._room = 0
        if self._room > 0:
            self._kept[-1].append(line[: self._room])
            self._room -= len(line) + 1

    def first(self, result: Result) -> Result:
        """Put the errors of a failure before all else, the last first: it has ended the run."""
        if not result.failed:
            return result
        errors = [line for error in reversed(self._kept) for line in error]
        moved = set(errors)
        lines = result.stderr.split("\n")
        rest = "\n".join(line for line in lines if line[:_LONGEST_ERROR] not in moved)
        return result._replace(stderr=led_by("".join(f"{line}\n" for line in errors), rest))


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    watch: Callable[[str], None] | None = None,
) -> process.Completed:
    """Run the hook's tool; the lines that it writes go to the log as they come.

    Those of stderr go to ``watch``, too, one by one: of a long stderr only the end is kept.

    :raises HookError: it cannot be started.
    """

    def on_stderr(lines: str) -> None:
        log.plain_lines(lines)
        if watch:
            for line in lines.split("\n"):
                watch(line)

    try:
        kept.note(argv, env, cwd)
        completed = process.run(
            argv,
            env=env,
            cwd=cwd,
            on_stdout=log.plain_lines,
            on_stderr=on_stderr,
        )
    except (OSError, ValueError) as error:
        raise HookError(f"cannot run {argv[0]}: {error}", process.CANNOT_EXECUTE) from None
    log.plain(f"{argv[0]} {completed.ending}")
    return completed


def result(completed: process.Completed, outputs: Mapping[str, Path] | None = None) -> Result:
    """A tool's end as a result; an output that it did not write is left out."""
    stderr = text_of(completed.stderr, completed.stderr_dropped)
    if completed.returncode < 0:
        stderr += f"the tool {completed.ending}\n"
    return Result(
        status_code=completed.status,
        stdout=text_of(completed.stdout, completed.stdout_dropped),
        stderr=stderr,
        outputs={
            name: _beginning(path).decode("utf-8", "replace")
            for name, path in (outputs or {}).items()
            if path.is_file()
        },
    )


def led_by(reason: str, said: str) -> str:
    """Why something has failed, and after it what was said, or the end of it.

    A result that is too large for its signal keeps the ends of its texts. What a reader
    needs first must not go with the beginning.
    """
    raw = said.encode("utf-8", "replace")
    dropped = max(len(raw) - _SAID, 0)
    return reason + text_of(raw[dropped:], dropped)


# Bytes of a text that stands behind a reason: with it far less than a signal may have.
_SAID = 65_536


def _beginning(path: Path) -> bytes:
    """An output; of one that no signal can carry, enough to tell that it is too large."""
    with path.open("rb") as file:
        return file.read(LARGEST_ANSWER + 1)
