# SPDX-License-Identifier: Apache-2.0
"""Counts what was lost, duplicated, run twice or never answered."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from faults.results import scripts
from faults.results.schedule import SIGNED, Asked
from faults.schedule import HEAT, KEYSTONE, ZAQAR
from faults.wires import Line

LOST, DUPLICATED, RUN_TWICE, UNANSWERED = KINDS = ("lost", "duplicated", "run twice", "unanswered")
WINDOW = "window"
# What is counted of those with a signed address.
COUNTED = SIGNED_RESULTS, AGAIN = "signed", "signed and posted again"

# So many requests must have failed on the way to a queue that counts as out of reach.
TRIES = 3


@dataclass(frozen=True)
class Order:
    """One config that Heat was asked to have deployed."""

    asked: Asked
    token: str
    """What its script writes: it tells its result from all others."""
    config_id: str
    begin: int
    """The length of the journal when it was asked for."""


class Problem(NamedTuple):
    """What is wrong with one config."""

    kind: str
    token: str
    why: str


@dataclass(frozen=True)
class Seen:
    """What was seen of a config when everything was well again."""

    shown: Any
    """The deployment in Heat."""
    left: list[dict[str, Any]]
    """The messages on its queue."""
    stored: dict[str, Any] | None
    """The result that the server keeps."""
    runs: int
    cuts: int
    """How many attempts have ended an agent or a hook."""
    cut: bool
    """Whether one has, or its disk was small."""
    queue: str
    journal: Sequence[Line]
    """What has happened in the schedule until now."""
    others: Sequence[Order]
    """All configs of the schedule."""
    pending: bool = False
    """Whether its result is still pending."""
    abandoned: str = ""
    """Why its result was abandoned, if it was."""
    full: bool = False
    """Whether its disk was full: then it may have been answered without a run."""
    windows: Collection[str] = ()
    """The tokens of those that are known to have come into the window: what is left of one of
    them is a consequence."""


def problems(order: Order, seen: Seen) -> list[Problem]:
    """What is wrong with one config; nothing, it is hoped."""
    found = [*_runs(order, seen), *_answer(order, seen), *_end_of(seen), *_copies(order, seen)]
    return [Problem(kind, order.token, why) for kind, why in found]


def allowed_runs(order: Order, cuts: int) -> int:
    """How often a script may run: once, and again after cuts if it asks for that."""
    return 1 + (cuts + 1 if order.asked.interrupted == "rerun" else 0)


def is_the_window(queue: str, lines: Sequence[Line]) -> bool:
    """Whether a copy that Heat did not take is one that nobody could avoid.

    ``lines``: from when Heat asked for a config until it asked for the next one.

    The agent could not know whether a post had arrived: its answer was lost, or
    the agent itself was cut before it could note it. Then either that request was
    still on its way when Heat had been signalled; or Heat, which alone could say, could
    not be asked before the second post; or Heat was signalled, and the queue could not
    be reached to remove the copy before Heat asked for the next config.
    """
    arrived = [index for index, line in enumerate(lines) if _has_arrived(line, queue)]
    if any(lines[index].step == "late" for index in arrived):
        return True
    if len(arrived) == 1:
        return _could_not_be_removed(queue, lines[arrived[0] :])
    pairs = list(pairwise(arrived))
    return bool(pairs) and all(
        _is_excused(lines[first:second], _away_at(lines, first)) for first, second in pairs
    )


def _away_at(lines: Sequence[Line], index: int) -> tuple[str, ...]:
    """The services that refused connections at a line; what is noted next has ended that."""
    notes = [line for line in lines[:index] if not line.wire]
    return notes[-1].away if notes else ()


def _could_not_be_removed(queue: str, lines: Sequence[Line]) -> bool:
    """Whether after an unconfirmed post, the first line, Heat was signalled but the queue away."""
    signalled = any(_was_served(line, HEAT, 200) for line in lines)
    removed = any(_was_served(line, ZAQAR, 204) and _is_about(line, queue) for line in lines)
    failed = sum(not _is_good(line) for line in lines[1:] if _is_on_the_way(line, queue))
    away = any(ZAQAR in line.away or KEYSTONE in line.away for line in lines)
    tried = failed >= TRIES or away
    return _is_unconfirmed(lines) and signalled and tried and not removed


def _is_on_the_way(line: Line, queue: str) -> bool:
    """Whether this is a request without which nothing is removed from the queue."""
    return line.wire == KEYSTONE or _is_about(line, queue)


def _is_good(line: Line) -> bool:
    answered = line.exchange.answered if line.exchange else None
    return answered is not None and 200 <= answered < 300


def _is_excused(lines: Sequence[Line], away: tuple[str, ...]) -> bool:
    """Whether a post was unconfirmed until the next one, and Heat could not be asked.

    ``lines``: from the first of them on. ``away``: what refused connections then.
    """
    # A signal that was served is one that Heat knows of, whatever the agent got as its answer.
    asked = any(_was_served(line, HEAT, 200) for line in lines)
    failed = any(line.wire == HEAT or _no_way_to_heat(line) for line in lines)
    failed = failed or HEAT in away or KEYSTONE in away
    return _is_unconfirmed(lines) and failed and not asked


def _is_unconfirmed(lines: Sequence[Line]) -> bool:
    """Whether the agent got no 201 for the post in the first line, or was cut."""
    exchange = lines[0].exchange
    return exchange is None or exchange.answered != 201 or any(line.is_cut for line in lines)


def _was_served(line: Line, wire: str, status: int) -> bool:
    return bool(line.wire == wire and line.exchange and line.exchange.forwarded == status)


def _is_about(line: Line, queue: str) -> bool:
    return bool(line.wire == ZAQAR and line.exchange and f"/{queue}/" in line.exchange.path)


def _no_way_to_heat(line: Line) -> bool:
    refused = HEAT in line.away or KEYSTONE in line.away
    return refused or (line.wire == KEYSTONE and line.step != "ok")


def _runs(order: Order, seen: Seen) -> list[tuple[str, str]]:
    if seen.runs > allowed_runs(order, seen.cuts):
        return [(RUN_TWICE, f"its script ran {seen.runs} times")]
    return []


def _end_of(seen: Seen) -> list[tuple[str, str]]:
    """Whether the result has come to its end, and not by being abandoned."""
    if seen.abandoned:
        return [(LOST, f"its result was abandoned: {seen.abandoned}")]
    if seen.pending:
        return [(UNANSWERED, "its result is still pending, although all is well")]
    return []


def _answer(order: Order, seen: Seen) -> list[tuple[str, str]]:
    shown = seen.shown
    if shown.config_id != order.config_id:
        return [(LOST, f"Heat shows another config, {shown.config_id}")]
    if seen.stored is None:
        return [(UNANSWERED, f"the server has no result; Heat says {shown.status}")]
    if shown.status == "IN_PROGRESS":
        return [(LOST, "Heat still waits")]
    values = shown.output_values or {}
    taken = _taken(order, seen)
    if taken.token != order.token:
        kind = WINDOW if _is_excusable([taken], seen) else DUPLICATED
        return [(kind, f"Heat has taken the result of {taken.token} for this one's")]
    return _content(order, seen, values)


def _taken(order: Order, seen: Seen) -> Order:
    """Whose result Heat has for a config: its own, it is hoped."""
    values = seen.shown.output_values or {}
    return next((other for other in seen.others if _is_of(other, values)), order)


def _content(order: Order, seen: Seen, values: dict[str, Any]) -> list[tuple[str, str]]:
    """Compare what Heat has with what the server keeps, and with what the script did."""
    assert seen.stored is not None  # noqa: S101 - looked at before
    if _is_own(order, values):
        if _is_own(order, seen.stored):
            return []
        return [(DUPLICATED, "Heat has its result, and the server has made another one")]
    names = (order.token, "deploy_status_code", "deploy_stdout", "deploy_stderr")
    different = [
        name for name in names if (values.get(name) or "") != (seen.stored.get(name) or "")
    ]
    shown = {name: str(values.get(name))[:200] for name in names}
    if different:
        return [(LOST, f"Heat has another {', '.join(different)} than the server: {shown}")]
    must_end = bool(seen.runs) or not seen.full
    if scripts.ends_well(order.asked) and must_end and not seen.cut:
        return [(LOST, f"nothing has cut it, and yet its result is {shown}")]
    return []


def _is_own(order: Order, values: dict[str, Any]) -> bool:
    """Whether this is what the script says when it comes to its end."""
    mine = values.get(order.token) == order.token
    return mine and values.get("deploy_status_code") == scripts.status_code(order.asked)


def _copies(order: Order, seen: Seen) -> list[tuple[str, str]]:
    arrived = posts(order, seen)
    if order.asked.slot in SIGNED:
        strange = harmful(order, seen.left)
        return [(DUPLICATED, f"on its queue is {strange}")] if strange else []
    if len(arrived) < 2 and not seen.left:
        return []
    whose = {_config_of(message) for message in seen.left}
    several = [order] if len(arrived) > 1 else []
    taken = _taken(order, seen)
    if not several and taken.token != order.token and whose == {order.config_id}:
        # Heat has another's for this one's, and so does not take it any more.
        several = [taken]
    involved = several or [other for other in seen.others if other.config_id in whose]
    why = f"{len(arrived)} copies were posted, {len(seen.left)} are left on the queue"
    return [(WINDOW if _is_excusable(involved, seen) else DUPLICATED, why)]


def harmful(order: Order, left: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is left on a config's queue that may be taken for the answer to another one.

    A signed queue is one action's own, and gone with it: a second copy does no harm there.
    """
    own = order.config_id if order.asked.slot in SIGNED else None
    return [message for message in left if own is None or _config_of(message) != own]


def posts(order: Order, seen: Seen) -> list[Line]:
    """The posts that have put a result on a config's queue."""
    return [line for line in seen.journal[order.begin :] if _has_arrived(line, seen.queue)]


def _config_of(message: dict[str, Any]) -> Any:
    return message["body"].get("deploy_config_id")


def _is_excusable(involved: Sequence[Order], seen: Seen) -> bool:
    """Whether each of these configs has come into the window, while Heat asked for it or later."""
    return bool(involved) and all(
        order.token in seen.windows or is_the_window(seen.queue, _lines_of(order, seen))
        for order in involved
    )


def _lines_of(order: Order, seen: Seen) -> list[Line]:
    """What happened while Heat asked for a config, and what came then and was late."""
    end = _end(order, seen)
    later = seen.journal[end:]
    late = [line for line in later if line.step == "late" and line.came < later[0].at]
    return [*seen.journal[order.begin : end], *late]


def _end(order: Order, seen: Seen) -> int:
    """The length of the journal when Heat asked for the next config in its place."""
    slot = order.asked.slot
    later = (each.begin for each in seen.others if each.asked.slot == slot)
    return min((begin for begin in later if begin > order.begin), default=len(seen.journal))


def _has_arrived(line: Line, queue: str) -> bool:
    """Whether this is a post that has put a message on the queue."""
    posted = line.exchange is not None and line.exchange.method == "POST"
    return posted and bool(queue) and _is_about(line, queue) and _was_served(line, ZAQAR, 201)


def _is_of(order: Order, values: dict[str, Any]) -> bool:
    """Whether a result in Heat is of this config.

    Its output says nothing: Heat keeps the outputs of earlier configs.
    """
    text = f"{values.get('deploy_stdout')}{values.get('deploy_stderr')}"
    return bool(re.search(rf"\b{order.token}\b", text)) or f"force {order.config_id}," in text
