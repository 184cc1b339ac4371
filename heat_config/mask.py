# SPDX-License-Identifier: Apache-2.0
"""Finds secrets in a text, in every spelling in which programs write them, and masks them.

A run may know the secrets of a thousand deployments, and its hook may write a gibibyte. So
what a text costs must not grow with the number of secrets: nothing goes through all of them.
Each spelling is known by some of its bytes (a *gram*), a text is looked at in steps that
meet one of these grams in every spelling, and only where one is found more is compared.
"""

from __future__ import annotations

import binascii
import json
import sys
from itertools import chain
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = "***"

# A shorter text would mask half of every sentence and protect nothing.
SHORTEST_SECRET = 4
# The same for a line of a secret that has more than one: lines are written one by one.
SHORTEST_LINE = 8
# Shorter base64 stands in other base64 by chance. A secret of five characters has as much.
SHORTEST_BASE64 = 6
# Characters; a longer secret is known by its parts of so many.
LONGEST_SECRET = 4096


class Mask:
    """The texts that must not be written."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._spellings: set[bytes] = set()
        self._grams = (_Grams("Q", step=4), _Grams("I", step=1))
        self._longest = 0

    def add(self, secrets: Iterable[str]) -> None:
        """From now on mask these, too; those that are too short are left out."""
        new = set(secrets) - self._known
        self._known |= new
        parts = {part for secret in new for part in _parts(secret)}
        found = {spelling for part in parts for spelling in spellings(part)}
        for each in found - self._spellings:
            next(grams for grams in self._grams if len(each) >= grams.shortest).add(each)
            self._longest = max(self._longest, len(each))
        self._spellings |= found

    def __call__(self, text: str) -> str:
        """The text with each secret masked."""
        data = text.encode("utf-8", "surrogatepass")
        spans = self._spans(data)
        if not spans:
            return text
        starts = [0, *(end for _, end in spans)]
        ends = [*(start for start, _ in spans), len(data)]
        kept = (data[start:end] for start, end in zip(starts, ends, strict=True))
        return MASK.encode().join(kept).decode("utf-8", "surrogatepass")

    def end_of_piece(self, line: bytes) -> int:
        """Where the first piece of a long line ends, whose rest has not come yet.

        No secret begins in it and ends behind it: one in two halves would not be masked.
        """
        end = len(line) - max(self._longest - 1, 0)
        begin = end - self._longest
        if begin <= 0:
            return len(line)
        around = self._spans(line[begin:])
        start = next((start for start, stop in around if start < end - begin < stop), 0)
        return begin + start if start else end

    def _spans(self, data: bytes) -> list[tuple[int, int]]:
        """Where the secrets are, in order; those that overlap are one."""
        found: list[tuple[int, int]] = []
        for start, end in sorted(chain(*(grams.matches(data) for grams in self._grams))):
            if found and start < found[-1][1]:
                found[-1] = found[-1][0], max(end, found[-1][1])
            else:
                found.append((start, end))
        return found


class _Grams:
    """Texts, found by their bytes at the first ``step`` places, each gram as one integer.

    A text is looked at in steps: each of its own begins at one of the places.
    """

    def __init__(self, code: Literal["Q", "I"], step: int) -> None:
        self._code = code
        self._width = memoryview(bytes(16)).cast(code).itemsize
        self._step = step
        self.shortest = self._width + step - 1
        self._texts: set[bytes] = set()
        self._grams: dict[int, frozenset[tuple[int, int]]] = {}
        """By a gram, where it stands in which lengths of texts: few, however many texts."""
        self._places: dict[frozenset[tuple[int, int]], frozenset[tuple[int, int]]] = {}
        """Each set of those once: most are the same."""

    def add(self, text: bytes) -> None:
        self._texts.add(text)
        for offset in range(self._step):
            gram = int.from_bytes(text[offset : offset + self._width], sys.byteorder)
            places = self._grams.get(gram, frozenset()) | {(offset, len(text))}
            self._grams[gram] = self._places.setdefault(places, places)

    def matches(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where in the data one of the texts begins and ends."""
        if not self._texts:
            return
        for first in range(0, self._width, self._step):
            grams = self._seen(data, first)
            if not self._grams.keys().isdisjoint(grams):
                yield from self._compared(data, first, grams)

    def _seen(self, data: bytes, first: int) -> memoryview[int]:
        whole = (len(data) - first) // self._width * self._width
        return memoryview(data)[first : first + max(whole, 0)].cast(self._code)

    def _compared(
        self, data: bytes, first: int, grams: memoryview[int]
    ) -> Iterator[tuple[int, int]]:
        for number, gram in enumerate(grams):
            for offset, length in self._grams.get(gram, ()):
                start = first + number * self._width - offset
                if start >= 0 and data[start : start + length] in self._texts:
                    yield start, start + length


def spellings(secret: str) -> set[bytes]:
    """A secret as it stands in a text, in JSON, in a URL, and within base64."""
    raw = secret.encode("utf-8", "surrogatepass")
    as_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {
        raw,
        *(each.encode("utf-8", "surrogatepass") for each in as_json),
        *_in_url(raw),
        *_in_base64(raw),
    }


def _parts(secret: str) -> Iterator[str]:
    """What of a secret is looked for: all of it and each of its lines, of a long one its parts."""
    stripped = secret.strip()
    if len(stripped) < SHORTEST_SECRET:
        return
    lines = [line.strip() for line in stripped.splitlines()]
    for text in {secret, stripped, *(line for line in lines if len(line) >= SHORTEST_LINE)}:
        for end in range(
            min(LONGEST_SECRET, len(text)), len(text) + LONGEST_SECRET, LONGEST_SECRET
        ):
            yield text[max(0, min(end, len(text)) - LONGEST_SECRET) : end]


_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What else programs leave as it is: Python in a path and in a query, JavaScript in a part of a
# URL, and who makes a whole URL sound, as requests does.
_LEFT = (b"/", b"", b"!'()*", b"!#$%&'()*+,/:;=?@[]")
# What each byte becomes, with digits of both cases.
_QUOTED = [
    [chr(byte) if byte in _UNRESERVED.union(left) else pattern % byte for byte in range(256)]
    for left in _LEFT
    for pattern in ("%%%02X", "%%%02x")
]


def _in_url(raw: bytes) -> Iterator[bytes]:
    """A secret quoted, also as in a form, where a space is a plus sign."""
    if _UNRESERVED.issuperset(raw):
        return
    for table in _QUOTED:
        quoted = "".join([table[byte] for byte in raw])
        yield quoted.encode()
        yield quoted.replace("%20", "+").encode()


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """What a secret always becomes within base64, wherever in three bytes it begins."""
    for before in range(3):
        encoded = binascii.b2a_base64(bytes(before) + raw, newline=False)
        # Six bits are one character: those are left out that hold bits of others.
        first, last = -(-8 * before // 6), 8 * (before + len(raw)) // 6
        if last - first >= SHORTEST_BASE64:
            yield encoded[first:last]
            yield encoded[first:last].replace(b"+", b"-").replace(b"/", b"_")
