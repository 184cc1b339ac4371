# SPDX-License-Identifier: Apache-2.0
"""This profile's services, as the lab's own are described (lab/services.py)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from ..config import Settings
from ..services import Service, http
from ..venv import CHECKOUT
from . import profile
from .bridge import __file__ as bridge_program
from .space import BRIDGE

DRIVER = Path(__file__).with_name("driver")
LIBVIRT_SOCKET = Path("/run/libvirt/libvirt-sock")

Command = Callable[[Settings], list[str | Path]]


def program(name: str) -> Path:
    """A program of this profile's environment."""
    return profile.VENV / "bin" / name


def _uwsgi(name: str, *variables: str) -> Command:
    """A WSGI application; "ETC" in a variable stands for the folder of configuration files."""

    def command(settings: Settings) -> list[str | Path]:
        etc = settings.directory / "etc"
        given = [variable.replace("ETC", str(etc)) for variable in variables]
        return ["env", *given, program("uwsgi"), etc / f"uwsgi-{name}.ini"]

    return command


def _nova(name: str, conf: str) -> Command:
    return lambda settings: [
        *("env", f"PATH={profile.VENV / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin", program(name)),
        *("--config-file", settings.directory / "etc" / conf),
    ]


def _logs(name: str, text: str) -> Callable[[Settings], bool]:
    """Whether a service that listens nowhere has written this text."""
    return lambda settings: (
        text in (settings.directory / f"log/{name}.log").read_text(errors="replace")
    )


def _libvirtd(settings: Settings) -> list[str | Path]:
    return ["/usr/sbin/libvirtd", "--config", settings.directory / "etc/libvirtd.conf"]


def _bridge(_: Settings) -> list[str | Path]:
    return [sys.executable, bridge_program, BRIDGE]


LIBVIRTD = Service("libvirtd", (), _libvirtd, lambda _: LIBVIRT_SOCKET.is_socket())
AGENT = Service("bridge", (), _bridge, lambda _: True)

APIS = (
    Service(
        "placement",
        ("placement",),
        _uwsgi("placement", "OS_PLACEMENT_CONFIG_DIR=ETC"),
        http("placement"),
    ),
    Service("glance", ("glance",), _uwsgi("glance", "OS_GLANCE_CONFIG_DIR=ETC"), http("glance")),
    Service(
        "neutron",
        ("neutron",),
        _uwsgi(
            "neutron",
            "OS_NEUTRON_CONFIG_DIR=ETC",
            "OS_NEUTRON_CONFIG_FILES=neutron.conf",
            f"PYTHONPATH={CHECKOUT}:{DRIVER}",
        ),
        http("neutron"),
    ),
    Service(
        "nova-api",
        ("nova_api",),
        _uwsgi(
            "nova-api",
            f"OS_NOVA_CONFIG_DIR={profile.VENV / 'etc/nova'}",
            "OS_NOVA_CONFIG_FILES=api-paste.ini;ETC/nova.conf",
        ),
        http("nova_api"),
    ),
)
CONDUCTOR = Service(
    "nova-conductor",
    (),
    _nova("nova-conductor", "nova.conf"),
    _logs("nova-conductor", "Starting conductor node"),
)
SCHEDULER = Service(
    "nova-scheduler",
    (),
    _nova("nova-scheduler", "nova.conf"),
    _logs("nova-scheduler", "Starting scheduler node"),
)
COMPUTE = Service(
    "nova-compute",
    (),
    _nova("nova-compute", "nova-compute.conf"),
    _logs("nova-compute", "Created resource provider record"),
)
