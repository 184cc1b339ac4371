# SPDX-License-Identifier: Apache-2.0
"""The environment of an RPM, made where a server has it: in a root that is for the build alone.

python3.11 -m packages.in_place ELEMENT WHEELS
"""

from __future__ import annotations

import sys
from pathlib import Path

from heat_config_venv import commands, environment, install, left_out

from .environment import INSTALLERS

HOME = Path("/opt/heat-config")
# Where RHEL has its authorities' certificates. The checks of the environment read them here.
CERTIFICATES = Path("/etc/pki/tls/certs/ca-bundle.crt")
HERE = Path("/etc/ssl/certs/ca-certificates.crt")


def main(element: Path, wheels: Path) -> None:
    """Make it.

    :raises BuildError: it lacks something that a server runs.
    """
    CERTIFICATES.parent.mkdir(parents=True, exist_ok=True)
    CERTIFICATES.symlink_to(HERE)
    wanted = f"{sys.version_info[0]}.{sys.version_info[1]}"
    made = environment.make(HOME, wheels, wanted=wanted)
    made.install(wheels)
    install.reduce_agent(made, element / "heat-config-venv/left-out", (CERTIFICATES,))
    left_out.take_out(made.site(), INSTALLERS)
    print(f"{made.megabytes()} MB in {HOME}", flush=True)


if __name__ == "__main__":
    paths = [Path(argument).resolve() for argument in sys.argv[1:]]
    sys.exit(commands.program(lambda: main(*paths)))
