# SPDX-License-Identifier: Apache-2.0
"""RabbitMQ, in the profiles whose services are processes of their own."""

from __future__ import annotations

from pathlib import Path

from .config import Settings, render
from .services import Service, says

PORTS = ("rabbitmq", "rabbitmq_cluster", "epmd")
_TEMPLATE = Path(__file__).with_name("rabbitmq.conf")
_PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"


def render_file(settings: Settings) -> None:
    """Write its configuration file into etc/."""
    render(_TEMPLATE, settings.directory / "etc" / _TEMPLATE.name, settings.values())


def url(settings: Settings) -> str:
    """Where oslo.messaging finds it."""
    return f"rabbit://lab:{settings.passwords['rabbitmq_password']}@127.0.0.1:{settings.ports['rabbitmq']}/"


def _command(settings: Settings) -> list[str | Path]:
    data, ports = settings.directory / "data/rabbitmq", settings.ports
    values = {
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": ports["epmd"],
        # Erlang's cookie.
        "HOME": data,
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": settings.directory / "etc/rabbitmq.conf",
        "RABBITMQ_DIST_PORT": ports["rabbitmq_cluster"],
        "RABBITMQ_ENABLED_PLUGINS_FILE": data / "enabled_plugins",
        "RABBITMQ_LOG_BASE": data,
        "RABBITMQ_MNESIA_BASE": data,
        "RABBITMQ_NODENAME": "lab@localhost",
        # Threads that spin for work take the servers' processors.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
    }
    return ["env", *(f"{name}={value}" for name, value in values.items()), _PROGRAM]


def _epmd(settings: Settings) -> list[str | Path]:
    return ["epmd", "-address", "127.0.0.1", "-port", str(settings.ports["epmd"])]


def _epmd_ready(settings: Settings) -> bool:
    # Asked for the names that it knows, it says its own port first.
    port = settings.ports["epmd"]
    return says("127.0.0.1", port, "\0\1n", port.to_bytes(4, "big"))


def _ready(settings: Settings) -> bool:
    # A peer that speaks another version of AMQP is answered with the server's own.
    return says("127.0.0.1", settings.ports["rabbitmq"], "AMQP\0\0\0\0", b"AMQP")


# Where there is none Erlang starts one that nobody ends.
EPMD = Service("epmd", ("epmd",), _epmd, _epmd_ready, first=True)
RABBITMQ = Service("rabbitmq", ("rabbitmq",), _command, _ready, first=True)
