# SPDX-License-Identifier: Apache-2.0
"""The one loop: deployments in, results out.

Only this module sees both sides, the hooks and the signals. Modules that a run
with nothing to do does not need are imported where they are used.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from heat_config import deployment as deployments
from heat_config import log, redact, signals
from heat_config.delivery.outbox import Outbox
from heat_config.run.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from heat_config.deployment import Deployment
    from heat_config.result import Result
    from heat_config.settings import Settings


def run(settings: Settings, *, force: str | None = None) -> int:
    """Run what has not been run, and send what is owed; return the exit status.

    ``force``: run the config with this id in any case.

    A control plane that is away, or a deployment that fails, is no failure of
    this program: os-refresh-config would stop the server's other work for it.
    A missing file of deployments is one, as it always was.
    """
    try:
        text = _read_private(settings.config_file)
    except OSError as error:
        log.error(f"cannot read the deployments, {settings.config_file}: {error.strerror}")
        return 1
    try:
        asked = deployments.parse(text)
    except deployments.MetadataError as error:
        log.error(f"{settings.config_file} {error}; nothing in it can be run")
        asked = []
    if force is not None and force not in {each.id for each in asked}:
        log.error(f"{force} is none of the deployments in {settings.config_file}")
        return 1
    store, outbox = Store(settings), Outbox(settings)
    if force is None and _nothing_to_do(store, outbox, asked):
        log.info(f"{len(asked)} deployments, nothing to do")
        return 0
    _Run(store, outbox, settings, force).answer_all(asked)
    return 0


def deliver(settings: Settings, *, due_only: bool = False) -> int:
    """Send what is owed; return 0 when nothing is left, else 1."""
    from heat_config.delivery.courier import Courier

    outbox = Outbox(settings)
    courier = Courier(outbox, Store(settings), settings)
    try:
        asked = deployments.parse(_read_private(settings.config_file))
    except (OSError, deployments.MetadataError):
        asked = []  # the next run will say so
    courier.drop_superseded({each.id: each.values for each in asked})
    courier.deliver_all(due_only=due_only)
    return 1 if outbox.ids() else 0


def _read_private(path: str) -> str:
    """Read the deployments and make sure that nobody else can: they hold passwords."""
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - see the top
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) != stat.S_IRUSR | stat.S_IWUSR:
            os.fchmod(file.fileno(), stat.S_IRUSR | stat.S_IWUSR)
        return file.read()


def _nothing_to_do(store: Store, outbox: Outbox, asked: list[Deployment]) -> bool:
    return not outbox.ids() and all(store.has_ended(each.id) for each in asked)


class _Run:
    """One run of the agent: each deployment is answered, one after the other.

    Of one deployment these steps are durable before the next: begin, the hook,
    the result in the outbox, the result for people; then it is sent.
    """

    def __init__(self, store: Store, outbox: Outbox, settings: Settings, force: str | None) -> None:
        from heat_config.delivery.courier import Courier
        from heat_config.run.ballast import Ballast

        self._store = store
        self._outbox = outbox
        self._settings = settings
        self._force = force
        self._ballast = Ballast(settings.outbox)
        self._courier = Courier(outbox, store, settings)

    def answer_all(self, asked: list[Deployment]) -> None:
        from pathlib import Path

        from heat_config import files

        with self._store.locked():
            for folder in (self._settings.deployed, self._settings.outbox):
                files.remove_leftovers(Path(folder))
            self._ballast.take_on()
            self._courier.drop_superseded({each.id: each.values for each in asked})
            # A script can read what all of them are answered with.
            for deployment in asked:
                log.conceal(redact.secrets_in(deployment.values))
            for deployment in asked:
                try:
                    self._answer(deployment)
                except OSError as error:
                    log.error(f"{deployment}: not answered, it will be tried again: {error}")
        self._courier.deliver_all(due_only=True)

    def _answer(self, deployment: Deployment) -> None:
        """Run one deployment unless that was done, and send its result."""
        from heat_config.run import runlog

        forced = deployment.id == self._force
        if forced:
            log.info(f"{deployment} is run because an operator forces it")
            self._outbox.forget(deployment.id)
            self._store.forget(deployment.id)
        if self._store.has_ended(deployment.id):
            return
        result = self._result(deployment)
        self._with_room(lambda room: self._keep(deployment, result, room, forced=forced))
        if self._outbox.get(deployment.id):
            self._courier.deliver(deployment.id, fresh=True)
        runlog.prune(self._settings.logs, self._settings.logs_size, self._outbox.ids())

    def _result(self, deployment: Deployment) -> Result:
        """What came of a deployment, run now or before."""
        from heat_config import result
        from heat_config.run import answering

        if not self._store.has_begun(deployment.id):
            full = self._with_room(lambda room: self._begin(deployment, room))
            if full:
                log.error(f"{deployment}: not run: {full}")
                return result.failure(f"not run, because the disk is full: {full}\n")
            signals.prepare(deployment.values, self._settings)
            return answering.run(deployment, self._settings)
        entry = self._outbox.get(deployment.id)
        if entry:  # stopped between the outbox and the result for people
            return result.from_dict(entry.message)
        return answering.after_cut(deployment, self._settings)

    def _begin(self, deployment: Deployment, room: int | None) -> None:
        """Note that a config is about to be run; when there is little room, without it."""
        item = deployment.item if room is None else {**deployment.item, "config": ""}
        self._store.begin(deployment._replace(item=item))

    def _keep(
        self, deployment: Deployment, result: Result, room: int | None, *, forced: bool
    ) -> None:
        """Make a result durable: first what is owed, then what people look at."""
        from heat_config.delivery.outbox import Entry

        kept = result.explained(deployment.error_outputs).masked(log.concealed())
        if room is not None:
            kept = kept.fitted(room, "no file, as the disk is full")
        address = signals.address(deployment.values)
        if address and not self._outbox.get(deployment.id):
            message = kept.as_dict()
            now = time.time()
            self._outbox.put(Entry(deployment.id, address, message, since=now, forced=forced))
        self._store.end(deployment.id, kept)

    def _with_room(self, note: Callable[[int | None], None]) -> OSError | None:
        """Note something; on a full disk in the ballast's place, within so many bytes.

        Returns the error that made it short, if one did.

        :raises OSError: not even that could be noted.
        """
        try:
            note(None)
        except OSError as error:
            if not self._ballast.drop(error):
                raise
            self._note_in_place_of_logs(note)
            return error
        return None

    def _note_in_place_of_logs(self, note: Callable[[int | None], None]) -> None:
        """Note something short. An answer is worth more than the logs of what is not owed."""
        from heat_config.run import ballast, runlog

        try:
            note(_ROOM)
        except OSError as error:
            if not ballast.is_full(error):
                raise
            runlog.prune(self._settings.logs, 0, self._outbox.ids())
            note(_ROOM)


# Bytes of a result for which there is room in the ballast's place.
_ROOM = 32_768
