# SPDX-License-Identifier: Apache-2.0
"""Zaqar as a signed address finds it: one queue behind a real HTTP server, and no Keystone."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from heat_config.cloud import signed

QUEUE = "heat-config-0123456789abcdef"
PATH = f"/v2/queues/{QUEUE}/messages"
SIGNATURE = "fedcba9876543210" * 4


class SignedZaqar(ThreadingHTTPServer):
    """Takes the one address that it has signed; says 404 to all others, as Zaqar does."""

    def __init__(self, *methods: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = signed.Address(
            f"http://127.0.0.1:{self.server_port}",
            QUEUE,
            "the-project",
            methods or ("GET", "POST"),
            (PATH,),
            "2099-01-01T00:00:00",
            SIGNATURE,
        )
        self.there: dict[str, Any] = {}
        """The bodies of the messages on the queue, by their ids."""
        self.ttls: list[int] = []
        self.asked: list[str] = []
        """The methods of the requests that were served."""
        self.has_ended = False
        """Whether the address's time has passed."""
        self.after_delete: Callable[[], object] = lambda: None
        self.texts: dict[str, str] = {}
        """What stands in the place of a body that is one of these keys: JSON as it is sent."""
        self.listing: bytes | None = None
        """What it answers in place of the list of the messages."""
        self._posted = 0

    @property
    def text(self) -> str:
        """The address as Heat's plug-in gives it to a server."""
        return signed.written(self.address)

    def put(self, *bodies: Any) -> None:
        """What another has posted."""
        for body in bodies:
            self._posted += 1
            self.there[f"m{self._posted}"] = body

    def empty(self) -> None:
        """The storage has forgotten all that it had."""
        self.there.clear()

    def is_taken(self, method: str, headers: Any) -> bool:
        """Whether the request is one that the address permits."""
        wanted = self.address.headers
        is_same = {name: headers.get(name) for name in wanted} == wanted
        return is_same and method in self.address.methods and not self.has_ended


class _Handler(BaseHTTPRequestHandler):
    server: SignedZaqar
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        if url.path != PATH or not self.server.is_taken(self.command, self.headers):
            self._answer(404, {"title": "Not found", "description": "The path is not known"})
            return
        assert "X-Auth-Token" not in self.headers
        self.server.asked.append(self.command)
        if self.command == "POST":
            (message,) = json.loads(body)["messages"]
            self.server.put(message["body"])
            self.server.ttls.append(message["ttl"])
            self._answer(201, {"resources": [f"{PATH}/m"]})
        elif self.command == "DELETE":
            for each in parse_qs(url.query)["ids"][0].split(","):
                self.server.there.pop(each, None)
            self._answer(204)
            self.server.after_delete()
        else:
            self._send(200, self._listing() if self.server.listing is None else self.server.listing)

    def _listing(self) -> bytes:
        listed = [{"id": each, "body": kept} for each, kept in self.server.there.items()]
        text = json.dumps({"messages": listed, "links": []})
        for body, sent in self.server.texts.items():
            text = text.replace(json.dumps(body), sent)
        return text.encode()

    def _answer(self, status: int, content: object = None) -> None:
        self._send(status, b"" if content is None else json.dumps(content).encode())

    def _send(self, status: int, text: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        pass
