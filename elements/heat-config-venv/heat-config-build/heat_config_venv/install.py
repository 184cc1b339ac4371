# SPDX-License-Identifier: Apache-2.0
"""Makes the environments in the image, from the wheels that were gathered on the host.

Nothing here needs a network; what a server never runs is taken out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import environment, left_out
from .commands import BuildError, run
from .environment import Environment
from .tools import tools_in

BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
)
# Where systemd and os-refresh-config, which name no folder, find the programs.
PROGRAMS = ("/usr/local/bin", "/usr/bin")
CHECK_IMPORTS = Path(__file__).with_name("check_imports.py")


def main(hooks: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Make the agent's environment and one for each tool.

    :param hooks: what dib has merged of all elements.
    :param environ: dib's variables.
    :raises BuildError: the build must stop.
    """
    data = hooks / "heat-config-venv"
    home = Path(environ["DIB_HEAT_CONFIG_VENV"])
    programs = programs_in(environ["DIB_HEAT_CONFIG_PROGRAMS"])
    wanted = (data / "python-version").read_text().strip()
    install_agent(environment.make(home, data / "wheels", wanted=wanted), data)
    for tool in tools_in(hooks):
        made = environment.make(home.parent / tool.name, data / "wheels", wanted=wanted)
        install_tool(made, tool, programs)


def programs_in(folder: str) -> Path:
    """The folder of the programs.

    :raises BuildError: the image's services would not find them there.
    """
    if folder not in PROGRAMS:
        known = " or ".join(PROGRAMS)
        raise BuildError(f"DIB_HEAT_CONFIG_PROGRAMS={folder!r} must be {known}")
    return Path(folder)


def install_agent(made: Environment, data: Path) -> None:
    """Install the agent and what it stands on, and check that all that a server runs is there."""
    made.install(data / "wheels")
    reduce_agent(made, data / "left-out", BUNDLES)
    _finish(made)


def reduce_agent(made: Environment, listed_in: Path, bundles: Iterable[Path]) -> None:
    """Take out what a server never runs, and check that all that it runs is there.

    :param bundles: where the server may have its certificates.
    """
    listed = left_out.parse(listed_in.read_text())
    left_out.check(made.check(), listed)
    site = made.site()
    left_out.take_out(site, listed.patterns)
    left_out.keep_programs(made.home / "bin")
    use_system_certificates(site, bundles)
    missed = f"{made.home} lacks something that a server runs: see above, and the file left-out"
    run([made.python, "-I", CHECK_IMPORTS], missed)


def install_tool(made: Environment, tool: Path, programs: Path) -> None:
    """Install a tool beside the agent; its programs are where people look for them.

    :raises BuildError: it has no program of a name that its element gives.
    """
    made.install(tool / "wheels")
    for name in (tool / "programs").read_text().split():
        program = made.home / "bin" / name
        if not os.access(program, os.X_OK):
            raise BuildError(f"{tool.name} has no program {name}")
        _link(programs / name, program)
    _finish(made)


def use_system_certificates(site: Path, bundles: Iterable[Path]) -> None:
    """Let every client trust what the server trusts, and follow when that changes.

    :param bundles: where distributions have their certificates.
    :raises BuildError: the image has none.
    """
    looked_for = list(bundles)
    for bundle in looked_for:
        if bundle.is_file() and bundle.stat().st_size:
            _link(site / "certifi" / "cacert.pem", bundle)
            return
    names = ", ".join(map(str, looked_for))
    raise BuildError(f"the image has no CA certificates; looked for {names}")


def _finish(made: Environment) -> None:
    made.compile()
    print(f"heat-config-venv: {made.megabytes()} MB in {made.home}", flush=True)


def _link(path: Path, to: Path) -> None:
    if path.is_symlink() or path.exists():
        path.unlink()
    path.symlink_to(to)
