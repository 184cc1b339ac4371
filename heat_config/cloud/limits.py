# SPDX-License-Identifier: Apache-2.0
"""How long others may take for what is asked of them, and how much they may send.

A timeout of a socket begins anew with each byte. What is set here holds for all that is done in
a block, whatever comes, and by whichever library: :mod:`heat_config.cloud.bounded` asks here
before each use of a connection. Only the look-up of a host's name is the resolver's own.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

UNLIMITED = float("inf")


class TooLargeError(OSError):
    """More has come than may come; the text says how much that is."""


class _Limits:
    """What is left of the time and of the size; an outer block's limits hold as well."""

    def __init__(self, seconds: float, size: float, outer: _Limits | None) -> None:
        ends = time.monotonic() + seconds
        self.ends: float = min(ends, outer.ends) if outer else ends
        self._size = size
        self._left = size
        self._outer = outer

    def took(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise TooLargeError(f"more than {self._size:.0f} bytes came")
        if self._outer:
            self._outer.took(count)


_limits: ContextVar[_Limits | None] = ContextVar("limits", default=None)


@contextmanager
def within(seconds: float, size: float = UNLIMITED) -> Iterator[None]:
    """In this block others have so many seconds, and may send so many bytes."""
    token = _limits.set(_Limits(seconds, size, _limits.get()))
    try:
        yield
    finally:
        _limits.reset(token)


def left() -> float:
    """Seconds that are left, more than 0.

    :raises TimeoutError: none are.
    """
    limits = _limits.get()
    seconds = limits.ends - time.monotonic() if limits else UNLIMITED
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds


def took(count: int) -> None:
    """So many bytes have come.

    :raises TooLargeError: that is more than may come.
    """
    limits = _limits.get()
    if limits:
        limits.took(count)
