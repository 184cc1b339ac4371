# SPDX-License-Identifier: Apache-2.0
"""The lab itself: bring the services up, know them again later, take them down."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from . import config, databases, identity, process, swift, venv
from .errors import LabError
from .services import Service, services
from .state import State

DEFAULT_DIRECTORY = venv.CACHE / "lab"

# How long a service may take to answer: it is seconds on an idle machine.
_PATIENCE = 120.0
_ANOTHERS = "another program has brought this lab up"


@dataclass(frozen=True)
class Status:
    """What `status` shows of one service."""

    name: str
    pid: int
    ports: tuple[int, ...]
    alive: bool
    log: Path


class Lab:
    """A control plane in a directory. Also a handle on one that another program brought up.

    As a context manager it is up inside the block and down after it; it then dies with the
    thread that brought it up, even by kill -9. One that is up already is used, and left up.

    ``plugin``: Heat loads the plug-in. ``for_all``: it serves every stack; else those alone whose
    environment asks for it. ``profile``: what it has beside. ``say`` is given each step.
    """

    def __init__(
        self,
        directory: Path = DEFAULT_DIRECTORY,
        *,
        token_expiration: int = 3600,
        plugin: bool = False,
        for_all: bool = True,
        profile: config.Profile = config.PLAIN,
        say: Callable[[str], None] = print,
    ) -> None:
        self.directory = Path(directory).absolute()
        self._token_expiration = token_expiration
        self._plugin = plugin
        self._for_all = for_all
        self._profile = profile
        self._services = services(profile)
        self._say = say
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._state = State(self.directory / "state.json")
        self._settings: config.Settings | None = None
        self._entered = False
        self._began = 0.0

    def __enter__(self) -> "Lab":
        self._entered = self.up(dies_with_parent=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._entered:
            self.down()

    def up(self, *, dies_with_parent: bool = False) -> bool:
        """Bring everything up; return False if it is up already.

        When this fails, whatever has started is taken down again.
        """
        self._began = time.monotonic()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with venv.locked(self.directory / "lock"):
            if self.running:
                return False
            self._clear()
            try:
                self._up(dies_with_parent)
            except BaseException:
                self.down()
                raise
        return True

    def down(self) -> None:
        """End all processes of this lab, whoever started them; the logs stay."""
        self._state.load()
        process.stop(self._state.processes, self.directory)
        databases.remove_shared_memory(self.directory)
        for child in self._children.values():
            child.wait()
        self._children.clear()
        self._state.forget()

    def stop(self, name: str) -> None:
        """End one service, as a failure would; `start` brings it back."""
        self._state.load()
        process.stop([one for one in self._state.processes if one.name == name], self.directory)
        self._children.pop(name).wait()

    def kill(self, name: str) -> None:
        """End one service at once, as `kill -9` does; `start` brings it back."""
        os.killpg(self._children[name].pid, signal.SIGKILL)
        self.stop(name)

    def start(self, name: str, **environment: str) -> None:
        """Start one service again, and wait until it answers. Only who brought the lab up can.

        ``environment``: variables that it gets beside its own.
        """
        (service,) = (one for one in self._services if one.name == name)
        self._start(service, self.settings, True, environment)
        self._wait_until_ready(service, self.settings)

    def add(self, *further: Service) -> None:
        """Start these as well, and wait until they answer. Only who brought the lab up can."""
        self._services += further
        for service in further:
            self._start(service, self.settings, True, {})
        self._wait_for(further, self.settings)

    @property
    def settings(self) -> config.Settings:
        """Its own values, which only who brought it up knows.

        :raises LabError: another program did.
        """
        if self._settings is None:
            raise LabError(_ANOTHERS)
        return self._settings

    def load_plugin(self, wanted: bool) -> None:
        """Start Heat again with the plug-in or without it, if it is not so already.

        Only who brought the lab up can.
        """
        if self._settings is None:
            raise LabError(_ANOTHERS)
        if self._settings.plugin == wanted:
            return
        self.stop("heat")
        self._settings = replace(self._settings, plugin=wanted)
        self._settings.render()
        self.start("heat")

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Let a service do nothing within the block: connections stay, and wait."""
        leader = self._children[name].pid
        os.killpg(leader, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(leader, signal.SIGCONT)

    @property
    def running(self) -> bool:
        """Whether it came up completely and all services still run."""
        alive = [state.alive for state in self.status()]
        return self._state.complete and all(alive)

    def status(self) -> list[Status]:
        """Say of each service that was started how it is; nothing if the lab is down."""
        self._state.load()
        ports = self._state.ports
        known = {found.name: found for found in self._state.processes}
        return [
            Status(
                service.name,
                known[service.name].pid,
                tuple(ports[port] for port in service.ports if port in ports),
                known[service.name].alive(),
                self.logs[service.name],
            )
            for service in self._services
            if service.name in known
        ]

    @property
    def auth_url(self) -> str:
        """Keystone's URL for clients."""
        return f"{self.endpoints['identity']}/v3"

    @property
    def endpoints(self) -> dict[str, str]:
        """The public URL of each service type, as the demo project sees them."""
        self._state.need()
        return self._state.endpoints

    @property
    def logs(self) -> dict[str, Path]:
        """Each service's log file."""
        return {
            service.name: self.directory / f"log/{service.name}.log" for service in self._services
        }

    @property
    def python(self) -> Path:
        """The services' Python, which has the OpenStack clients too."""
        return venv.python()

    def bin(self, name: str) -> Path:
        """Return a program of the services' environment, such as `openstack`."""
        return venv.VENV / "bin" / name

    def environment(self, user: str = "demo") -> dict[str, str]:
        """Return the variables for OpenStack's clients: of `demo`, who owns stacks, or `admin`."""
        auth_url = self.auth_url
        return {
            "OS_AUTH_TYPE": "password",
            "OS_AUTH_URL": auth_url,
            "OS_IDENTITY_API_VERSION": "3",
            "OS_PASSWORD": self._state.passwords[f"{user}_password"],
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_PROJECT_NAME": user,
            "OS_REGION_NAME": config.REGION,
            "OS_USERNAME": user,
            "OS_USER_DOMAIN_NAME": "Default",
        }

    def _clear(self) -> None:
        """Remove what an earlier lab left; refuse a directory that holds something else."""
        self.down()
        ours = {"data", "etc", "log", "lock", "state.json", "state.json.new"}
        if strangers := {path.name for path in self.directory.iterdir()} - ours:
            raise LabError(
                f"{self.directory} is no lab's directory: it holds {', '.join(sorted(strangers))}",
                hint="name an empty or a new one",
            )
        for name in ours - {"lock"}:
            path = self.directory / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _up(self, dies_with_parent: bool) -> None:
        made = venv.install()
        if self._profile.swift:
            made = venv.add(swift.REQUIREMENTS) or made
        self.step(f"environment {'installed' if made else 'is there'}: {venv.VENV}")
        (self.directory / "log").mkdir(mode=0o700)
        settings = config.Settings.new(
            self.directory,
            token_expiration=self._token_expiration,
            plugin=self._plugin,
            for_all=self._for_all,
            profile=self._profile,
        )
        settings.render()
        self._settings = settings
        self._state.begin(settings)
        databases.prepare(settings)
        if self._profile.swift:
            swift.prepare(settings)
        self.step("databases prepared")
        for first in (True, False):
            group = [service for service in self._services if service.first == first]
            for service in group:
                self._start(service, settings, dies_with_parent, {})
            self._wait_for(group, settings)
        self._try_out(settings)

    def _start(
        self,
        service: Service,
        settings: config.Settings,
        dies_with_parent: bool,
        more: Mapping[str, str],
    ) -> None:
        log = self.logs[service.name]
        log.touch(mode=0o600)
        self._children[service.name] = process.launch(
            service.name,
            service.command(settings),
            log=log,
            directory=self.directory,
            environment={**config.environment(self.directory), **more},
            user=service.user(),
            death_signal=service.death_signal if dies_with_parent else "",
            record=self._state.add,
        )

    def _wait_for(self, group: Iterable[Service], settings: config.Settings) -> None:
        """Wait until each service answers; fill Keystone as soon as that one does."""
        for service in group:
            self._wait_until_ready(service, settings)
            where = ", ".join(str(settings.ports[port]) for port in service.ports)
            self.step(f"{service.name} answers{where and f' at port {where}'}")
            if service.name == "keystone":
                project = identity.fill(settings, databases.bootstrap_password(settings))
                self._state.fill(_endpoints(settings, project))
                self.step("users, roles, catalog created")

    def _try_out(self, settings: config.Settings) -> None:
        """Use each API as a client does: a token, Redis and the engine have to be there."""
        keystone = identity.Keystone(settings.identity_url)
        keystone.authenticate("demo", settings.passwords["demo_password"], "demo")
        identity.request("GET", f"{self.endpoints['orchestration']}/stacks", token=keystone.token)
        url = f"{self.endpoints['messaging']}/v2/queues"
        client = {"Client-ID": "00000000-0000-4000-8000-000000000000"}
        identity.request("GET", url, token=keystone.token, headers=client)
        self._state.finish()
        self.step("stacks and queues can be listed: the lab is up")

    def _wait_until_ready(self, service: Service, settings: config.Settings) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not service.ready(settings):
            self._check_children()
            if time.monotonic() > deadline:
                seconds = f"{_PATIENCE:.0f} s"
                raise LabError(
                    f"{service.name} did not answer in {seconds}\n{self.tail(service.name)}"
                )
            time.sleep(0.05)

    def _check_children(self) -> None:
        for name, child in self._children.items():
            if child.poll() is not None:
                raise LabError(f"{name} ended with status {child.returncode}\n{self.tail(name)}")

    def tail(self, name: str, lines: int = 30) -> str:
        """Return the last lines of a service's log, under its path."""
        log = self.logs[name]
        text = log.read_text(errors="replace") if log.exists() else ""
        return "\n".join([f"--- {log}", *text.splitlines()[-lines:]])

    def step(self, what: str) -> None:
        """Say that something is done, and when."""
        self._say(f"{time.monotonic() - self._began:6.1f} s  {what}")


def _endpoints(settings: config.Settings, project: str) -> dict[str, str]:
    catalog = identity.catalog(settings)
    return {kind: url.replace("%(project_id)s", project) for kind, (url, _) in catalog.items()}
