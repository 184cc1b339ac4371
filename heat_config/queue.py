# SPDX-License-Identifier: Apache-2.0
"""The server's own queue, on which Heat posts its metadata.

Messages are listed and, later, deleted; they are not claimed. A claim would hide
them from this server itself for a minute after a crash, and give them back, one
that is old among them, at a time of its own. A list takes nothing away, and its
order is that of the posts.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from heat_config import redact
from heat_config.signals import http

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heat_config.signals.keystone import User

# Zaqar's default limit for a page, and for one deletion.
PAGE = 20
# Pages of one look: more than 2 000 messages wait for the next.
MOST_PAGES = 100

# A marker that no message has: the list begins with the first. Without any, Zaqar's
# driver for Redis cannot list claimed messages (23.0.1 answers 503).
BEGINNING = "0"


class Message(NamedTuple):
    """One message."""

    id: str
    body: object


class Queue:
    """One queue, in the name of a user."""

    def __init__(self, user: User, name: str) -> None:
        self._user = user
        self._name = name
        self._headers = {"Client-ID": str(uuid.uuid4()), "Accept": "application/json"}

    def messages(self) -> Iterator[Message]:
        """All that is there and that nobody has claimed, the oldest first.

        :raises SignalError: Keystone or Zaqar cannot be asked, or refuses.
        """
        return self._messages("")

    def claimed_before(self, message_id: str) -> list[str]:
        """The messages that somebody has claimed and that are older than this one.

        They would come back when the claim expires. None where that cannot be told: Zaqar
        lists claimed messages only up to a page that has expired as a whole.

        :raises SignalError: Keystone or Zaqar cannot be asked, or refuses.
        """
        counted = self._ask("GET", "stats").get("messages")
        if not isinstance(counted, dict) or not counted.get("claimed"):
            return []
        older: list[str] = []
        for message in self._messages(BEGINNING, include_claimed="true"):
            if message.id == message_id:
                return older
            older.append(message.id)
        return []

    def delete(self, ids: Sequence[str]) -> None:
        """Delete messages; that one is already gone is fine.

        :raises SignalError: Keystone or Zaqar cannot be asked, or refuses.
        """
        for start in range(0, len(ids), PAGE):
            # The commas as they are: Zaqar takes an encoded one for a part of an id,
            # and says 204 all the same.
            self._ask("DELETE", f"messages?ids={','.join(ids[start : start + PAGE])}")

    def _messages(self, marker: str, **options: str) -> Iterator[Message]:
        listed: set[str] = set()
        for _ in range(MOST_PAGES):
            page = self._page({"limit": str(PAGE), "echo": "true", **options}, marker)
            new = [one for one in page["messages"] if str(one["id"]) not in listed]
            yield from (Message(str(one["id"]), one.get("body")) for one in new)
            listed |= {str(one["id"]) for one in new}
            marker = _marker(page)
            # A short page may not be the last: what has expired is left out of it. And after
            # the very first message Zaqar's driver for Redis begins with that one again.
            if not new or not marker:
                return

    def _page(self, query: dict[str, str], marker: str) -> dict[str, Any]:
        found = self._ask("GET", f"messages?{urlencode(query | _given(marker=marker))}")
        messages = found.setdefault("messages", [])
        if not isinstance(messages, list) or not all(
            isinstance(one, dict) and "id" in one for one in messages
        ):
            raise http.from_stranger(self._name)
        return found

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        """Ask for something below the queue; return its answer, a JSON object."""
        url = f"{self._user.endpoint('messaging').rstrip('/')}/v2/queues/{self._name}/{path}"
        response = self._user.request(url, method, headers=self._headers)
        what = f"queue {self._name} at {redact.url(url).partition('/v2/')[0]}"
        if not response.ok:
            raise http.from_status(response.status_code, what, response.reason)
        if not response.content:
            return {}
        found = response.json() if http.is_json(response) else None
        if not isinstance(found, dict):
            raise http.from_stranger(what)
        return found


def _given(**options: str) -> dict[str, str]:
    return {name: value for name, value in options.items() if value}


def _marker(page: dict[str, Any]) -> str:
    """Where the next page begins."""
    links = [link.get("href", "") for link in page.get("links", []) if link.get("rel") == "next"]
    return parse_qs(urlsplit(links[0]).query).get("marker", [""])[0] if links else ""
