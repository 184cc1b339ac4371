# SPDX-License-Identifier: Apache-2.0
"""What a crash, a full disk or a hand may have left in the server's own files, as bytes."""

from __future__ import annotations

from tests.support.hostile.values import VALUES

_TEXTS = (
    *("null", "zero", "5000 digits", "empty text", "empty list", "empty map", "NaN"),
    *("map of a map", "nested 100000", "lone surrogate"),
)

CONTENTS: dict[str, bytes] = {
    **{name: VALUES[name].encode() for name in _TEXTS},
    "nothing": b"",
    "NULs": b"\0" * 4096,
    "cut": b'{"id": "c1", "address": {"deploy_sig',
    "no UTF-8": b"\xff\xfe\x80",
}

# Below the server's root, in which nothing but the agent and the collector write.
FILES = (
    "var/lib/heat-config/outbox/stray.json",
    "var/lib/heat-config/deployed/stray.json",
    "var/lib/heat-config/deployed/stray.notify.json",
    "var/run/heat-config/unfinished/stray",
    "cache/os_config_files.json",
    "cache/zaqar.json",
    "cache/zaqar.json.last",
    "cache/zaqar.json.orig",
    "cache/zaqar.d/newest.json",
    "local-data/stray",
)


def inputs() -> dict[str, tuple[str, bytes]]:
    """Each content in each file."""
    return {
        f"{path}: {name}": (path, content) for path in FILES for name, content in CONTENTS.items()
    }
