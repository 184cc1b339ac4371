# SPDX-License-Identifier: Apache-2.0
"""One result that is pending: the result, where it goes, and what is known of its way.

The file of an entry is JSON with a ``version``. Keys that this version does not know
are kept. A file of a newer version is left as it is, for the agent that wrote it.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import readable, signals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION = 1


class Stage(Enum):
    """How far a result has come; :mod:`heat_config.delivery.policy` says what follows."""

    NEW = "new"
    """Certainly not on the queue, and Heat certainly was not notified of it."""
    MAYBE_QUEUED = "maybe queued"
    """It may be on the queue, or have been taken from there."""
    FALLBACK = "fallback"
    """Certainly not on the queue, which does not serve: Heat is notified instead."""
    MAYBE_NOTIFIED = "maybe notified"
    """Heat may have been notified, and it may be on the queue: it is not posted any more."""
    LAST_LOOK = "last look"
    """The same, and Heat has not answered for long: the queue is looked at once more."""
    LAST_RESORT = "last resort"
    """Heat does not answer and the queue does: a second copy is better than none."""
    WATCHING = "watching"
    """Posted as a last resort: whether Heat takes it is still to be seen."""
    UNTAKEN = "untaken"
    """Heat did not take it: it may have been notified before, and is notified again."""
    CLEANING = "cleaning"
    """Heat has it; a copy may be on the queue."""
    CLEANING_AGAIN = "cleaning again"
    """The same, for a copy that was still on its way."""
    FORCED = "forced"
    """Of a run that an operator has forced: Heat may not be waiting, so it is only notified."""
    REPEATABLE = "repeatable"
    """For a transport on which a second copy does no harm."""
    SIGNED = "signed"
    """For a queue on which Heat acknowledges what it has; it is to be posted there."""
    WAITING_FOR_HEAT = "waiting for Heat"
    """Posted on such a queue; Heat's acknowledgement was not found yet."""
    DONE = "done"
    """Accepted, and nothing is left to do."""
    ABANDONED = "abandoned"
    """It can never be delivered."""
    SUPERSEDED = "superseded"
    """Heat asks for a newer config in its place."""

    @property
    def is_delivered(self) -> bool:
        """Whether the result was accepted."""
        return self in _DELIVERED

    @property
    def is_accepted(self) -> bool:
        """Whether the transport has taken the result, from which Heat may still have to take it."""
        return self.is_delivered or self is Stage.WAITING_FOR_HEAT

    @property
    def is_unconfirmed(self) -> bool:
        """Whether the result may have arrived."""
        return self in _UNCONFIRMED


_DELIVERED = (Stage.WATCHING, Stage.UNTAKEN, Stage.CLEANING, Stage.CLEANING_AGAIN, Stage.DONE)
_UNCONFIRMED = (
    Stage.MAYBE_QUEUED,
    Stage.MAYBE_NOTIFIED,
    Stage.LAST_LOOK,
    Stage.LAST_RESORT,
    Stage.WAITING_FOR_HEAT,
)


class Entry(NamedTuple):
    """One result that is pending. Times are in seconds."""

    id: str
    address: dict[str, Any]
    """The inputs that say where the result goes."""
    message: dict[str, Any]
    """The result, as :meth:`Result.as_dict` gives it."""
    stage: Stage
    since: float = 0.0
    """When it was handed over, by the clock of that moment: an order, never a reason."""
    tries: int = 0
    """Which try of its schedule comes next; see :func:`heat_config.delivery.policy.wait`."""
    wait: float = 0.0
    """How long the next try waits."""
    due: float = 0.0
    """Until when that is, by the clock."""
    waited: float = 0.0
    """All waits before tries that failed."""
    answered: float = 0.0
    """Those of them after which the other side answered."""
    refusals: int = 0
    """How many tries in a row were refused, each after its wait."""
    content_refusals: int = 0
    """How many of them for what the result holds."""
    unanswered: int = 0
    """How many rounds of tries to notify Heat have failed."""
    limit: int | None = None
    """Bytes that the result may have, where the transport's own limit proved too large."""
    problem: str = ""
    """Why the last try failed, or why the result was abandoned."""
    unknown: dict[str, Any] = {}  # noqa: RUF012 - never changed, as nothing of it is
    """Keys of the file that this version does not know."""

    @property
    def place(self) -> object:
        """Where Heat waits, which all configs of one deployment share."""
        return place_of(self.address)


class DamagedError(Exception):
    """The file holds no entry."""


class NewerError(Exception):
    """The file is of a newer version, which alone knows what it means."""


def place_of(values: Mapping[str, Any]) -> object:
    """Where Heat waits for one deployment's answer: its queue, its URL, its resource.

    A signed address is of one action alone.
    """
    own = values.get("deploy_queue_id") or values.get("deploy_signal_id")
    resource = values.get("deploy_stack_id"), values.get("deploy_resource_name")
    is_lasting = own and signals.transport(values) is not signals.Transport.SIGNED
    return str(own) if is_lasting else (str(resource) if all(resource) else None)


def first_stage(address: Mapping[str, Any], *, program: object, forced: bool) -> Stage:
    """Where a result's way begins. ``program``: what sends results in the agent's place."""
    transport = signals.transport(address)
    if transport is signals.Transport.SIGNED and not program:
        return Stage.SIGNED
    if program or transport is not signals.Transport.QUEUE:
        return Stage.REPEATABLE
    return Stage.FORCED if forced else Stage.NEW


def as_dict(entry: Entry) -> dict[str, Any]:
    """What the entry's file holds."""
    own = {**entry._asdict(), "stage": entry.stage.value}
    del own["unknown"]
    return {**entry.unknown, "version": VERSION, **own}


def read(raw: bytes, config_id: str) -> tuple[Entry, list[str]]:
    """Read an entry's file; return it and what in it was not usable.

    A key that is not usable gets the value that is safe: a result may be late for it,
    never lost or doubled.

    :raises DamagedError: result or address cannot be read.
    :raises NewerError: the file is of a newer version.
    """
    try:
        given = readable.own(raw)
    except ValueError as error:
        raise DamagedError(str(error)) from None
    if not isinstance(given, dict):
        raise DamagedError("it is not a JSON object")
    version = given.pop("version", 0)
    if not isinstance(version, int) or version > VERSION:
        raise NewerError(f"it is of version {version!r}, and this agent knows {VERSION}")
    fields = given if version else _upgraded(given)
    if fields.pop("id", None) != config_id:
        raise DamagedError("its id is not that of its name")
    parts = [fields.pop(name, None) for name in ("address", "message")]
    if not all(isinstance(part, dict) and part for part in parts):
        raise DamagedError("it holds no address and result")
    address, message = parts
    return _with_fields(Entry(config_id, address, message, safe_stage(address)), fields)


def _with_fields(entry: Entry, fields: dict[str, Any]) -> tuple[Entry, list[str]]:
    """The entry with what its file says beside address and result."""
    usable: dict[str, Any] = {}
    wrong = []
    for name, is_usable in _USABLE.items():
        if name not in fields:
            continue
        value = fields.pop(name)
        if is_usable(value):
            usable[name] = Stage(value) if name == "stage" else value
        else:
            wrong.append(f"{name} is {str(value)[:80]!r}")
    return entry._replace(**usable, unknown=fields), wrong


def safe_stage(address: Mapping[str, Any]) -> Stage:
    """Of a result whose stage is not known: Heat may have it, and a copy may be on the queue."""
    first = first_stage(address, program=None, forced=False)
    return Stage.MAYBE_NOTIFIED if first is Stage.NEW else first


def _is_number(value: object) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return 0 <= value <= _LARGEST


def _is_count(value: object) -> bool:
    return isinstance(value, int) and _is_number(value)


# More than any of these numbers is, and exact as a float; fewer bytes than any limit has.
_LARGEST = 1 << 53
_SMALLEST = 1 << 10

_USABLE: dict[str, Callable[[Any], bool]] = {
    "stage": lambda value: value in [stage.value for stage in Stage],
    **dict.fromkeys(("since", "wait", "due", "waited", "answered"), _is_number),
    **dict.fromkeys(("tries", "refusals", "content_refusals", "unanswered"), _is_count),
    "limit": lambda value: value is None or (_is_count(value) and value >= _SMALLEST),
    "problem": lambda value: isinstance(value, str),
}


def _upgraded(given: dict[str, Any]) -> dict[str, Any]:
    """An entry from before there was a version: flags in place of a stage."""
    kept = {name: given.get(name) for name in ("id", "message", "since", "problem")}
    address = given.get("values")
    fields = {name: value for name, value in kept.items() if value is not None}
    return {**fields, "address": address, "stage": _stage_of_flags(given, address).value}


def _stage_of_flags(given: dict[str, Any], address: object) -> Stage:
    safe = safe_stage(address if isinstance(address, dict) else {})
    if given.get("told_heat"):
        return Stage.CLEANING
    if safe is not Stage.MAYBE_NOTIFIED:
        return safe
    if given.get("forced"):
        return Stage.FORCED
    if given.get("heat_doubt"):
        return Stage.MAYBE_NOTIFIED
    return Stage.NEW if given.get("doubt") is False else Stage.MAYBE_QUEUED
