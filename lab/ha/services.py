# SPDX-License-Identifier: Apache-2.0
"""This profile's services, as the lab's own are described (lab/services.py)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from ..config import Settings
from ..errors import LabError
from ..rabbitmq import EPMD, RABBITMQ
from ..services import SERVICES, Service, http, says, uwsgi
from ..venv import VENV
from .profile import SENTINELS, SIDES, STORES

Command = Callable[[Settings], list[str | Path]]
ENGINES = tuple(f"heat-engine-{side}" for side in SIDES)
# Of the lab's own services those that this profile has as they are.
_AS_THEY_ARE = ("postgresql", "keystone", "zaqar-websocket", "no-nova")


def redis_name(store: str, side: str) -> str:
    """The service that is one of a store's two Redis."""
    return f"redis-{store}-{side}"


def _program(name: str, package: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if not found:
        raise LabError(f"{name} is not installed", hint=f"on Debian: apt-get install {package}")
    return found


def _redis(store: str, side: str) -> Service:
    name, port = redis_name(store, side), f"redis_{store}_{side}"
    return Service(
        name,
        (port,),
        lambda settings: [
            _program("redis-server", "redis-server"),
            settings.directory / f"etc/{name}.conf",
        ],
        _pong(port),
        first=True,
    )


def _sentinel(side: str) -> Service:
    name, port = f"sentinel-{side}", f"sentinel_{side}"
    return Service(
        name,
        (port,),
        lambda settings: [
            _program("redis-sentinel", "redis-sentinel"),
            settings.directory / f"etc/{name}.conf",
        ],
        lambda settings: says("127.0.0.1", settings.ports[port], "PING\r\n", b"+PONG"),
        first=True,
    )


def _pong(port: str) -> Callable[[Settings], bool]:
    def answers(settings: Settings) -> bool:
        hello = f"AUTH {settings.passwords['redis_password']}\r\nPING\r\n"
        return says("127.0.0.1", settings.ports[port], hello, b"+PONG")

    return answers


def _haproxy(settings: Settings) -> list[str | Path]:
    return [_program("haproxy", "haproxy"), "-f", settings.directory / "etc/haproxy.cfg"]


def _engine(name: str) -> Service:
    def command(settings: Settings) -> list[str | Path]:
        conf = settings.directory / "etc/heat.conf"
        # By this the engines tell each other apart.
        host = f"OS_DEFAULT__HOST={name}"
        return ["env", host, VENV / "bin/heat-engine", "--config-file", conf]

    def listens(settings: Settings) -> bool:
        log = settings.directory / f"log/{name}.log"
        return "Starting engine" in log.read_text(errors="replace")

    return Service(name, (), command, listens)


def services() -> tuple[Service, ...]:
    """All of them, in the order in which they start."""
    own = {service.name: service for service in SERVICES if service.name in _AS_THEY_ARE}
    stores = [_redis(store, side) for store in STORES for side in SIDES]
    return (
        *stores,
        *(_sentinel(name) for name in SENTINELS),
        EPMD,
        RABBITMQ,
        own["postgresql"],
        own["keystone"],
        *(
            Service(
                f"zaqar-{side}",
                (f"zaqar_{side}",),
                uwsgi(f"zaqar-{side}"),
                http(f"zaqar_{side}"),
            )
            for side in SIDES
        ),
        Service("proxy", ("zaqar",), _haproxy, http("zaqar")),
        own["zaqar-websocket"],
        own["no-nova"],
        *(_engine(name) for name in ENGINES),
        Service("heat-api", ("heat",), uwsgi("heat-api"), http("heat")),
        Service("heat-api-cfn", ("heat_cfn",), uwsgi("heat-api-cfn"), http("heat_cfn")),
    )
