# SPDX-License-Identifier: Apache-2.0
"""What dh_virtualenv has made, reduced to what a server runs, as in an image.

python3 -m packages.environment HOME DESTDIR ELEMENT WHEELS
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from heat_config_venv import commands, install, left_out
from heat_config_venv.environment import Environment, pip_in

# What makes an environment and no program needs.
INSTALLERS = (
    *("pip", "pip-*.dist-info", "setuptools", "setuptools-*.dist-info"),
    *("pkg_resources", "_distutils_hack", "distutils-precedence.pth"),
)


def main(home: Path, destdir: Path, element: Path, wheels: Path) -> None:
    """Reduce it, check it and compile it.

    :raises BuildError: it lacks something that a server runs.
    """
    made = Environment(home, pip_in(wheels))
    listed = element / "heat-config-venv/left-out"
    install.reduce_agent(made, listed, install.BUNDLES)
    left_out.take_out(made.site(), INSTALLERS)
    # From Python 3.13 on.
    (home / ".gitignore").unlink(missing_ok=True)
    compile_in(home, destdir)
    print(f"{made.megabytes()} MB in {home}", flush=True)


def compile_in(home: Path, destdir: Path) -> None:
    """Compile it for where it will be. Not by time: packages change those of files.

    :raises BuildError: it cannot be compiled.
    """
    words = (home / "bin/python3", "-m", "compileall", "-q", "-f")
    where = ("-s", destdir, "-p", "/", home / "lib")
    options = ("--invalidation-mode", "unchecked-hash")
    environment = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}
    commands.run([*words, *options, *where], f"{home} cannot be compiled", environment=environment)


if __name__ == "__main__":
    paths = [Path(argument).resolve() for argument in sys.argv[1:]]
    sys.exit(commands.program(lambda: main(*paths)))
