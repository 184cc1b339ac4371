# SPDX-License-Identifier: Apache-2.0
"""Zaqar's websocket, on which it announces each new message at once.

It announces, it does not give: a pushed message has no id, so it cannot be deleted by
one, and it stays on the queue. What counts is read there.
"""

from __future__ import annotations

import json
import select
import ssl
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import websocket
from urllib3.exceptions import HTTPError

from heat_config import readable, redact, settings
from heat_config.cloud import bounded, http, limits
from heat_config.cloud.errors import CloudError, Outcome

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from heat_config.cloud.keystone import User
    from heat_config.cloud.trust import Trust

# Seconds without a word from Zaqar after which it is asked for one, and after
# which it is taken for dead.
PING_AFTER = 30.0
DEAD_AFTER = 45.0
# Seconds before the token's end at which there is a new connection with a new one: keystoneauth
# gives a new one from 120 s before on.
RENEW_BEFORE = 25.0
# Seconds that a subscription outlives its token, by Zaqar's clock.
MARGIN = 300
# Frames that are read at one time: a queue may be full, and one that floods the server is not
# listened to for ever.
MOST_FRAMES = 1000
# Seconds for the word that the connection ends.
_FAREWELL = 2.0

_ERRORS = (OSError, ValueError, HTTPError, websocket.WebSocketException)


class Push:
    """One connection with one subscription, as long as one token is valid.

    :raises CloudError: it cannot be made, or Zaqar refuses.
    """

    def __init__(self, user: User, project_id: str, queue: str, trust: Trust) -> None:
        with _limits():
            url = user.endpoint("messaging-websocket")
            self._what = f"the websocket at {redact.url(url)}"
            token, valid = user.token()
            try:
                self._connect(url, trust)
                try:
                    self._subscribe(token, project_id, queue, valid)
                except BaseException:
                    self.close()
                    raise
            except _ERRORS as error:
                raise self._translated(error) from None
        now = time.monotonic()
        self._last_sign = self._asked = now
        self._ends = now + max(valid - RENEW_BEFORE, 1)

    def fileno(self) -> int:
        """For select."""
        return int(self._connection.fileno())

    def due(self) -> float:
        """Until when one may wait before :meth:`read`, by the monotonic clock."""
        return min(
            max(self._last_sign, self._asked) + PING_AFTER, self._last_sign + DEAD_AFTER, self._ends
        )

    def ended(self) -> bool:
        """Whether it is time for a new one."""
        return time.monotonic() >= self._ends

    def read(self) -> bool:
        """Take what has come, and ask for a sign of life when it is time; any message?

        :raises CloudError: the connection has ended, or the other side is dead.
        """
        try:
            with _limits():
                announced = self._read_frames()
            if time.monotonic() - self._last_sign >= DEAD_AFTER:
                raise CloudError(f"{self._what} gives no sign of life", Outcome.UNREACHABLE)
            if time.monotonic() - max(self._last_sign, self._asked) >= PING_AFTER:
                self._asked = time.monotonic()
                self._socket.ping()
        except _ERRORS as error:
            raise self._translated(error) from None
        return announced

    def close(self) -> None:
        """End it; Zaqar drops the subscription."""
        with suppress(*_ERRORS), limits.within(_FAREWELL, bounded.LARGEST):
            self._socket.close(timeout=1)

    def _connect(self, url: str, trust: Trust) -> None:
        self._connection = bounded.connected(url, trust)
        try:
            # A redirection would take the token to any host, by a connection without limits.
            self._socket = websocket.create_connection(
                url,
                timeout=http.TIMEOUT,
                socket=self._connection,
                redirect_limit=0,
                enable_multithread=False,
            )
        except BaseException:
            self._connection.close()
            raise

    def _has_more(self) -> bool:
        if isinstance(self._connection, ssl.SSLSocket) and self._connection.pending():
            return True
        return bool(select.select([self._connection], [], [], 0)[0])

    def _read_frames(self) -> bool:
        announced = False
        for _ in range(MOST_FRAMES):
            if not self._has_more():
                break
            announced |= self._read_frame()
        return announced

    def _read_frame(self) -> bool:
        code, _ = self._socket.recv_data_frame(control_frame=True)
        self._last_sign = time.monotonic()
        if code == websocket.ABNF.OPCODE_CLOSE:
            raise CloudError(f"{self._what} was closed by the other side", Outcome.UNREACHABLE)
        return bool(code == websocket.ABNF.OPCODE_TEXT)

    def _subscribe(self, token: str, project_id: str, queue: str, valid: float) -> None:
        headers = {
            "X-Auth-Token": token,
            "X-Project-ID": project_id,
            "Client-ID": str(uuid.uuid4()),
        }
        self._call("authenticate", headers, {})
        wanted = {"queue_name": queue, "ttl": max(60, int(valid) + MARGIN)}
        self._call("subscription_create", headers, wanted)

    def _call(self, action: str, headers: dict[str, str], body: dict[str, Any]) -> None:
        self._socket.send(json.dumps({"action": action, "headers": headers, "body": body}))
        status = self._status()
        if status >= 300:
            raise http.from_status(status, self._what, action)

    def _status(self) -> int:
        """The status of the answer to what was sent last.

        A message may be pushed before it; that is on the queue.
        """
        for _ in range(MOST_FRAMES):
            answer = readable.loads(self._socket.recv())
            if not isinstance(answer, dict):
                break
            if "request" in answer:
                headers = answer.get("headers")
                status = headers.get("status") if isinstance(headers, dict) else None
                if isinstance(status, int):
                    return status
                break
        raise http.from_stranger(self._what)

    def _translated(self, error: Exception) -> CloudError:
        if isinstance(error, ssl.SSLError):
            return http.untrusted(self._what, error)
        return CloudError(
            f"{self._what} does not answer ({type(error).__name__})", Outcome.UNREACHABLE
        )


def _limits() -> AbstractContextManager[None]:
    """For all that is said at one go, before the loop goes on."""
    return limits.within(settings.load().deadline, bounded.LARGEST)
