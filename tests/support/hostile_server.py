# SPDX-License-Identifier: Apache-2.0
"""Keystone, Zaqar, Heat, Swift and EC2 in one program that turns on whoever asks it.

The first two parts of a path say what befalls which request: below ``/drips-headers/post/`` all
is answered as it should be but the request ``post``, whose headers come byte by byte. So one
server serves any number of clients at once. What is slow lasts for a minute: who has gone before
that has ended it.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
import re
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import cycle
from threading import Thread
from typing import NamedTuple

# Seconds for which it goes on with what is slow or without end.
LASTS = 60.0
_BETWEEN = 0.1
_PIECE = 1 << 16
BOMB = 300 << 20
"""Bytes that are packed into an answer of 0.3 MB."""
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_QUEUE = "/v2/queues/queue/messages"


class Target(NamedTuple):
    """One request that a server makes."""

    service: str
    """Of which service, as the catalog names it."""
    method: str
    path: str
    """A pattern of its path below the service's address."""


TARGETS = {
    "token": Target("identity", "POST", "/v3/auth/tokens"),
    "post": Target("messaging", "POST", _QUEUE),
    "look": Target("messaging", "GET", _QUEUE),
    "clean": Target("messaging", "DELETE", _QUEUE),
    "signed-post": Target("plain", "POST", _QUEUE),
    "signed-look": Target("plain", "GET", _QUEUE),
    "heat-signal": Target("orchestration", "POST", ".*/signal"),
    "cfn-signal": Target("plain", "POST", "/cfn-signal"),
    "temp-url": Target("plain", "PUT", "/object"),
    "metadata": Target("messaging", "GET", _QUEUE),
    "metadata-delete": Target("messaging", "DELETE", _QUEUE),
    "metadata-of-heat": Target("orchestration", "GET", "/software_deployments/.*"),
    "collector-ec2": Target("plain", "GET", "/ec2/.*"),
    "collector-cfn": Target("plain", "GET", "/cfn/.*"),
    "collector-request-head": Target("plain", "HEAD", "/object"),
    "collector-request": Target("plain", "GET", "/object"),
    "collector-heat-versions": Target("identity", "GET", "/?"),
    "collector-heat-token": Target("identity", "POST", "/v3/auth/tokens"),
    "collector-heat": Target("orchestration", "GET", ".*/metadata"),
    "websocket-handshake": Target("messaging-websocket", "GET", "/"),
}
# Those that are no request: what comes on the websocket, in place of an answer and after it.
FRAMES = ("websocket-answer", "websocket-message")


class Asked(NamedTuple):
    """A request, and what may be needed to answer it."""

    method: str
    path: str
    headers: dict[str, str]
    fault: str
    target: str


Fault = Callable[[socket.socket, Asked], None]


class HostileServer:
    """Up inside its ``with`` block, on loopback."""

    def __enter__(self) -> HostileServer:
        self._listening = {
            name: socket.create_server(("127.0.0.1", 0), backlog=512) for name in ("", *TLS_FAULTS)
        }
        for name, listening in self._listening.items():
            serve = TLS_FAULTS.get(name, self._serve)
            Thread(target=_accept, args=(listening, serve), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for listening in self._listening.values():
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()

    def address(self, target: str, fault: str, service: str) -> str:
        """Where a client finds a service that turns on it at one request."""
        of = TARGETS[target].service if target in TARGETS else ""
        scheme, name = ("https", fault) if fault in TLS_FAULTS and service == of else ("http", "")
        return f"{scheme}://127.0.0.1:{self._listening[name].getsockname()[1]}/{fault}/{target}"

    def _serve(self, connection: socket.socket) -> None:
        while asked := _read(connection):
            target = TARGETS.get(asked.target)
            if asked.headers.get("upgrade") and asked.target != "websocket-handshake":
                _speak_frames(connection, asked)
                return
            if (
                target
                and asked.method == target.method
                and re.fullmatch(target.path, asked.path)
                and asked.fault in FAULTS
            ):
                FAULTS[asked.fault](connection, asked)
                return
            connection.sendall(self._answer(asked))

    def _answer(self, asked: Asked) -> bytes:
        """What the service itself would say."""
        status, body = 200, self._content(asked)
        headers = "Content-Type: application/json\r\n"
        if asked.method == "POST":
            status, headers = 201, f"{headers}X-Subject-Token: token\r\n"
        if asked.method == "DELETE":
            status, body = 204, b""
        head = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode()
        return head + (b"" if asked.method == "HEAD" else body)

    def _content(self, asked: Asked) -> bytes:
        if asked.path.startswith("/cfn/"):
            said = json.dumps(METADATA).replace('"', "&quot;")
            inner = f"<StackResourceDetail><Metadata>{said}</Metadata></StackResourceDetail>"
            result = f"<DescribeStackResourceResult>{inner}</DescribeStackResourceResult>"
            return f"<r>{result}</r>".encode()
        if asked.path.startswith("/ec2/"):
            return b"a\nb" if asked.path.endswith("/") else b"value"
        return json.dumps(self._json(asked)).encode()

    def _json(self, asked: Asked) -> object:
        if asked.path == "/v3/auth/tokens":
            return {"token": self._token(asked)}
        if asked.path == _QUEUE:
            return {"messages": [{"id": "m1", "body": METADATA}], "links": [], "resources": ["m2"]}
        if "/software_deployments/" in asked.path:
            return {"metadata": METADATA["deployments"]}
        if asked.path.endswith("/metadata"):
            return {"metadata": METADATA}
        if asked.path in ("", "/", "/v3"):
            return {"versions": {"values": [self._version(asked)]}}
        return METADATA if asked.path == "/object" else None

    def _version(self, asked: Asked) -> object:
        address = self.address(asked.target, asked.fault, "identity")
        link = {"rel": "self", "href": f"{address}/v3"}
        return {"id": "v3.14", "status": "stable", "links": [link]}

    def _token(self, asked: Asked) -> object:
        services = ("messaging", "orchestration", "messaging-websocket")
        return {
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "methods": ["password"],
            "user": {"id": "user", "name": "user", "domain": {"id": "d", "name": "d"}},
            "project": {"id": "project", "name": "p", "domain": {"id": "d", "name": "d"}},
            "catalog": [
                {"type": service, "id": service, "endpoints": [self._endpoint(asked, service)]}
                for service in services
            ],
        }

    def _endpoint(self, asked: Asked, service: str) -> object:
        url = self.address(asked.target, asked.fault, service)
        if service == "messaging-websocket":
            url = url.replace("http", "ws", 1) + "/"
        return {"id": service, "interface": "public", "region": "r", "region_id": "r", "url": url}


METADATA = {"deployments": [{"id": "c1", "inputs": [], "group": "script", "config": "true"}]}


def _accept(listening: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            Thread(target=_with_one, args=(serve, connection), daemon=True).start()


def _with_one(serve: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection, suppress(OSError, ValueError):
        serve(connection)


def _read(connection: socket.socket) -> Asked | None:
    """The next request with all of its body; None when the client has gone."""
    come = b""
    while b"\r\n\r\n" not in come:
        piece = connection.recv(_PIECE)
        if not piece:
            return None
        come += piece
    head, _, body = come.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    left = int(headers.get("content-length", 0)) - len(body)
    while left > 0:
        left -= len(connection.recv(_PIECE)) or left
    method, url, _ = first.split(" ")
    _, fault, target, *rest = url.partition("?")[0].split("/")
    return Asked(method, "/" + "/".join(rest) if rest else "", headers, fault, target)


def _flood(connection: socket.socket, piece: bytes, first: bytes = b"") -> None:
    """Send something again and again."""
    connection.sendall(first)
    whole = piece * (_PIECE // len(piece) + 1)
    ends = time.monotonic() + LASTS
    while time.monotonic() < ends:
        connection.sendall(whole)


def _drip(connection: socket.socket, data: bytes, first: bytes = b"") -> None:
    """Send something byte by byte, again and again."""
    connection.sendall(first)
    ends = time.monotonic() + LASTS
    for byte in cycle(data):
        if time.monotonic() > ends:
            return
        connection.sendall(bytes([byte]))
        time.sleep(_BETWEEN)


def _wait(connection: socket.socket) -> None:
    """Say nothing until the client has gone."""
    connection.settimeout(LASTS)
    while connection.recv(_PIECE):
        pass


def _half_close(connection: socket.socket, said: bytes) -> None:
    connection.sendall(said)
    connection.shutdown(socket.SHUT_WR)
    _wait(connection)


def _with_length(body: bytes, headers: str = "") -> bytes:
    return _HEAD + f"{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


@functools.cache
def _bomb() -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join(stream.compress(b" " * (1 << 20)) for _ in range(BOMB >> 20)) + stream.flush()


@functools.cache
def _bomb_in_bomb() -> bytes:
    return gzip.compress(_bomb())


def _redirect(connection: socket.socket, asked: Asked) -> None:
    """To itself."""
    place = f"http://{asked.headers['host']}/{asked.fault}/{asked.target}{asked.path}"
    connection.sendall(
        f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
    )


NO_FAULT = "answers"

FAULTS: dict[str, Fault] = {
    "says-nothing": lambda to, _: _wait(to),
    "closes": lambda *_: None,
    "drips-headers": lambda to, _: _drip(to, b"a", _HEAD + b"X-Long: "),
    "headers-without-end": lambda to, _: _flood(to, b"X-A: b\r\n", _HEAD),
    "header-without-end": lambda to, _: _flood(to, b"a", _HEAD + b"X-Long: "),
    "continues-for-ever": lambda to, _: _flood(to, b"HTTP/1.1 100 Continue\r\n\r\n"),
    "drips-body": lambda to, _: _drip(to, b" ", _HEAD + b"Content-Length: 99999\r\n\r\n"),
    "drips-chunks": lambda to, _: _drip(to, b"1\r\n \r\n", _CHUNKED),
    "chunk-size-without-end": lambda to, _: _flood(to, b"0", _CHUNKED),
    "trailers-without-end": lambda to, _: _flood(to, b"X-A: b\r\n", _CHUNKED + b"0\r\n"),
    "body-without-end": lambda to, _: _flood(to, b" ", _HEAD + b"\r\n"),
    "huge-body": lambda to, _: _flood(to, b"[],", _HEAD + b"Content-Length: 999999999999\r\n\r\n["),
    "many-values": lambda to, _: to.sendall(_with_length(b"[" + b"[]," * 150_000 + b"[]]")),
    "gzip-bomb": lambda to, _: to.sendall(_with_length(_bomb(), "Content-Encoding: gzip\r\n")),
    "gzip-bomb-in-a-bomb": lambda to, _: to.sendall(
        _with_length(_bomb_in_bomb(), "Content-Encoding: gzip, gzip\r\n")
    ),
    "cut-gzip": lambda to, _: to.sendall(
        _with_length(gzip.compress(b"{}")[:-9], "Content-Encoding: gzip\r\n")
    ),
    "half-closes-in-headers": lambda to, _: _half_close(to, _HEAD),
    "half-closes-in-body": lambda to, _: _half_close(to, _HEAD + b'Content-Length: 99\r\n\r\n{"a"'),
    "deep-json": lambda to, _: to.sendall(_with_length(b"[" * 99_999 + b"]" * 99_999)),
    "long-number": lambda to, _: to.sendall(_with_length(b'{"versions": %s}' % (b"9" * 5000))),
    "redirects-for-ever": _redirect,
}


# In place of TLS: nothing, or the beginning of a long record and byte by byte the rest of it.
TLS_FAULTS: dict[str, Callable[[socket.socket], None]] = {
    "tls-stalls": _wait,
    "tls-drips": lambda to: _drip(to, b"\x02\x00\x3f\xf0", b"\x16\x03\x03\x3f\xff"),
}


def _speak_frames(connection: socket.socket, asked: Asked) -> None:
    """A websocket whose frames are what is wrong."""
    key = asked.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324 - its own
    connection.sendall(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    if asked.target == "websocket-message":
        for _ in range(2):
            connection.recv(_PIECE)
            connection.sendall(_frame(b'{"request": {}, "headers": {"status": 200}}'))
    else:
        connection.recv(_PIECE)
    FRAME_FAULTS[asked.fault](connection, asked)


def _frame(payload: bytes, code: int = 1) -> bytes:
    head = bytes([0x80 | code])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    return head + b"\x7f" + struct.pack(">Q", len(payload)) + payload


_HUGE = b"\x81\x7f" + struct.pack(">Q", 1 << 40)

FRAME_FAULTS: dict[str, Fault] = {
    "says-nothing": lambda to, _: _wait(to),
    "closes": lambda *_: None,
    "drips-frame": lambda to, _: _drip(to, b" ", _HUGE),
    "huge-frame": lambda to, _: _flood(to, b" ", _HUGE),
    "fragments-for-ever": lambda to, _: _flood(to, b"\x00\x01 ", b"\x01\x01 "),
    "pings-for-ever": lambda to, _: _flood(to, b"\x89\x01 "),
    "messages-for-ever": lambda to, _: _flood(to, _frame(b"{}")),
    "closes-in-frame": lambda to, _: to.sendall(b"\x81\x05{}"),
    "half-closes-in-frame": lambda to, _: _half_close(to, b"\x81\x05{}"),
    "odd-frame": lambda to, _: to.sendall(b"\xff\xff"),
    "deep-json": lambda to, _: _half_close(to, _frame(b"[" * 99_999 + b"]" * 99_999)),
    "odd-answer": lambda to, _: _half_close(to, _frame(b'{"request": 1, "headers": []}')),
    "long-number": lambda to, _: _half_close(to, _frame(b'{"request": %s}' % (b"9" * 5000))),
}


def prepare() -> None:
    """Make what takes long to make, so that no client waits for it."""
    _bomb_in_bomb()


def cells() -> Iterator[tuple[str, str]]:
    """Every request with everything that may befall it."""
    for target in TARGETS:
        yield from ((target, fault) for fault in (NO_FAULT, *FAULTS, *TLS_FAULTS))
    for target in FRAMES:
        yield from ((target, fault) for fault in FRAME_FAULTS)
