# SPDX-License-Identifier: Apache-2.0
"""What this profile has beside the lab's own, and how its files are made."""

from __future__ import annotations

from pathlib import Path

from .. import rabbitmq
from ..config import Profile, Settings, render
from ..venv import CACHE

VENV = CACHE / "venv-nova"
REQUIREMENTS = Path(__file__).parents[1] / "requirements-nova.txt"
TEMPLATES = Path(__file__).with_name("etc")

# The network on which the services listen and which the servers are on.
ADDRESS = "10.77.0.1"
NETWORK = "10.77.0.0/24"
SERVERS = ("10.77.0.10", "10.77.0.99")

API_SERVICES = ("placement", "glance", "neutron", "nova")
NOVA = Profile(
    address=ADDRESS,
    stand_in=False,
    ports=(*rabbitmq.PORTS, "placement", "glance", "neutron", "nova_api"),
    passwords=("rabbitmq_password", *(f"{name}_password" for name in API_SERVICES)),
    databases=("nova_api", "nova", "nova_cell0", "placement", "glance", "neutron"),
)


def render_files(settings: Settings) -> None:
    """Write this profile's configuration files into etc/, beside the lab's own."""
    rabbitmq.render_file(settings)
    values = {**settings.values(), "nova_venv": VENV}
    for template in TEMPLATES.iterdir():
        render(template, settings.directory / "etc" / template.name, values)


def database(settings: Settings, name: str) -> str:
    """The URL of one of its databases."""
    password, port = settings.passwords["heat_database_password"], settings.ports["postgresql"]
    return f"postgresql+psycopg2://heat:{password}@127.0.0.1:{port}/{name}"
