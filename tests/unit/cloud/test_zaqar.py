# SPDX-License-Identifier: Apache-2.0
"""Listing a queue as Zaqar's driver for Redis lists it, whose pages leave out what has expired."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from requests import Response

from heat_config.collect.queue import PAGE, Queue


class Zaqar:
    """Some messages in their order; each is there, "claimed" or "expired"."""

    project_id = "project"

    def __init__(self, *states: str, refuses_claimed: bool = False) -> None:
        self.states = {f"m{number:03}": state for number, state in enumerate(states)}
        self.refuses_claimed = refuses_claimed
        self.requests = 0

    def endpoint(self, _: str) -> str:
        return "http://zaqar.example"

    def request(self, url: str, _: str, **__: Any) -> Response:
        self.requests += 1
        query = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
        claimed = "include_claimed" in query
        response = Response()
        response.status_code = 503 if claimed and self.refuses_claimed else 200
        found = self._page(query.get("marker", ""), claimed)
        more = {"rel": "next", "href": f"/messages?marker={found[-1]}"} if found else None
        page = {"messages": [{"id": each} for each in found], "links": [more] if more else []}
        response._content = json.dumps(page).encode()
        return response

    def _page(self, marker: str, claimed: bool) -> list[str]:
        ids = list(self.states)
        shown = ("there", "claimed") if claimed else ("there",)
        if not marker:
            start = next((n for n, each in enumerate(ids) if self.states[each] == "there"), 0)
        else:
            # The driver takes the rank 0 of the first message for none.
            start = ids.index(marker) + 1 if marker in ids and ids.index(marker) else 0
        return [each for each in ids[start : start + PAGE] if self.states[each] in shown]


def listed(zaqar: Zaqar) -> list[int]:
    queue = Queue(zaqar, "queue")  # type: ignore[arg-type]
    return [int(message.id[1:]) for message in queue.messages()]


def test_an_empty_queue_costs_one_request() -> None:
    zaqar = Zaqar()
    assert listed(zaqar) == []
    assert zaqar.requests == 1


@pytest.mark.parametrize("count", [1, 2, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE])
def test_all_are_listed_once_and_in_order(count: int) -> None:
    zaqar = Zaqar(*["there"] * count)
    assert listed(zaqar) == list(range(count))
    assert zaqar.requests <= count / PAGE + 4


def test_what_is_claimed_is_listed_where_it_belongs() -> None:
    assert listed(Zaqar("claimed", "there", "claimed", "there")) == [0, 1, 2, 3]


def test_while_all_is_claimed_there_is_nothing() -> None:
    assert listed(Zaqar("claimed", "claimed")) == []


def test_a_page_that_has_expired_hides_nothing_behind_it() -> None:
    states = ["claimed", "there", *["expired"] * 3 * PAGE, "there", "there"]
    zaqar = Zaqar(*states[:1], *states[2:])
    assert listed(zaqar) == [0, 3 * PAGE + 1, 3 * PAGE + 2]
    assert listed(Zaqar(*["expired"] * 2 * PAGE, "there")) == [2 * PAGE]


def test_a_short_page_is_not_taken_for_the_last() -> None:
    states = ["there", *["expired"] * (PAGE - 2), "there", "there"]
    assert listed(Zaqar(*states)) == [0, PAGE - 1, PAGE]


def test_where_claimed_ones_are_not_told_the_others_are() -> None:
    assert listed(Zaqar("claimed", "there", "there", refuses_claimed=True)) == [1, 2]
