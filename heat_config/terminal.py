# SPDX-License-Identifier: Apache-2.0
"""What comes from outside, fit for a terminal: nothing in it is an order to the terminal.

A name, an HTTP reason or a hook's line may hold sequences that move the cursor, set the
title, reverse the direction of text or forge a line. Journal and log files keep what was
written; what people look at goes through here.
"""

from __future__ import annotations

import codecs

TYPE_CHECKING = False  # typing's, without importing it
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO


def shown(text: str, keep: str = "") -> str:
    """A text on one line, with what cannot be printed as Python writes it: ``\\x1b``, ``\\u202e``.

    ``keep``: characters that are left as they are all the same.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else _escaped(each) for each in text)


def lines(text: str) -> str:
    """A text of lines, as :func:`shown` makes each; tabs are left."""
    return shown(text, keep="\n\t")


def write(stream: TextIO, text: str) -> None:
    """Write a text to a stream whatever its encoding is; what that lacks is escaped.

    To a terminal it goes as :func:`lines` makes it.
    """
    encoding = stream.encoding or "ascii"
    text = lines(text) if stream.isatty() else text
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def writer_of_bytes(stream: TextIO) -> Callable[[bytes], object]:
    """What writes bytes to a stream: as they are, and to a terminal as :func:`write` does."""
    if not stream.isatty():
        return stream.buffer.write
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    return lambda chunk: write(stream, decoder.decode(chunk))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
