#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Install Debian packages from addresses, at a server's first boot: ADDRESS[#sha256=SUM]..."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

# The network of a server that boots may take its time: tries, and seconds between two.
TRIES, PAUSE = 20, 6
# Seconds without a byte.
PATIENCE = 60
APT = ["apt-get", "--yes", "--quiet", "--option=DPkg::Lock::Timeout=600"]


def main(addresses: list[str]) -> int:
    """Fetch and install them; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        # Where apt's own user may read them.
        Path(folder).chmod(0o755)
        paths = [_fetched(urllib.parse.urlsplit(each), Path(folder)) for each in addresses]
        variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*APT, "update"], env=variables, check=False)
        return subprocess.run([*APT, "install", *paths], env=variables, check=False).returncode


def _fetched(address: urllib.parse.SplitResult, folder: Path) -> Path:
    to = folder / Path(urllib.parse.unquote(address.path)).name
    to.write_bytes(_content(address._replace(fragment="").geturl()))
    wanted = dict(urllib.parse.parse_qsl(address.fragment)).get("sha256")
    if wanted and hashlib.sha256(to.read_bytes()).hexdigest() != wanted.lower():
        sys.exit(f"heat-config: {to.name} is not what its sha256 says")
    return to


def _content(address: str) -> bytes:
    for left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310
                return bytes(answer.read())
        except (OSError, urllib.error.URLError) as error:
            print(f"heat-config: {address}: {error}; {left} tries are left", file=sys.stderr)
        time.sleep(PAUSE if left else 0)
    return sys.exit(f"heat-config: {address} cannot be fetched")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
