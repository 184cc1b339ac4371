# SPDX-License-Identifier: Apache-2.0
"""What this profile has beside the lab's own, its files, and Zaqar's pools."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .. import rabbitmq
from ..command import run
from ..config import TEMPLATES, Profile, Settings, render
from ..errors import LabError
from ..venv import VENV, python

HERE = Path(__file__).parent
# What is registered with Zaqar, as an operator would do it: docs/scale.md shows the same.
POOLS = HERE / "pools.sh"

# Zaqar's pools, by the names under which it and the Sentinels know them.
STORES = ("one", "two")
SIDES = ("a", "b")
SENTINELS = ("a", "b", "c")

_REDIS_PORTS = tuple(f"redis_{store}_{side}" for store in STORES for side in SIDES)
_SENTINEL_PORTS = tuple(f"sentinel_{name}" for name in SENTINELS)
_ZAQAR_PORTS = tuple(f"zaqar_{side}" for side in SIDES)


def _parts(settings: Settings) -> dict[str, str]:
    """What is between or below Heat's and Zaqar's parts."""
    return {
        "transport_url": rabbitmq.url(settings),
        "pooling": "true",
        # Zaqar reads it, and uses it for no message where there are pools.
        "messages_url": sentinel_url(settings, STORES[0]),
        # Not Redis: with that Zaqar 23.0.1 answers 500 to whoever registers a pool
        # (storage/base.py:844 gives redis/pools.py:142 its arguments by their places).
        "management_store": "sqlalchemy",
        # Production: MySQL. On PostgreSQL Zaqar cannot read a pool's options again.
        "management_url": f"sqlite:///{settings.directory}/data/zaqar.db",
    }


HA = Profile(
    ports=(*rabbitmq.PORTS, *_REDIS_PORTS, *_SENTINEL_PORTS, *_ZAQAR_PORTS),
    passwords=("rabbitmq_password",),
    ha=True,
    parts=_parts,
)


def sentinels(settings: Settings) -> str:
    """The Sentinels' addresses, as Zaqar's URIs have them."""
    return ",".join(f"127.0.0.1:{settings.ports[port]}" for port in _SENTINEL_PORTS)


def sentinel_url(settings: Settings, store: str) -> str:
    """Where Zaqar asks which Redis is a store's master now."""
    password = settings.passwords["redis_password"]
    return f"redis://:{password}@{sentinels(settings)}?master={store}&socket_timeout=5"


def prepare(settings: Settings) -> None:
    """Write this profile's configuration files into etc/, and make its folders."""
    rabbitmq.render_file(settings)
    (settings.directory / "data/rabbitmq").mkdir()
    values = settings.values()
    _render("uwsgi-heat-api.ini", settings, values)
    _render("uwsgi-heat-api-cfn.ini", settings, values)
    _render("haproxy.cfg", settings, values)
    for side in SIDES:
        own = {**values, "zaqar_port": settings.ports[f"zaqar_{side}"]}
        etc = settings.directory / "etc"
        render(TEMPLATES / "uwsgi-zaqar.ini", etc / f"uwsgi-zaqar-{side}.ini", own)
    for store in STORES:
        for side in SIDES:
            _redis(settings, store, side)
    for name in SENTINELS:
        _sentinel(settings, name)


def _redis(settings: Settings, store: str, side: str) -> None:
    """One Redis; the second of a store begins as the replica of the first."""
    name = f"redis-{store}-{side}"
    (settings.directory / "data" / name).mkdir()
    master = f"replicaof 127.0.0.1 {settings.ports[f'redis_{store}_a']}"
    own = {
        **settings.values(),
        "name": name,
        "port": settings.ports[f"redis_{store}_{side}"],
        "replicaof": "" if side == "a" else master,
    }
    render(HERE / "etc/redis.conf", settings.directory / f"etc/{name}.conf", own)


def _sentinel(settings: Settings, name: str) -> None:
    """One Sentinel, which watches all stores. It keeps what it finds in its own file."""
    password = settings.passwords["redis_password"]
    lines = []
    for store in STORES:
        lines += [
            f"sentinel monitor {store} 127.0.0.1 {settings.ports[f'redis_{store}_a']} 2",
            f"sentinel auth-pass {store} {password}",
            f"sentinel down-after-milliseconds {store} 2000",
            f"sentinel failover-timeout {store} 6000",
        ]
    (settings.directory / f"data/sentinel-{name}").mkdir()
    own = {
        **settings.values(),
        "name": name,
        "port": settings.ports[f"sentinel_{name}"],
        "stores": "\n".join(lines),
    }
    render(HERE / "etc/sentinel.conf", settings.directory / f"etc/sentinel-{name}.conf", own)


def _render(name: str, settings: Settings, values: dict[str, object]) -> None:
    render(HERE / "etc" / name, settings.directory / "etc" / name, values)


def make_tables(settings: Settings) -> None:
    """Make the tables in which Zaqar keeps its pools, and which queue is in which."""
    run([python(), HERE / "zaqar_tables.py", _parts(settings)["management_url"]])


def register_pools(settings: Settings) -> None:
    """Tell Zaqar of its pools, by the commands that docs/scale.md shows.

    :raises LabError: with what they have said.
    """
    environment = {
        "PATH": f"{VENV / 'bin'}:{os.defpath}",
        "REDIS_PASSWORD": settings.passwords["redis_password"],
        "SENTINELS": sentinels(settings),
        "OS_AUTH_URL": f"{settings.identity_url}/v3",
        "OS_IDENTITY_API_VERSION": "3",
        "OS_USERNAME": "admin",
        "OS_PASSWORD": settings.passwords["admin_password"],
        "OS_PROJECT_NAME": "admin",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_MESSAGING_API_VERSION": "2",
    }
    done = subprocess.run(
        ["sh", "-eu", POOLS], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LabError(f"{POOLS.name} exited {done.returncode}:\n{done.stdout}{done.stderr}")
