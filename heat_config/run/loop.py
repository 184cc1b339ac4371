# SPDX-License-Identifier: Apache-2.0
"""The one loop: deployments in, results out.

Only this module sees both sides, the hooks and the delivery.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import deployment as deployments
from heat_config import files, log, signals
from heat_config.delivery.courier import Courier
from heat_config.delivery.entry import NewerError
from heat_config.delivery.outbox import Outbox
from heat_config.deployment import MetadataError
from heat_config.events import Event
from heat_config.progress.sender import Sender
from heat_config.result import from_dict
from heat_config.run import answering, asked, ballast, hook, runlog, secrets, stopped
from heat_config.run.ageing import age_out
from heat_config.run.asked import Asked
from heat_config.run.ballast import Ballast
from heat_config.run.records import carried, entry_of, records, signal_of
from heat_config.run.refreshed import Refreshed, is_applied
from heat_config.run.removed import is_to_be_cancelled
from heat_config.run.scope import Scope
from heat_config.run.store import Begun, Store
from heat_config.run.unfinished import Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from heat_config.deployment import Deployment
    from heat_config.result import Result
    from heat_config.settings import Settings

# Exit statuses of a run. A control plane that is away, or a deployment that has failed, is no
# failure of this program: os-refresh-config would stop the server's other work for it.
DONE, FAILED, UNFINISHED = 0, 1, 2

# Bytes of a result for which there is room in the ballast's place.
_ROOM = 32_768


def run(settings: Settings, *, force: str | None = None) -> int:
    """Run what has not been run, and deliver what is pending; return the exit status.

    0: each config has its result. 1: could not: there is no file of deployments, or none that
    can be read, or not the config ``force``, which is run in any case. 2: something could not
    be begun or kept on this server's disk; it will be taken up again.
    """
    try:
        store, outbox = Store(settings), Outbox(settings)
        with store.locked():
            return _run(store, outbox, settings, force)
    except OSError as error:
        log.error(f"nothing can be run: {error}")
        return _note_unfinished(settings, _ids_asked_for(settings))


def refreshed(settings: Settings, ended: Refreshed) -> int:
    """Answer the configs that os-apply-config applies, once os-refresh-config has ended.

    0: each has its result. 1: what Heat asks for is not known. 2: a result could not be
    kept where it belongs on this server's disk; it will be taken up again.
    """
    try:
        store, outbox = Store(settings), Outbox(settings)
        with store.locked():
            return _answer_applied(store, outbox, settings, ended)
    except OSError as error:
        log.error(f"nothing can be answered: {error}")
        return _keep_for_later(settings, ended)


def deliver(settings: Settings, *, due_only: bool = False) -> int:
    """Deliver what is pending; return 0 when nothing is left, else 1."""
    try:
        outbox = Outbox(settings)
        courier = Courier(outbox, records(Store(settings), settings), settings)
    except OSError as error:
        log.error(f"nothing can be delivered: {error}")
        return FAILED
    with suppress(OSError, MetadataError):  # the next run will say so
        courier.expect({each.id: each.values for each in Asked(settings).read()})
    courier.supersede()
    courier.deliver_all(due_only=due_only)
    return FAILED if outbox.undelivered() else DONE


def _run(store: Store, outbox: Outbox, settings: Settings, force: str | None) -> int:
    """The run of who holds the lock: only now is what Heat asks for read."""
    source = Asked(settings)
    try:
        wanted = source.read()
    except OSError as error:
        log.error(f"cannot read the deployments, {settings.config_file}: {error.strerror}")
        return FAILED
    except MetadataError as error:
        log.error(f"could not read the deployments: {settings.config_file} {error}")
        # What is pending is delivered all the same.
        _Run(store, outbox, settings, source).answer_all([])
        return FAILED
    if force is not None and not _may_be_forced(force, wanted, settings):
        return FAILED
    left = _Run(store, outbox, settings, source, force=force).answer_all(wanted)
    return _note_unfinished(settings, left)


def _may_be_forced(force: str, wanted: list[Deployment], settings: Settings) -> bool:
    target = next((each for each in wanted if each.id == force), None)
    if target is None:
        log.error(f"{force} is not among the deployments in {settings.config_file}")
    elif is_applied(target, settings):
        log.error(f"{target} is applied by os-apply-config: run os-refresh-config")
    else:
        return True
    return False


def _answer_applied(store: Store, outbox: Outbox, settings: Settings, ended: Refreshed) -> int:
    """The same for what os-refresh-config has applied."""
    try:
        wanted = _asked_until(ended, settings)
    except (OSError, MetadataError) as error:
        log.error(f"what Heat asks for is not known: {error}")
        return FAILED
    run = _Run(store, outbox, settings, Asked(settings), ended=ended)
    return _note_unfinished(settings, run.answer_all(wanted))


def _asked_until(ended: Refreshed, settings: Settings) -> list[Deployment]:
    """What Heat asks for. What has failed may have done so before that was rendered.

    :raises OSError, MetadataError: nobody can say.
    """
    return asked.collected() if ended.failed_in else Asked(settings).read()


def _keep_for_later(settings: Settings, ended: Refreshed) -> int:
    """Keep in memory what cannot be noted on the disk; heat-config-resume has it done."""
    unfinished = Unfinished(settings)
    try:
        for each in _asked_until(ended, settings):
            if is_applied(each, settings):
                unfinished.keep(each.id, ended.result(each))
    except (OSError, MetadataError) as error:
        log.error(f"it cannot be noted what is unfinished: {error}")
    return UNFINISHED


def _note_unfinished(settings: Settings, config_ids: list[str]) -> int:
    unfinished = Unfinished(settings)
    try:
        unfinished.note(config_ids)
    except OSError as error:
        log.error(f"it cannot be noted what is unfinished: {error}")
    return UNFINISHED if config_ids or unfinished.ids() else DONE


def _ids_asked_for(settings: Settings) -> list[str]:
    with suppress(OSError, MetadataError):
        return [each.id for each in Asked(settings).read()]
    return []


class _Run:
    """One run of the agent: each deployment is answered, one after the other.

    Of one deployment these steps are durable before the next: begin, the hook,
    the result in the outbox, the result for people; then it is sent.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        settings: Settings,
        asked: Asked,
        *,
        force: str | None = None,
        ended: Refreshed | None = None,
    ) -> None:
        """Make it. ``ended``: how os-refresh-config has, for what it has applied; else None."""
        self._store = store
        self._outbox = outbox
        self._settings = settings
        self._force = force
        self._asked = asked
        self._ended = ended
        self._wanted: set[str] = set()
        self._unfinished = Unfinished(settings)
        self._logs = runlog.Logs(settings)
        self._ballast = Ballast(settings.deployed, settings.outbox)
        self._courier = Courier(outbox, records(store, settings), settings)
        self._progress = Sender(settings)

    def answer_all(self, wanted: list[Deployment]) -> list[str]:
        """Answer each deployment that has no result; then deliver what is due.

        Returns the ids of those that this server's disk has kept from having one.
        """
        for folder in (self._settings.deployed, self._settings.outbox):
            with _left_unfinished(f"what was left over in {folder}"):
                files.remove_leftovers(Path(folder))
        with _left_unfinished(f"what was left over in {self._settings.secrets}"):
            secrets.sweep(self._settings)
        self._take(wanted)
        self._courier.supersede()
        for config_id in self._unfinished.ids():
            with _left_unfinished(config_id):
                self._keep_what_was_kept(config_id)
        for deployment in wanted:
            with log.about(**deployment.facts), _left_unfinished(str(deployment)):
                self._answer(deployment)
        self._logs.prune(self._outbox.ids())
        with _left_unfinished("what is old"):
            age_out(self._wanted, self._store, self._outbox, self._settings)
        self._courier.deliver_all(due_only=True)
        self._progress.close()
        return [each.id for each in wanted if each.id in self._wanted and self._is_left(each)]

    def _take(self, wanted: list[Deployment]) -> None:
        """Go by what Heat asks for."""
        self._wanted = {each.id for each in wanted}
        # A script can read what all of them are answered with.
        for deployment in wanted:
            log.conceal(deployment.secrets)
        self._courier.expect({each.id: each.values for each in wanted})
        for deployment in wanted:
            if self._is_to_be_run(deployment):
                self._progress.received(deployment)

    def _is_to_be_run(self, deployment: Deployment) -> bool:
        """Whether it is new here; asked only of what somebody may watch."""
        if not self._progress.is_wanted(deployment) or self._store.has_ended(deployment.id):
            return False
        return self._is_due(deployment)

    def _is_due(self, deployment: Deployment) -> bool:
        """Whether it has its answer now: what is applied only when os-refresh-config has ended."""
        if not is_applied(deployment, self._settings):
            return self._ended is None and not is_to_be_cancelled(deployment, self._settings)
        known = self._store.has_begun(deployment.id) or self._unfinished.result(deployment.id)
        return bool(known or self._ended)

    def _is_left(self, deployment: Deployment) -> bool:
        if self._store.has_ended(deployment.id):
            return False
        noted = self._ended is not None and deployment.id in self._unfinished.ids()
        return noted or self._is_due(deployment)

    def _look_again(self) -> None:
        """Metadata may come while a hook runs, unless os-collect-config itself waits for that."""
        newer = None if self._ended else self._asked.newer()
        if newer is not None:
            self._take(newer)

    def _keep_what_was_kept(self, config_id: str) -> None:
        """Put the result that an earlier run had to keep in memory where it belongs.

        What Heat still asks for and has no result is left to :meth:`_result_of_cut`.
        """
        result = self._unfinished.result(config_id)
        if result is None:
            return
        if config_id in self._wanted and not self._store.has_ended(config_id):
            return
        if self._store.has_begun(config_id):
            target = deployments.read(self._store.item(config_id))
            self._with_room(lambda room: self._keep(target, result, room))
        self._unfinished.forget(config_id)

    def _answer(self, deployment: Deployment) -> None:
        """Run one deployment unless that was done, and deliver its result."""
        if deployment.id != self._force and self._store.has_ended(deployment.id):
            return
        if not self._is_due(deployment):
            return
        self._look_again()
        if deployment.id not in self._wanted:
            log.info(f"{deployment}: not run, because Heat does not ask for it any more")
            return
        result = self._result(deployment)
        if result is None:
            return
        explained = result.explained(deployment.error_outputs).masked(log.masked)
        kept = carried(deployment, explained, self._settings)
        try:
            self._with_room(lambda room: self._keep(deployment, kept, room))
        except (OSError, NewerError):
            self._unfinished.keep(deployment.id, kept)
            raise
        self._unfinished.forget(deployment.id)
        self._progress.ended(deployment, kept.status_code, signal_of(deployment, self._outbox))
        self._logs.prune_when_large(deployment.id, self._outbox.ids)

    def _result(self, deployment: Deployment) -> Result | None:
        """What came of a deployment, run now or before; None when the timer has kept it."""
        if not self._store.has_begun(deployment.id):
            if is_applied(deployment, self._settings):
                return self._result_of_refresh(deployment)
            return self._result_of_run(deployment, forced=self._is_taken_back(deployment))
        if deployment.id != self._force:
            return self._result_of_cut(deployment)
        log.info(f"{deployment} is run again because an operator forces it")
        if not self._store.has_ended(deployment.id):
            answering.end_processes(self._store.begun(deployment.id))
        return self._result_of_run(deployment, forced=True)

    def _is_taken_back(self, deployment: Deployment) -> bool:
        """Whether a config without a note was run all the same, and Heat may have its result."""
        known = {*self._outbox.ids(), *self._outbox.abandoned_ids()}
        if deployment.id not in known and not self._store.was_taken_back(deployment.id):
            return False
        log.info(f"{deployment} is run again because an operator has removed the note of its run")
        return True

    def _result_of_run(self, deployment: Deployment, *, forced: bool) -> Result:
        self._in_place_of_logs(self._ballast.take_on)
        scope = Scope.new(deployment.id)
        begun = Begun(forced, scope.note)
        full = self._with_room(lambda room: self._begin(deployment, begun, room))
        if full:
            log.error(f"{deployment}: not run: {full}", Event.FAILED)
            return answering.not_run(full)
        signals.prepare(deployment.values, self._settings)

        def note(why: str) -> None:
            self._store.begin(deployment, begun._replace(stopped=why))

        limit = None if deployment.error else hook.time_limit(deployment, self._settings)
        with stopped.noted(note), self._progress.running(deployment, limit) as watch:
            return answering.run(deployment, self._settings, scope, watch)

    def _result_of_refresh(self, deployment: Deployment) -> Result | None:
        """What a config came to that nothing is run for; it is noted together with the config.

        :raises OSError: it could not be noted, and is kept in memory.
        """
        kept = self._unfinished.result(deployment.id)
        result = kept or (self._ended and self._ended.result(deployment))
        if result is None:
            return None
        begun = Begun(self._is_taken_back(deployment), outcome=result.as_dict())
        try:
            self._with_room(lambda room: self._begin(deployment, begun, room))
        except OSError:
            self._unfinished.keep(deployment.id, result)
            raise
        answering.report(deployment, result)
        return result

    def _result_of_cut(self, deployment: Deployment) -> Result | None:
        """What came of a run that was begun and has no result, while no run goes on."""
        with self._outbox.locked() as box:
            if self._store.has_ended(deployment.id):
                return None
            entry = box.get_readable(deployment.id)
        if entry:  # it was stopped between the outbox and the result for people
            return from_dict(entry.message)
        if kept := self._unfinished.result(deployment.id):
            return kept
        begun = self._store.begun(deployment.id)
        if begun.outcome:
            return from_dict(begun.outcome)
        if answering.is_to_be_repeated(deployment):
            answering.end_processes(begun)
            return self._result_of_run(deployment, forced=begun.forced)
        return answering.after_cut(deployment, begun, self._settings)

    def _begin(self, deployment: Deployment, begun: Begun, room: int | None) -> None:
        """Note that a config is about to be run; when there is little room, without it.

        What is pending of an earlier run is forgotten, before the timer can deliver it.
        """
        item = deployment.item if room is None else {**deployment.item, "config": ""}
        with self._outbox.locked() as box:
            self._store.begin(deployment._replace(item=item), begun)
            if begun.forced:
                box.forget(deployment.id)
        # A note without a result stays until there is one: a run that is cut is taken up by it.
        if self._unfinished.result(deployment.id):
            self._unfinished.forget(deployment.id)

    def _keep(self, deployment: Deployment, result: Result, room: int | None) -> None:
        """Make a result durable, and deliver it; the timer does neither between the two.

        First what is pending is kept, then what people look at.
        """
        if room is not None:
            result = result.fitted(room, "no file, as the disk is full")
        begun = self._store.begun(deployment.id)
        with self._outbox.locked() as box:
            if self._store.has_ended(deployment.id):
                return
            entry = box.get_readable(deployment.id)
            if entry is None and not is_to_be_cancelled(deployment, self._settings):
                entry = entry_of(deployment, result, self._settings, forced=begun.forced)
                if entry:
                    self._courier.hand_over(box, entry)
            self._store.end(deployment.id, result)
            self._look_again()
            if entry:
                self._courier.pursue(box, entry)

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
            self._in_place_of_logs(lambda: note(_ROOM))
            return error
        return None

    def _in_place_of_logs(self, write: Callable[[], None]) -> None:
        """Write something. An answer is worth more than the logs of what is delivered."""
        try:
            write()
        except OSError as error:
            if not ballast.is_full(error):
                raise
            self._logs.prune(self._outbox.ids(), size=0)
            write()


@contextmanager
def _left_unfinished(what: str) -> Iterator[None]:
    """What cannot be done on this server's disk does not keep the rest from being done.

    A ``ValueError`` is a file of its own that holds something else.
    """
    try:
        yield
    except (OSError, ValueError, NewerError) as error:
        said = f"{what}: unfinished, it will be tried again: {error}"
        log.error(said, Event.UNFINISHED)
