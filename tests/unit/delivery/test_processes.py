# SPDX-License-Identifier: Apache-2.0
"""Several programs that deliver at once: real processes, and a real server at the far end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from heat_config.delivery.entry import Entry, Stage
from heat_config.delivery.outbox import Outbox
from heat_config.result import Result
from heat_config.settings import Settings
from tests.support.checkout import REPOSITORY
from tests.support.inbox import Inbox
from tests.support.serving import serving

DELIVER = "import sys; from heat_config.cli import main; sys.exit(main(['deliver']))"


class SlowInbox(Inbox):
    """Answers nobody before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = Event(), Event()
        self.answers = _Gate(self)


class _Gate(list[int]):
    def __init__(self, inbox: SlowInbox) -> None:
        self._inbox = inbox

    def __bool__(self) -> bool:
        self._inbox.asked.set()
        self._inbox.go_on.wait(60)
        return False


@pytest.fixture
def inbox() -> Iterator[SlowInbox]:
    server = SlowInbox()
    with serving(server):
        yield server
        server.go_on.set()


@pytest.fixture
def start() -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start ``heat-config deliver`` in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, "-c", DELIVER]
        started.append(
            subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def have(settings: Settings, inbox: Inbox, *ids: str) -> None:
    """These results are pending."""
    address = {"deploy_signal_id": inbox.url, "deploy_signal_verb": "PUT"}
    with Outbox(settings).locked() as box:
        for number, config_id in enumerate(ids):
            message = {**Result(0).as_dict(), "id": config_id}
            box.put(Entry(config_id, address, message, Stage.REPEATABLE, since=float(number)))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def waits_for_a_lock(process: subprocess.Popen[str]) -> bool:
    """Whether the kernel lists it as one that a lock holds up."""
    lines = Path("/proc/locks").read_text().splitlines()
    waiting = [line.split() for line in lines if " -> " in line]
    return any(str(process.pid) in fields for fields in waiting)


def test_processes_that_deliver_at_once_send_each_result_once(
    settings: Settings, inbox: SlowInbox, start: Callable[[], subprocess.Popen[str]]
) -> None:
    ids = ("a", "b", "c", "d")
    have(settings, inbox, *ids)
    first = start()
    assert inbox.asked.wait(60)
    others = [start(), start()]
    wait_until(lambda: all(waits_for_a_lock(other) for other in others))
    inbox.go_on.set()
    assert [process.wait(60) for process in (first, *others)] == [0, 0, 0]
    assert sorted(message["id"] for message in inbox.messages) == list(ids)


def test_a_killed_process_leaves_no_lock_behind(
    settings: Settings, inbox: SlowInbox, start: Callable[[], subprocess.Popen[str]]
) -> None:
    have(settings, inbox, "a")
    first = start()
    assert inbox.asked.wait(60)
    first.kill()
    first.wait(60)
    inbox.go_on.set()
    assert Outbox(settings).ids() == ["a"]
    second = start()
    assert second.wait(60) == 0
    assert Outbox(settings).ids() == []
