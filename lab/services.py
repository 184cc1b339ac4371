# SPDX-License-Identifier: Apache-2.0
"""The lab's services: how each is started, where it listens, and how one sees that it is ready."""

import base64
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import databases, identity, venv
from .config import Profile, Settings
from .errors import LabError

HEAT_ALL = Path(__file__).with_name("heat_all.py")
NO_NOVA = Path(__file__).with_name("no_nova.py")
STAND_IN = "no-nova"


@dataclass(frozen=True)
class Service:
    """One process of the lab. The order of SERVICES is the order in which they start."""

    name: str
    ports: tuple[str, ...]
    command: Callable[[Settings], list[str | Path]]
    ready: Callable[[Settings], bool]
    # Others cannot even start before it answers.
    first: bool = False
    user: Callable[[], str] = lambda: ""
    # What it gets when the program that brought the lab up has died.
    death_signal: str = "KILL"


def _redis(settings: Settings) -> list[str | Path]:
    # Debian's package puts it into /usr/bin, and starts one of its own that is left alone.
    program = shutil.which("redis-server")
    if not program:
        raise LabError("redis-server is not installed", hint="on Debian: apt-get install redis")
    return [program, settings.directory / "etc/redis.conf"]


def _uwsgi(name: str) -> Callable[[Settings], list[str | Path]]:
    return lambda settings: [venv.VENV / "bin/uwsgi", settings.directory / f"etc/uwsgi-{name}.ini"]


def _websocket(_: Settings) -> list[str | Path]:
    return [venv.VENV / "bin/zaqar-server"]


def _heat(settings: Settings) -> list[str | Path]:
    conf = settings.directory / "etc/heat.conf"
    ports = [str(settings.ports[name]) for name in ("heat", "heat_cfn")]
    return [venv.python(), HEAT_ALL, "--config-file", conf, settings.profile.address, *ports]


def _swift(kind: str) -> Callable[[Settings], list[str | Path]]:
    # --verbose: what it says goes to where the lab reads it, not to syslog.
    conf = f"etc/swift-{kind}.conf"
    program = venv.VENV / f"bin/swift-{kind}-server"
    return lambda settings: [program, "--verbose", settings.directory / conf]


def _no_nova(settings: Settings) -> list[str | Path]:
    return [venv.python(), NO_NOVA, str(settings.ports["compute"])]


def http(*ports: str) -> Callable[[Settings], bool]:
    """Whether something answers on each of these ports."""
    return lambda settings: all(identity.answers(f"{settings.url(port)}/") for port in ports)


def _redis_ready(settings: Settings) -> bool:
    hello = f"AUTH {settings.passwords['redis_password']}\r\nPING\r\n"
    return says("127.0.0.1", settings.ports["redis"], hello, b"+PONG")


def _websocket_ready(settings: Settings) -> bool:
    hello = (
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    )
    return says(settings.profile.address, settings.ports["websocket"], hello, b" 101 ")


def says(address: str, port: int, text: str, expected: bytes) -> bool:
    """Send text to a port; say whether the answer has what is expected."""
    answer = b""
    try:
        with socket.create_connection((address, port), timeout=5) as connection:
            connection.sendall(text.encode())
            while expected not in answer and (chunk := connection.recv(4096)):
                answer += chunk
    except OSError:
        return False
    return expected in answer


SERVICES = (
    Service("redis", ("redis",), _redis, _redis_ready, first=True),
    Service(
        "postgresql",
        ("postgresql",),
        databases.postgresql_command,
        databases.postgresql_ready,
        first=True,
        user=databases.postgresql_user,
        # On KILL it would leave its shared memory.
        death_signal="TERM",
    ),
    Service("keystone", ("keystone",), _uwsgi("keystone"), http("keystone")),
    Service("zaqar", ("zaqar",), _uwsgi("zaqar"), http("zaqar")),
    Service("zaqar-websocket", ("websocket",), _websocket, _websocket_ready),
    Service(STAND_IN, ("compute",), _no_nova, http("compute")),
    Service("heat", ("heat", "heat_cfn"), _heat, http("heat", "heat_cfn")),
)


SWIFT = tuple(
    Service(f"swift-{kind}", (port,), _swift(kind), http(port))
    for kind, port in (
        ("account", "swift_account"),
        ("container", "swift_container"),
        ("object", "swift_object"),
        ("proxy", "swift"),
    )
)


def services(profile: Profile) -> tuple[Service, ...]:
    """Those that a lab of this profile begins with."""
    found = tuple(each for each in SERVICES if profile.stand_in or each.name != STAND_IN)
    return (*SWIFT, *found) if profile.swift else found
