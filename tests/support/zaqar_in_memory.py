# SPDX-License-Identifier: Apache-2.0
"""As much of Zaqar as many servers and Heat use: queues in memory, behind a real HTTP server."""

from __future__ import annotations

import json
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests


class Zaqar(ThreadingHTTPServer):
    """Serves whoever comes. It is Heat's connection, too."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.queues: dict[str, dict[str, Any]] = defaultdict(dict)
        self.numbers = count()

    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def request(self, url: str, method: str, **options: Any) -> requests.Response:
        return requests.request(method, url, timeout=30, **options)


class _Handler(BaseHTTPRequestHandler):
    server: Zaqar

    def _serve(self) -> None:
        url = urlsplit(self.path)
        _, _, _, queue, below = url.path.split("/")
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        there = self.server.queues[queue]
        if below == "share":
            paths = [f"/v2/queues/{queue}/messages"]
            self._answer(200, {**body, "paths": paths, "project": "p", "signature": "a" * 64})
        elif self.command == "POST":
            for message in body["messages"]:
                there[f"m{next(self.server.numbers)}"] = message["body"]
            self._answer(201, {"resources": ["somewhere"]})
        elif self.command == "DELETE":
            for one in parse_qs(url.query)["ids"][0].split(","):
                there.pop(one, None)
            self._answer(204, None)
        else:
            found = [{"id": one, "body": what} for one, what in list(there.items())]
            self._answer(200, {"messages": found, "links": []})

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815

    def _answer(self, status: int, body: object) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
