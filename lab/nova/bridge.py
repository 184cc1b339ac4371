# SPDX-License-Identifier: Apache-2.0
"""Put each tap that Nova makes on the bridge, as Neutron's agent on a compute node would.

python3 bridge.py BRIDGE
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

DEVICES = Path("/sys/class/net")
# Seconds between two looks: a server needs its network long after its tap is made.
EVERY = 0.2


def loose_taps(devices: Path = DEVICES) -> Iterator[str]:
    """Yield the taps that are on no bridge."""
    for tap in devices.glob("tap*"):
        if not (tap / "master").exists():
            yield tap.name


def main(bridge: str) -> None:
    """Look for ever."""
    while True:
        for tap in loose_taps():
            # It may be gone again.
            command = ["ip", "link", "set", tap, "master", bridge, "up"]
            if subprocess.run(command, check=False).returncode == 0:
                print(f"{tap} is on {bridge}", flush=True)
        time.sleep(EVERY)


if __name__ == "__main__":
    main(sys.argv[1])
