# SPDX-License-Identifier: Apache-2.0
"""A faulty wire: an HTTP proxy on loopback that loses, delays and invents answers as it is told.

A test puts it between a client and a service of the lab, and plans what befalls each request::

    with Wire(("127.0.0.1", port)) as wire:
        wire.plan([LOSE_ANSWER, answer(503)])  # after these two all are handed on
        client.post(wire.url)
        assert [exchange.answered for exchange in wire.history] == [None, 503, 201]
"""

import http.client
import select
import socket
import ssl
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

# Seconds that the service behind the wire may take.
PATIENCE = 60.0


class Reply(Enum):
    """What the client sees instead of an answer that the wire makes up."""

    UPSTREAM = "the service's own answer"
    RESET = "the connection is reset"
    STALL = "nothing, until the wire is released; then the connection ends"


@dataclass(frozen=True)
class Action:
    """What befalls one request: whether the service gets it, and what the client sees."""

    forward: bool
    reply: Reply | bytes
    status: int | None = None


FORWARD = Action(True, Reply.UPSTREAM)
RESET = Action(False, Reply.RESET)
LOSE_ANSWER = Action(True, Reply.RESET)
STALL = Action(False, Reply.STALL)
STALL_ANSWER = Action(True, Reply.STALL)
GARBAGE = Action(False, b"\x16\x03\x01 this is no HTTP\r\n\r\n")


def answer(
    status: int, body: bytes = b"", *, forward: bool = False, headers: Iterable[str] = ()
) -> Action:
    """Answer in the service's place, before or after it has got the request."""
    reason = http.client.responses.get(status, "Odd")
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", *headers, "", ""]
    return Action(forward, "\r\n".join(lines).encode("latin-1") + body, status)


class Exchange(NamedTuple):
    """One request that came through: what became of it on either side of the wire."""

    method: str
    path: str
    forwarded: int | None
    """The status that the service answered; None when it was not asked or did not answer."""
    answered: int | None
    """The status that the client was sent; None when that was no HTTP."""


class Wire:
    """A proxy in front of one service, up inside its ``with`` block."""

    def __init__(
        self,
        upstream: tuple[str, int],
        plan: Iterable[Action] = (),
        *,
        default: Action = FORWARD,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.upstream = upstream
        self.tls = tls
        self.history: list[Exchange] = []
        """The requests, in the order in which they came to an end."""
        self.connections = 0
        """How many connections clients have made."""
        self.released = Event()
        """What the requests that hang wait for."""
        self.port = 0
        """Where it listens, on 127.0.0.1; it stays the same."""
        self._default = default
        self._plan = iter(plan)
        self._rule: Callable[[str, str], Action | None] = _no_rule
        self._lock = Lock()
        self._server: _Server | None = None

    def __enter__(self) -> "Wire":
        self.open_port()
        return self

    def __exit__(self, *_: object) -> None:
        self.close_port()

    @property
    def url(self) -> str:
        """Its address for clients, without a path."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def plan(self, actions: Iterable[Action]) -> None:
        """Say what befalls the next requests; after these comes the default."""
        with self._lock:
            self._plan = iter(actions)

    def obey(self, rule: Callable[[str, str], Action | None]) -> None:
        """Say what befalls a request by its method and path; None leaves it to the plan."""
        self._rule = rule

    def requests(self, method: str) -> list[Exchange]:
        """Return what has come through of one method."""
        return [exchange for exchange in self.history if exchange.method == method]

    def release(self) -> None:
        """Let go of the requests that hang: their connections end."""
        hanging, self.released = self.released, Event()
        hanging.set()

    def close_port(self) -> None:
        """From now on connections are refused, and those that were kept have ended."""
        if self._server:
            self._server.close()
            self._server = None

    def open_port(self) -> None:
        """Listen, again if need be."""
        self._server = _Server(self)
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, args=(0.01,), name="wire").start()

    def _action_for(self, method: str, path: str) -> Action:
        return self._rule(method, path) or self._next_action()

    def _next_action(self) -> Action:
        with self._lock:
            return next(self._plan, self._default)


def _no_rule(_method: str, _path: str) -> Action | None:
    return None


class _Server(ThreadingHTTPServer):
    """Accepts connections; each has a thread."""

    daemon_threads = False  # so that server_close waits for them

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", wire.port), _Handler)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = self.socket.accept()
        self.wire.connections += 1
        if self.wire.tls:
            # The handshake is left to the first read, in the connection's own thread.
            connection = self.wire.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        request.close()  # without a FIN before: this may be meant as a reset

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away, or does not trust us, is no fault of the wire."""

    def close(self) -> None:
        """Stop listening, end every connection, wait for the threads."""
        self.shutdown()
        for connection in list(self._open):
            with suppress(OSError):  # the client was quicker
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection and its requests."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            return  # the client has gone
        action = self.server.wire._action_for(self.command, self.path)
        upstream = self._ask(body) if action.forward else None
        if action.reply is Reply.UPSTREAM and not upstream:
            action = RESET  # what the service has done to us
        status = upstream[0] if upstream else None
        answered = status if action.reply is Reply.UPSTREAM else action.status
        # Noted first: what the client has seen is in the history.
        self.server.wire.history.append(Exchange(self.command, self.path, status, answered))
        if answered is None:
            self.close_connection = True
        self._reply(action.reply, upstream)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _ask(self, body: bytes) -> tuple[int, bytes] | None:
        """Hand the request on; return the answer's status and all of it, if there is one."""
        host, port = self.server.wire.upstream
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
        # With the host that the service knows: a signed URL is signed for it.
        headers = {**dict(_end_to_end(self.headers)), "Host": f"{host}:{port}"}
        try:
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            return response.status, _as_sent(response)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _reply(self, reply: Reply | bytes, upstream: tuple[int, bytes] | None) -> None:
        if reply is Reply.STALL:
            self._stall()
        elif reply is Reply.RESET:
            # No lingering: closing it will send RST.
            option = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
        elif isinstance(reply, bytes):
            self.wfile.write(reply)
        elif upstream:
            self.wfile.write(upstream[1])

    def _stall(self) -> None:
        """Hang until released, or until the client has had enough."""
        released = self.server.wire.released
        while not released.wait(0.02):
            if select.select([self.connection], [], [], 0)[0]:
                return

    def log_message(self, *_: object) -> None:
        """Say nothing: there is the history."""


def _as_sent(response: http.client.HTTPResponse) -> bytes:
    """An answer as it goes on to the client, whose connection is kept."""
    body = response.read()
    lines = [f"HTTP/1.1 {response.status} {response.reason}"]
    lines += [f"{name}: {value}" for name, value in _end_to_end(response.headers)]
    if "Content-Length" not in response.headers and response.status != http.HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _end_to_end(headers: Message) -> Iterator[tuple[str, str]]:
    """Leave out the headers that concern one connection and not the whole way."""
    single = {"connection", "keep-alive", "te", "transfer-encoding", "upgrade"}
    return ((name, value) for name, value in headers.items() if name.lower() not in single)
