# SPDX-License-Identifier: Apache-2.0
"""A real OpenStack control plane on one machine, on loopback: for the demo, tests and benchmarks.

Keystone, Zaqar (HTTP and websocket) and Heat, with Redis and PostgreSQL below them, all as
ordinary processes in one directory::

    with Lab(Path("/tmp/lab")) as lab:
        environment = {**os.environ, **lab.environment()}
        subprocess.run([lab.bin("openstack"), "stack", "list"], env=environment)

Or from a shell: ``python3 -m lab up``, ``eval "$(python3 -m lab env)"``, ``python3 -m lab down``.
"""

from .control_plane import DEFAULT_DIRECTORY, Lab
from .errors import LabError

__all__ = ["DEFAULT_DIRECTORY", "Lab", "LabError"]
