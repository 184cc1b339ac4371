# SPDX-License-Identifier: Apache-2.0
"""The templates of a folder: which are run, and what is known of the others."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ELEMENTS = tuple(f"heat-config-{group}" for group in ("ansible", "puppet", "salt", "cfn-init"))

# What an image of this machine's, without a network, cannot have.
CANNOT = {
    "WordPress_software-config_1-instance": "it installs a distribution's packages",
    "WordPress_software-config_2-instances": "it installs a distribution's packages",
    "example-chef-template": "it needs chef, and a cookbook of github.com",
    "example-docker-compose-template": "its images are on a registry, and its containers need "
    "networks, which podman cannot make in a server that is a container itself",
    "example-kubelet-template": "its image is on a registry, and its pod needs a network, which "
    "podman cannot make in a server that is a container itself",
    "example-pristine-atomic-docker-compose": "its image is on a registry",
    "example-pristine-atomic-tool": "it needs Atomic Host's tool, and an image on a registry",
    "example-ssh-copy-id": "it needs servers that have names and sshd",
}


class Own(NamedTuple):
    """Why a template cannot end well, whatever the agent."""

    said: str
    """What its result says."""
    why: str


OWN = {
    "example-salt-template": Own(
        "pkg-apache", "on Debian its state reads an input pkg-apache, which no deployment gives"
    ),
    "example-software-deploymentgroup-template": Own(
        "cannot create /tmp/", "it gives its playbook no values, which then writes to a folder"
    ),
}
"""Of the template's own fault, by its name."""


def templates(folder: Path) -> list[Path]:
    """The templates in a folder and below it, without the environments beside them."""
    found = [path for path in folder.rglob("*.yaml") if not path.stem.endswith("_env")]
    return sorted(found, key=lambda path: path.stem)
