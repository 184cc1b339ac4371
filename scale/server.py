# SPDX-License-Identifier: Apache-2.0
"""One server: the agent's own way in and out, on a folder, without the programs around it.

What it is asked to run is a moment of the clock at which the run has ended. There is no process
for each server, and no os-apply-config: both cost the server, and not the cloud.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from heat_config import deployment, files
from heat_config.cloud import signed
from heat_config.cloud.credentials import Credentials
from heat_config.cloud.keystone import User
from heat_config.cloud.trust import Trust
from heat_config.cloud.zaqar import AsSigned, AsUser, Connection, Queue
from heat_config.collect.inbox import Inbox
from heat_config.collect.loop import LOOK_EVERY
from heat_config.collect.pace import Pace
from heat_config.collect.push import Push
from heat_config.collect.source import Source
from heat_config.delivery.courier import Courier, Records
from heat_config.delivery.entry import Entry, first_stage
from heat_config.delivery.outbox import Outbox
from heat_config.deployment import Deployment
from heat_config.result import Result
from heat_config.settings import Settings, load
from heat_config.signals import address

# os-collect-config's own: seconds.
LEAST, INTERVAL = 1.0, 30.0
LIFETIME = 3000.0
# Seconds between two runs of heat-config-deliver while a result is pending.
DELIVER_EVERY = (30.0, 40.0)

Note = Callable[[str, str], None]


class Told(NamedTuple):
    """What a server is given at its boot."""

    number: int
    queue: str
    begins: float
    """When it boots, by the clock."""
    signed_address: str = ""
    user: dict[str, str] = {}  # noqa: RUF012 - never changed
    websocket: bool = False


class Server:
    """One of many. ``note`` is given what happened to which config."""

    def __init__(self, told: Told, folder: Path, note: Note) -> None:
        self._note = note
        self._settings = settings_in(folder)
        files.make_private_folder(folder / "run")
        queue = Queue(self._connection(told), told.queue, str(uuid.uuid4()))
        inbox = Inbox(folder / "zaqar.d", told.queue)
        self._source = Source(queue, inbox, _ask_nobody, LIFETIME)
        self._outbox = Outbox(self._settings)
        self._pace = Pace(LEAST, INTERVAL, eager=bool(told.signed_address))
        self._known: set[str] = set()
        self._running: dict[str, tuple[float, Entry]] = {}
        self._deliver_at = float("inf")
        self._told = told
        self._turn = Lock()
        self._push: Push | None = None

    def _connection(self, told: Told) -> Connection:
        if told.signed_address:
            return AsSigned(signed.parse(told.signed_address), Trust())
        return AsUser(self._user(told))

    def _user(self, told: Told) -> User:
        return User(Credentials.from_section(told.user), Trust())

    def pushed(self) -> Push:
        """A websocket on which Zaqar announces messages; from now on the queue is seldom polled.

        :raises CloudError: it cannot be made.
        """
        told = self._told
        self._push = Push(self._user(told), told.user["project_id"], told.queue, Trust())
        return self._push

    def woken(self) -> float | None:
        """Look, because a message was announced."""
        again = self.turn()
        return again if self._running else None

    def turn(self) -> float:
        """Do what is due; return the monotonic moment of the next turn."""
        with self._turn:
            return self._take_turn()

    def _take_turn(self) -> float:
        now = time.time()
        if self._running:
            self._end_runs(now)
        else:
            self._look()
        if self._outbox.ids() and time.monotonic() >= self._deliver_at:
            self._courier().deliver_all(due_only=True)
            self._deliver_at = time.monotonic() + random.uniform(*DELIVER_EVERY)  # noqa: S311
        return self._next()

    def _look(self) -> None:
        began = time.monotonic()
        content = self._source.collect() or {}
        self._pace.looked(time.monotonic() - began)
        if self._source.is_away:
            self._note("away", "")
        for each in map(deployment.read, content.get("deployments", [])):
            if each.id not in self._known:
                self._begin(each)

    def _begin(self, found: Deployment) -> None:
        self._known.add(found.id)
        self._note("hook", found.id)
        self._pace.changed()
        sent_to = address(found.values)
        stage = first_stage(sent_to, program=None, forced=False)
        message = Result(0, "done\n", "", {"out": "x"}).as_dict()
        entry = Entry(found.id, sent_to, message, stage, since=time.time())
        ends = float(found.item["config"] or 0)
        self._running[found.id] = (ends, entry)
        self._end_runs(time.time())

    def _end_runs(self, now: float) -> None:
        ended = [entry for ends, entry in self._running.values() if ends <= now]
        for entry in ended:
            del self._running[entry.id]
            self._note("ended", entry.id)
            courier = self._courier()
            with self._outbox.locked() as box:
                courier.hand_over(box, entry)
                courier.pursue(box, entry)
            self._pace.changed()
            self._deliver_at = time.monotonic() + random.uniform(*DELIVER_EVERY)  # noqa: S311

    def _courier(self) -> Courier:
        """A new one, as each of the agent's runs has."""
        return Courier(self._outbox, _NO_RECORDS, self._settings)

    def _next(self) -> float:
        now = time.monotonic()
        if self._running:
            return now + max(min(ends for ends, _ in self._running.values()) - time.time(), 0)
        pending = self._deliver_at if self._outbox.ids() else float("inf")
        wait = LOOK_EVERY if self._push else self._pace.wait()
        return min(now + wait, max(pending, now))


def _ask_nobody(_kept: object, _why: object) -> None:
    """There is no Heat that could be asked."""


# The path is for a program in the agent's place, of which there is none.
_NO_RECORDS = Records(lambda _: None, lambda _: None, Path)


def settings_in(folder: Path) -> Settings:
    """The agent's settings, with all that it keeps below one folder."""
    return load(
        {
            "HEAT_CONFIG_SETTINGS": str(folder / "none"),
            "HEAT_SHELL_CONFIG": str(folder / "run/heat-config"),
            "HEAT_CONFIG_OUTBOX": str(folder / "outbox"),
            "HEAT_CONFIG_DEPLOYED": str(folder / "deployed"),
            "HEAT_CONFIG_LOGS": str(folder / "log"),
        }
    )
