# SPDX-License-Identifier: Apache-2.0
"""A slow, huge, gzip-bombing, half-closing server against every request: bounded, and said.

``make hostile-server`` prints the table.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable

import pytest

from tests.support.checkout import REPOSITORY
from tests.support.hostile_client import ASK, Seen
from tests.support.hostile_server import LASTS, NO_FAULT, HostileServer, cells, prepare

# Seconds that a request is given; a collector makes several, and the machine may be busy.
DEADLINE = 1
MOST_SECONDS = LASTS - 15
# The answer as it comes, as a text and as JSON's values; unpacked without a limit it would be 300.
MOST_MEGABYTES = 200


@pytest.fixture(scope="module")
def seen() -> list[Seen]:
    prepare()
    with HostileServer() as server:
        jobs = [
            [
                target,
                fault,
                *(server.address(target, fault, each) for each in ("identity", "plain")),
            ]
            for target, fault in cells()
        ]
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.hostile_client"],
            input="".join(json.dumps(job) + "\n" for job in jobs),
            env={
                **os.environ,
                "PYTHONPATH": str(REPOSITORY),
                "HEAT_CONFIG_DEADLINE": str(DEADLINE),
                "HEAT_CONFIG_SETTINGS": os.devnull,
                "NO_PROXY": "*",
            },
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found = [Seen(*json.loads(line)) for line in done.stdout.splitlines()]
    _print(found)
    return found


def test_every_request_meets_everything(seen: list[Seen]) -> None:
    assert sorted((each.target, each.fault) for each in seen) == sorted(cells())
    assert {each.target for each in seen} == set(ASK)


def test_a_request_is_served_where_nothing_befalls_it(seen: list[Seen]) -> None:
    """Else nothing would have been seen of the others."""
    plain = {each.target: each.outcome for each in seen if each.fault == NO_FAULT}
    connects = {"websocket-handshake"}  # and is then left alone
    assert {name for name, said in plain.items() if said not in ("served", "collected")} == connects


def test_each_ends_long_before_the_server_does(seen: list[Seen]) -> None:
    assert [each for each in seen if each.seconds > MOST_SECONDS] == []


def test_each_ends_in_little_memory(seen: list[Seen]) -> None:
    assert [each for each in seen if each.megabytes > MOST_MEGABYTES] == []


def test_each_ends_as_an_outcome_and_no_fault(seen: list[Seen]) -> None:
    assert [each for each in seen if each.outcome.startswith(("fault", "did not"))] == []


def _print(found: Iterable[Seen]) -> None:
    for by in ("target", "fault"):
        print(f"\n{by:26} requests  slowest s  most MB  outcomes")
        for name in dict.fromkeys(getattr(each, by) for each in found):
            rows = [each for each in found if getattr(each, by) == name]
            seconds, megabytes = (max(row[at] for row in rows) for at in (3, 4))
            outcomes = ", ".join(sorted({row.outcome for row in rows}))
            print(f"{name:26} {len(rows):8}  {seconds:9.1f}  {megabytes:7.1f}  {outcomes}")
