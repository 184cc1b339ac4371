# SPDX-License-Identifier: Apache-2.0
"""A server's metadata that are too large for a message, compressed into one.

Zaqar takes 262144 bytes unless its operator says otherwise. Heat's plug-in writes such a message,
and the server reads it. Both sides use this module and nothing else for it::

    {"heat_config_packed": "zlib+base64", "metadata": "<the metadata as JSON in UTF-8>"}

An agent that does not know it finds no deployments in it.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

from heat_config import readable

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKED = "heat_config_packed"
"""In a message's body: how the metadata in it are packed."""
METHOD = "zlib+base64"

LARGEST = 4 << 20
"""Bytes of metadata as JSON that a server takes, packed or not."""

_CONTENT = "metadata"


class PackedError(Exception):
    """A packed message that cannot be unpacked; the text says why."""


def packed(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The body of the message that holds these metadata, which may still be too large."""
    compressed = zlib.compress(json.dumps(metadata).encode(), 9)
    return {PACKED: METHOD, _CONTENT: base64.b64encode(compressed).decode("ascii")}


def is_packed(body: object) -> bool:
    """Whether a message holds packed metadata, as far as it says so."""
    return isinstance(body, dict) and PACKED in body


def unpacked(body: object) -> object:
    """What a message holds; one that is not packed is that itself.

    :raises PackedError: it cannot be unpacked, or not within LARGEST bytes.
    """
    if not isinstance(body, dict) or PACKED not in body:
        return body
    if body[PACKED] != METHOD:
        raise PackedError(f"it is packed in a way that is not known here: {str(body[PACKED])[:40]}")
    try:
        compressed = base64.b64decode(body[_CONTENT], validate=True)
    except (KeyError, TypeError, ValueError):
        raise PackedError("what is packed in it is not in base64") from None
    try:
        found: object = readable.loads(_inflated(compressed).decode())
    except ValueError:
        raise PackedError("what is packed in it is not JSON") from None
    if is_packed(found):
        raise PackedError("what is packed in it is packed once more")
    return found


def _inflated(compressed: bytes) -> bytes:
    """What was compressed: never more than LARGEST bytes are made of it."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(compressed, LARGEST + 1)
    except zlib.error:
        raise PackedError("what is packed in it is not compressed by zlib") from None
    if len(found) > LARGEST:
        raise PackedError(f"it has more than {LARGEST} bytes unpacked")
    if not stream.eof or stream.unused_data:
        raise PackedError("what is packed in it is cut off, or something follows it")
    return found
