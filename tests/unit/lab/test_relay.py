# SPDX-License-Identifier: Apache-2.0
"""The relay hands everything on, and falls silent when it is told to."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from lab.relay import Relay
from tests.support.serving import serving


class _Echo(StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line.upper())


@pytest.fixture
def relay() -> Iterator[Relay]:
    service = ThreadingTCPServer(("127.0.0.1", 0), _Echo)
    with serving(service), Relay(("127.0.0.1", service.server_address[1])) as up:
        yield up


@pytest.fixture
def client(relay: Relay) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", relay.port), timeout=30) as connection:
        yield connection


def ask(client: socket.socket, line: bytes) -> bytes:
    client.sendall(line)
    return client.recv(100)


def test_everything_is_handed_on_and_counted(relay: Relay, client: socket.socket) -> None:
    assert [ask(client, b"one\n"), ask(client, b"three\n")] == [b"ONE\n", b"THREE\n"]
    assert (relay.connections, relay.sent) == (1, 10)


def test_silence_keeps_the_connection(relay: Relay, client: socket.socket) -> None:
    assert ask(client, b"one\n") == b"ONE\n"
    relay.flowing.clear()
    client.sendall(b"two\n")
    client.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.recv(100)
    relay.flowing.set()
    client.settimeout(30)
    assert client.recv(100) == b"TWO\n"


def test_a_cut_ends_the_connection_and_welcomes_the_next(
    relay: Relay, client: socket.socket
) -> None:
    assert ask(client, b"one\n") == b"ONE\n"
    relay.cut()
    assert client.recv(100) == b""
    with socket.create_connection(("127.0.0.1", relay.port), timeout=30) as again:
        assert ask(again, b"two\n") == b"TWO\n"


def test_a_closed_port_refuses_and_opens_again(relay: Relay, client: socket.socket) -> None:
    assert ask(client, b"one\n") == b"ONE\n"
    relay.close_port()
    assert client.recv(100) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", relay.port), timeout=30)
    relay.open_port()
    with socket.create_connection(("127.0.0.1", relay.port), timeout=30) as again:
        assert ask(again, b"two\n") == b"TWO\n"
