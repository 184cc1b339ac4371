# SPDX-License-Identifier: Apache-2.0
"""A server of the standard library, up in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from threading import Thread
from typing import TypeVar

AServer = TypeVar("AServer", bound=BaseServer)


@contextmanager
def serving(server: AServer) -> Iterator[AServer]:
    """Let it serve; nothing of it is left afterwards."""
    with server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
