# SPDX-License-Identifier: Apache-2.0
"""The server's own queue, on which Heat posts its metadata.

Messages are listed and, later, deleted; they are not claimed. A claim would hide
them from this server itself for a minute after a crash, and give them back, old
ones among them, at a time of its own. A list takes nothing away, and its order is
that of the posts.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from heat_config import redact
from heat_config.cloud import http
from heat_config.cloud.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heat_config.cloud.keystone import User

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
        """All that is there, the oldest first; nothing when all of it is claimed.

        What somebody else has claimed is among them: else it would come back, when the claim
        expires, after what is newer. Zaqar lists claimed messages only up to a page that has
        expired as a whole; what is behind that is listed as usual.

        :raises CloudError: Keystone or Zaqar cannot be asked, or refuses.
        """
        pages = self._pages("")
        first = next(pages, [])
        if not first:
            return
        listed: set[str] = set()
        with suppress(CloudError):
            for page in self._pages(BEGINNING, include_claimed="true"):
                yield from page
                listed |= {each.id for each in page}
        if first[-1].id not in listed:
            for page in chain([first], pages):
                yield from (each for each in page if each.id not in listed)

    def delete(self, ids: Sequence[str]) -> None:
        """Delete messages; that one is already gone is fine.

        :raises CloudError: Keystone or Zaqar cannot be asked, or refuses.
        """
        for start in range(0, len(ids), PAGE):
            # The commas as they are: Zaqar takes an encoded one for a part of an id,
            # and says 204 all the same.
            self._ask("DELETE", f"messages?ids={','.join(ids[start : start + PAGE])}")

    def _pages(self, marker: str, **options: str) -> Iterator[list[Message]]:
        """The pages with something new in them."""
        listed: set[str] = set()
        for _ in range(MOST_PAGES):
            page = self._page({"limit": str(PAGE), "echo": "true", **options}, marker)
            found = [Message(str(one["id"]), one.get("body")) for one in page["messages"]]
            new = [each for each in found if each.id not in listed]
            if not new:
                return
            yield new
            listed |= {each.id for each in new}
            marker = _marker(page)
            # A short page may not be the last: what has expired is left out of it. And after
            # the very first message Zaqar's driver for Redis begins with that one again.
            if not marker:
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
