# SPDX-License-Identifier: Apache-2.0
"""A deployment's progress as lines for people, each gap among them. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat_config.progress.message import SILENT_AFTER, Phase, Progress
from heat_config.terminal import shown

if TYPE_CHECKING:
    from collections.abc import Iterator


class Story:
    """What was shown of one deployment."""

    def __init__(self) -> None:
        self._run = ""
        self._next = 0
        self._phase: Phase | None = None
        self._is_silent = False

    @property
    def has_ended(self) -> bool:
        """Whether the last message of its run was shown."""
        return self._phase is Phase.ENDED

    def told(self, said: Progress) -> Iterator[str]:
        """What a message adds: ``| …`` is a line of the run, ``* …`` is about it."""
        yield from self._gap(said)
        if said.phase is not self._phase and said.phase is not Phase.ENDED:
            yield _begun(said)
        if said.left_out:
            yield f"* {_counted(said.left_out, 'line was', 'lines were')} left out here"
        for line in said.lines:
            yield f"| {shown(line, keep=chr(9))}"
        if said.phase is Phase.ENDED:
            yield _ended(said)
        self._run, self._next, self._phase = said.run, said.number + 1, said.phase

    def silent(self, age: float, since: str) -> Iterator[str]:
        """What there is to say when the last word is so many seconds old, once for each silence."""
        is_silent = self._phase is Phase.RUNNING and age > SILENT_AFTER
        if is_silent and not self._is_silent:
            yield f"* nothing heard since {since}"
        self._is_silent = is_silent

    def _gap(self, said: Progress) -> Iterator[str]:
        if said.run != self._run:
            if self._run and self._phase is Phase.RUNNING:
                yield "* the agent has begun anew"
            self._phase, self._next = None, 0
            if said.number:
                yield "* what came before is not there any more"
        elif said.number > self._next:
            missing = said.number - self._next
            yield f"* {_counted(missing, 'message is', 'messages are')} missing here"


def _begun(said: Progress) -> str:
    if said.phase is Phase.RECEIVED:
        return "* received, waits for its turn"
    limit = "" if said.time_limit is None else f", time limit {said.time_limit:g} s"
    return f"* running for {said.seconds:.0f} s, hook {shown(said.hook)}{limit}"


def _ended(said: Progress) -> str:
    code, signal = shown(said.status_code), shown(said.signal)
    return f"* ended with status code {code} after {said.seconds:.1f} s, signal {signal}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
