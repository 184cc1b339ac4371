# SPDX-License-Identifier: Apache-2.0
"""A signed address: whoever holds it may do what it names on one queue, without Keystone.

Heat's plug-in writes it into a deployment's input ``deploy_signal_id``, and the server
reads it there. Both sides use this module and nothing else for it::

    zaqar+https://host/v2/queues/<queue>/messages?project=<id>&methods=GET,POST
        &paths=/v2/queues/<queue>/messages&expires=2026-01-01T00:00:00&signature=<hex>

The scheme says that no plain POST is meant. ``paths`` stands apart from the address's own
path because Zaqar may be mounted below a prefix that it does not see itself. The signature
covers project, methods, paths and end: a change of one of them makes the address a wrong one,
and Zaqar says 404 to that as to one that has ended. ``expires`` is UTC, by Zaqar's clock.

What is on the wire besides the result itself:

- Every result that a server posts has the key ``deploy_config_id``: the id of the config whose
  result it is. A message with another id is never taken for an answer.
- When Heat has the result, its plug-in posts an acknowledgement on the same queue, and only then
  removes the result: ``{"deploy_config_id": <id>, "heat_acknowledged": true}``. It lives for
  ACKNOWLEDGED_FOR seconds, and the server's right to GET finds it. The server never removes it.
- So a server that finds its result waits; that finds the acknowledgement forgets the result;
  that finds neither posts again, which does no harm: Heat takes one result of a queue, and each
  action of a deployment has a queue of its own.

Source of the signature: ``zaqar.common.urls`` and ``verify_pre_signed_url`` of Zaqar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from heat_config.cloud.errors import CloudError, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMES = ("zaqar+https", "zaqar+http")

PROGRESS = "deploy_progress_id"
"""The input with the address of a second queue, on which nobody waits: for progress alone."""

CONFIG_ID = "deploy_config_id"
"""In a message's body: whose result it is. Heat ignores outputs that are not declared."""
ACKNOWLEDGED = "heat_acknowledged"
"""In a message's body: it is no result but Heat's word that it has it."""
ACKNOWLEDGED_FOR = 86_400
"""Seconds that an acknowledgement lives; an address of a result lives longer by as much as the
stack's own timeout."""

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
_FIELDS = ("project", "methods", "paths", "expires", "signature")
_PATH = re.compile(
    r"(?P<prefix>(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/v2/queues/(?P<queue>[A-Za-z0-9_-]{1,64})/messages"
)
_SIGNED_PATH = re.compile(r"/v2/queues/[A-Za-z0-9_-]{1,64}/[a-z]+")
_PROJECT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_EXPIRES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_EXPIRES_FORMAT = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True)
class Address:
    """The messages of one queue, and the signature that opens them."""

    endpoint: str
    """Zaqar's address without the API's version: ``https://host[:port][/prefix]``."""
    queue: str = field(repr=False)
    project: str
    """The project's id: Zaqar wants it in a header, and the signature covers it."""
    methods: tuple[str, ...]
    paths: tuple[str, ...] = field(repr=False)
    expires: str
    """UTC, as Zaqar writes it: ``2026-01-01T00:00:00``."""
    signature: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What a request must carry; Client-ID, a UUID, is the caller's own."""
        return {
            "X-Project-ID": self.project,
            "URL-Methods": ",".join(self.methods),
            "URL-Paths": ",".join(self.paths),
            "URL-Expires": self.expires,
            "URL-Signature": self.signature,
        }

    def seconds_left(self, now: float) -> float:
        """How long it still opens anything; below zero, it has ended. ``now``: as time.time()."""
        end = datetime.strptime(self.expires, _EXPIRES_FORMAT).replace(tzinfo=timezone.utc)
        return end.timestamp() - now


def is_signed(text: object) -> bool:
    """Whether a ``deploy_signal_id`` is a signed address, and no URL to be POSTed to."""
    return isinstance(text, str) and text.partition("://")[0] in SCHEMES


def written(address: Address) -> str:
    """An address as one text, which :func:`parse` reads again. It is a secret."""
    values = (
        address.project,
        ",".join(address.methods),
        ",".join(address.paths),
        address.expires,
        address.signature,
    )
    query = "&".join(
        f"{name}={quote(value, safe=',/:')}" for name, value in zip(_FIELDS, values, strict=True)
    )
    return f"zaqar+{address.endpoint}/v2/queues/{address.queue}/messages?{query}"


def parse(text: str) -> Address:
    """Read an address.

    :raises CloudError: it is none; the message names the part and repeats no value of it.
    """
    scheme, _, rest = text.partition("://")
    if scheme not in SCHEMES:
        raise _unusable(f"its scheme is neither of {', '.join(SCHEMES)}")
    try:
        split = urlsplit(f"{scheme.removeprefix('zaqar+')}://{rest}")
        host, _ = split.hostname, split.port
    except ValueError:
        raise _unusable("it has no valid host and port") from None
    path = _PATH.fullmatch(split.path)
    if not host or "@" in split.netloc or split.fragment:
        raise _unusable("it has no host, a user or a fragment")
    if path is None:
        raise _unusable("its path is not .../v2/queues/<queue>/messages")
    values = _values(split.query)
    return Address(
        endpoint=f"{split.scheme}://{split.netloc}{path['prefix']}",
        queue=path["queue"],
        project=values["project"],
        methods=tuple(values["methods"].split(",")),
        paths=tuple(values["paths"].split(",")),
        expires=values["expires"],
        signature=values["signature"],
    )


def _values(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    values = dict(pairs)
    if len(pairs) != len(_FIELDS) or set(values) != set(_FIELDS):
        raise _unusable(f"its query must have each of {', '.join(_FIELDS)} once")
    wrong = [name for name in _FIELDS if not _is_valid(name, values[name])]
    if wrong:
        raise _unusable(f"its {', '.join(wrong)} cannot be meant")
    return values


def _is_valid(name: str, value: str) -> bool:
    """Whether it may go into a header: nothing here can hold a line's end."""
    if name == "methods":
        return all(each in _METHODS for each in value.split(","))
    if name == "paths":
        return all(_SIGNED_PATH.fullmatch(each) for each in value.split(","))
    if name == "expires":
        return _is_time(value)
    pattern = _PROJECT if name == "project" else _SIGNATURE
    return bool(pattern.fullmatch(value))


def _is_time(value: str) -> bool:
    try:
        datetime.strptime(value, _EXPIRES_FORMAT)
    except ValueError:
        return False
    return bool(_EXPIRES.fullmatch(value))


def _unusable(reason: str) -> CloudError:
    return CloudError(f"the signed address is not usable: {reason}", Outcome.UNUSABLE)


def acknowledgement(config_id: str) -> dict[str, Any]:
    """The body of the message that says: Heat has this config's result."""
    return {CONFIG_ID: config_id, ACKNOWLEDGED: True}


def is_acknowledgement(body: object) -> bool:
    """Whether a message is Heat's word on some result, and no result."""
    return isinstance(body, dict) and body.get(ACKNOWLEDGED) is True


def acknowledges(body: object, config_id: str) -> bool:
    """Whether a message says that Heat has this config's result."""
    return is_acknowledgement(body) and config_of(body) == config_id


def config_of(body: object) -> str | None:
    """The id of the config whose result a message is, or acknowledges; None where it has none."""
    found = body.get(CONFIG_ID) if isinstance(body, dict) else None
    return found if isinstance(found, str) else None


def from_shared(endpoint: str, queue: str, shared: Mapping[str, Any]) -> Address:
    """The address that Zaqar's answer to ``POST /v2/queues/<queue>/share`` means.

    :raises CloudError: the answer is not Zaqar's.
    """
    texts = [shared.get(name) for name in ("project", "expires", "signature")]
    lists = [shared.get(name) for name in ("methods", "paths")]
    if not all(isinstance(each, str) for each in texts + _members(lists)):
        raise _unusable("Zaqar's answer has not all that a signature needs")
    project, expires, signature = (str(each) for each in texts)
    methods, paths = (tuple(each or ()) for each in lists)
    made = Address(endpoint.rstrip("/"), queue, project, methods, paths, expires, signature)
    return parse(written(made))


def _members(lists: list[Any]) -> list[Any]:
    return [each for one in lists for each in (one if isinstance(one, list) else [None])]
