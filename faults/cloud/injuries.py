# SPDX-License-Identifier: Apache-2.0
"""Breaks parts of the control plane, and has them work again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from faults.cloud.schedule import Injury, Kind
from heat_config.cloud import signed
from lab import Lab
from lab.ha.profile import SIDES, STORES
from lab.ha.redis import Redis
from lab.ha.services import ENGINES, redis_name

_ACKNOWLEDGED = signed.ACKNOWLEDGED.encode()
ZAQARS = tuple(f"zaqar-{side}" for side in SIDES)
# Seconds for which a replica has not followed its master when that is killed. Sentinel takes
# none that was cut off for much longer.
CUT_OFF = 4.0
# Seconds in which a store has a master again that answers.
FAILS_OVER = 60.0


class Breaker:
    """Only the thread that has brought the lab up can use it."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._password = lab.settings.passwords["redis_password"]

    def befall(self, injury: Injury) -> None:
        """Break what is to be broken for as long as is said; on return all works again."""
        with ExitStack() as healing:
            self._break(injury, healing)
            time.sleep(injury.seconds)
        self.wait_for_masters()

    def _break(self, injury: Injury, healing: ExitStack) -> None:
        store, side = STORES[injury.side], injury.side
        steps: dict[Kind, Callable[[], None]] = {
            Kind.ENGINE_KILLED: lambda: self._kill(healing, ENGINES[side]),
            Kind.ENGINE_FROZEN: lambda: self._freeze(healing, ENGINES[side]),
            Kind.ENGINES_STOPPED: lambda: self._stop(healing, *ENGINES),
            Kind.ZAQAR_KILLED: lambda: self._kill(healing, ZAQARS[side]),
            Kind.ZAQAR_FROZEN: lambda: self._freeze(healing, ZAQARS[side]),
            Kind.ZAQARS_KILLED: lambda: self._kill(healing, *ZAQARS),
            Kind.MASTER_KILLED: lambda: self._kill(healing, self.master(store)),
            Kind.MASTER_FROZEN: lambda: self._freeze(healing, self.master(store)),
            Kind.WRITES_LOST: lambda: self._lose_writes(healing, store),
            Kind.POOL_LOST: lambda: self._kill(healing, *_redis_of(store)),
            Kind.POOLS_LOST: lambda: self._kill(healing, *map(str, _all_redis())),
            Kind.KEYSTONE_KILLED: lambda: self._kill(healing, "keystone"),
            Kind.KEYSTONE_FROZEN: lambda: self._freeze(healing, "keystone"),
            Kind.RABBITMQ_KILLED: lambda: self._kill(healing, "rabbitmq"),
            Kind.RABBITMQ_FROZEN: lambda: self._freeze(healing, "rabbitmq"),
            Kind.PROXY_KILLED: lambda: self._kill(healing, "proxy"),
        }
        steps[injury.kind]()

    def _kill(self, healing: ExitStack, *names: str) -> None:
        for name in names:
            self._lab.kill(name)
            healing.callback(self._lab.start, name)

    def _stop(self, healing: ExitStack, *names: str) -> None:
        for name in names:
            self._lab.stop(name)
            healing.callback(self._lab.start, name)

    def _freeze(self, healing: ExitStack, name: str) -> None:
        healing.enter_context(self._lab.frozen(name))

    def _lose_writes(self, healing: ExitStack, store: str) -> None:
        """The replica stops to follow; what the master takes from then on is lost with it."""
        master = self.master(store)
        (replica,) = (name for name in _redis_of(store) if name != master)
        with self._redis(replica) as connection:
            connection.ask("CONFIG", "SET", "masterauth", "another")
        with self._redis(master) as connection:
            connection.ask("CLIENT", "KILL", "TYPE", "replica")
        time.sleep(CUT_OFF)
        self._kill(healing, master)
        with self._redis(replica) as connection:
            connection.ask("CONFIG", "SET", "masterauth", self._password)

    def master(self, store: str) -> str:
        """The Redis that is a store's master now, by its own word."""
        deadline = time.monotonic() + FAILS_OVER
        while time.monotonic() < deadline:
            masters = [name for name in _redis_of(store) if self._is_master(name)]
            if len(masters) == 1:
                return masters[0]
            time.sleep(0.2)
        raise TimeoutError(f"store {store} has no master")

    def wait_for_masters(self) -> None:
        """Wait until each store has one master, of which the Sentinels know."""
        for store in STORES:
            self.master(store)
            self._wait_for_sentinels(store)

    def _wait_for_sentinels(self, store: str) -> None:
        deadline = time.monotonic() + FAILS_OVER
        while time.monotonic() < deadline:
            port = self._lab.settings.ports[_port(self.master(store))]
            with Redis(self._lab.settings.ports["sentinel_a"]) as sentinel:
                found = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", store)
            if found and int(found[1]) == port:
                return
            time.sleep(0.2)
        raise TimeoutError(f"the Sentinels do not know store {store}'s master")

    def _is_master(self, name: str) -> bool:
        with suppress(OSError), self._redis(name) as connection:
            return bool(connection.ask("ROLE")[0] == b"master")
        return False

    def _redis(self, name: str) -> Redis:
        return Redis(self._lab.settings.ports[_port(name)], self._password)

    @contextmanager
    def _stores(self) -> Iterator[Iterator[Redis]]:
        with ExitStack() as stack:
            names = [self.master(store) for store in STORES]
            yield (stack.enter_context(self._redis(name)) for name in names)

    def messages(self) -> list[str]:
        """The queue of each message that has not expired.

        Without Heat's word on a DELETE: the server may not have looked for it yet, so it stays
        for as long as it lives.
        """
        with self._stores() as stores:
            return [queue for store in stores for queue in _messages(store)]

    def forget_messages(self) -> None:
        """Empty all stores, so that what was left is counted once."""
        with self._stores() as stores:
            for store in stores:
                store.ask("FLUSHALL")


def _messages(store: Redis) -> Iterator[str]:
    for key in store.ask("KEYS", "*.messages"):
        for message in store.ask("ZRANGE", key, "0", "-1"):
            expires, body = store.ask("HMGET", message, "e", "b")
            if expires and float(expires) > time.time() and _ACKNOWLEDGED not in body:
                yield key.decode().split(".")[1]


def _redis_of(store: str) -> tuple[str, ...]:
    return tuple(redis_name(store, side) for side in SIDES)


def _all_redis() -> tuple[str, ...]:
    return tuple(name for store in STORES for name in _redis_of(store))


def _port(name: str) -> str:
    return name.replace("-", "_")
