# SPDX-License-Identifier: Apache-2.0
"""Whatever the other side of the websocket says, the queue is polled and nothing ends."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, cast

import pytest

from heat_config.cloud.keystone import User
from heat_config.cloud.trust import Trust
from heat_config.collect.push import Push
from heat_config.collect.upstream import exc
from heat_config.collect.wakeup import Wakeup
from tests.support.serving import serving

WELL = json.dumps({"request": {}, "headers": {"status": 200}})
PUSHED = json.dumps({"body": "a message"})


class Speaker(ThreadingTCPServer):
    """Takes a websocket, and says these texts whatever it is told."""

    allow_reuse_address = True
    says: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)

    def endpoint(self, _: str) -> str:
        return f"ws://127.0.0.1:{self.server_address[1]}"

    def token(self) -> tuple[str, float]:
        return "token", 3600.0

    def connected(self) -> Push:
        return Push(cast("User", self), "project", "queue", Trust())


class _Handler(StreamRequestHandler):
    server: Speaker

    def handle(self) -> None:
        key = b""
        while (line := self.rfile.readline().strip()) != b"":
            name, _, value = line.partition(b": ")
            key = value if name.lower() == b"sec-websocket-key" else key
        accepted = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()  # noqa: S324
        self.wfile.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(accepted) + b"\r\n\r\n"
        )
        for text in self.server.says:
            said = text.encode()
            self.wfile.write(b"\x81\x7f" + len(said).to_bytes(8, "big") + said)
        # Until it is told that this is the end.
        while (heard := self.connection.recv(65536)) and b"\x88\x82" not in heard:
            pass


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    made = Speaker()
    with serving(made):
        yield made


def test_a_message_before_the_answer_is_no_answer(speaker: Speaker) -> None:
    speaker.says = (WELL, PUSHED, PUSHED, WELL)
    speaker.connected().close()


UNUSABLE: dict[str, Any] = {
    "headers": json.dumps({"request": {}, "headers": []}),
    "no headers": json.dumps({"request": {}}),
    "status": json.dumps({"request": {}, "headers": {"status": "200"}}),
    "list": "[]",
    "deep": "[" * 50_000 + "]" * 50_000,
    "deep in a map": json.dumps({"request": {}})[:-1] + ', "a": ' + "[" * 5000 + "]" * 5000 + "}",
    "number": "1" * 5000,
    "no JSON": "{",
    "refused": json.dumps({"request": {}, "headers": {"status": 403}}),
}


@pytest.mark.parametrize("said", UNUSABLE)
def test_an_answer_of_no_use_makes_it_poll_and_is_said_once(
    speaker: Speaker, capsys: pytest.CaptureFixture[str], said: str
) -> None:
    speaker.says = (UNUSABLE[said],)
    wakeup = Wakeup(speaker.connected)
    for _ in range(2):
        wakeup._connect_at = 0.0
        assert wakeup.connect() is False
        assert not wakeup.is_pushed
    assert capsys.readouterr().err.count("polling the queue until there is a websocket") == 1
    speaker.says = (WELL, WELL)
    wakeup._connect_at = 0.0
    assert wakeup.connect() is True
    wakeup._drop()


@pytest.mark.parametrize("error", [exc.ZaqarMetadataNotConfigured(), TypeError("x"), OSError("y")])
def test_what_cannot_be_connected_is_polled(
    capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def connect() -> Push:
        raise error

    wakeup = Wakeup(connect)
    assert wakeup.connect() is False
    assert wakeup.wait(time.monotonic()) is False
    assert "polling the queue until there is a websocket" in capsys.readouterr().err
