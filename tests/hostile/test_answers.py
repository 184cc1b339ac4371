# SPDX-License-Identifier: Apache-2.0
"""What a queue holds or answers and is no metadata: what is there holds, and the next one heals."""

from __future__ import annotations

import pytest

from tests.support.hostile import answers, messages
from tests.support.hostile.world import World, assert_foreseen


@pytest.mark.parametrize("name", messages.INPUTS)
def test_a_message(server: World, name: str) -> None:
    kept = server.good()
    server.post(server.metadata(kept))

    log = server.post_text(messages.INPUTS[name])
    server.change_another_source()
    log += server.poll()

    assert_foreseen(log)
    assert kept["id"] in server.asked() or '"deployments": ' in messages.INPUTS[name]
    assert server.queue.there == {}
    server.assert_well(kept["id"])


@pytest.mark.parametrize("name", answers.INPUTS)
def test_an_answer(server: World, name: str) -> None:
    kept = server.good()
    server.post(server.metadata(kept))
    server.queue.listing = answers.INPUTS[name]
    try:
        server.change_another_source()
        log = server.poll()
    finally:
        server.queue.listing = None

    assert_foreseen(log)
    assert server.asked() == [kept["id"]]
    server.assert_well(kept["id"])
