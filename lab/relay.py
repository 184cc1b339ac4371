# SPDX-License-Identifier: Apache-2.0
"""A relay on loopback for whatever is no plain HTTP, such as a websocket: bytes go to and fro.

It can fall silent, as a peer does whose machine has lost its power: connections stay, and
nothing comes over them any more. :mod:`lab.wire` is the same for HTTP requests.
"""

import select
import socket
import ssl
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread

# TLS hands out at least so much at once, so that nothing is left that select would not see.
LARGEST_RECORD = 1 << 16


class Relay:
    """In front of one service, up inside its ``with`` block."""

    def __init__(self, upstream: tuple[str, int], *, tls: ssl.SSLContext | None = None) -> None:
        self.upstream = upstream
        self.tls = tls
        self.port = 0
        """Where it listens, on 127.0.0.1; it stays the same."""
        self.connections = 0
        """How many connections clients have made."""
        self.sent = 0
        """Bytes that clients have sent."""
        self.flowing = Event()
        """Cleared: nothing comes through in either direction."""
        self.flowing.set()
        self._server: _Server | None = None

    def __enter__(self) -> "Relay":
        self.open_port()
        return self

    def __exit__(self, *_: object) -> None:
        self.close_port()

    def open_port(self) -> None:
        """Listen, again if need be."""
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, args=(0.01,), name="relay").start()

    def close_port(self) -> None:
        """From now on connections are refused, and those that were there have ended."""
        if self._server:
            self.flowing.set()
            self._server.close()
            self._server = None

    def cut(self) -> None:
        """End all connections; new ones are welcome."""
        if self._server:
            self._server.cut()


class _Server(ThreadingTCPServer):
    """Accepts connections; each has a thread."""

    daemon_threads = False  # so that server_close waits for them
    allow_reuse_address = True

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", relay.port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away, or does not trust us, is no fault of the relay."""

    def cut(self) -> None:
        for connection in list(self.open):
            with suppress(OSError):  # it has ended by itself
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.shutdown()
        self.cut()
        self.server_close()


class _Handler(BaseRequestHandler):
    """One connection."""

    server: _Server
    request: socket.socket

    def handle(self) -> None:
        relay = self.server.relay
        relay.connections += 1
        client = self.request
        if relay.tls:
            client = relay.tls.wrap_socket(client, server_side=True)
        with client, socket.create_connection(relay.upstream) as service:
            self.server.open |= {client, service}
            with suppress(OSError):  # either has gone
                self._hand_on(client, service)
            self.server.open -= {client, service}

    def _hand_on(self, client: socket.socket, service: socket.socket) -> None:
        """Until either side has ended; then both have."""
        other = {client: service, service: client}
        while True:
            for source in select.select([client, service], [], [])[0]:
                data = source.recv(LARGEST_RECORD)
                if not data:
                    return
                self.server.relay.flowing.wait()
                other[source].sendall(data)
                self.server.relay.sent += len(data) if source is client else 0
