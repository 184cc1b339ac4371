# SPDX-License-Identifier: Apache-2.0
"""All ways in which a result can travel, with an engine that is killed and a storage that forgets.

The server's side is what heat_config.cloud.signed asks of it. Every order of events is walked, from
each state on; what is asserted of each is at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from heat_config.cloud import signed
from heat_config.cloud.zaqar import Message
from heat_plugin import reading

CONFIG = "c1"
RESULT = "result"
LEFTOVER = "another config's result"
WORD = "acknowledgement"
BODIES: dict[str, Any] = {
    RESULT: {"deploy_config_id": CONFIG},
    LEFTOVER: {"deploy_config_id": "c0"},
    WORD: signed.acknowledgement(CONFIG),
}
# Requests of one look, at most: list, signal, acknowledge, remove.
REQUESTS = 4
MOST_MESSAGES = 3


class State(NamedTuple):
    queue: tuple[str, ...]
    taken: int = 0
    """How often Heat took a result as the deployment's."""
    wrong: bool = False
    """Whether it was another's."""
    owes: bool = True
    """Whether the server keeps its result."""
    looks: bool = True
    """Whether the plug-in still looks."""
    emptied: int = 0
    lost_word: bool = False
    """Whether the storage forgot an acknowledgement."""


class KilledError(Exception):
    """The engine ends before its next request."""


class Engine:
    """The world as one look changes it, request by request, until it is killed."""

    def __init__(self, state: State, requests: int) -> None:
        self.state = state
        self._left = requests

    def look(self) -> None:
        try:
            ended = reading.read(
                self, CONFIG, self._signal, ended=bool(self.state.taken), nameless=False
            )
        except KilledError:
            return
        self.state = self.state._replace(looks=not ended)

    def messages(self) -> list[Message]:
        self._request()
        return [Message(str(at), BODIES[name]) for at, name in enumerate(self.state.queue)]

    def acknowledge(self, config_id: str) -> None:
        self._request()
        assert config_id == CONFIG
        self.state = self.state._replace(queue=(*self.state.queue, WORD))

    def remove(self, ids: Sequence[str]) -> None:
        self._request()
        kept = [name for at, name in enumerate(self.state.queue) if str(at) not in ids]
        self.state = self.state._replace(queue=tuple(kept))

    def _signal(self, details: dict[str, Any]) -> None:
        self._request()
        if not self.state.taken:  # Heat ignores a second one
            wrong = details != BODIES[RESULT]
            self.state = self.state._replace(taken=self.state.taken + 1, wrong=wrong)

    def _request(self) -> None:
        if not self._left:
            raise KilledError
        self._left -= 1


def looked_at_by_the_server(state: State) -> State:
    """Forget, wait or post, as heat_config.cloud.signed says."""
    if not state.owes:
        return state
    if WORD in state.queue:
        return state._replace(owes=False)
    if RESULT in state.queue:
        return state
    return state._replace(queue=(*state.queue, RESULT))


def looked_at_by_heat(state: State, requests: int = 99) -> State:
    engine = Engine(state, requests)
    if state.looks:
        engine.look()
    return engine.state


def following(state: State) -> Iterator[State]:
    """All that can happen next."""
    yield looked_at_by_the_server(state)
    for requests in range(REQUESTS + 1):
        yield looked_at_by_heat(state, requests)
    if state.owes and len(state.queue) < MOST_MESSAGES:  # a post whose answer was lost, repeated
        yield state._replace(queue=(*state.queue, RESULT))
    if state.emptied < 2:
        lost = state.lost_word or WORD in state.queue
        yield state._replace(queue=(), emptied=state.emptied + 1, lost_word=lost)


def explored() -> set[State]:
    found = {State(()), State((LEFTOVER,))}
    edge = list(found)
    while edge:
        new = set(following(edge.pop())) - found
        found |= new
        edge += new
    return found


STATES = explored()


def test_there_is_something_to_explore() -> None:
    assert len(STATES) > 100


def test_heat_takes_one_result_and_never_anothers() -> None:
    assert not [state for state in STATES if state.taken > 1 or state.wrong]


def test_the_server_forgets_only_what_heat_has() -> None:
    assert not [state for state in STATES if not state.owes and not state.taken]


def test_a_stack_completes_from_everywhere_once_nothing_more_happens() -> None:
    for state in STATES:
        end = settled(state)
        assert end.taken == 1, state
        assert not end.looks, state
        # Only who lost Heat's word after the last look goes on asking, until its address ends.
        assert not end.owes or end.lost_word, state
        assert end.owes or set(end.queue) <= {WORD, RESULT}, state


def test_all_is_cleaned_up_where_the_storage_keeps_what_it_has() -> None:
    for state in STATES:
        if not state.emptied and state.looks:
            end = settled(state)
            assert (end.owes, set(end.queue)) == (False, {WORD}), state


def settled(state: State) -> State:
    """A server and an engine that look in turn, undisturbed."""
    for _ in range(4):
        state = looked_at_by_heat(looked_at_by_the_server(state))
    return state
