# SPDX-License-Identifier: Apache-2.0
"""The server's own queue, on which Heat posts its metadata.

Messages are listed and, later, deleted; they are not claimed. A claim would hide
them from this server itself for a minute after a crash. A list takes nothing
away, its order is that of the posts, and it shows those that somebody else has
claimed too: so none comes later that is older.
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
        """All that is there, the oldest first.

        :raises SignalError: Keystone or Zaqar cannot be asked, or refuses.
        """
        marker = ""
        for _ in range(MOST_PAGES):
            page = self._page(marker)
            found = page.get("messages", [])
            yield from (Message(str(one["id"]), one.get("body")) for one in found)
            marker = _marker(page)
            if len(found) < PAGE or not marker:
                return

    def delete(self, ids: Sequence[str]) -> None:
        """Delete messages; that one is already gone is fine.

        :raises SignalError: Keystone or Zaqar cannot be asked, or refuses.
        """
        for start in range(0, len(ids), PAGE):
            # The commas as they are: Zaqar takes an encoded one for a part of an id,
            # and says 204 all the same.
            self._ask("DELETE", f"ids={','.join(ids[start : start + PAGE])}")

    def _page(self, marker: str) -> dict[str, Any]:
        query = {"limit": str(PAGE), "echo": "true", "include_claimed": "true"}
        found = self._ask("GET", urlencode(query | ({"marker": marker} if marker else {})))
        if not isinstance(found, dict) or not all(
            isinstance(one, dict) and "id" in one for one in found.get("messages", [])
        ):
            raise http.from_stranger(self._name)
        return found

    def _ask(self, method: str, query: str) -> Any:
        url = f"{self._user.endpoint('messaging').rstrip('/')}/v2/queues/{self._name}/messages"
        response = self._user.request(f"{url}?{query}", method, headers=self._headers)
        what = f"queue {self._name} at {redact.url(url).partition('/v2/')[0]}"
        if not response.ok:
            raise http.from_status(response.status_code, what, response.reason)
        if not response.content:
            return {}
        if not http.is_json(response):
            raise http.from_stranger(what)
        return response.json()


def _marker(page: dict[str, Any]) -> str:
    """Where the next page begins."""
    links = [link.get("href", "") for link in page.get("links", []) if link.get("rel") == "next"]
    return parse_qs(urlsplit(links[0]).query).get("marker", [""])[0] if links else ""
