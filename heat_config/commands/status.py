# SPDX-License-Identifier: Apache-2.0
"""``heat-config status``: what this server has done, and whether Heat knows.

The state says how a deployment's run went, the signal whether Heat knows. The
exit status sums them up for scripts; see :func:`exit_status`.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import deployment as deployments
from heat_config import log, origin, signals, waiting
from heat_config.delivery.entry import DamagedError, NewerError, Stage
from heat_config.delivery.outbox import Outbox
from heat_config.result import INTERRUPTED
from heat_config.run.store import Store
from heat_config.run.unfinished import Unfinished
from heat_config.terminal import shown

if TYPE_CHECKING:
    from heat_config.deployment import Deployment
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

    store: Store
    outbox: Outbox
    unfinished: list[str]
    running: bool


class Row(NamedTuple):
    """One deployment. Times are in seconds since the epoch."""

    name: str
    id: str
    group: str
    action: str
    state: str
    """pending, running, unfinished, done, failed or interrupted."""
    signal: str
    """pending, unconfirmed, delivered, abandoned, superseded, or none where nobody waits."""
    begun: float | None
    ended: float | None
    problem: str
    """Why the result is pending or abandoned, or the config not run."""

    @property
    def duration(self) -> float | None:
        """Seconds from begin to end, or until now."""
        if self.begun is None or self.state == "interrupted":
            return None
        return (self.ended or time.time()) - self.begun


def rows(settings: Settings) -> list[Row]:
    """A row for each deployment that Heat asks for, in its order.

    :raises UnknownError: what Heat asks for is not there, or cannot be read; or this server's
        own folders can neither be found nor be made.
    """
    path = settings.config_file
    try:
        asked = deployments.parse(Path(path).read_text("utf-8", "replace"))
    except FileNotFoundError:
        raise UnknownError(
            f"{path} is not there: nothing has come from Heat since the boot"
        ) from None
    except OSError as error:
        raise UnknownError(f"{path} cannot be read: {error.strerror}") from None
    except deployments.MetadataError as error:
        raise UnknownError(f"{path} {error}") from None
    if not asked and origin.of_deployments() == origin.BOOT:
        raise UnknownError(
            "nothing has come from Heat: the list is what the server was booted with"
        )
    try:
        place = _place(settings)
    except OSError as error:
        raise UnknownError(f"what this server has done is not known: {error}") from None
    return [_row(each, place) for each in asked]


def _place(settings: Settings) -> _Place:
    store, outbox = Store(settings), Outbox(settings)
    return _Place(store, outbox, Unfinished(settings).ids(), running=store.is_running())


def newer(settings: Settings) -> str:
    """What is said of newer metadata that wait for the end of what runs; empty when none do."""
    found = waiting.read(settings)
    if found is None:
        return ""
    age = max(0, time.time() - found.since)
    return (
        f"newer metadata ({', '.join(found.sources)}) have come {age:.0f} s ago, and wait until "
        "what runs has ended"
    )


def exit_status(found: list[Row], waits: str = "") -> int:
    """What the rows come to: 0, 1 or 2; ``waits`` is what :func:`newer` says."""
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


def as_table(found: list[Row]) -> str:
    """The rows for people."""
    heads = ("NAME", "STATE", "SIGNAL", "ACTION", "GROUP", "BEGUN", "DURATION", "ID")
    lines = [heads, *(_cells(row) for row in found)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    table = "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )
    problems = [f"{row.name}: {_matter(row)}: {row.problem}" for row in found if row.problem]
    return table + "".join(f"{shown(problem)}\n" for problem in problems)


def as_json(found: list[Row]) -> str:
    """The rows for programs."""
    listed: list[dict[str, Any]] = [{**row._asdict(), "duration": row.duration} for row in found]
    return json.dumps(listed, indent=2) + "\n"


def _matter(row: Row) -> str:
    return row.signal if row.signal != "none" else row.state


def _row(each: Deployment, place: _Place) -> Row:
    store = place.store
    begun = _time_of(store.config_path(each.id))
    # What is left of a run whose note was taken away is none of the one that is to come.
    ended = _time_of(store.result_path(each.id)) if begun else None
    signal, problem = _signal(each, place.outbox, ended=ended is not None)
    if each.id in place.unfinished:
        problem = UNFINISHED_HERE
    if problem:  # noted by an agent that may have masked less
        log.conceal(each.secrets)
    return Row(
        name=each.name,
        id=each.id,
        group=each.group,
        action=str(each.values.get("deploy_action") or ""),
        state=_state(each, place),
        signal=signal,
        begun=begun,
        ended=ended,
        problem=log.masked(problem),
    )


def _state(each: Deployment, place: _Place) -> str:
    store = place.store
    if not store.has_ended(each.id) and each.id in place.unfinished:
        return "unfinished"
    if not store.has_begun(each.id):
        return "pending"
    if not store.has_ended(each.id):
        return "running" if place.running else "interrupted"
    try:
        result = store.result(each.id)
    except FileNotFoundError:  # noted by heat-config-rebuild-deployed
        return "done"
    except (OSError, ValueError):  # torn: nobody knows that it went well
        return "failed"
    if result.outputs.get(INTERRUPTED):
        return "interrupted"
    return "failed" if result.failed else "done"


def _signal(each: Deployment, outbox: Outbox, *, ended: bool) -> tuple[str, str]:
    """Whether Heat has the result, and why not."""
    if not signals.transport(each.values):
        return "none", ""
    try:
        entry = outbox.get(each.id)
    except DamagedError as error:
        return "pending", f"its entry is damaged ({error}), and made anew from what was noted"
    except NewerError as error:
        return "pending", f"it is left to the agent that wrote its entry: {error}"
    if entry and not entry.stage.is_delivered:
        return "unconfirmed" if entry.stage.is_unconfirmed else "pending", entry.problem
    set_aside = outbox.get_abandoned(each.id)
    if set_aside:
        superseded = set_aside.stage is Stage.SUPERSEDED
        return "superseded" if superseded else "abandoned", set_aside.problem
    return ("delivered" if ended else "none"), ""


def _time_of(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


def _cells(row: Row) -> tuple[str, ...]:
    begun = "-" if row.begun is None else time.strftime("%F %T", time.localtime(row.begun))
    duration = "-" if row.duration is None else f"{row.duration:.1f} s"
    action = row.action or "-"
    cells = (row.name, row.state, row.signal, action, row.group, begun, duration, row.id)
    return tuple(map(shown, cells))
