# SPDX-License-Identifier: Apache-2.0
"""The faulty wire does to a client what it is told, and nothing else."""

from __future__ import annotations

import http.client
import itertools
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lab.wire import (
    FORWARD,
    GARBAGE,
    LOSE_ANSWER,
    RESET,
    STALL,
    STALL_ANSWER,
    Action,
    Exchange,
    Wire,
    answer,
)
from tests.support.serving import serving


class Service(ThreadingHTTPServer):
    """Echoes a body, and keeps what it has got. It keeps no connection."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.got: list[tuple[str, str, str, bytes]] = []


class _Echo(BaseHTTPRequestHandler):
    server: Service

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.got.append((self.command, self.path, self.headers["Host"], body))
        self.send_response(201 if self.command == "POST" else 200)
        self.send_header("Connection", "close")
        self.send_header("X-Kept", "yes")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    with serving(server):
        yield server


@pytest.fixture
def wire(service: Service) -> Iterator[Wire]:
    with Wire(("127.0.0.1", service.server_port)) as wire:
        yield wire


@pytest.fixture
def client(wire: Wire) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", wire.port, timeout=60)
    yield connection
    connection.close()


def post(client: http.client.HTTPConnection, body: bytes = b"x") -> tuple[int, bytes]:
    client.request("POST", "/a?b=c", body)
    response = client.getresponse()
    return response.status, response.read()


def wait_for_a_request(wire: Wire) -> None:
    deadline = time.monotonic() + 60
    while not wire.history:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_requests_are_handed_on_over_a_kept_connection(
    wire: Wire, client: http.client.HTTPConnection, service: Service
) -> None:
    large = bytes(range(256)) * 4096
    assert post(client, large) == (201, large)
    assert post(client) == (201, b"x")
    assert wire.connections == 1
    # A signed URL is signed for the service's own address.
    host = f"127.0.0.1:{service.server_port}"
    assert service.got == [("POST", "/a?b=c", host, large), ("POST", "/a?b=c", host, b"x")]
    assert wire.history == [Exchange("POST", "/a?b=c", 201, 201)] * 2


def test_headers_come_through_and_those_of_the_connection_do_not(
    client: http.client.HTTPConnection,
) -> None:
    client.request("GET", "/")
    response = client.getresponse()
    assert response.getheader("X-Kept") == "yes"
    assert response.getheader("Connection") is None


def test_a_plan_and_then_the_default(wire: Wire, client: http.client.HTTPConnection) -> None:
    wire.plan([answer(503), FORWARD, answer(429, b"later")])
    assert [post(client) for _ in range(4)] == [
        (503, b""),
        (201, b"x"),
        (429, b"later"),
        (201, b"x"),
    ]
    assert [exchange.answered for exchange in wire.requests("POST")] == [503, 201, 429, 201]
    assert [exchange.forwarded for exchange in wire.history] == [None, 201, None, 201]
    assert wire.connections == 1


def test_a_plan_may_be_endless(wire: Wire, client: http.client.HTTPConnection) -> None:
    wire.plan(itertools.cycle([answer(500), FORWARD]))
    assert [post(client)[0] for _ in range(5)] == [500, 201, 500, 201, 500]


def test_an_answer_of_its_own_after_the_service_has_the_request(
    wire: Wire, client: http.client.HTTPConnection, service: Service
) -> None:
    wire.plan([answer(504, forward=True)])
    assert post(client) == (504, b"")
    assert len(service.got) == 1
    assert wire.history == [Exchange("POST", "/a?b=c", 201, 504)]


@pytest.mark.parametrize(("action", "handed_on"), [(RESET, 0), (LOSE_ANSWER, 1)])
def test_a_reset(
    wire: Wire,
    client: http.client.HTTPConnection,
    service: Service,
    action: Action,
    handed_on: int,
) -> None:
    wire.plan([action])
    with pytest.raises(ConnectionResetError):
        post(client)
    assert len(service.got) == handed_on
    assert wire.history[0].answered is None
    client.close()
    assert post(client) == (201, b"x")
    assert wire.connections == 2


def test_what_is_no_http(wire: Wire, client: http.client.HTTPConnection) -> None:
    wire.plan([GARBAGE])
    with pytest.raises(http.client.BadStatusLine):
        post(client)


def test_a_stall_ends_when_the_client_gives_up(
    wire: Wire, client: http.client.HTTPConnection, service: Service
) -> None:
    wire.plan([STALL])
    hasty = http.client.HTTPConnection("127.0.0.1", wire.port, timeout=0.1)
    with pytest.raises(TimeoutError):
        post(hasty)
    hasty.close()
    wait_for_a_request(wire)
    assert post(client) == (201, b"x")
    assert len(service.got) == 1


def test_a_stall_ends_when_it_is_released(
    wire: Wire, client: http.client.HTTPConnection, service: Service
) -> None:
    wire.plan([STALL_ANSWER])
    client.request("POST", "/", b"x")
    wait_for_a_request(wire)
    wire.release()
    with pytest.raises(http.client.RemoteDisconnected):
        client.getresponse()
    assert len(service.got) == 1


def test_a_rule_says_what_befalls_a_request_by_its_method_and_path(
    wire: Wire, client: http.client.HTTPConnection, service: Service
) -> None:
    wire.obey(lambda *asked: answer(503) if asked == ("POST", "/a?b=c") else None)
    wire.plan([answer(404)])
    assert [post(client)[0] for _ in range(2)] == [503, 503]
    client.request("GET", "/a")
    response = client.getresponse()
    assert (response.status, response.read()) == (404, b"")
    assert service.got == []


def test_a_stall_does_not_hold_up_the_end(service: Service) -> None:
    with Wire(("127.0.0.1", service.server_port), default=STALL) as wire:
        client = http.client.HTTPConnection("127.0.0.1", wire.port, timeout=60)
        client.request("GET", "/")
        wait_for_a_request(wire)
    with pytest.raises(ConnectionError):
        client.getresponse()


def test_a_closed_port_refuses_and_ends_what_was_kept(
    wire: Wire, client: http.client.HTTPConnection
) -> None:
    post(client)
    port = wire.port
    wire.close_port()
    with pytest.raises(ConnectionError):
        post(client)
    client.close()
    with pytest.raises(ConnectionRefusedError):
        post(client)
    client.close()
    wire.open_port()
    assert wire.port == port
    assert post(client) == (201, b"x")


def test_a_service_that_is_away_is_a_reset(client: http.client.HTTPConnection, wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire.upstream = ("127.0.0.1", server.getsockname()[1])
    with pytest.raises(ConnectionResetError):
        post(client)
