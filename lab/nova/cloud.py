# SPDX-License-Identifier: Apache-2.0
"""The lab with a real Nova: brought up in a space of its own, and filled."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import catalog, identity
from ..control_plane import Lab
from ..rabbitmq import EPMD, RABBITMQ
from . import contents, profile, schemas, services, space

# Each service's own folders, below data/.
_FOLDERS = (
    *("rabbitmq", "nova/instances", "neutron"),
    *("glance/images", "glance/staging", "glance/tasks"),
)


@contextmanager
def up(directory: Path, image: Path, say: Callable[[str], None]) -> Iterator[Lab]:
    """Bring it up, for as long as the block lasts, with an image in Glance that is a file system.

    :raises LabError: a service does not come up, or this process is in no space of its own.
    """
    space.furnish(directory.with_name(f"{directory.name}-libvirt"))
    lab = Lab(directory, plugin=True, for_all=False, profile=profile.NOVA, say=say)
    with lab:
        _start(lab)
        _fill(lab, image)
        lab.step("image, flavor and network are there")
        yield lab


def _start(lab: Lab) -> None:
    """Start the services in the order in which they need each other."""
    _prepare(lab)
    lab.add(EPMD, RABBITMQ, services.LIBVIRTD, services.AGENT)
    schemas.make(lab.settings)
    lab.step("tables made")
    lab.add(*services.APIS, services.CONDUCTOR, services.SCHEDULER)
    lab.add(services.COMPUTE)
    schemas.know_the_compute_node(lab.settings)
    lab.step("the compute node is known")


def _prepare(lab: Lab) -> None:
    """Folders, files, users and the catalog."""
    for folder in _FOLDERS:
        (lab.directory / "data" / folder).mkdir(mode=0o700, parents=True)
    profile.render_files(lab.settings)
    shutil.copy(lab.directory / "etc/qemu.conf", space.LIBVIRT_ETC)
    keystone = catalog.administrator(lab)
    for name in profile.API_SERVICES:
        identity.add_service_user(keystone, name, lab.settings.passwords[f"{name}_password"])
    for kind, (url, name) in _endpoints(lab).items():
        identity.add_service(keystone, kind, name, url)


def _endpoints(lab: Lab) -> dict[str, tuple[str, str]]:
    """Each service type's URL and name."""
    url = lab.settings.url
    return {
        "placement": (url("placement"), "placement"),
        "image": (url("glance"), "glance"),
        "network": (url("neutron"), "neutron"),
        "compute": (f"{url('nova_api')}/v2.1", "nova"),
    }


def _fill(lab: Lab, image: Path) -> None:
    endpoints = {kind: url for kind, (url, _) in _endpoints(lab).items()}
    token = catalog.administrator(lab).token
    contents.fill(contents.Administrator(token, endpoints), image)
