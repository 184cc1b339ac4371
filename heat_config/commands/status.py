# SPDX-License-Identifier: Apache-2.0
"""``heat-config status``: what this server has done, and whether Heat knows.

The state says how a deployment's run went, the signal whether Heat knows. The
exit status sums them up for scripts; see :func:`exit_status`.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from heat_config import applying, log, origin, signals, waiting
from heat_config import deployment as deployments
from heat_config.delivery import policy
from heat_config.delivery.courier import limits_of
from heat_config.delivery.entry import DamagedError, NewerError, Stage
from heat_config.delivery.outbox import Outbox
from heat_config.deployment import Deployment
from heat_config.result import INTERRUPTED
from heat_config.run import hook, runlog
from heat_config.run.store import Store
from heat_config.run.unfinished import Unfinished

if TYPE_CHECKING:
    from collections.abc import Collection

    from heat_config.delivery.entry import Entry
    from heat_config.result import Result
    from heat_config.settings import Settings

# 0: every deployment has run well, and Heat knows.
# 1: one has failed, or its result was abandoned: somebody must look.
# 2: one is still to be run, is running, is unfinished, was cut and has no result yet,
#    its result is pending, or newer metadata wait for the end of what runs: ask again later.
#    It goes before 1, because what is not over can still fail.
DELIVERED, FAILED, UNFINISHED = 0, 1, 2

UNFINISHED_HERE = (
    "it could not be begun, or its result not kept, on this server's disk, and is taken up "
    "again: journalctl -u os-collect-config -u heat-config-resume says why"
)


class UnknownError(Exception):
    """Nobody can say what Heat asks of this server, or what it has done."""


class _Place(NamedTuple):
    """Where the rows come from."""

    settings: Settings
    store: Store
    outbox: Outbox
    unfinished: list[str]
    running: bool


class Row(NamedTuple):
    """One deployment. Times are in seconds since the epoch.

    With its derived values this is a stable format for programs: docs/watching.md.
    """

    name: str
    id: str
    group: str
    action: str
    state: str
    """pending, running, unfinished, done, failed or interrupted."""
    signal: str
    """pending, unconfirmed, delivered, abandoned, superseded, or none where nobody waits."""
    begun: float | None = None
    ended: float | None = None
    problem: str = ""
    """Why the result is pending or abandoned, or the config not run."""
    next_try: float | None = None
    """When its result is tried again; None where it is not pending, or the next try is due."""
    status_code: int | str | None = None
    """Its run's; None where it has no result."""
    reason: str = ""
    """Why its run has failed."""
    time_limit: float | None = None
    """Seconds that its hook may take, while that runs."""
    last_line: str = ""
    """What its hook has written last, while that runs."""
    asked: bool = True
    """Whether Heat asks for it, or did so before."""

    @property
    def duration(self) -> float | None:
        """Seconds from begin to end, or until now."""
        if self.begun is None or self.state == "interrupted":
            return None
        return (self.ended or time.time()) - self.begun

    @property
    def time_left(self) -> float | None:
        """Seconds until its hook is ended, while that runs."""
        if self.time_limit is None or self.duration is None:
            return None
        return max(0.0, self.time_limit - self.duration)


def rows(settings: Settings) -> list[Row]:
    """A row for each deployment that Heat asks for, in its order; the last are those that wait.

    :raises UnknownError: what Heat asks for is not there, or cannot be read; or this server's
        own folders can neither be found nor be made.
    """
    wanted = asked(settings)
    place = _place(settings)
    collected = _collected(settings, {each.id for each in wanted})
    return [_row(each, place) for each in wanted] + collected


def former(settings: Settings) -> list[Row]:
    """A row for each config that this server has run and Heat asks for no more, the oldest first.

    :raises UnknownError: this server's own folders can neither be found nor be made.
    """
    wanted: set[str] = set()
    with suppress(UnknownError):
        wanted = {each.id for each in asked(settings)}
    place = _place(settings)
    try:
        ids = place.store.ids()
    except OSError as error:
        raise UnknownError(f"what this server has done is not known: {error}") from None
    found = [_row(_as_run(each, place.store), place) for each in ids if each not in wanted]
    return sorted((row._replace(asked=False) for row in found), key=lambda row: row.begun or 0.0)


def asked(settings: Settings) -> list[Deployment]:
    """What Heat asks for, as far as it was applied.

    :raises UnknownError: it is not there, or cannot be read.
    """
    path = settings.config_file
    try:
        found = deployments.parse(Path(path).read_text("utf-8", "replace"))
    except FileNotFoundError:
        raise UnknownError(
            f"{path} is not there: nothing has come from Heat since the boot"
        ) from None
    except OSError as error:
        raise UnknownError(f"{path} cannot be read: {error.strerror}") from None
    except deployments.MetadataError as error:
        raise UnknownError(f"{path} {error}") from None
    if not found and origin.of_deployments() == origin.BOOT:
        raise UnknownError(
            "nothing has come from Heat: the list is what the server was booted with"
        )
    return found


def _place(settings: Settings) -> _Place:
    try:
        store, outbox = Store(settings), Outbox(settings)
        unfinished, running = Unfinished(settings).ids(), store.is_running()
    except OSError as error:
        raise UnknownError(f"what this server has done is not known: {error}") from None
    return _Place(settings, store, outbox, unfinished, running)


def _as_run(config_id: str, store: Store) -> Deployment:
    """A config as its run has noted it; of one that was done long ago only its id is known."""
    with suppress(OSError, ValueError):
        return deployments.read(store.item(config_id))
    return Deployment(
        config_id, config_id, "", values={}, item={}, error="its note is empty or torn"
    )


def now_applied(settings: Settings, found: list[Row]) -> str:
    """What is said of os-refresh-config, which runs while none of the configs does; else empty."""
    runs = applying.read(settings)
    if runs is None or any(row.state == "running" for row in found):
        return ""
    age = max(0, time.time() - runs.since)
    return f"{runs.command} has run for {age:.0f} s: journalctl -u os-collect-config has its lines"


def newer(settings: Settings) -> str:
    """What is said of newer metadata that wait for the end of what runs; empty when none do."""
    found = waiting.read(settings)
    if found is None:
        return ""
    return (
        f"newer metadata ({', '.join(found.sources)}) have come {_age(found)}, and wait until "
        "what runs has ended"
    )


def _collected(settings: Settings, known: Collection[str]) -> list[Row]:
    """The deployments that only the newer metadata have."""
    found = waiting.read(settings)
    if found is None or found.asked is None:
        return []
    problem = f"collected {_age(found)}, and waits until what runs has ended"
    return [
        Row(name, config_id, group, "", "pending", "none", problem=problem)
        for config_id, (name, group) in found.asked.items()
        if config_id not in known
    ]


def _age(found: waiting.Waiting) -> str:
    return f"{max(0, time.time() - found.since):.0f} s ago"


def exit_status(found: list[Row], waits: str = "") -> int:
    """What the rows come to that Heat asks for: 0, 1 or 2; ``waits`` says what is still to come."""
    found = [row for row in found if row.asked]
    if waits or any(row.ended is None and row.state != "done" for row in found):
        return UNFINISHED
    if any(row.signal in ("pending", "unconfirmed") for row in found):
        return UNFINISHED
    if any(row.state in ("failed", "interrupted") or row.signal == "abandoned" for row in found):
        return FAILED
    return DELIVERED


def wait(settings: Settings, timeout: float | None) -> list[Row]:
    """Ask again until nothing is unfinished, or for so many seconds.

    :raises UnknownError: what Heat asks for has not come in that time.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        late = deadline is not None and time.monotonic() >= deadline
        try:
            found = rows(settings)
        except UnknownError:
            if late:
                raise
        else:
            if late or exit_status(found, newer(settings)) != UNFINISHED:
                return found
        time.sleep(0.5)


def _row(each: Deployment, place: _Place) -> Row:
    store = place.store
    begun = _time_of(store.config_path(each.id))
    # What is left of a run whose note was taken away is none of the one that is to come.
    ended = _time_of(store.result_path(each.id)) if begun else None
    state, result = _state(each, place)
    signal = _signal(each, place.outbox, ended=ended is not None)
    problem = UNFINISHED_HERE if each.id in place.unfinished else signal.problem
    row = Row(
        name=each.name,
        id=each.id,
        group=each.group,
        action=str(each.values.get("deploy_action") or ""),
        state=state,
        signal=signal.state,
        begun=begun,
        ended=ended,
        problem=problem,
        next_try=_next_try(signal.entry, place.settings),
        status_code=result and result.status_code,
        reason=result.reason if result and result.failed else "",
    )
    if state == "running":
        row = _with_progress(row, each, place.settings)
    return _masked(row, each)


def _masked(row: Row, each: Deployment) -> Row:
    """A row without the secrets of its deployment: an agent of before may have masked less."""
    if not (row.problem or row.reason or row.last_line):
        return row
    log.conceal(each.secrets)
    return row._replace(
        problem=log.masked(row.problem),
        reason=log.masked(row.reason),
        last_line=log.masked(row.last_line),
    )


def _with_progress(row: Row, each: Deployment, settings: Settings) -> Row:
    """How far a run has come."""
    path = runlog.path_of(each.id, settings)
    written = _time_of(path)
    is_its_own = written is not None and row.begun is not None and written >= row.begun
    return row._replace(
        time_limit=None if each.error else hook.time_limit(each, settings),
        last_line=runlog.last_line(path) if is_its_own else "",
    )


def _state(each: Deployment, place: _Place) -> tuple[str, Result | None]:
    """How far its run has come, and what came of it where that can be read."""
    store = place.store
    if not store.has_ended(each.id) and each.id in place.unfinished:
        return "unfinished", None
    if not store.has_begun(each.id):
        return "pending", None
    if not store.has_ended(each.id):
        return "running" if place.running else "interrupted", None
    try:
        result = store.result(each.id)
    except FileNotFoundError:  # noted by heat-config-rebuild-deployed
        return "done", None
    except (OSError, ValueError):  # torn: nobody knows that it went well
        return "failed", None
    if result.outputs.get(INTERRUPTED):
        return "interrupted", result
    return "failed" if result.failed else "done", result


class _Signal(NamedTuple):
    """Whether Heat has a result, and why not."""

    state: str
    problem: str = ""
    entry: Entry | None = None
    """What is pending of it."""


def _signal(each: Deployment, outbox: Outbox, *, ended: bool) -> _Signal:
    if not signals.transport(each.values):
        return _Signal("none")
    try:
        entry = outbox.get(each.id)
    except DamagedError as error:
        again = f"its entry is damaged ({error}), and made anew from what was noted"
        return _Signal("pending", again)
    except NewerError as error:
        return _Signal("pending", f"it is left to the agent that wrote its entry: {error}")
    if entry and not entry.stage.is_delivered:
        state = "unconfirmed" if entry.stage.is_unconfirmed else "pending"
        return _Signal(state, entry.problem, entry)
    set_aside = outbox.get_abandoned(each.id)
    if set_aside:
        superseded = set_aside.stage is Stage.SUPERSEDED
        return _Signal("superseded" if superseded else "abandoned", set_aside.problem)
    return _Signal("delivered" if ended else "none")


def _next_try(entry: Entry | None, settings: Settings) -> float | None:
    now = time.time()
    if entry is None or policy.is_due(entry, limits_of(settings), now):
        return None
    return entry.due


def _time_of(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None
