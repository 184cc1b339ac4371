# SPDX-License-Identifier: Apache-2.0
"""Zaqar, as both directions speak it: messages on one queue.

python-zaqarclient makes the requests and reads the answers. Its calls for queues and
messages walk from page to page by themselves and do not say where one ends. So what is
used is the level below them, which they are made of: its functions for version 2 of the
API, its request and its transport. What it leaves open (whose requests they are, timeouts,
kept connections, a check of every status) is in the connection that it is given.

Messages are listed and, later, deleted; they are not claimed. A claim would hide them
from this server itself for a minute after a crash, and give them back, old ones among
them, at a time of its own. A list takes nothing away, and its order is that of the posts.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from zaqarclient.auth import get_backend
from zaqarclient.queues.v2 import core
from zaqarclient.queues.v2.api import V2
from zaqarclient.queues.v2.queues import QUEUE_NAME_REGEX
from zaqarclient.transport.http import HttpTransport
from zaqarclient.transport.request import Request

from heat_config import readable, redact
from heat_config.cloud import bounded, http
from heat_config.cloud.errors import AnswerTooLargeError, CloudError, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from requests import Response
    from zaqarclient.auth.base import AuthBackend

    from heat_config.cloud.keystone import User
    from heat_config.cloud.signed import Address
    from heat_config.cloud.trust import Trust

# Zaqar's default limit for a page, and for one deletion.
PAGE = 20
# Pages of one look: more than 2 000 messages wait for the next.
MOST_PAGES = 100
# Seconds after which a look begins no further page: what is left waits for the next, too.
LONGEST_LOOK = 60.0

# Seconds; a message lives for 14 days at most, unless Zaqar's operator sets more.
_OLDEST = 1_000_000_000

# A marker that no message has: the list begins with the first. Without any, Zaqar's
# driver for Redis cannot list claimed messages (23.0.1 answers 503).
BEGINNING = "0"


class Message(NamedTuple):
    """One message."""

    id: str
    body: object
    age: float = 0.0
    """Seconds for which Zaqar has had it, by its own clock."""


class Connection(Protocol):
    """How Zaqar is reached, and in whose name."""

    def endpoint(self) -> str:
        """Zaqar's address, without the API's version.

        :raises CloudError: it is not known.
        """

    def request(self, url: str, method: str, **options: Any) -> Response:
        """Send a request, as requests would; return any answer.

        :raises CloudError: no answer came.
        """


class AsUser(NamedTuple):
    """In the name of a stack user, at the address that its catalog has."""

    user: User

    def endpoint(self) -> str:
        """See :class:`Connection`."""
        return self.user.endpoint("messaging")

    def request(self, url: str, method: str, **options: Any) -> Response:
        """See :class:`Connection`."""
        return self.user.request(url, method, **options)


class AsSigned:
    """With a pre-signed address, which is permission enough: no user, and no Keystone.

    :raises CloudError: the file of certificates cannot be read.
    """

    def __init__(self, address: Address, trust: Trust) -> None:
        self._address = address
        self._verify = trust.verify()
        self._session = bounded.session()
        signed = {
            "expires": address.expires,
            "methods": address.methods,
            "paths": address.paths,
            "signature": address.signature,
        }
        self._backend: AuthBackend = get_backend("signed-url", signed)

    def endpoint(self) -> str:
        """See :class:`Connection`."""
        return self._address.endpoint

    def request(self, url: str, method: str, **options: Any) -> Response:
        """See :class:`Connection`; where the address is not taken, the error says why.

        :raises CloudError: no answer came, or Zaqar does not take the address.
        """
        asked = Request(headers={**options.pop("headers"), "X-Project-ID": self._address.project})
        headers = self._backend.authenticate(None, asked).headers
        what = f"Zaqar at {redact.url(self._address.endpoint)}"
        try:
            response = self._session.request(
                method,
                url,
                headers=headers,
                timeout=http.TIMEOUT,
                verify=self._verify,
                allow_redirects=False,
                **options,
            )
        except requests.exceptions.SSLError as error:
            raise http.untrusted(what, error) from None
        except requests.RequestException as error:
            raise http.from_silence(what, error) from None
        if response.status_code == 404:
            raise http.from_status(404, what, self._why_not_taken())
        return response

    def _why_not_taken(self) -> str:
        """Zaqar says 404 to every address that opens nothing, and no more than that."""
        end = self._address.expires.replace("T", " ")
        return (
            f"the signed address opens nothing there: its time has passed ({end} UTC), another "
            "Zaqar or another key has signed it, or something in it was changed"
        )


class Queue:
    """One queue. ``client_id`` is a UUID: who asks, for Zaqar.

    Every method asks Zaqar, and raises CloudError where that did not serve it.

    :raises CloudError: no queue can have this name.
    """

    def __init__(self, connection: Connection, name: str, client_id: str) -> None:
        if not QUEUE_NAME_REGEX.fullmatch(name):
            raise CloudError(
                f"no queue can have the name {name[:64]!r}: it may only contain ASCII letters, "
                "digits, underscores and dashes",
                Outcome.UNUSABLE,
            )
        self._connection = connection
        self._name = name
        self._client_id = client_id
        self._transport = HttpTransport({})
        self._transport.client = _Wire(connection, name)

    def post(self, body: object, ttl: int) -> str:
        """Post one message that lives for ``ttl`` seconds; return the place, fit for a log.

        The first message makes the queue: no need to ask whether it exists.
        """
        posted = self._ask(core.message_post, {"messages": [{"body": body, "ttl": ttl}]})
        place = _place(self._connection, self._name)
        if not isinstance(posted, dict) or not posted.get("resources"):
            raise http.from_stranger(place)
        return place

    def messages(self) -> Iterator[Message]:
        """All that is there, the oldest first; nothing when all of it is claimed.

        What somebody else has claimed is among them: else it would come back, when the claim
        expires, after what is newer. Zaqar lists claimed messages only up to a page that has
        expired as a whole; what is behind that is listed as usual.
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

    def unclaimed(self) -> Iterator[Message]:
        """What is there and not claimed, the oldest first; a page is asked for when it is due."""
        return chain.from_iterable(self._pages(""))

    def after(self, marker: str) -> tuple[list[Message], str]:
        """What is behind a marker, and the marker for the next look; the first is empty.

        A marker whose message has gone is as none; and Zaqar's driver for Redis lists the very
        first message again: whoever reads on knows what he has read.
        """
        found: list[Message] = []
        for _ in range(MOST_PAGES):
            page, behind = self._page(marker, {})
            known = {each.id for each in found}
            new = [each for each in page if each.id not in known]
            found += new
            if not new or not behind:
                break
            marker = behind
        return found, marker

    def delete(self, ids: Sequence[str]) -> None:
        """Delete messages; that one is already gone is fine."""
        for start in range(0, len(ids), PAGE):
            self._ask(core.message_delete_many, ids[start : start + PAGE])

    def _pages(self, marker: str, **options: str) -> Iterator[list[Message]]:
        """The pages with something new in them."""
        listed: set[str] = set()
        ends = time.monotonic() + LONGEST_LOOK
        for _ in range(MOST_PAGES):
            found, marker = self._page(marker, options)
            new = [each for each in found if each.id not in listed]
            if not new:
                return
            yield new
            listed |= {each.id for each in new}
            # A short page may not be the last: what has expired is left out of it. And after
            # the very first message Zaqar's driver for Redis begins with that one again.
            if not marker or time.monotonic() > ends:
                return

    def _page(
        self, marker: str, options: dict[str, str], size: int = PAGE
    ) -> tuple[list[Message], str]:
        """One page, and the marker of the next; where messages are large, fewer of them."""
        given = {"limit": str(size), "echo": "true", **options}
        try:
            found = self._ask(core.message_list, **given, **({"marker": marker} if marker else {}))
        except AnswerTooLargeError:
            if size == 1:
                raise
            return self._page(marker, options, max(size // 5, 1))
        try:
            messages = [_message(one) for one in found["messages"]]
            return messages, _marker(found)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise http.from_stranger(_place(self._connection, self._name)) from None

    def _ask(self, call: Callable[..., Any], *content: object, **params: str) -> Any:
        """Make one of python-zaqarclient's calls about the queue."""
        asked = _Request(self._connection.endpoint(), headers={"Client-ID": self._client_id})
        return call(self._transport, asked, self._name, *content, **params)


class _Request(Request):  # type: ignore[misc]
    """python-zaqarclient's request, for the one version of the API that is spoken.

    Left to itself it looks that up among the plug-ins of all that is installed.
    """

    api = V2()


class _Answer(NamedTuple):
    """What python-zaqarclient uses of an answer."""

    status_code: int
    text: str
    headers: Mapping[str, str]


class _Wire(NamedTuple):
    """What python-zaqarclient uses of requests; whatever is no success is an error."""

    connection: Connection
    queue: str

    def request(self, method: str, **options: Any) -> _Answer:
        del options["verify"]  # the connection knows
        options["params"] = _query(options["params"])
        response = self.connection.request(options.pop("url"), method, **options)
        # The client itself knows 400 to 409, 500 and 503, and lets the others,
        # 413 and 502 among them, pass as success.
        if not http.is_success(response):
            place = _place(self.connection, self.queue)
            raise http.from_status(response.status_code, place, _reason(response))
        # JSON is that; the client leaves it to requests to guess.
        text = readable.shallow((response.content or b"").decode("utf-8", "replace"))
        if response.status_code != 204 and not _is_json(text):
            # The client would take it for an empty answer.
            raise http.from_stranger(_place(self.connection, self.queue))
        return _Answer(response.status_code, text, response.headers)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _place(connection: Connection, queue: str) -> str:
    return f"queue {queue} at {redact.url(connection.endpoint())}"


def _query(params: dict[str, Any]) -> str:
    """The query as Zaqar reads it: the ids of messages with their commas as they are.

    It takes an encoded one for a part of an id, and says 204 all the same. And the client
    leaves a list to requests, which repeats the name.
    """
    joined = {
        name: ",".join(value) if isinstance(value, list | tuple) else value
        for name, value in params.items()
    }
    return urlencode(joined, safe=",")


def _reason(response: Response) -> str:
    """Zaqar explains itself in JSON: {"title": …, "description": …}."""
    try:
        found = http.json_of(response)
        return f"{found['title']}: {found['description']}"
    except (ValueError, KeyError, TypeError):
        # Its beginning: what else it may be in than UTF-8 takes long to guess.
        beginning = response.content[: 2 * http.LONGEST_REASON].decode("utf-8", "replace")
        return beginning or str(response.reason)


def _message(one: dict[str, Any]) -> Message:
    age: Any = one.get("age")
    is_age = isinstance(age, int | float) and 0 <= age <= _OLDEST
    return Message(str(one["id"]), one.get("body"), age if is_age else 0.0)


def _marker(page: dict[str, Any]) -> str:
    """Where the next page begins; empty where there is none."""
    links = [link["href"] for link in page.get("links", []) if link.get("rel") == "next"]
    return parse_qs(urlsplit(links[0]).query).get("marker", [""])[0] if links else ""
