# SPDX-License-Identifier: Apache-2.0
"""The schedules of faults: that they are drawn, broken and counted as they say."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from faults import nursery, schedule, wires
from faults.results import drawing, judge
from faults.results.direction import RESULTS
from faults.results.drive import Outcome
from faults.results.judge import (
    DUPLICATED,
    LOST,
    RUN_TWICE,
    UNANSWERED,
    WINDOW,
    Order,
    Problem,
    Seen,
)
from faults.results.schedule import AFTER_RUN, IN_HOOK, REBOOT, SIGNED, Asked, Attempt, Schedule
from faults.wires import Line
from lab.wire import Exchange

# What the agent does to make a file durable, as a program of its own.
WRITE = """
import os, sys
folder = sys.argv[1]
descriptor = os.open(f"{folder}/new", os.O_WRONLY | os.O_CREAT)
os.write(descriptor, b"new")
os.fsync(descriptor)
os.replace(f"{folder}/new", f"{folder}/file")
above = os.open(folder, os.O_RDONLY)
os.fsync(above)
print("promised", flush=True)
os.unlink(f"{folder}/file")
os.fsync(above)
"""


def make(seed: int, number: int = 400) -> list[Schedule]:
    return [drawing.make(seed, each) for each in range(number)]


def attempts(schedules: list[Schedule]) -> list[Attempt]:
    return [attempt for each in schedules for one in each.rounds for attempt in one.attempts]


def test_the_same_seed_makes_the_same_schedules() -> None:
    assert make(5, 50) == make(5, 50)
    assert make(5, 50) != make(6, 50)


def test_a_schedule_does_not_depend_on_the_others() -> None:
    assert drawing.make(5, 17) == make(5, 30)[17]


def test_every_crash_point_has_its_turn() -> None:
    crashes = [one.attempts[0].crash for each in make(3, 240) for one in each.rounds[:1]]
    points = {crash.at for crash in crashes if crash and not crash.power}
    assert points == set(range(1, drawing.CRASH_POINTS + 1))


def test_now_and_then_the_power_of_a_booted_server_goes() -> None:
    boots = [each for each in make(3, 200) if each.family == REBOOT]
    assert [each.number for each in boots] == [49, 99, 149, 199]
    first, again = boots[0].rounds[0].attempts[:2]
    assert (first.boot, again.boot) == (IN_HOOK, AFTER_RUN)
    assert first.is_cut and not first.programs


def test_every_fault_is_drawn_and_known() -> None:
    drawn = {
        step
        for attempt in attempts(make(1, 2000))
        for steps in attempt.requests.values()
        for step in steps
    }
    kinds = {*schedule.BEFORE, *schedule.AFTER, *schedule.KILLS, "late", "timeout", "ok"}
    assert drawn >= kinds
    assert drawn <= set(wires.ACTIONS)


def test_a_schedule_is_told_in_words() -> None:
    text = "\n".join(drawing.make(1, 1).lines())
    assert "schedule 1 of seed 1" in text
    assert "crash: {'at': " in text


@dataclass
class Shown:
    config_id: str = "new"
    status: str = "COMPLETE"
    output_values: dict[str, Any] = field(default_factory=dict)


OLD = Order(Asked("zaqar-0"), "s1r1d1", "old", 0)
NEW = Order(Asked("zaqar-0"), "s1r2d1", "new", 2)
GOOD = {"s1r2d1": "s1r2d1", "deploy_status_code": 0, "deploy_stdout": "s1r2d1 begins\n"}


def seen(**changed: Any) -> Seen:
    """What is seen of NEW when all is well, save what is changed."""
    facts: dict[str, Any] = {
        "shown": Shown(output_values=GOOD),
        "left": [],
        "stored": GOOD,
        "runs": 1,
        "cuts": 0,
        "cut": False,
        "queue": "q",
        "journal": [event(), event(), post()],
        "others": [OLD, NEW],
    }
    return Seen(**{**facts, **changed})


def event(**facts: Any) -> Line:
    return Line(0.0, "", "something", **facts)


def request(wire: str, exchange: Exchange, step: str = "ok") -> Line:
    return Line(0.0, wire, step, exchange)


def post(answered: int | None = 201, step: str = "ok") -> Line:
    return request("zaqar", Exchange("POST", "/v2/queues/q/messages", 201, answered), step)


def look(answered: int | None = 200) -> Line:
    return request("zaqar", Exchange("GET", "/v2/queues/q/messages", None, answered))


def removal() -> Line:
    return request("zaqar", Exchange("DELETE", "/v2/queues/q/messages/1", 204, 204))


def signal(forwarded: int | None = 200, answered: int | None = 200) -> Line:
    return request(
        "heat", Exchange("POST", "/v1/p/stacks/s/resources/r/signal", forwarded, answered)
    )


def kinds(found: Seen) -> list[str]:
    return [problem.kind for problem in judge.problems(NEW, found)]


def test_nothing_is_wrong_when_all_is_well() -> None:
    assert kinds(seen()) == []


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        (LOST, {"shown": Shown(status="IN_PROGRESS")}),
        (LOST, {"shown": Shown(output_values={"deploy_status_code": 0})}),
        (LOST, {"shown": Shown(config_id="another")}),
        (UNANSWERED, {"shown": Shown(status="IN_PROGRESS"), "stored": None}),
        (RUN_TWICE, {"runs": 2}),
        (LOST, {"abandoned": "older than a day"}),
        (UNANSWERED, {"pending": True}),
        (DUPLICATED, {"stored": {"deploy_status_code": 1, "deploy_stderr": "interrupted"}}),
        (DUPLICATED, {"left": [{"body": {"deploy_config_id": "new"}}]}),
        (DUPLICATED, {"journal": [event(), event(), post(), post()]}),
        (DUPLICATED, {"shown": Shown(output_values={**GOOD, "deploy_stdout": "s1r1d1 ends\n"})}),
    ],
)
def test_what_is_wrong_is_counted(kind: str, changed: dict[str, Any]) -> None:
    if kind == DUPLICATED and "shown" in changed:
        changed["shown"].output_values.pop("s1r2d1")
    assert kinds(seen(**changed)) == [kind]


def test_a_result_that_was_cut_must_be_what_the_server_keeps() -> None:
    cut = {"deploy_status_code": 1, "deploy_stderr": "interrupted"}
    assert kinds(seen(shown=Shown(output_values=cut), stored=cut, cut=True)) == []
    assert kinds(seen(shown=Shown(output_values=cut), stored=cut)) == [LOST]
    assert kinds(seen(shown=Shown(output_values=cut), cut=True)) == [LOST]


def test_on_a_full_disk_a_config_may_be_answered_without_a_run() -> None:
    full = {"deploy_status_code": 1, "deploy_stderr": "not run, because the disk is full"}
    answered = {"shown": Shown(output_values=full), "stored": full}
    assert kinds(seen(**answered, full=True, runs=0)) == []
    assert kinds(seen(**answered, full=True, runs=1)) == [LOST]
    assert kinds(seen(**answered, runs=0)) == [LOST]


def test_a_config_may_ask_to_be_run_again() -> None:
    rerun = Order(Asked("zaqar-0", interrupted="rerun"), NEW.token, NEW.config_id, NEW.begin)
    twice = seen(runs=3, cuts=1)
    assert judge.problems(rerun, twice) == []
    assert [problem.kind for problem in judge.problems(rerun, seen(runs=4, cuts=1))] == [RUN_TWICE]


@pytest.mark.parametrize(
    ("lines", "excused"),
    [
        pytest.param([post(201), signal(None, 503), post()], False, id="it knew"),
        pytest.param([post(503), post()], False, id="it did not ask Heat"),
        pytest.param([post(503), signal(None, 503), post()], True, id="Heat did not answer"),
        pytest.param([post(503), signal(200, 503), post()], False, id="Heat had it"),
        pytest.param([post(503), event(away=("heat",)), post()], True, id="Heat was away"),
        pytest.param([event(away=("heat",)), post(503), post()], True, id="Heat was away before"),
        pytest.param(
            [event(away=("heat",)), event(), post(503), post()], False, id="Heat was back"
        ),
        pytest.param([post(201), event(is_cut=True), signal(None, 404), post()], True, id="cut"),
        pytest.param([post(None, "late"), signal()], True, id="still on its way"),
        pytest.param([post(503), signal()], False, id="not removed"),
        pytest.param([post(503), signal(), look(503)], False, id="tried once"),
        pytest.param([post(503), signal(), *[look(503)] * 3], True, id="queue out of reach"),
        pytest.param([post(503), signal(), *[look(503)] * 3, removal()], False, id="removed"),
        pytest.param([signal(200, 503), post()], False, id="posted what Heat had"),
    ],
)
def test_the_window_is_seen_by_what_went_over_the_wires(lines: list[Line], excused: bool) -> None:
    assert judge.is_the_window("q", lines) is excused


def test_what_fell_into_the_window_is_counted_apart() -> None:
    lines = [event(), event(), post(503), signal(None, 503), post()]
    assert kinds(seen(journal=lines)) == [WINDOW]
    # The old config's copy, which the new one has got.
    taken = Shown(output_values={"deploy_stdout": "s1r1d1 ends\n", "deploy_status_code": 0})
    old = Order(Asked("zaqar-0"), "s1r1d1", "old", 0)
    new = Order(Asked("zaqar-0"), "s1r2d1", "new", 3)
    lines = [post(503), signal(None, 503), post(), post()]
    problems = judge.problems(new, seen(shown=taken, journal=lines, others=[old, new]))
    assert [problem.kind for problem in problems] == [WINDOW]
    # Then the new one's own is left.
    left = [{"body": {"deploy_config_id": "new"}}]
    problems = judge.problems(new, seen(shown=taken, journal=lines, others=[old, new], left=left))
    assert [problem.kind for problem in problems] == [WINDOW, WINDOW]


def test_an_answer_without_a_run_tells_whose_it_is() -> None:
    told = "no hook for group 'nonesuch-s1r1d1' on this server: there are hooks for script"
    shown = Shown(output_values={"deploy_stderr": told, "deploy_status_code": 127})
    assert kinds(seen(shown=shown)) == [DUPLICATED]


def test_what_is_left_of_what_fell_into_the_window_is_a_consequence() -> None:
    taken = Shown(output_values={"deploy_stdout": "s1r1d1 ends\n", "deploy_status_code": 0})
    assert kinds(seen(shown=taken, windows={"s1r1d1"})) == [WINDOW]
    assert kinds(seen(shown=taken, windows={"s1r7d1"})) == [DUPLICATED]


@pytest.mark.parametrize(("came", "kind"), [(0.5, WINDOW), (1.5, DUPLICATED)])
def test_what_was_late_belongs_to_when_it_came(came: float, kind: str) -> None:
    taken = Shown(output_values={"deploy_stdout": "s1r1d1 ends\n", "deploy_status_code": 0})
    asks = Line(1.0, "", "Heat asks")
    late = post(None, "late")._replace(at=2.0, came=came)
    new = Order(Asked("zaqar-0"), "s1r2d1", "new", 1)
    lines = [event(), asks, late]
    problems = judge.problems(new, seen(shown=taken, journal=lines, others=[OLD, new]))
    assert [problem.kind for problem in problems] == [kind]


def crash(folder: Path, at: int, power: float = 0, program: str = WRITE) -> tuple[int, str]:
    """Run the program until it crashes; return its status and what it said."""
    state = folder / "state"
    for path in (state, folder / "attic"):
        path.mkdir(parents=True)
    (state / "file").write_text("old")
    environment = {
        **os.environ,
        "PYTHONPATH": str(nursery.INJECT),
        "FAULTS_STATE": str(state),
        "FAULTS_ATTIC": str(folder / "attic"),
        "FAULTS_NOTES": str(folder / "notes"),
        "FAULTS_CRASH_AT": str(at),
        "FAULTS_POWER": str(power),
    }
    done = subprocess.run(
        [sys.executable, "-c", program, state], env=environment, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.parametrize("power", [0, 0.5, 1])
def test_a_crash_leaves_the_old_file_or_the_new_one(tmp_path: Path, power: float) -> None:
    found = []
    for at in range(1, 14):
        folder = tmp_path / str(at)
        status, said = crash(folder, at, power)
        file = folder / "state/file"
        found.append((status, bool(said), file.read_text() if file.exists() else ""))
    # Before and after: open, fsync, replace, fsync of the folder, unlink, fsync of the folder.
    assert [status for status, _, _ in found] == [-9] * 12 + [0]
    assert {content for _, said, content in found if not said} == {"old", "new"}
    assert "old" not in {content for _, said, content in found if said}
    assert found[-1][2] == ""


def test_a_power_cut_takes_back_what_was_not_flushed(tmp_path: Path) -> None:
    careless = WRITE.replace("os.fsync(descriptor)\n", "").replace("os.fsync(above)\n", "")
    # After the file has its name, before anything is flushed.
    _, said = crash(tmp_path / "crash", 5, 0, careless)
    assert said
    assert (tmp_path / "crash/state/file").read_text() == "new"
    _, said = crash(tmp_path / "cut", 5, 1, careless)
    assert said
    assert (tmp_path / "cut/state/file").read_text() == "old"
    assert (tmp_path / "cut/state/new").read_text() == ""


def test_a_crash_is_noted_for_the_history(tmp_path: Path) -> None:
    crash(tmp_path / "at", 6)
    assert (tmp_path / "at/notes").read_text() == "after replace file\n"


def test_the_last_line_says_it_all(capsys: pytest.CaptureFixture[str]) -> None:
    found = RESULTS.report(7)
    found.add(Outcome(drawing.make(7, 0), orders=[NEW]))
    assert found.end() == 0
    *_, window, last = capsys.readouterr().out.splitlines()
    assert window == "window: 0"
    zeros = "lost: 0, duplicated: 0, run twice: 0, unanswered: 0"
    assert last == f"schedules: 1, deployments: 1, {zeros}"


def test_a_loss_is_told_with_what_repeats_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = RESULTS.report(7)
    lost = [Problem(LOST, NEW.token, "Heat still waits"), Problem(LOST, NEW.token, "again")]
    made = drawing.make(7, 3)
    found.add(Outcome(made, orders=[NEW], problems=lost, history=["what happened"]))
    found.add(Outcome(made, orders=[NEW], problems=[Problem(WINDOW, NEW.token, "known")]))
    assert found.end() == 1
    out = capsys.readouterr().out
    assert "what happened\nLOST: s1r2d1: Heat still waits\n" in out
    assert "python -m faults --seed 7 --only 3\n" in out
    assert "\nwindow: 1\nschedules: 2, deployments: 2, lost: 1, duplicated: 0," in out


SIGNED_ONE = Order(Asked("signed-0"), "s1r2d1", "new", 2)


def of(config_id: str) -> dict[str, Any]:
    return {"body": {"deploy_config_id": config_id}}


@pytest.mark.parametrize("left", [[], [of("new")]])
def test_a_second_copy_for_a_signed_address_does_no_harm(left: list[dict[str, Any]]) -> None:
    facts = seen(left=left, journal=[event(), event(), post(), post()])
    assert judge.problems(SIGNED_ONE, facts) == []
    assert len(judge.posts(SIGNED_ONE, facts)) == 2


def test_another_config_s_result_on_a_signed_queue_is_told() -> None:
    (problem,) = judge.problems(SIGNED_ONE, seen(left=[of("old")]))
    assert problem.kind == DUPLICATED


@pytest.mark.parametrize(
    ("slot", "config_id", "is_harmful"),
    [("signed-0", "new", False), ("signed-0", "old", True), ("zaqar-0", "new", True)],
)
def test_what_a_forced_run_leaves_does_harm_where_the_next_action_finds_it(
    slot: str, config_id: str, is_harmful: bool
) -> None:
    order = Order(Asked(slot), "s1r2d1", "new", 2)
    assert judge.harmful(order, [of(config_id)]) == ([of(config_id)] if is_harmful else [])


def test_signed_deployments_are_drawn_in_all_families_but_some_and_lose_their_queues() -> None:
    schedules = make(3, 400)
    signed = [
        each
        for each in schedules
        for one in each.rounds
        if any(asked.slot in SIGNED for asked in one.asked)
    ]
    families = {each.family for each in schedules}
    assert families - {each.family for each in signed} == {"forced", "versions", "agents"}
    assert any(one.emptied for each in signed for one in each.rounds)


def test_a_server_with_signed_deployments_alone_asks_zaqar_alone() -> None:
    alone = [
        each
        for each in make(3, 400)
        if all(asked.slot in SIGNED for one in each.rounds for asked in one.asked)
    ]
    wires_of = {wire for attempt in attempts(alone) for wire in attempt.requests}
    assert alone and wires_of == {schedule.ZAQAR}
