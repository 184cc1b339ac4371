# SPDX-License-Identifier: Apache-2.0
"""Compressed metadata: what is packed is unpacked again, and nothing else is."""

from __future__ import annotations

import base64
import json
import tracemalloc
import zlib
from typing import Any

import pytest

from heat_config.cloud import packed
from heat_config.cloud.packed import PackedError

METADATA: dict[str, Any] = {"deployments": [{"id": "c1", "config": "größe\0 \U0001f600"}], "n": 1.5}


def body_of(content: bytes) -> dict[str, str]:
    """A message with these bytes in the place of compressed ones."""
    return {packed.PACKED: packed.METHOD, "metadata": base64.b64encode(content).decode()}


def compressed(text: str) -> dict[str, str]:
    return body_of(zlib.compress(text.encode()))


def test_what_is_packed_is_unpacked_again() -> None:
    body = packed.packed(METADATA)
    assert packed.is_packed(body)
    assert packed.unpacked(json.loads(json.dumps(body))) == METADATA


def test_what_repeats_itself_becomes_much_smaller() -> None:
    body = packed.packed({"deployments": [{"config": f"echo {n}\n" * 100} for n in range(400)]})
    assert len(json.dumps(body)) < 20_000


@pytest.mark.parametrize("body", [METADATA, {}, [], "text", None, 7])
def test_what_is_not_packed_is_left_as_it_is(body: object) -> None:
    assert not packed.is_packed(body)
    assert packed.unpacked(body) is body


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({packed.PACKED: "zstd", "metadata": ""}, "not known here: zstd"),
        ({packed.PACKED: None, "metadata": ""}, "not known here: None"),
        ({packed.PACKED: packed.METHOD}, "not in base64"),
        ({packed.PACKED: packed.METHOD, "metadata": 7}, "not in base64"),
        ({packed.PACKED: packed.METHOD, "metadata": "größe"}, "not in base64"),
        ({packed.PACKED: packed.METHOD, "metadata": "a b="}, "not in base64"),
        (body_of(b"not compressed"), "not compressed by zlib"),
        (body_of(zlib.compress(b"{}")[:-1]), "cut off"),
        (body_of(b""), "cut off"),
        (body_of(zlib.compress(b"{}") + b"more"), "something follows"),
        (body_of(zlib.compress(b"\xff{}")), "not JSON"),
        (compressed("{"), "not JSON"),
        (compressed("[" * 100_000), "not JSON"),
        (compressed(json.dumps(packed.packed(METADATA))), "packed once more"),
    ],
)
def test_what_cannot_be_unpacked_says_why(body: object, why: str) -> None:
    with pytest.raises(PackedError, match=why):
        packed.unpacked(body)


def test_the_largest_is_unpacked_and_no_more() -> None:
    text = json.dumps("x" * (packed.LARGEST - 2))
    assert packed.unpacked(compressed(text)) == "x" * (packed.LARGEST - 2)
    with pytest.raises(PackedError, match=f"more than {packed.LARGEST} bytes"):
        packed.unpacked(compressed(f"{text} "))


def test_a_bomb_takes_no_more_memory_than_the_largest() -> None:
    bomb = compressed(" " * (64 << 20))
    assert len(json.dumps(bomb)) < 262_144
    tracemalloc.start()
    try:
        with pytest.raises(PackedError, match="bytes unpacked"):
            packed.unpacked(bomb)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * packed.LARGEST
