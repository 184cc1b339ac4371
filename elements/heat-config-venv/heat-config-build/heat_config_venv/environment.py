# SPDX-License-Identifier: Apache-2.0
"""Virtual environments in the image, made from wheels alone, without a network."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

from .commands import BuildError, Word, output, run

NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"


class Environment(NamedTuple):
    """A virtual environment, and the wheel of the pip that installs into it."""

    home: Path
    pip: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.home / "bin" / "python"

    def site(self) -> Path:
        """Return its folder site-packages."""
        return Path(output([self.python, "-c", SITE]).strip())

    def install(self, wheels: Path) -> None:
        """Install the folder's wheels, all but pip."""
        found = sorted(path for path in wheels.glob("*.whl") if not path.name.startswith("pip-"))
        options = ("--quiet", "--no-index", "--no-deps", "--no-compile")
        command: list[Word] = [*self._pip_command(), "install", *options, *found]
        run(command, f"the wheels in {wheels} cannot be installed into {self.home}")

    def check(self) -> str:
        """Return what pip finds wrong with what is installed."""
        return output([*self._pip_command(), "check"])

    def compile(self) -> None:
        """Compile it: it starts faster, and the file system may be read-only later."""
        environ = {key: value for key, value in os.environ.items() if key != NO_BYTECODE}
        command: list[Word] = [self.python, "-m", "compileall", "-q", self.home / "lib"]
        run(command, f"{self.home} cannot be compiled", environment=environ)

    def megabytes(self) -> int:
        """Return its size on the disk."""
        blocks = sum(path.lstat().st_blocks for path in self.home.rglob("*"))
        return round(blocks * 512 / 1e6)

    def _pip_command(self) -> list[Word]:
        # --isolated, as the host's pip settings come in with its environment.
        options = ("--isolated", "--disable-pip-version-check", "--no-cache-dir")
        return [self.python, self.pip / "pip", *options]


def make(home: Path, wheels: Path, *, wanted: str) -> Environment:
    """Make an empty environment of the running interpreter.

    :param wheels: the folder that has the wheel of pip.
    :param wanted: the version of Python that the wheels are for.
    :raises BuildError: the interpreter is of another version, or has no module venv.
    """
    actual = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if actual != wanted:
        raise BuildError(
            f"the wheels are for Python {wanted} and the image has {actual}:"
            f" build again with DIB_HEAT_CONFIG_PYTHON={actual}"
        )
    command: list[Word] = [sys.executable, "-m", "venv", "--without-pip", home]
    run(command, f"no environment in {home}: see above what {sys.executable} -m venv says")
    return Environment(home, pip_in(wheels))


def pip_in(wheels: Path) -> Path:
    """Return the wheel of pip among the wheels.

    :raises BuildError: there is not exactly one.
    """
    found = list(wheels.glob("pip-*.whl"))
    if len(found) != 1:
        raise BuildError(f"{len(found)} wheels of pip in {wheels} where one must be")
    return found[0]


def contradictions(checked: str) -> list[str]:
    """Return the lines of ``pip check`` on pins that do not go together."""
    return [line for line in checked.splitlines() if " has requirement " in line]


def lacking(checked: str) -> list[str]:
    """Return the distributions that are not installed, by their normalized names."""
    found = re.findall(r"^.* requires ([^,]+), [a-z]+ is not installed\.$", checked, re.MULTILINE)
    return sorted({re.sub(r"[-_.]+", "-", name).lower() for name in found})
