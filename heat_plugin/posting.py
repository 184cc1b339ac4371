# SPDX-License-Identifier: Apache-2.0
"""A server's metadata on its queue: packed where they are too large for a message as they are.

Zaqar's answer says what is too large, not a number of ours: its operator sets the limit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from heat_config.cloud import packed
from heat_config.cloud.errors import CloudError, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Posts of what has changed meanwhile: what is still newer then is posted by who has changed it.
_MOST_POSTS = 5


class Poster(Protocol):
    """What is used of a queue: see :class:`heat_plugin.queues.Queue`."""

    def post(self, body: object, ttl: int) -> None:
        """Post one message."""


class Stored(NamedTuple):
    """What Heat's database has of a server."""

    queue: str
    """Where its metadata are posted; empty where they are not."""
    is_signed: bool
    """Whether a signed address opens the queue: then heat-config is there, which unpacks."""
    metadata: dict[str, Any]


def post(queue: Poster, metadata: Mapping[str, Any], ttl: int) -> None:
    """Post metadata that live for ``ttl`` seconds, packed if that is needed.

    :raises CloudError: Zaqar did not serve it, or they are too large packed, too.
    """
    try:
        queue.post(metadata, ttl)
    except CloudError as error:
        if error.outcome is not Outcome.TOO_LARGE:
            raise
        post_packed(queue, metadata, ttl)


def post_packed(queue: Poster, metadata: Mapping[str, Any], ttl: int) -> None:
    """Post metadata that are known to be too large as they are.

    :raises CloudError: Zaqar did not serve it, or they are too large packed, too.
    """
    size, body = len(json.dumps(metadata)), packed.packed(metadata)
    if size > packed.LARGEST:
        raise _too_large(f"{size} bytes; a server takes {packed.LARGEST}")
    try:
        queue.post(body, ttl)
    except CloudError as error:
        if error.outcome is not Outcome.TOO_LARGE:
            raise
        raise _too_large(f"{size} bytes, {len(json.dumps(body))} compressed: {error}") from None


def post_current(read: Callable[[], Stored | None], put: Callable[[Stored], None]) -> None:
    """Post what Heat's database has, until it has what was posted.

    Another deployment may have changed it meanwhile, and have posted before: the newest message
    is all that a server reads.
    """
    posted = None
    for _ in range(_MOST_POSTS):
        found = read()
        if found is None or found == posted:
            return
        put(found)
        posted = found


def unpackable(server: str, reason: str) -> CloudError:
    """The error for metadata that are too large for a server that may not unpack them."""
    return _too_large(
        f"more than a message takes: {reason}. Those of server {server} are compressed with "
        "software_config_transport ZAQAR_SIGNED only"
    )


def _too_large(what: str) -> CloudError:
    return CloudError(
        f"the server's metadata have {what}. Large values belong into an object store",
        Outcome.TOO_LARGE,
    )
