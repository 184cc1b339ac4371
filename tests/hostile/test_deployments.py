# SPDX-License-Identifier: Apache-2.0
"""A deployment of which one part is not what it must be: the others of its metadata are run."""

from __future__ import annotations

import json

import pytest

from tests.support.deployments import script, to
from tests.support.hostile import deployments
from tests.support.hostile.world import World, assert_foreseen

BATCHES = deployments.inputs(script("true", config_id="hostile", inputs=to("http://x/hostile")))


@pytest.mark.parametrize("part", BATCHES)
def test_a_deployment(server: World, part: str) -> None:
    """All values of one part at once, each with an id and an address of its own."""
    first, last = server.good(), server.good()
    texts = {}
    for number, (value, text) in enumerate(BATCHES[part].items()):
        config_id = f"{part.replace(' ', '-')}-{number}"
        url = f"http://127.0.0.1:{server.results.server_port}/{config_id}"
        texts[value] = text.replace('"hostile"', f'"{config_id}"').replace("http://x/hostile", url)

    log = server.post_deployments(json.dumps(first), *texts.values(), json.dumps(last))

    assert_foreseen(log)
    for each in (first, last):
        assert server.has_succeeded(each["id"]), log[-3000:]
    assert server.status().returncode in (0, 1, 2)
    server.assert_well()
