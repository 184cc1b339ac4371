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
import signal
import sys
import time
from typing import TYPE_CHECKING

from oslo_config import cfg
from oslo_log import log as oslo_log

from heat_config import log
from heat_config.collect import collector, command, first, logs, options, systemd, turn
from heat_config.collect.cache import Cache, differing, named
from heat_config.collect.gathered import Gathered
from heat_config.collect.newer import Newer, clear
from heat_config.collect.pace import Doubling, Pace
from heat_config.collect.push import Push
from heat_config.collect.upstream import collect as upstream
from heat_config.collect.upstream import version
from heat_config.collect.wakeup import Wakeup
from heat_config.events import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heat_config.collect.cache import Sources
    from heat_config.collect.wakeup import HasEnded

CONF = cfg.CONF

# Seconds between two looks at the queue while Zaqar announces new messages: it
# does so once, and does not know whether that has arrived.
LOOK_EVERY = 600.0
# EX_IOERR, EX_TEMPFAIL and EX_CONFIG of sysexits.h.
CANNOT_WRITE, NOT_ASKED, BAD_CONFIGURATION = 74, 75, 78


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        configure(given)
    except cfg.Error as error:
        log.error(f"the configuration cannot be read: {error}")
        return BAD_CONFIGURATION
    if CONF.print_cachedir:
        print(CONF.cachedir)
        return 0
    unknown = options.leave_out_collectors(given)
    if unknown:
        print(f"Unknown collectors {', '.join(unknown)}", file=sys.stderr)
        return 2
    if collector.is_for_use():
        options.use_a_folder()
    cache = Cache(CONF.cachedir, CONF.backup_cachedir)
    gathered = Gathered(cache)
    if not collector.is_for_use():
        gathered.take(CONF.collectors)
        print(json.dumps(dict(gathered.contents()), indent=1))
        return 0
    service = Service(gathered, cache)
    if CONF.one_time or CONF.force:
        return _said(service.once(force=CONF.force), gathered)
    service.serve()
    return 0


def _said(applied: int | None, gathered: Gathered) -> int:
    """Say what has come of one time, in words that differ; return the exit status."""
    if applied:
        return applied  # that has been said
    done = "nothing has changed" if applied is None else "what was collected has been applied"
    if not gathered.away:
        log.info(done)
        return 0
    log.error(f"could not ask {', '.join(gathered.away)}; of what is on disk {done}")
    return NOT_ASKED


def configure(arguments: Sequence[str]) -> None:
    """Read the options."""
    options.make_lenient()
    upstream.setup_conf()
    # What --print has printed is read by programs.
    CONF.set_default("use_stderr", default=True)
    CONF(
        args=list(arguments),
        prog="os-collect-config",
        version=version.version_info.version_string(),
    )
    oslo_log.setup(CONF, "os-collect-config")
    logs.go_to_the_journal()


class Service:
    """The loop: collect, run the command on a change, wait."""

    def __init__(self, gathered: Gathered, cache: Cache) -> None:
        self._gathered = gathered
        self._cache = cache
        least, interval = CONF.min_polling_interval, CONF.polling_interval
        self._pace = Pace(least, interval, eager=collector.is_signed())
        self._others_pace = Doubling(least, interval)
        self._retry_pace = Doubling(least, interval)
        self._look_at = self._others_at = self._retry_at = 0.0
        self._applied: Sources | None = None
        self._failed: Sources | None = None
        self._config = upstream.getfilehash(CONF.config_file)
        self._wakeup = Wakeup(_connect if _wants_websocket() else None)

    def once(self, *, force: bool) -> int | None:
        """Collect, and run the command if need be; see :meth:`apply`."""
        self._wakeup.catch_children()
        first.make_private()
        with turn.taken(CONF.cachedir):
            self._gathered.take(CONF.collectors)
            # The rest of this process's life is the command's.
            self._look_at = self._next_look(looked=True)
            self._others_at = time.monotonic() + self._others_pace.wait()
            return self.apply(force=force)

    def serve(self) -> None:
        """Go round for ever, until a changed configuration or SIGHUP starts it anew."""
        self._wakeup.catch_signals()
        first.make_private()
        systemd.notify("READY=1")
        if CONF.splay > 0:
            self._wakeup.wait(time.monotonic() + random.uniform(0, CONF.splay))  # noqa: S311
        while True:
            with turn.taken(CONF.cachedir):
                self._collect()
                ran = self.apply() is not None
            if self._wakeup.hung_up or (ran and self._is_configured_anew()):
                start_anew()
            if ran:
                self._look_at = self._next_look(looked=True)
            if not self._is_newer():
                self._wait(self._retry_at if self._failed is not None else float("inf"))

    def apply(self, *, force: bool = False) -> int | None:
        """Run the command if a source has changed; return its exit status if it was run.

        A command that fails is run again with the same sources, after waits that double.
        """
        given = self._gathered.given()
        if not force and given == self._applied:
            return None
        if given == self._failed and time.monotonic() < self._retry_at:
            return None
        if given != self._failed:
            self._pace.changed()
            self._retry_pace.reset()
        try:
            changed = self._cache.store(given)
        except OSError as error:
            log.error(f"the metadata cannot be written: {error}")
            return self._has_failed(given, CANNOT_WRITE)
        if not changed and not force:
            self._applied = given
            clear()
            return None
        return self._run(given)

    def _run(self, given: Sources) -> int:
        contents = named(given)
        newer = Newer(given)
        paths = [self._cache.path(name) for name, _ in contents]
        new = differing(given, self._applied or {}) if given != self._failed else []
        what = f"new from {', '.join(new)}: running" if new else "running again:"
        log.info(f"{what} {CONF.command}", Event.COLLECTED, sources=",".join(new) or None)
        status = command.run(CONF.command, paths, lambda ended: self._meanwhile(ended, newer))
        if status:
            said = f"{CONF.command} has failed with exit status {status}: nothing counts as applied"
            log.error(said, Event.NOT_APPLIED, status_code=status)
            return self._has_failed(given, status)
        try:
            self._cache.commit(contents)
        except OSError as error:
            log.error(f"what was applied cannot be noted: {error}")
            return self._has_failed(given, CANNOT_WRITE)
        log.debug(f"{CONF.command} has ended")
        self._applied, self._failed = given, None
        self._pace.changed()
        return 0

    def _meanwhile(self, has_ended: HasEnded, newer: Newer) -> None:
        """While the command runs: collect what is due, so that it is on disk, and say so."""
        self._wait(float("inf"), has_ended)
        if not has_ended():
            self._collect()
            newer.look(self._gathered.given())

    def _collect(self) -> None:
        """Ask the collectors whose time has come."""
        first.make_private()
        # Subscribed first: what comes between is then announced, or found.
        new = self._wakeup.connect()
        now = time.monotonic()
        is_due, looked = now >= self._others_at, new or now >= self._look_at
        for name in CONF.collectors:
            if looked if name == collector.name else is_due:
                self._take(name)
        if is_due:
            self._others_at = now + self._others_pace.wait()
        self._look_at = self._next_look(looked=looked)

    def _take(self, name: str) -> None:
        began = time.monotonic()
        self._gathered.take([name])
        if name == collector.name:
            self._pace.looked(time.monotonic() - began)

    def _wait(self, until: float, has_ended: HasEnded | None = None) -> None:
        if self._wakeup.wait(min(self._look_at, self._others_at, until), has_ended):
            self._look_at = 0.0

    def _next_look(self, *, looked: bool) -> float:
        now = time.monotonic()
        if self._wakeup.is_pushed:
            return now + LOOK_EVERY if looked else self._look_at
        soon = now + self._pace.wait()
        # Sooner than was planned when the websocket has gone.
        return soon if looked else min(self._look_at, soon)

    def _is_newer(self) -> bool:
        """Whether something came while the command ran."""
        return self._gathered.given() not in (self._applied, self._failed)

    def _is_configured_anew(self) -> bool:
        return bool(self._config != upstream.getfilehash(CONF.config_file))

    def _has_failed(self, given: Sources, status: int) -> int:
        self._applied, self._failed = None, given
        self._retry_at = time.monotonic() + self._retry_pace.wait()
        return status


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
