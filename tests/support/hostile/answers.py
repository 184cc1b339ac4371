# SPDX-License-Identifier: Apache-2.0
"""Answers of the queue's service that are none, as the bytes of a body."""

from __future__ import annotations

import gzip
import json

from tests.support.hostile.values import VALUES


def _listing(text: str) -> bytes:
    """One message with this body."""
    return f'{{"messages": [{{"id": "h1", "body": {text}}}], "links": []}}'.encode()


def _linking(href: str) -> bytes:
    """A page with a message, and another page after it."""
    link = f'{{"rel": "next", "href": {href}}}'
    return f'{{"messages": [{{"id": "h1", "body": 1}}], "links": [{link}]}}'.encode()


_LONG = b'{"messages": [{"id": "' + b"i" * 1_000_000 + b'", "body": 1}], "links": []}'

INPUTS: dict[str, bytes] = {
    "nothing": b"",
    "rubbish": b"<html>502</html>",
    "no UTF-8": b"\xff\xfe{}\x80",
    "cut": _listing("{}")[:-9],
    "two of them": _listing("{}") * 2,
    "gzip that was not announced": gzip.compress(_listing("{}")),
    "a list": b"[]",
    "a text": b'"messages"',
    "no messages": b'{"links": []}',
    "messages: null": b'{"messages": null, "links": []}',
    "messages: a map": b'{"messages": {"a": 1}, "links": []}',
    "messages: numbers": b'{"messages": [1, 2, 3], "links": []}',
    "message without id": b'{"messages": [{"body": {}}], "links": []}',
    "message without body": b'{"messages": [{"id": "h1"}], "links": []}',
    "id: a list": b'{"messages": [{"id": [], "body": {}}], "links": []}',
    "id: a path": b'{"messages": [{"id": "../../x", "body": 1}], "links": []}',
    "id: a megabyte": b'{"messages": [{"id": "'
    + b"i" * 1_000_000
    + b'", "body": 1}], "links": []}',
    "links: null": b'{"messages": [], "links": null}',
    "links: a map": b'{"messages": [], "links": {"rel": "next"}}',
    "links: a list of texts": b'{"messages": [], "links": ["next"]}',
    "links: elsewhere": _linking('"http://127.0.0.1:1/"'),
    "links: href null": _linking("null"),
    "links: itself": _linking('"/"'),
    "nested 100000": b"[" * 100_000,
    "nested body": _listing(VALUES["nested 988"]),
    "digits": _listing(VALUES["5000 digits"]),
    "surrogate": _listing(VALUES["lone surrogate"]),
    "many": json.dumps(
        {"messages": [{"id": f"h{n}", "body": n} for n in range(3_000)], "links": []}
    ).encode(),
}
