# SPDX-License-Identifier: Apache-2.0
"""Where a signed URL leads: a real HTTP server."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Inbox(HTTPServer):
    """Keeps what it is sent, and answers each request with the next of its answers, or with 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, str, str, dict[str, Any]]] = []
        """Of each request the method, the path, the type of its content, and the message."""
        self.answers: list[int] = []
        self.page = b""

    @property
    def url(self) -> str:
        """A signed URL; its signature is a secret."""
        return f"http://127.0.0.1:{self.server_port}/v1/object?temp_url_sig=0123456789abcdef0123"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What it was sent."""
        return [message for *_, message in self.received]


class _Handler(BaseHTTPRequestHandler):
    server: Inbox

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"]
        self.server.received.append((self.command, self.path, kind, json.loads(body)))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Type", "text/html")  # as Swift says with an empty body
        self.send_header("Content-Length", str(len(self.server.page)))
        self.end_headers()
        self.wfile.write(self.server.page)

    do_PUT = do_POST = _take  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        pass
