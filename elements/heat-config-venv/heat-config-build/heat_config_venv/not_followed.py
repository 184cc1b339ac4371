# SPDX-License-Identifier: Apache-2.0
"""What builds ask of tripleo-image-elements and heat-agents, and cannot have here."""

from __future__ import annotations

from collections.abc import Mapping

PROGRAMS = ("heat_config", "os_apply_config", "os_collect_config", "os_refresh_config")
INSTALL_TYPES = ("DIB_DEFAULT_INSTALLTYPE", *(f"DIB_INSTALLTYPE_{name}" for name in PROGRAMS))
MANIFESTS = tuple(f"DIB_PIP_MANIFEST_{name}" for name in PROGRAMS)

NO_PACKAGES = (
    "heat-config and os-*-config are installed from wheels, as with =source: the agent is tested"
    " with the versions in requirements.txt, and distributions package others or none"
)
NO_MANIFESTS = (
    "the versions of heat-config and os-*-config are those in heat-config-venv/requirements.txt:"
    " change them there, in a copy of the elements"
)


def notes(environ: Mapping[str, str]) -> list[str]:
    """Return a line for each variable that is not followed, with the reason."""
    packages = [f"{name}=package" for name in INSTALL_TYPES if environ.get(name) == "package"]
    manifests = [f"{name}={environ[name]}" for name in MANIFESTS if environ.get(name)]
    return [f"{each} is not followed here: {NO_PACKAGES}" for each in packages] + [
        f"{each} is not followed here: {NO_MANIFESTS}" for each in manifests
    ]
