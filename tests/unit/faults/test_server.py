# SPDX-License-Identifier: Apache-2.0
"""The faults of the server itself: its clock, its disks, its entries, and how they are judged."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from faults import insides, machine, nursery
from faults import schedule as shared
from faults.metadata import schedule as metadata
from faults.results import drawing, special
from faults.results.machine import Machine
from faults.results.schedule import (
    CLOCK,
    ENTRIES,
    FULL,
    NEWER,
    OLDER,
    RO,
    RW,
    SET_BACK,
    Attempt,
    Change,
    Schedule,
)
from heat_config.delivery import entry as entries

ENTRY = entries.as_dict(
    entries.Entry(
        "one",
        {"deploy_queue_id": "q"},
        {"deploy_status_code": 0},
        entries.Stage.MAYBE_QUEUED,
        since=1.0,
    )
)


def drawn(family: str, number: int = 60) -> list[Schedule]:
    return [special.make(1, each, family) for each in range(number)]


def changes(schedules: list[Schedule]) -> set[tuple[str, str]]:
    attempts = [attempt for each in schedules for one in each.rounds for attempt in one.attempts]
    return {(change.what, change.to) for attempt in attempts for change in attempt.changes}


def test_each_special_family_has_its_share() -> None:
    made = [drawing.family_of(number) for number in range(1000)]
    assert {made.count(family) for family in special.FAMILIES} == {40}


@pytest.mark.parametrize("family", special.FAMILIES)
def test_a_special_schedule_is_the_same_each_time(family: str) -> None:
    assert drawn(family) == drawn(family)
    assert len({"\n".join(each.lines()[1:]) for each in drawn(family)}) > 10


def test_the_clock_goes_wrong_in_every_way_and_only_the_timer_delivers() -> None:
    made = drawn("clock")
    clocks = (machine.RIGHT, machine.EARLY, machine.LATE, machine.TOMORROW)
    assert changes(made) == {(CLOCK, clock) for clock in clocks}
    assert {each.healers for each in made} == {(insides.RUN, insides.TIMER)}


def test_both_file_systems_go_wrong_in_every_way_and_new_metadata_does_not_come() -> None:
    made = drawn("mounts")
    assert changes(made) == {(what, to) for what in insides.SEPARATE for to in (RO, RW, FULL)}
    assert {(each.separate, each.healers) for each in made} == {
        (True, (insides.RESUME, insides.TIMER))
    }


def test_a_forced_run_is_cut_and_a_plain_one_follows() -> None:
    for each in drawn("forced"):
        first, second, *_ = each.forced
        assert first.programs == (insides.FORCE,)
        assert first.is_cut
        assert second.programs == (insides.RUN,)


def test_a_result_is_pending_when_many_are_at_work() -> None:
    for each in drawn("agents"):
        first, second = each.rounds
        assert second.joins
        assert not first.heals
        assert len(second.attempts[0].programs) > 1


def test_an_entry_is_older_or_newer_only_after_the_attempt_that_made_it() -> None:
    made = drawn("versions")
    assert changes(made) == {(ENTRIES, OLDER), (ENTRIES, NEWER)}
    assert not any(each.rounds[0].attempts[0].changes for each in made)


def test_an_attempt_reads_as_words() -> None:
    hindered = Attempt(room=0, changes=(Change("outbox", RO, 0.5), Change(CLOCK, "1970")))
    assert (
        str(hindered) == "programs: run; room: 0; changes: outbox is ro after 0.5 s, clock is 1970"
    )
    assert "requests: {'zaqar': ('ok',)}" in str(metadata.Life(requests={"zaqar": ("ok",)}))


def test_a_drawing_depends_on_its_text_alone() -> None:
    one, same, other = (shared.Drawing(text) for text in ("1/2", "1/2", "1/3"))
    numbers = [one.random.random() for _ in range(3)]
    assert [same.random.random() for _ in range(3)] == numbers
    assert [other.random.random() for _ in range(3)] != numbers


@pytest.fixture
def server(tmp_path: Path) -> Machine:
    made = Machine(
        tmp_path / "server",
        nursery.Nursery(tmp_path / "none"),
        Schedule(seed=1, number=1, family="", rounds=()),
    )
    folder = tmp_path / "server/disk/state/outbox"
    folder.mkdir(parents=True)
    (folder / "one.json").write_text(json.dumps(ENTRY))
    return made


def entry(server: Machine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((server.root / "disk/state/outbox/one.json").read_text())
    return found


def seconds(server: Machine) -> float:
    """The time since 1970 as a program of the server sees it."""
    program = "import time; print(time.time(), time.time_ns() / 1e9)"
    command = [sys.executable, "-c", program]
    ran = subprocess.run(
        command, env=server.environment, capture_output=True, text=True, check=True
    )
    first, second = map(float, ran.stdout.split())
    assert second == pytest.approx(first, abs=5)
    return first


@pytest.mark.parametrize(
    ("clock", "seen"),
    [(machine.EARLY, 600.0), (machine.LATE, 2_208_988_800.0)],
)
def test_a_program_sees_a_wrong_clock(server: Machine, clock: str, seen: float) -> None:
    server.change(CLOCK, clock)
    assert seconds(server) == pytest.approx(seen, abs=30)
    server.change(CLOCK, machine.RIGHT)
    assert seconds(server) == pytest.approx(time.time(), abs=30)


def test_a_day_may_have_gone_by(server: Machine) -> None:
    server.change(CLOCK, machine.TOMORROW)
    assert seconds(server) - time.time() > 86_400
    server.set_clock(machine.RIGHT, later=500.0)
    assert seconds(server) - time.time() == pytest.approx(500, abs=30)


def test_without_a_clock_of_its_own_a_program_sees_the_real_one(server: Machine) -> None:
    assert seconds(server) == pytest.approx(time.time(), abs=30)


def test_a_clock_jumps_while_a_program_runs(server: Machine) -> None:
    program = "import time; print(time.time(), flush=True); input(); print(time.time())"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdin and running.stdout
        before = float(running.stdout.readline())
        server.change(CLOCK, machine.EARLY)
        after, _ = running.communicate("\n")
    assert before == pytest.approx(time.time(), abs=30)
    assert float(after) == pytest.approx(600, abs=30)


def test_an_older_agent_has_written_what_it_knows(server: Machine) -> None:
    server.change(ENTRIES, OLDER)
    known = "id values message since doubt heat_doubt tries refusals bad_content due problem"
    assert list(entry(server)) == [*known.split(), "told_heat", "forced"]
    older = entry(server)
    assert (older["values"], older["doubt"], older["told_heat"]) == (ENTRY["address"], True, False)
    read, wrong = entries.read(json.dumps(older).encode(), "one")
    assert (read.stage, wrong) == (entries.Stage.MAYBE_QUEUED, [])


def test_a_newer_agents_entry_comes_through_and_is_set_back(server: Machine) -> None:
    server.change(ENTRIES, NEWER)
    newer = entry(server)
    assert newer["version"] == 1000
    assert server.harmed() == []
    server.change(ENTRIES, SET_BACK)
    assert entry(server) == {**ENTRY, "a_key_of_tomorrow": newer["a_key_of_tomorrow"]}
    assert server.harmed() == []


@pytest.mark.parametrize("kept", [True, False])
def test_what_harms_a_newer_agents_entry_is_noticed_once(server: Machine, *, kept: bool) -> None:
    server.change(ENTRIES, NEWER)
    path = server.root / "disk/state/outbox/one.json"
    path.write_text(json.dumps(ENTRY)) if kept else path.unlink()
    assert server.harmed() == ["one"]
    assert server.harmed() == []
    server.repair()
    assert path.exists() is kept


def test_what_is_pending_and_abandoned_is_seen(server: Machine) -> None:
    abandoned = server.root / "disk/state/outbox/abandoned"
    abandoned.mkdir()
    (abandoned / "two.json").write_text(json.dumps({**ENTRY, "problem": "the stack is gone"}))
    assert server.pending == ["one"]
    assert server.abandoned("two") == "the stack is gone"
    assert server.abandoned("one") == ""


def test_a_server_is_removed_with_all_that_it_has(server: Machine) -> None:
    server.close()
    assert not os.path.lexists(server.root)


def test_two_may_see_a_program_end_at_the_same_time() -> None:
    for _ in range(50):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = nursery.Child(ours, 0)
        with ThreadPoolExecutor(2) as pool:
            seen = [pool.submit(child.wait, 5.0) for _ in range(2)]
            theirs.send(b"-9")
            assert [each.result() for each in seen] == [-9, -9]
        assert child.poll() == -9
        child.close()
        theirs.close()
