# SPDX-License-Identifier: Apache-2.0
"""The tables of this profile's services, each made by its own program."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..command import run
from ..config import Settings
from .profile import database
from .services import program

# Neutron's migrations do not run on PostgreSQL; its models make the same tables.
_FROM_MODELS = Path(__file__).with_name("neutron_tables.py")


def make(settings: Settings) -> None:
    """Make all of them, those of different services at once."""
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(job, settings) for job in (_placement, _glance, _neutron, _nova)]
    for job in jobs:
        job.result()


def _manage(settings: Settings, name: str, conf: str, *words: str) -> None:
    run([program(name), "--config-file", settings.directory / "etc" / conf, *words])


def _placement(settings: Settings) -> None:
    _manage(settings, "placement-manage", "placement.conf", "db", "sync")


def _glance(settings: Settings) -> None:
    _manage(settings, "glance-manage", "glance-api.conf", "db_sync")


def _neutron(settings: Settings) -> None:
    run([program("python"), _FROM_MODELS, settings.directory / "etc/neutron.conf"])
    _manage(settings, "neutron-db-manage", "neutron.conf", "stamp", "heads")


def _nova(settings: Settings) -> None:
    """The API's, those of the cell that everything is in, and of the one for what has none."""
    cell0 = database(settings, "nova_cell0")
    _manage(settings, "nova-manage", "nova.conf", "api_db", "sync")
    cells = ("cell_v2", "map_cell0", "--database_connection", cell0)
    _manage(settings, "nova-manage", "nova.conf", *cells)
    _manage(settings, "nova-manage", "nova.conf", "cell_v2", "create_cell", "--name", "cell1")
    _manage(settings, "nova-manage", "nova.conf", "db", "sync")


def know_the_compute_node(settings: Settings) -> None:
    """Let Nova's API know a compute node that has come up since."""
    _manage(settings, "nova-manage", "nova.conf", "cell_v2", "discover_hosts")
