# SPDX-License-Identifier: Apache-2.0
"""Each request of a server as a process of its own, whose time and memory are measured.

``python -m tests.support.hostile_client`` reads lines ``[target, fault, identity, plain]`` as JSON,
where the last two are addresses of :mod:`tests.support.hostile_server`, and writes a
:class:`Seen` for each. What costs the import is done once, before they fork.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from oslo_config import cfg

from heat_config.cloud import keystone, limits, zaqar
from heat_config.cloud.credentials import Credentials
from heat_config.cloud.errors import CloudError
from heat_config.cloud.keystone import User
from heat_config.cloud.trust import Trust
from heat_config.collect import current, push
from heat_config.collect.cache import Cache
from heat_config.collect.gathered import Gathered
from heat_config.collect.push import Push
from heat_config.collect.upstream import collect as upstream
from heat_config.result import Result
from heat_config.signals import heat, signed, url
from heat_config.signals.zaqar import Queue
from tests.support.hostile_server import NO_FAULT

CONF = cfg.CONF
# Processes at once: most of them wait.
_AT_ONCE = 32
# What os-collect-config's collectors import when they are used first.
_WANTED_LATER = ("dogpile.cache", "heatclient.v1.client", "keystoneclient.v3.client", "lxml.etree")
# Seconds after which one is killed, and bytes of memory that it gets in any case.
_KILLED_AFTER = 50
_MOST_MEMORY = 1536 << 20
_RESULT = Result(0, "out")


class Seen(NamedTuple):
    """What came of one request."""

    target: str
    fault: str
    outcome: str
    seconds: float
    megabytes: float
    """How much larger the process became at its largest."""


class _At(NamedTuple):
    """Where the services are."""

    identity: str
    plain: str

    def address(self) -> dict[str, Any]:
        """The inputs of a deployment."""
        return {
            "deploy_auth_url": f"{self.identity}/v3",
            "deploy_user_id": "user",
            "deploy_password": "password",
            "deploy_project_id": "project",
            "deploy_queue_id": "queue",
            "deploy_stack_id": "stack/1",
            "deploy_resource_name": "deployment",
        }

    def user(self) -> User:
        return keystone.user_of(Credentials.from_inputs(self.address()), Trust())

    def queue(self) -> Queue:
        return Queue(self.address(), "c1", 3600, self.user())

    def signed(self) -> signed.SignedQueue:
        path = "/v2/queues/queue/messages"
        given = f"methods=GET,POST&paths={path}&expires=2099-01-01T00:00:00&signature={'0' * 64}"
        text = f"zaqar+{self.plain}{path}?project=project&{given}"
        return signed.SignedQueue({"deploy_signal_id": text}, "c1", 3600, Trust())

    def url(self, path: str, verb: str) -> url.SignedUrl:
        address = {"deploy_signal_id": f"{self.plain}{path}", "deploy_signal_verb": verb}
        return url.SignedUrl(address, Trust())

    def metadata(self) -> zaqar.Queue:
        return zaqar.Queue(zaqar.AsUser(self.user()), "queue", "client")


def _listen(at: _At) -> str:
    """Subscribe, and listen for some seconds; one without a word is too long."""
    push.PING_AFTER, push.DEAD_AFTER = 0.5, 1.0
    pushed = Push(at.user(), "project", "queue", Trust())
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        pushed.read()
        time.sleep(0.02)
    return "still listens"


def _collected(name: str, **options: str) -> Callable[[_At], str]:
    """What one of os-collect-config's collectors gives."""

    def collect(at: _At) -> str:
        for option, value in options.items():
            CONF.set_override(option, value.format(**at._asdict()), group=name)
        gathered = Gathered(Cache(CONF.cachedir))
        gathered.take([name])
        return "collected" if gathered.contents() else "unavailable"

    return collect


_HEAT_OPTIONS = {
    "auth_url": "{identity}/v3",
    "user_id": "user",
    "password": "password",
    "project_id": "project",
    "stack_id": "stack/1",
    "resource_name": "server",
}
_heat = _collected("heat", **_HEAT_OPTIONS)
_request = _collected("request", metadata_url="{plain}/object")

ASK: dict[str, Callable[[_At], object]] = {
    "token": lambda at: at.queue().post(_RESULT),
    "post": lambda at: at.queue().post(_RESULT),
    "look": lambda at: at.queue().find(),
    "clean": lambda at: at.metadata().delete(["m1"]),
    "signed-post": lambda at: at.signed().post(_RESULT),
    "signed-look": lambda at: at.signed().find(),
    "heat-signal": lambda at: heat.Resource(at.address(), at.user()).post(_RESULT),
    "cfn-signal": lambda at: at.url("/cfn-signal", "POST").post(_RESULT),
    "temp-url": lambda at: at.url("/object", "PUT").post(_RESULT),
    "metadata": lambda at: list(at.metadata().messages()),
    "metadata-delete": lambda at: at.metadata().delete(["m1"]),
    "metadata-of-heat": lambda at: current.ask(at.user(), None, "server", {}),
    "collector-ec2": _collected("ec2", metadata_url="{plain}/ec2"),
    "collector-cfn": _collected(
        "cfn",
        metadata_url="{plain}/cfn/v1/",
        stack_name="stack",
        access_key_id="key",
        secret_access_key="secret",
    ),
    "collector-request-head": _request,
    "collector-request": _request,
    "collector-heat-versions": _heat,
    "collector-heat-token": _heat,
    "collector-heat": _heat,
    "websocket-handshake": _listen,
    "websocket-answer": _listen,
    "websocket-message": _listen,
}


def main() -> int:
    """Ask for all that is on stdin."""
    for name in _WANTED_LATER:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        upstream.setup_conf()
        CONF(args=["--cachedir", folder, "--config-file", os.devnull], prog="os-collect-config")
        CONF.set_override("path", ["server.Metadata"], group="cfn")
        running: dict[int, list[str]] = {}
        for line in sys.stdin:
            if len(running) == _AT_ONCE:
                _reap(running)
            target, fault, *where = json.loads(line)
            pid = os.fork()
            if not pid:
                _one(target, fault, _At(*where))
            running[pid] = [target, fault]
        while running:
            _reap(running)
    return 0


def _reap(running: dict[int, list[str]]) -> None:
    pid, status = os.wait()
    target, fault = running.pop(pid)
    if status:
        _say(Seen(target, fault, f"did not end (status {status})", _KILLED_AFTER, 0))


def _one(target: str, fault: str, at: _At) -> None:
    """Ask, say what came of it, and end this process."""
    signal.alarm(_KILLED_AFTER)
    if fault == NO_FAULT:  # on a busy machine, too
        os.environ["HEAT_CONFIG_DEADLINE"] = str(_KILLED_AFTER)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what it warns of
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    began = time.monotonic()
    outcome = _outcome(lambda: ASK[target](at))
    seconds = time.monotonic() - began
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    _say(Seen(target, fault, outcome, seconds, more / 1024))
    os._exit(0)


def _outcome(ask: Callable[[], object]) -> str:
    try:
        with limits.within(60):
            found = ask()
    except CloudError as error:
        return error.outcome.value
    except BaseException as error:
        return f"fault: {error!r}"
    return found if isinstance(found, str) and "/" not in found else "served"


def _say(seen: Seen) -> None:
    os.write(1, json.dumps(seen).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
