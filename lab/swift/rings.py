# SPDX-License-Identifier: Apache-2.0
"""Write Swift's three rings: run by the services' own Python.

    python rings.py FOLDER DEVICE ACCOUNT_PORT CONTAINER_PORT OBJECT_PORT

One copy of everything on one device. The program `swift-ring-builder` would be started nine times.
"""

# Swift is in the services' environment, not in the one that checks types.
# mypy: disable-error-code="import-not-found,import-untyped,no-any-unimported,misc"

import sys
from pathlib import Path

from swift.common.ring import RingBuilder

# 2 ** 4 parts: there is one device.
PART_POWER = 4


def write(path: Path, device: str, port: int) -> None:
    """Write the ring of one kind of server."""
    builder = RingBuilder(PART_POWER, replicas=1, min_part_hours=0)
    where = {"ip": "127.0.0.1", "port": port, "device": device, "meta": ""}
    builder.add_dev({"region": 1, "zone": 1, "weight": 1.0, **where})
    builder.rebalance()
    builder.get_ring().save(str(path))
    path.chmod(0o600)  # as all that is in this folder


def main() -> None:
    """Write all of them."""
    folder, device, *ports = sys.argv[1:]
    for kind, port in zip(("account", "container", "object"), ports, strict=True):
        write(Path(folder) / f"{kind}.ring.gz", device, int(port))


if __name__ == "__main__":
    main()
