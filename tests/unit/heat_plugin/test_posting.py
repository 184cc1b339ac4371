# SPDX-License-Identifier: Apache-2.0
"""Metadata on a queue that has a limit: as they are, compressed, or refused with size and limit."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from heat_config.cloud import packed
from heat_config.cloud.errors import CloudError, Outcome
from heat_plugin import posting
from heat_plugin.posting import Stored

LIMIT = 1000
SMALL = {"deployments": ["x"]}
LARGE = {"deployments": ["x" * LIMIT]}
RANDOM = {"deployments": [secrets.token_hex(LIMIT)]}


class Limited:
    """A queue as Zaqar keeps it."""

    def __init__(self, outcome: Outcome = Outcome.TOO_LARGE) -> None:
        self._outcome = outcome
        self.bodies: list[Any] = []

    def post(self, body: object, ttl: int) -> None:
        assert ttl == 60
        if len(json.dumps(body)) > LIMIT:
            raise CloudError("Message collection size is too large. Max size 1000", self._outcome)
        self.bodies.append(body)


def test_what_fits_is_posted_as_it_is() -> None:
    queue = Limited()
    posting.post(queue, SMALL, 60)
    assert queue.bodies == [SMALL]


def test_what_is_too_large_is_compressed() -> None:
    queue = Limited()
    posting.post(queue, LARGE, 60)
    (body,) = queue.bodies
    assert packed.is_packed(body)
    assert packed.unpacked(body) == LARGE


def test_another_refusal_is_no_reason_to_compress() -> None:
    queue = Limited(Outcome.REFUSED)
    with pytest.raises(CloudError, match="too large"):
        posting.post(queue, LARGE, 60)
    assert queue.bodies == []


def test_what_is_too_large_all_the_same_names_sizes_and_limit() -> None:
    with pytest.raises(CloudError, match=r"have 2\d+ bytes, \d+ compressed: .*Max size 1000"):
        posting.post(Limited(), RANDOM, 60)


def test_what_a_server_would_not_unpack_is_not_posted() -> None:
    queue = Limited()
    with pytest.raises(CloudError, match="a server takes 4194304") as raised:
        posting.post(queue, {"deployments": ["x" * packed.LARGEST]}, 60)
    assert raised.value.outcome is Outcome.TOO_LARGE
    assert queue.bodies == []


def test_what_has_changed_since_it_was_read_is_posted_again() -> None:
    states = [Stored("q", True, {"deployments": each}) for each in (["a"], ["a", "b"])]
    read = iter([states[0], states[1], states[1]])
    put: list[Stored] = []
    posting.post_current(lambda: next(read), put.append)
    assert put == states


def test_what_changes_for_ever_is_not_posted_for_ever() -> None:
    put: list[Stored] = []
    posting.post_current(lambda: Stored("q", True, {"deployments": len(put)}), put.append)
    assert len(put) == 5


def test_nothing_is_posted_where_there_is_no_queue() -> None:
    put: list[Stored] = []
    posting.post_current(lambda: None, put.append)
    assert put == []
