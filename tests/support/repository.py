# SPDX-License-Identifier: Apache-2.0
"""A folder on loopback as apt, pip and a browser find it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lab.command import run
from tests.support.serving import serving


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve it; the address of it, with a slash behind it."""
    handler = partial(_Quiet, directory=str(folder))
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as up:
        yield f"http://127.0.0.1:{up.server_port}/"


def list_packages(folder: Path) -> None:
    """Make it a repository of the Debian packages in it: ``deb [trusted=yes] ADDRESS ./``."""
    stanzas = [_stanza(path) for path in sorted(folder.glob("*.deb"))]
    (folder / "Packages").write_text("\n".join(stanzas))


def _stanza(path: Path) -> str:
    content = path.read_bytes()
    checksum = hashlib.sha256(content).hexdigest()
    where = f"Filename: ./{path.name}\nSize: {len(content)}\nSHA256: {checksum}\n"
    return run(["dpkg-deb", "--field", path]) + where
