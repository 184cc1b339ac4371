# SPDX-License-Identifier: Apache-2.0
"""``python3 -m heat_config.install HOOKS PART``: what the elements' ``install.d`` run in an image.

``HOOKS`` is the folder in which dib has merged the elements; the environment is that of the Python
that runs this. The units are in their place by then (dib-init-system).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from heat_config import log
from heat_config.install.errors import InstallError
from heat_config.install.items import Enabled, Place, Rules, Source
from heat_config.install.parts import PARTS
from heat_config.install.services import Systemd


def main(merged: Path, part: str, root: Path = Path("/")) -> int:
    """Install one part in the image; return the exit status."""
    os.umask(0o022)
    hooks = {path.name: path for path in (merged / "heat-config-hooks").glob("*")}
    source = Source((merged,), {name: path for name, path in hooks.items() if path.is_file()})
    place = Place(Path(sys.prefix, "bin"), os.environ["DIB_HEAT_CONFIG_PROGRAMS"])
    try:
        for item in PARTS[part]:
            for step in item.steps(source, place):
                if not step.is_done(root):
                    step.do(root)
        rules = [item.path for item in PARTS[part] if isinstance(item, Rules)]
        if rules:
            Systemd.of(root).follow(rules)
        units = [item.unit for item in PARTS[part] if isinstance(item, Enabled)]
        if units:
            Systemd.of(root).enable(units)
    except (InstallError, OSError) as error:
        log.error(f"{part}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
