# SPDX-License-Identifier: Apache-2.0
"""What is measured with many servers: figures, curves, and who does what when."""

from __future__ import annotations

import socket
import time
from collections import Counter
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from heat_config.cloud.errors import CloudError, Outcome
from heat_config.delivery.outbox import Outbox
from scale import curve, figures, report, rounds
from scale.crowd import Wakeups
from scale.heat import Awaited, Heat, Round
from scale.rounds import Figures
from scale.server import Server, Told, settings_in
from scale.timetable import Timetable, started
from tests.support.zaqar_in_memory import Zaqar
from tests.support.serving import serving

SIGNATURE = "a" * 64
# Nobody listens there.
ADDRESS = (
    "zaqar+http://127.0.0.1:1/v2/queues/q/messages?project=p&methods=GET,POST"
    f"&paths=/v2/queues/q/messages&expires=2036-01-01T00:00:00&signature={SIGNATURE}"
)


def metadata(config: str = "0") -> dict[str, object]:
    signal = {"name": "deploy_signal_id", "type": "String", "value": ADDRESS}
    item = {"id": "one", "name": "step", "group": "script", "config": config, "inputs": [signal]}
    return {"deployments": [item]}


@pytest.fixture
def noted() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def server(tmp_path: Path, noted: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(
        Told(1, "q", 0, ADDRESS), tmp_path, lambda what, config: noted.append((what, config))
    )
    monkeypatch.setattr(made._source, "collect", metadata)
    # One try is enough.
    monkeypatch.setattr("heat_config.delivery.courier.BUDGET", 0.0)
    return made


def test_a_server_runs_a_config_once_and_keeps_what_it_cannot_send(
    server: Server, noted: list[tuple[str, str]], tmp_path: Path
) -> None:
    server.turn()
    server.turn()
    assert noted == [("hook", "one"), ("ended", "one")]
    assert Outbox(settings_in(tmp_path)).ids() == ["one"]


def test_a_run_ends_at_the_moment_that_its_config_names(
    server: Server, noted: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = time.time() + 1000
    monkeypatch.setattr(server._source, "collect", lambda: metadata(str(ends)))
    assert server.turn() - time.monotonic() > 900
    assert noted == [("hook", "one")]


def test_a_timetable_does_what_is_due_in_its_order_and_again() -> None:
    timetable, ended = Timetable(), Event()
    done: list[str] = []

    def twice() -> float | None:
        done.append("twice")
        if done.count("twice") < 2:
            return time.monotonic()
        ended.set()
        return None

    timetable.add(time.monotonic() + 1000, lambda: done.append("never"))
    timetable.add(time.monotonic() - 1, twice)
    timetable.add(time.monotonic() - 2, lambda: done.append("first"))
    (thread,) = started([timetable], 1)
    ended.wait()
    timetable.end()
    thread.join()
    assert done == ["first", "twice", "twice"]


class Pushed:
    """A websocket that announces one message, or has ended."""

    def __init__(self, *, ended: bool) -> None:
        self._near, self._far = socket.socketpair()
        self._far.send(b"x")
        self._ended = ended

    def fileno(self) -> int:
        return self._near.fileno()

    def read(self) -> bool:
        self._near.recv(1)
        if self._ended:
            raise CloudError("it has ended", Outcome.UNREACHABLE)
        return True


class Woken:
    """A server that notes that it was woken."""

    def __init__(self) -> None:
        self.looked = Event()

    def woken(self) -> None:
        self.looked.set()


@pytest.mark.parametrize("ended", [False, True])
def test_a_server_is_woken_by_a_message_and_by_the_end_of_its_websocket(*, ended: bool) -> None:
    timetable, server = Timetable(), Woken()
    started([timetable], 1)
    Wakeups(timetable).add(Pushed(ended=ended), server)  # type: ignore[arg-type]
    assert server.looked.wait(60)
    timetable.end()


@pytest.fixture
def lab(tmp_path: Path) -> Any:
    """Where nothing runs, and nothing is logged."""
    (tmp_path / "log").touch()
    logs = dict.fromkeys(("zaqar", "keystone"), tmp_path / "log")
    return SimpleNamespace(status=list, logs=logs)


def test_every_server_is_told_and_heard_in_each_round(
    lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "STORM", 1.0)
    with serving(Zaqar()) as zaqar:
        heat = Heat(lambda: zaqar, engines=2, threads=2)
        play = rounds.Play(lab, heat, lambda _: None)
        with play.servers(tmp_path / "servers", 6, 2, rounds.Way.SIGNED) as played:
            played.append(play.update("another", hold=1))
        heat.close()
    for found in played:
        awaited = found.round.awaited.values()
        assert len(awaited) == 6
        assert report.lost(found) == report.repeated(found) == 0
        assert all(each.posted <= each.hook <= each.ended <= each.taken for each in awaited)
        assert {each.hooks for each in awaited} == {1}


def test_the_spread_of_seconds() -> None:
    assert figures.spread([]) is None
    assert figures.spread([3.0]) == (3.0, 3.0, 3.0)
    assert figures.spread([float(each) for each in range(1, 201)]) == (100, 198, 200)


def test_arrivals_by_the_second() -> None:
    assert figures.per_second([10.2, 10.9, 12.0, 0.0], 10.0) == [2, 0, 1]
    assert figures.per_second([], 10.0) == []


LOG = """
[pid: 1|app: 0|req: 1/1] 127.0.0.1 () {34 vars in 809 bytes} [Wed Nov 25 17:25:51 2026] POST /v2/queues/q/messages => generated 94 bytes in 35 msecs (HTTP/1.1 201) 5 headers in 189 bytes (2 switches on core 0)
[pid: 1|app: 0|req: 2/2] 127.0.0.1 () {34 vars in 809 bytes} [Wed Nov 25 17:25:52 2026] GET /v2/queues/r/messages?limit=20 => generated 9 bytes in 8 msecs (HTTP/1.1 503) 4 headers in 156 bytes (1 switches on core 0)
[pid: 1|app: 0|req: 3/3] 127.0.0.1 () {34 vars in 809 bytes} [Wed Nov 25 17:25:52 2026] POST /v3/auth/tokens => generated 9 bytes in 8 msecs (HTTP/1.1 201) 4 headers in 156 bytes (1 switches on core 0)
2026-11-25 17:25:52 INFO another line
"""  # noqa: E501 - as uWSGI writes them


def test_requests_by_kind_from_a_services_log() -> None:
    assert figures.requests(LOG.splitlines()) == {
        "POST messages": 1,
        "GET messages": 1,
        "answered 503": 1,
        "POST /v3/auth/tokens": 1,
    }
    assert figures.kind("DELETE", "/v2/queues/q") == "DELETE queue"


def played(*awaited: Awaited) -> Figures:
    found = Round("a round", 100.0, {each.config: each for each in awaited}, Counter())
    return Figures(found, 0, 10.0, {"zaqar": 5.0, "redis": 0.01}, {"zaqar": Counter()})


def test_what_was_not_taken_is_lost_and_a_second_hook_is_one_too_many() -> None:
    good = Awaited(1, "a", "q", 101, 102, 103, 104, hooks=1)
    twice = Awaited(2, "b", "r", 101, 102, 103, 0, hooks=2)
    found = played(good, twice)
    assert report.lost(found) == report.repeated(found) == 1
    first, *others = report.lines(found)
    assert first == "a round: 2 servers in 10 s, 0.1 a second; lost: 1, run twice: 1"
    assert others[-1] == "  CPU in s: zaqar 5.0; most: zaqar, 50% of a core"
    (kept,) = report.results([found])
    assert kept["post to hook"] == [1, 1, 1]
    assert kept["lost"] == 1


def test_the_picture_has_a_panel_for_each_round() -> None:
    good = Awaited(1, "a", "q", 101, 102, 103, 104, hooks=1)
    panel = report.panel(played(good))
    assert panel.hooks == [0, 0, 1]
    picture = ElementTree.fromstring(curve.drawn("Arrivals & more", [panel, panel]))  # noqa: S314
    texts = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "Arrivals & more"
    assert texts.count("a round: 1 servers") == 2
