# SPDX-License-Identifier: Apache-2.0
"""The templates of a folder: which are run, and what is known of the others."""

from __future__ import annotations

from pathlib import Path

ELEMENTS = tuple(f"heat-config-{group}" for group in ("ansible", "puppet", "salt", "cfn-init"))

# What an image of this machine's, without a network, cannot have.
CANNOT = {
    "WordPress_software-config_1-instance": "it installs a distribution's packages",
    "WordPress_software-config_2-instances": "it installs a distribution's packages",
    "example-chef-template": "it needs chef, and a cookbook of github.com",
    "example-docker-compose-template": "its images are on a registry",
    "example-kubelet-template": "its image is on a registry",
    "example-pristine-atomic-docker-compose": "its image is on a registry",
    "example-pristine-atomic-tool": "it needs Atomic Host's tool, and an image on a registry",
    "example-ssh-copy-id": "it needs servers that have names and sshd",
}

# What fails with every agent: the name of the template, and what its result says.
OWN = {
    "example-salt-template": "pkg-apache",
}


def templates(folder: Path) -> list[Path]:
    """The templates in a folder and below it, without the environments beside them."""
    found = [path for path in folder.rglob("*.yaml") if not path.stem.endswith("_env")]
    return sorted(found, key=lambda path: path.stem)
