# SPDX-License-Identifier: Apache-2.0
"""heat-config-collect as a service: what wakes it, what it lives through, and its command line."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from lab import Lab
from lab.catalog import add_region
from lab.relay import Relay
from lab.stack import wait_for
from lab.wire import Wire
from tests.support.authority import Authority
from tests.support.collecting import (
    Collecting,
    body,
    has_applied,
    has_started_anew,
    said,
)
from tests.support.wires import address

Running = Callable[..., "subprocess.Popen[str]"]

# Seconds that nobody waits for here.
NEVER = 86_400
AT_ONCE = "from heat_config.collect import push, wakeup; wakeup.CONNECT_EVERY = 1"


@pytest.fixture(scope="module")
def push_relay(lab: Lab) -> Iterator[Relay]:
    """A relay to Zaqar's websocket, in the catalog as its endpoint in a region of its own."""
    with Relay(address(lab.endpoints["messaging-websocket"])) as up:
        endpoints = {
            "zaqar": lab.endpoints["messaging"],
            "zaqar-websocket": f"ws://127.0.0.1:{up.port}",
        }
        add_region(lab, "relay", endpoints)
        yield up


@pytest.fixture
def relay(push_relay: Relay) -> Relay:
    push_relay.connections = 0
    return push_relay


@pytest.fixture
def pushed(collecting: Collecting, relay: Relay) -> Collecting:  # noqa: ARG001 - it must be there
    """A server that Zaqar tells of each message, over the relay, and that polls hardly ever."""
    collecting.values |= {"use_websockets": True, "region_name": "relay"}
    return collecting


def test_zaqar_tells_of_each_message_over_one_connection(
    pushed: Collecting, relay: Relay, running: Running
) -> None:
    pushed.post(body(1))
    running(min_polling_interval=NEVER, polling_interval=NEVER)
    for number in (1, 2, 3, 4):
        wait_for("the change", partial(has_applied, pushed, number))
        wait_for("an empty queue", lambda: pushed.waiting() == [])
        pushed.post(body(number + 1))
    assert pushed.applied()[:4] == [1, 2, 3, 4]
    assert said(pushed, "polling the queue") == 0
    assert relay.connections == 1


def test_a_dead_peer_is_noticed_and_the_websocket_comes_back(
    pushed: Collecting, relay: Relay, running: Running
) -> None:
    pushed.tune(f"{AT_ONCE}; push.PING_AFTER, push.DEAD_AFTER = 1, 4; push.http.TIMEOUT = 4")
    running()
    pushed.post(body(1))
    wait_for("the change", partial(has_applied, pushed, 1))
    relay.flowing.clear()
    pushed.post(body(2))
    # That it came over the dead connection is impossible.
    wait_for("the change", partial(has_applied, pushed, 2))
    wait_for("several tries", lambda: relay.connections >= 3)
    assert said(pushed, "gives no sign of life; polling the queue") == 1
    assert said(pushed, "polling the queue") == 1
    relay.flowing.set()
    wait_for("the websocket", lambda: said(pushed, "the websocket is back"))
    pushed.post(body(3))
    wait_for("the change", partial(has_applied, pushed, 3))
    assert pushed.applied() == [1, 2, 3]


def test_a_websocket_that_goes_away_is_missed_once_and_comes_back(
    pushed: Collecting, relay: Relay, running: Running
) -> None:
    pushed.tune(AT_ONCE)
    running()
    pushed.post(body(1))
    wait_for("the change", partial(has_applied, pushed, 1))
    wait_for("the websocket", lambda: relay.connections)
    relay.close_port()
    try:
        pushed.post(body(2))
        wait_for("the change", partial(has_applied, pushed, 2))
        wait_for("the complaint", lambda: said(pushed, "polling the queue"))
    finally:
        relay.open_port()
    wait_for("the websocket", lambda: said(pushed, "the websocket is back"))
    assert said(pushed, "polling the queue") == 1
    assert "Traceback" not in pushed.log.read_text()


def test_a_connection_that_only_breaks_loses_nothing(
    pushed: Collecting, relay: Relay, running: Running
) -> None:
    running(min_polling_interval=NEVER, polling_interval=NEVER)
    for number in (1, 2, 3):
        pushed.post(body(number))
        wait_for("the change", partial(has_applied, pushed, number))
        before = relay.connections
        relay.cut()
        wait_for("a new connection", lambda n=before: relay.connections > n)  # type: ignore[misc]
    assert pushed.applied() == [1, 2, 3]


def test_a_queue_that_is_deleted_and_made_again_is_still_told_of(
    pushed: Collecting, running: Running
) -> None:
    running(min_polling_interval=NEVER, polling_interval=NEVER)
    for number in (1, 2, 3):
        pushed.post(body(number))
        wait_for("the change", partial(has_applied, pushed, number))
        pushed.queue_request("DELETE")
    assert pushed.applied() == [1, 2, 3]


def test_a_websocket_whose_certificate_does_not_verify_is_not_used(
    lab: Lab, collecting: Collecting, running: Running, tmp_path: Path
) -> None:
    tls = Authority(tmp_path).certified("127.0.0.1")
    with Relay(address(lab.endpoints["messaging-websocket"]), tls=tls) as relay:
        region = f"tls-{uuid.uuid4().hex[:8]}"
        endpoints = {
            "zaqar": lab.endpoints["messaging"],
            "zaqar-websocket": f"wss://127.0.0.1:{relay.port}",
        }
        add_region(lab, region, endpoints)
        collecting.values |= {"use_websockets": True, "region_name": region}
        running()
        for number in (1, 2):
            collecting.post(body(number))
            wait_for("the change", partial(has_applied, collecting, number))
        assert said(collecting, "does not verify: ") == 1
        # A client that does not trust it has sent its greeting, and nothing after it.
        assert relay.sent == 0
        trusting = Collecting(lab, tmp_path / "trusting")
        trusting.values |= {
            "use_websockets": True,
            "region_name": region,
            "ca_file": tmp_path / "authority.pem",
        }
        service = trusting.start(min_polling_interval=NEVER, polling_interval=NEVER)
        try:
            wait_for("the websocket", lambda: relay.sent)
            trusting.post(body(1))
            wait_for("the change", partial(has_applied, trusting, 1))
        finally:
            service.kill()
            service.communicate()


def test_without_a_websocket_it_polls_and_says_so_once(wired: Collecting, running: Running) -> None:
    wired.values["use_websockets"] = True
    running()
    for number in (1, 2):
        wired.post(body(number))
        wait_for("the change", partial(has_applied, wired, number))
    assert said(wired, "no public endpoint of type 'messaging-websocket'") == 1


def test_a_token_is_renewed_before_it_ends(tmp_path: Path) -> None:
    with Lab(tmp_path / "lab", token_expiration=40) as lab:
        polling = Collecting(lab, tmp_path / "polling")
        pushed = Collecting(lab, tmp_path / "pushed")
        pushed.values["use_websockets"] = True
        with (
            Wire(address(lab.auth_url)) as keystone,
            Wire(address(lab.auth_url)) as other,
            Wire(address(lab.endpoints["messaging"])) as zaqar,
        ):
            add_region(lab, "wire", {"zaqar": zaqar.url})
            polling.values |= {"auth_url": f"{keystone.url}/v3/", "region_name": "wire"}
            pushed.values["auth_url"] = f"{other.url}/v3/"
            services = [
                polling.start(min_polling_interval=1),
                pushed.start(min_polling_interval=NEVER, polling_interval=NEVER),
            ]
            try:
                for number in (1, 2, 3):
                    for each, tokens in ((polling, keystone), (pushed, other)):
                        # Renewed every ten seconds, 30 s before the end.
                        wait_for("a token", lambda t=tokens, n=number: len(t.requests("POST")) >= n)  # type: ignore[misc]
                        each.post(body(number))
                        wait_for("the change", partial(has_applied, each, number))
            finally:
                for service in services:
                    service.kill()
                    service.communicate()
            answers = {exchange.answered for exchange in zaqar.history}
        # No request was refused for an old token, and the websocket was never lost.
        assert answers <= {200, 204}
        assert said(pushed, "polling the queue") == 0
        assert polling.applied() == pushed.applied() == [1, 2, 3]


def test_one_token_and_one_connection_serve_many_looks(
    wired: Collecting, wire: Wire, running: Running
) -> None:
    before = wire.connections
    with Wire(address(wired.values["auth_url"])) as to_keystone:
        wired.values["auth_url"] = f"{to_keystone.url}/v3/"
        running()
        wait_for("many looks", lambda: len(wire.requests("GET")) >= 8)
        assert len(to_keystone.requests("POST")) == 1
    assert wire.connections == before + 1


def test_an_outage_is_told_once_and_the_metadata_stays(
    wired: Collecting, wire: Wire, running: Running
) -> None:
    wired.post(body(1))
    running(collectors="zaqar local")
    wait_for("the change", lambda: wired.applied() == [1])
    wire.close_port()
    try:
        wait_for("the complaint", lambda: said(wired, "trying again"))
        (wired.root / "local-data/extra").write_text("{}")
        wait_for("the other source", lambda: wired.applied() == [1, 1])
    finally:
        wire.open_port()
    wired.post(body(2))
    wait_for("the change", lambda: wired.applied() == [1, 1, 2])
    assert said(wired, "trying again") == 1
    assert said(wired, "answers again") == 1
    assert "Traceback" not in wired.log.read_text()


def test_the_other_collectors_are_polled_as_often_as_before(
    wired: Collecting, wire: Wire, running: Running
) -> None:
    least = 0.05
    with Wire(wire.upstream) as metadata:
        conf = wired.root / "request.conf"
        conf.write_text(f"[request]\nmetadata_url = {metadata.url}/metadata\n")
        began = time.monotonic()
        running(
            "--config-file",
            str(conf),
            collectors="zaqar request",
            min_polling_interval=least,
            polling_interval=NEVER,
        )
        wait_for("looks at the queue", lambda: len(wire.requests("GET")) >= 30)
        # The waits double: so many of them fit into the time that has gone by.
        rounds = math.log2((time.monotonic() - began) / least + 1) + 1
        assert 1 <= len(metadata.history) / 2 <= rounds


def test_a_failed_command_is_run_again_by_itself(collecting: Collecting, running: Running) -> None:
    collecting.command = (
        f"echo tried >> {collecting.root}/tries; "
        f'[ "$(wc -l < {collecting.root}/tries)" -ge 3 ] || exit 3; {collecting.command}'
    )
    collecting.post(body(1))
    running()
    wait_for("the change", partial(has_applied, collecting, 1))
    assert said(collecting, "has failed with exit status 3") == 2
    assert collecting.waiting() == []


def test_the_service_goes_on_through_hangups_until_it_is_told_to_end(
    collecting: Collecting, running: Running
) -> None:
    service = running()
    for number in range(1, 4):
        collecting.post(body(number))
        wait_for("the change", partial(has_applied, collecting, number))
        service.send_signal(signal.SIGHUP)
        wait_for("a new start", partial(has_started_anew, collecting, number))
    assert collecting.applied() == [1, 2, 3]
    service.terminate()
    assert service.wait(30) == -signal.SIGTERM


def test_a_hangup_while_the_command_runs_is_not_forgotten(
    collecting: Collecting, running: Running
) -> None:
    hold = collecting.root / "hold"
    hold.touch()
    collecting.command += f"; while [ -e {hold} ]; do sleep 0.1; done"
    collecting.post(body(1))
    service = running()
    wait_for("the command", partial(has_applied, collecting, 1))
    service.send_signal(signal.SIGHUP)
    hold.unlink()
    wait_for("a new start", partial(has_started_anew, collecting, 1))
    collecting.post(body(2))
    wait_for("the change", partial(has_applied, collecting, 2))
    assert collecting.applied() == [1, 2]


def test_a_configuration_that_its_command_changes_is_taken_up(
    collecting: Collecting, running: Running
) -> None:
    password = collecting.values["password"]
    collecting.values["password"] = "rotated away"
    saved = collecting.root / "wrong.conf"
    saved.write_text(collecting.configure().read_text())
    collecting.values["password"] = password
    collecting.post(body(1))
    collecting.command += f" && cp {saved} {collecting.root}/collect.conf"
    running()
    wait_for("the change", lambda: collecting.applied() == [1])
    wait_for("the complaint", lambda: said(collecting, "401"))
    assert said(collecting, "starting anew") == 1
    assert "rotated away" not in collecting.log.read_text()


def test_splay_holds_up_the_service_and_nothing_else(
    lab: Lab, wired: Collecting, wire: Wire, running: Running, tmp_path: Path
) -> None:
    wired.post(body(1))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        wired.environment["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        wired.tune("import random; random.uniform = lambda _, most: most")
        running(splay=NEVER)
        assert systemd.recv(100) == b"READY=1"
    # One that is as late has long done its work.
    other = Collecting(lab, tmp_path / "other")
    other.post(body(2))
    other.once()
    assert other.applied() == [2]
    assert wire.history == []
    wired.once(splay=NEVER)
    assert wired.applied() == [1]


@pytest.mark.parametrize("name", ["C", "POSIX", "C.UTF-8", "C.utf8", "xx_YY.UTF-8", ""])
def test_any_locale_will_do(collecting: Collecting, name: str) -> None:
    collecting.environment = {"LC_ALL": name, "LANG": name}
    collecting.post({**body(1), "text": "wörd ☃"})
    (collecting.root / "local-data/zweitens").write_text('{"wörd": "☃"}')
    (collecting.root / "local-data/erstens").write_text("{}")
    collecting.once(collectors="local zaqar")
    assert collecting.applied() == [1]
    files = json.loads((collecting.root / "cache/os_config_files.json").read_text())
    assert [Path(path).stem for path in files] == ["erstens", "zweitens", "zaqar"]
    assert "Traceback" not in collecting.log.read_text()


def test_systemd_hears_of_it_also_while_the_command_runs_but_not_when_it_hangs(
    collecting: Collecting, running: Running, tmp_path: Path
) -> None:
    hold = collecting.root / "hold"
    hold.touch()
    collecting.command += f"; while [ -e {hold} ]; do sleep 0.1; done"
    collecting.tune("from heat_config.collect import wakeup; wakeup.FEED_EVERY = 0.05")
    collecting.environment["NOTIFY_SOCKET"] = str(tmp_path / "notify")
    collecting.post(body(1))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        service = running()
        assert systemd.recv(100) == b"READY=1"
        wait_for("the command", partial(has_applied, collecting, 1))
        _drain(systemd)
        assert [systemd.recv(100) for _ in range(5)] == [b"WATCHDOG=1"] * 5
        hold.unlink()
        os.kill(service.pid, signal.SIGSTOP)
        state = Path(f"/proc/{service.pid}/stat")
        wait_for("the halt", lambda: state.read_text().rpartition(")")[2].split()[0] == "T")
        _drain(systemd)
        systemd.settimeout(1)
        with pytest.raises(TimeoutError):
            systemd.recv(100)


def test_the_command_line_is_os_collect_configs(collecting: Collecting) -> None:
    assert collecting.once("--print-cachedir") == f"{collecting.root}/cache\n"
    collecting.once("--one-time", "zaqar", "nonesuch")
    assert collecting.status == 2
    assert said(collecting, "Unknown collectors nonesuch") == 1
    collecting.post(body(1))
    (collecting.root / "local-data/extra").write_text('{"a": 1}')
    # A name of a collector on the command line; without a command it prints.
    printed = json.loads(collecting.once("--command=", "local"))
    assert printed == {"extra": {"a": 1}}
    printed = json.loads(collecting.once("--print", collectors="zaqar local"))
    assert printed == {"zaqar": body(1), "extra": {"a": 1}}
    assert collecting.applied() == []


def _drain(connection: socket.socket) -> None:
    """Read what is there already."""
    connection.setblocking(False)
    try:
        while True:
            connection.recv(100)
    except BlockingIOError:
        connection.settimeout(30)


def test_one_that_an_operator_starts_waits_for_the_service(
    collecting: Collecting, running: Running
) -> None:
    hold = collecting.root / "hold"
    hold.touch()
    works = collecting.command
    collecting.command = f"while [ -e {hold} ]; do echo > {hold}.on; sleep 0.1; done; {works}"
    collecting.post(body(1))
    running(polling_interval=NEVER, min_polling_interval=NEVER)
    wait_for("the command", (collecting.root / "hold.on").exists)
    collecting.post(body(2))
    other = collecting.start("--one-time")
    wait_for("the other one", lambda: said(collecting, "another process is at work"))
    assert collecting.waiting() == [body(2)]
    hold.unlink()
    other.communicate(timeout=180)
    assert other.returncode == 0
    assert collecting.applied() == [1, 2]
    assert collecting.waiting() == []
