# SPDX-License-Identifier: Apache-2.0
"""heat-config-collect: os-collect-config with another Zaqar collector and another loop.

Its other collectors, its options, configuration files and cache are its own.
What is new: it wakes up when there is something, is quick after each change, and
a change of one source never waits for the others.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from oslo_config import cfg
from oslo_log import log as oslo_log

from heat_config import log
from heat_config.collect import collector, systemd, turn
from heat_config.collect.pace import Doubling, Pace
from heat_config.collect.push import Push
from heat_config.collect.upstream import cache, exc, local, version
from heat_config.collect.upstream import collect as upstream
from heat_config.collect.wakeup import FEED_EVERY, Wakeup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CONF = cfg.CONF

# Seconds between two looks at the queue while Zaqar announces new messages: it
# does so once, and does not know whether that has arrived.
LOOK_EVERY = 600.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    configure(sys.argv[1:] if arguments is None else arguments)
    if CONF.print_cachedir:
        print(CONF.cachedir)
        return 0
    unknown = sorted(set(CONF.collectors) - set(upstream.COLLECTORS))
    if unknown:
        print(f"Unknown collectors {', '.join(unknown)}", file=sys.stderr)
        return 2
    gathered = Gathered()
    if not collector.is_for_use():
        gathered.take(CONF.collectors)
        print(json.dumps(dict(gathered.contents()), indent=1))
        return 0
    if CONF.one_time or CONF.force:
        with turn.taken(CONF.cachedir):
            gathered.take(CONF.collectors)
            return Service(gathered).apply(force=CONF.force) or 0
    Service(gathered).serve()
    return 0


def configure(arguments: Sequence[str]) -> None:
    """Read the options."""
    # It sorts as the C locale does, and to do so sets the process's locale and
    # sets it back, which fails for those that Python calls by another name.
    local.locale = SimpleNamespace(
        LC_ALL=None, getlocale=lambda: None, setlocale=lambda *_: None, strxfrm=str
    )
    upstream.setup_conf()
    CONF(
        args=list(arguments),
        prog="os-collect-config",
        version=version.version_info.version_string(),
    )
    oslo_log.setup(CONF, "os-collect-config")


class Gathered:
    """What each collector has given last, in the order of the collectors."""

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[str, Any]]] = {}
        self._absent: set[str] = set()

    def take(self, names: Iterable[str]) -> None:
        """Ask these collectors; one that has nothing gives nothing, which is said once."""
        for name in names:
            try:
                self._found[name] = list(upstream.COLLECTORS[name].Collector().collect())
                self._absent.discard(name)
            except exc.SourceNotConfigured:
                self._found.pop(name, None)
            except Exception as error:  # one source never stops the others
                self._found.pop(name, None)
                self._say_absent(name, error)

    def contents(self) -> list[tuple[str, Any]]:
        """All sources."""
        return [each for name in CONF.collectors for each in self._found.get(name, [])]

    def _say_absent(self, name: str, error: Exception) -> None:
        if name not in self._absent:
            unexpected = "" if isinstance(error, exc.SourceNotAvailable) else f" ({error!r})"
            log.warning(f"Source [{name}] Unavailable.{unexpected}")
        self._absent.add(name)


class Service:
    """The loop: collect, run the command on a change, wait."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        least, interval = CONF.min_polling_interval, CONF.polling_interval
        self._pace = Pace(least, interval, eager=collector.is_signed())
        self._others_pace = Doubling(least, interval)
        self._retry_pace = Doubling(least, interval)
        self._applied: list[tuple[str, Any]] | None = None
        self._failed: list[tuple[str, Any]] | None = None
        self._retry_at = 0.0
        self._config = upstream.getfilehash(CONF.config_file)
        self._wakeup = Wakeup(_connect if _wants_websocket() else None)

    def serve(self) -> None:
        """Go round for ever, until a changed configuration or SIGHUP starts it anew."""
        self._wakeup.catch_signals()
        systemd.notify("READY=1")
        if CONF.splay > 0:
            self._wakeup.wait(time.monotonic() + random.uniform(0, CONF.splay))  # noqa: S311
        look_at = others_at = 0.0
        while True:
            # Subscribed first: what comes between is then announced, or found.
            new = self._wakeup.connect()
            now = time.monotonic()
            due = now >= others_at
            looked = new or now >= look_at
            with turn.taken(CONF.cachedir):
                self._take(others=due, queue=looked)
                ran = self.apply() is not None
            others_at = now + self._others_pace.wait() if due else others_at
            if self._wakeup.hung_up or (ran and self._is_configured_anew()):
                start_anew()
            look_at = self._next_look(look_at, looked=looked or ran)
            if self._wakeup.wait(min(look_at, others_at, self._pending())):
                look_at = 0.0

    def _take(self, *, others: bool, queue: bool) -> None:
        for name in CONF.collectors:
            if queue if name == collector.name else others:
                self._gathered.take([name])

    def _next_look(self, planned: float, *, looked: bool) -> float:
        now = time.monotonic()
        if self._wakeup.is_pushed:
            return now + LOOK_EVERY if looked else planned
        soon = now + self._pace.wait()
        # Sooner than was planned when the websocket has gone.
        return soon if looked else min(planned, soon)

    def _is_configured_anew(self) -> bool:
        return bool(self._config != upstream.getfilehash(CONF.config_file))

    def apply(self, *, force: bool = False) -> int | None:
        """Run the command if a source has changed; return its exit status if it was run.

        A command that fails is run again with the same sources, after waits that double.
        """
        contents = self._gathered.contents()
        if not force and contents == self._applied:
            return None
        if contents == self._failed and time.monotonic() < self._retry_at:
            return None
        if contents != self._failed:
            self._pace.changed()
            self._retry_pace.reset()
        try:
            changed, paths = store(contents)
        except OSError as error:
            log.error(f"the metadata cannot be written: {error}")
            return self._has_failed(contents, 1)
        if not changed and not force:
            self._applied = contents
            return None
        status = run_command(paths)
        if status:
            log.error(f"Command failed, will not cache new data. Exit status {status}")
            return self._has_failed(contents, status)
        for key in changed:
            cache.commit(key)
        self._applied, self._failed = contents, None
        self._pace.changed()
        return 0

    def _has_failed(self, contents: list[tuple[str, Any]], status: int) -> int:
        self._applied, self._failed = None, contents
        self._retry_at = time.monotonic() + self._retry_pace.wait()
        return status

    def _pending(self) -> float:
        return self._retry_at if self._failed is not None else float("inf")


def store(contents: list[tuple[str, Any]]) -> tuple[set[str], list[str]]:
    """Write the sources where the command finds them; return which have changed, and the files.

    :raises OSError: the disk is full, …
    """
    changed, paths = set(), []
    os.makedirs(CONF.cachedir, mode=0o700, exist_ok=True)  # noqa: PTH103 - a text
    for key, content in contents:
        is_new, path = _store(key, content)
        paths.append(path)
        if is_new:
            changed.add(key)
    if changed:
        cache.store_meta_list("os_config_files", [key for key, _ in contents])
        if CONF.backup_cachedir:
            shutil.rmtree(CONF.backup_cachedir, ignore_errors=True)
            shutil.copytree(CONF.cachedir, CONF.backup_cachedir, dirs_exist_ok=True)
    return changed, paths


def _store(key: str, content: Any) -> tuple[bool, str]:
    try:
        is_new, path = cache.store(key, content)
    except ValueError:
        # A crash has cut the note of what was applied last: apply it again.
        os.unlink(f"{cache.get_path(key)}.last")  # noqa: PTH108 - a text
        is_new, path = cache.store(key, content)
    return bool(is_new), str(path)


def run_command(paths: list[str]) -> int:
    """Run the command with the sources' files; return its exit status."""
    environment = {key: value for key, value in os.environ.items() if key not in systemd.VARIABLES}
    environment["OS_CONFIG_FILES"] = ":".join(paths)
    log.info(f"Executing {CONF.command} with OS_CONFIG_FILES={environment['OS_CONFIG_FILES']}")
    # The operator's own command line, as it always was.
    with subprocess.Popen(CONF.command, env=environment, shell=True) as command:  # noqa: S602
        while True:
            systemd.alive()
            try:
                return command.wait(FEED_EVERY)
            except subprocess.TimeoutExpired:
                continue


def start_anew() -> None:
    """Replace this process, with the configuration as it is now."""
    log.info(f"starting anew: {' '.join(sys.argv)}")
    # Held back until the new one can take it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    os.execv(sys.argv[0], sys.argv)  # noqa: S606


def _wants_websocket() -> bool:
    wanted = bool(CONF.zaqar.use_websockets and collector.name in CONF.collectors)
    if wanted and collector.is_signed():
        log.warning("use_websockets: a signed address cannot subscribe; the queue is polled")
        return False
    return wanted


def _connect() -> Push:
    reader = collector.user_access()
    return Push(reader.user(), reader.credentials.project_id, reader.queue_id, reader.trust)


if __name__ == "__main__":
    sys.exit(main())
