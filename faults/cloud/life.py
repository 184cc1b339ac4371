# SPDX-License-Identifier: Apache-2.0
"""One schedule's stack and its server, through CREATE, UPDATE and DELETE."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

import requests
from heatclient import exc
from keystoneauth1.exceptions import ClientException

from faults.cloud.judge import COMPLETE, FAILED, HUNG, Ended, Outcome, Run
from faults.cloud.schedule import PHASES, Wave
from faults.cloud.side import Side
from lab import Lab
from lab.stack import Heat, Stack
from tests.support.server import HostServer

# Seconds without any progress, once all works again, after which a stack hangs: two of the longest
# waits, of a minute, after which Heat takes it that an answer from another engine is lost.
PATIENCE = 150.0
PACE = 1.0
# What a client of Heat sees of a cloud that is away.
AWAY = (ClientException, exc.HTTPException, exc.CommunicationError, OSError)

_Found = TypeVar("_Found")


class Phase:
    """One phase of a wave: it says when all works again."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._healed = Event()
        self._healed_at = 0.0

    def heal(self) -> None:
        """All works again from now on."""
        self._healed_at = time.monotonic()
        self._healed.set()

    def wait(self) -> None:
        """Wait until all works again."""
        self._healed.wait()

    def is_over(self, progress: float) -> bool:
        """Whether nobody waits any longer who has come on last at that monotonic moment."""
        since = max(self._healed_at, progress)
        return self._healed.is_set() and time.monotonic() - since > PATIENCE


class Life:
    """One schedule. All of it is played by one thread, with which its server ends."""

    def __init__(self, wave: Wave, index: int, side: Side, lab: Lab, folder: Path) -> None:
        self.outcome = Outcome(wave.schedules[index], dict(zip(PHASES, wave.injuries, strict=True)))
        self._schedule = wave.schedules[index]
        self._side = side
        self._lab = lab
        self._heat = Heat(lab.environment())
        self._folder = folder
        self._runs = folder / "runs"
        self._name = f"cloud-{self._schedule.number}-{uuid.uuid4().hex[:6]}"
        self._stack: Stack | None = None
        self._services = ExitStack()
        self._done: frozenset[str] = frozenset()
        self._progress = 0.0

    def play(self, phase: Phase) -> None:
        """Play one phase; note how it has ended."""
        if phase.name != "CREATE" and self._stack is None:
            return
        time.sleep(self._schedule.begins[PHASES.index(phase.name)])
        self._act(phase, {"CREATE": "first", "UPDATE": "second"}.get(phase.name, "second"))

    def play_again(self, phase: Phase) -> None:
        """What a user does about an action that has not ended well: ask once more."""
        if self._stack is None or not self.outcome.ended:
            return
        if self.outcome.ended[-1].state != COMPLETE:
            self._act(phase, f"{phase.name.lower()}-again", again=True)

    def end(self) -> None:
        """End the server, and read what its scripts have noted."""
        self._services.close()
        if self._runs.exists():
            lines = self._runs.read_text().splitlines()
            self.outcome.runs = [Run(*line.split()) for line in lines]

    def _act(self, phase: Phase, who: str, *, again: bool = False) -> None:
        if phase.name == "DELETE":
            self._asked(phase, self.stack.begin_to_delete)
        elif self._stack is None:
            self._create(phase, who)
        else:
            made = self._side.template(self._schedule, who, self._runs)
            self._asked(phase, lambda: self.stack.update(made))
        action = "UPDATE" if again and phase.name == "CREATE" else phase.name
        self.outcome.ended.append(self._ended(phase, action, who)._replace(again=again))

    def _create(self, phase: Phase, who: str) -> None:
        made = self._side.template(self._schedule, who, self._runs)

        def create() -> Stack:
            # A request whose answer was lost may have been served.
            return self._heat.find(self._name) or self._heat.create(self._name, made, minutes=30)

        self._stack = self._asked(phase, create)
        self._boot(phase)

    def _boot(self, phase: Phase) -> None:
        given = self._asked(phase, self._configuration)
        server = HostServer(self._folder)
        server.boot(given)
        self._services.enter_context(server.in_service())

    def _configuration(self) -> dict[str, Any]:
        """What the server is told; Nova knows it from now on, so that Heat waits for its end."""
        found = self.stack.output("server") or {}
        if not set(found.get("collectors", [])) - {"ec2", "local"}:
            raise exc.HTTPException("Heat does not say yet where its metadata are")
        resource = self._heat.api.resources.get(self.stack.id, "server")
        url = f"{self._lab.endpoints['compute']}/servers/{resource.physical_resource_id}"
        requests.put(url, timeout=30).raise_for_status()
        return dict(found)

    @property
    def stack(self) -> Stack:
        """The stack, once there is one."""
        assert self._stack is not None  # noqa: S101 - made by the first phase
        return self._stack

    def _asked(self, phase: Phase, request: Callable[[], _Found]) -> _Found:
        """Ask until the cloud answers.

        :raises TimeoutError: it did not, although all works again.
        """
        while True:
            try:
                return request()
            except AWAY as error:
                if self._is_over(phase):
                    raise TimeoutError(f"{phase.name}: {error}") from error
            time.sleep(PACE)

    def _is_over(self, phase: Phase) -> bool:
        """Whether it has stood still for too long: a machine that is busy is no fault."""
        notes = (self._folder / "var/lib/heat-config").glob("*/*.json")
        done = frozenset(str(path) for path in notes)
        if done != self._done:
            self._done, self._progress = done, time.monotonic()
        return phase.is_over(self._progress)

    def _ended(self, phase: Phase, action: str, who: str) -> Ended:
        """Wait until an action has ended."""
        while not self._is_over(phase):
            state, reason = self._state(phase)
            done, _, status = state.partition("_")
            if done == action and status == FAILED:
                return Ended(phase.name, FAILED, reason)
            if done == action and status == COMPLETE:
                wrong = () if action == "DELETE" else self._asked(phase, lambda: self._wrong(who))
                return Ended(phase.name, COMPLETE, wrong=wrong)
            time.sleep(PACE)
        return Ended(phase.name, HUNG, " ".join(self._state(phase)))

    def _state(self, phase: Phase) -> tuple[str, str]:
        def ask() -> tuple[str, str]:
            try:
                return self.stack.state, self.stack.reason
            except exc.HTTPNotFound:
                return "DELETE_COMPLETE", ""

        return self._asked(phase, ask)

    def _wrong(self, who: str) -> tuple[str, ...]:
        """The outputs that are not what was to be said."""
        found = {
            step.name: self.stack.output(f"{step.name}.deploy_stdout")
            for step in self._schedule.steps
        }
        return tuple(f"{name} is {said!r}" for name, said in found.items() if said != f"{who}\n")
