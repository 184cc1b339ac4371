# SPDX-License-Identifier: Apache-2.0
"""A run's processes, really forked, in each kind of scope that this machine can have."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from heat_config import process
from heat_config.run import cgroup, scope
from heat_config.run.scope import Scope
from tests.support.overdue import run_overdue

REPOSITORY = Path(__file__).parents[3]

HIERARCHIES = {
    "version 2": cgroup.HIERARCHIES[:2],
    "version 1": cgroup.HIERARCHIES[2:],
}


def can_be_had(hierarchies: tuple[tuple[str, str], ...]) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cgroup, "HIERARCHIES", hierarchies)
        group = cgroup.make("probe")
    if group:
        cgroup.remove(group)
    return group is not None


GROUPS = [kind for kind, hierarchies in HIERARCHIES.items() if can_be_had(hierarchies)]
# Without root, or in a container, this may be the only one.
VARIABLE = "variable alone"


@pytest.fixture(params=[*GROUPS, VARIABLE])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scope]:
    """The scope of a run; what a test leaves in it is ended."""
    monkeypatch.setattr(cgroup, "HIERARCHIES", HIERARCHIES.get(request.param, ()))
    made = Scope.new("c1")
    assert (made.group is None) == (request.param == VARIABLE)
    yield made
    assert made.end(0)


def sh(text: str, of: Scope) -> process.Completed:
    return process.run(["/bin/sh", "-c", text], scope=of, time_limit=60)


@pytest.fixture
def sh_until_a_line(tmp_path: Path) -> Callable[[str, Scope], process.Completed]:
    """Run a script, whose shell then waits for a line of what it has started."""
    said = tmp_path / "said"

    def run_script(text: str, of: Scope) -> process.Completed:
        text = f"{text}\nwhile [ ! -e {said} ]; do sleep 0.01; done"
        command = ["/bin/sh", "-c", text]
        return process.run(command, scope=of, time_limit=60, on_stdout=lambda _: said.touch())

    return run_script


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def soon(true: Callable[[], bool]) -> bool:
    """Whether it becomes true within some seconds."""
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def in_python(text: str) -> str:
    return f"{sys.executable} -c '{text}'"


DAEMON = """
import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.chdir("/")
print(os.getpid(), flush=True)
for number in range(3): os.close(number)
time.sleep(300)
"""
AWAY = {
    "in the background": "sleep 300 & echo $!",
    "in a session of its own": "setsid sleep 300 & echo $!",
    "without a parent": "(setsid sh -c 'echo $$; exec sleep 300' &)",
    "a daemon": in_python(DAEMON),
    "it will not end": "setsid sh -c 'trap \"\" TERM; echo $$; sleep 300; sleep 300' &",
    "it is stopped": "setsid sh -c 'echo $$; kill -STOP $$' &",
}


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY)
def test_the_time_limit_ends_what_has_got_away(
    run: Scope, away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE", 0.3)
    completed = run_overdue(f"{away}\nexec sleep 300", monkeypatch, run)
    assert completed.status == process.TIMED_OUT
    assert not is_running(int(completed.stdout))
    assert not run.lives()


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY)
def test_what_a_run_has_left_in_time_is_left_alone_and_the_next_agent_can_end_it(
    run: Scope, away: str, sh_until_a_line: Callable[[str, Scope], process.Completed]
) -> None:
    left = int(sh_until_a_line(away, run).stdout)
    assert is_running(left)
    run.tidy()
    found = Scope.from_note(json.loads(json.dumps(run.note)))
    assert found == run
    assert found.lives()
    assert found.end(0.3)
    assert not is_running(left)
    assert not found.lives()
    assert run.group is None or not run.group.exists()


@pytest.mark.parametrize("run", GROUPS, indirect=True)
def test_an_empty_environment_is_no_way_out_of_a_group(
    run: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "env -i setsid sleep 300 & echo $!; exec sleep 300"
    completed = run_overdue(text, monkeypatch, run)
    assert not is_running(int(completed.stdout))


@pytest.mark.parametrize("run", GROUPS, indirect=True)
def test_what_has_been_moved_out_of_the_group_is_known_by_its_environment(
    run: Scope, sh_until_a_line: Callable[[str, Scope], process.Completed]
) -> None:
    assert run.group
    move = f"setsid sh -c 'echo $$ > {run.group.parent}/cgroup.procs; echo $$; exec sleep 300' &"
    moved = int(sh_until_a_line(move, run).stdout)
    assert moved not in cgroup.pids(run.group)
    assert run.lives()
    assert run.end(1)
    assert not is_running(moved)


@pytest.mark.parametrize("run", GROUPS, indirect=True)
def test_what_makes_groups_of_its_own_is_still_in_the_runs(
    run: Scope, sh_until_a_line: Callable[[str, Scope], process.Completed]
) -> None:
    below = f"{run.group}/below"
    # Tests that run beside this one sweep what is empty.
    enters = f"until mkdir -p {below} && echo $$ > {below}/cgroup.procs; do :; done 2> /dev/null"
    text = f"env -i sh -c '{enters}; echo $$; exec sleep 300' &"
    left = int(sh_until_a_line(text, run).stdout)
    assert run.lives()
    assert run.end(1)
    assert not is_running(left)
    assert not Path(below).exists()


def test_a_program_that_goes_on_forking_is_ended(run: Scope) -> None:
    text = "trap '' TERM; while :; do setsid sleep 300 & sleep 0.01; done"
    left = f'setsid sh -c "{text}" > /dev/null 2>&1 & sleep 0.3'
    sh(left, run)
    assert run.lives()
    assert run.end(0.3)
    assert not run.lives()


AGENT = """
import json
from heat_config import process
from heat_config.run.scope import Scope
scope = Scope.new("c1")
print(json.dumps(scope.note), flush=True)
process.run(["/bin/sh", "-c", "setsid sleep 300 & echo $! >&2; exec sleep 300"],
            scope=scope, on_stderr=lambda line: print(line, flush=True))
"""


def test_after_an_agent_was_killed_the_next_finds_what_it_has_started() -> None:
    agent = subprocess.Popen(
        [sys.executable, "-c", AGENT],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
    )
    with agent:
        assert agent.stdout
        found = Scope.from_note(json.loads(agent.stdout.readline()))
        left = int(agent.stdout.readline())
        agent.kill()
    assert found
    assert found.lives()
    assert found.end(1)
    assert not is_running(left)
    assert not found.lives()


def test_what_is_asked_to_end_may_say_something(
    run: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "trap 'echo asked; exit 0' TERM; setsid sleep 300 & echo up; while :; do sleep 0.1; done"
    assert run_overdue(text, monkeypatch, run).stdout == b"up\nasked\n"


def test_who_is_left_after_the_program_itself_has_time_to_end(
    run: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = in_python(
        # Not print: it may be in the middle of one when it is asked to end.
        "import os, signal, time\nsignal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.5), "
        'os.write(1, b"x" * 200_000 + b"the last\\n"), os._exit(0)))\n'
        "print(flush=True)\ntime.sleep(300)"
    )
    completed = run_overdue(f"{last} & sleep 300", monkeypatch, run)
    assert completed.stdout.endswith(b"the last\n")
    assert len(completed.stdout) > 200_000


def test_the_next_run_does_not_touch_the_last(run: Scope) -> None:
    left = int(sh("setsid sleep 300 & echo $!", run).stdout)
    other = Scope.new("c1")
    sh("setsid sleep 300 &", other)
    assert other.lives()
    assert other.end(1)
    assert is_running(left)
    assert run.lives()


def test_after_a_reboot_nothing_lives(run: Scope) -> None:
    sh("setsid sleep 300 &", run)
    before = Scope.from_note({**run.note, "boot": "another"})
    assert before
    assert (before.rebooted, before.lives()) == (True, False)
    assert (run.rebooted, run.lives()) == (False, True)


def test_a_process_that_nobody_has_waited_for_is_not_alive(run: Scope) -> None:
    with run.entered():
        child = subprocess.Popen(["sleep", "0"], env={**os.environ, **run.variables})
    assert soon(lambda: not run.lives())
    assert f"{child.pid} (sleep) Z" in Path(f"/proc/{child.pid}/stat").read_text()
    child.wait()


def test_another_process_with_the_number_of_one_that_has_ended_is_left_alone(
    run: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "300"]) as other:
        with monkeypatch.context() as patch:
            patch.setattr(Scope, "_pids", lambda _: {other.pid})
            patch.setattr(scope, "KILLED_WITHIN", 0.1)
            assert not run.end(0.1)
        assert other.poll() is None
        other.kill()


def test_the_agent_does_not_end_itself(run: Scope) -> None:
    """A script may start one, and that one may take over when the first was killed."""
    with run.entered():
        assert not run.lives()
        child = subprocess.Popen(
            ["sh", "-c", "trap '' TERM; echo; exec sleep 300"],
            env={**os.environ, **run.variables},
            stdout=subprocess.PIPE,
        )
        with child:
            assert child.stdout and child.stdout.readline()
            assert run.lives()
            assert run.end(0.1)
    assert child.returncode == -signal.SIGKILL


def test_what_cannot_be_ended_is_not_waited_for_without_a_limit(
    run: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    sh("setsid sleep 300 &", run)
    with monkeypatch.context() as patch:
        patch.setattr(signal, "pidfd_send_signal", lambda *_: None)
        patch.setattr(cgroup, "kill", lambda _: None)
        patch.setattr(scope, "KILLED_WITHIN", 0.2)
        assert not run.end(0.2)


def test_a_program_that_cannot_be_started_says_so_and_the_agent_is_where_it_was(
    run: Scope,
) -> None:
    before = Path("/proc/self/cgroup").read_text()
    with pytest.raises(FileNotFoundError):
        process.run(["/nonexistent/program"], scope=run)
    assert Path("/proc/self/cgroup").read_text() == before
    assert not run.lives()


def test_a_group_that_has_gone_is_made_again(run: Scope) -> None:
    run.tidy()
    sh("setsid sleep 300 &", run)
    assert run.group is None or cgroup.pids(run.group)
    assert run.lives()


@pytest.mark.parametrize("run", GROUPS, indirect=True)
def test_a_group_that_is_swept_at_the_moment_of_entering_is_made_again(
    run: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter, sweeps = cgroup._enter, [run.group]

    def enter_swept(group: Path) -> None:
        if swept := sweeps.pop() if sweeps else None:
            cgroup.remove(swept)
        enter(group)

    monkeypatch.setattr(cgroup, "_enter", enter_swept)
    sh("env -i setsid sleep 300 &", run)
    assert run.lives()


@pytest.mark.parametrize("run", GROUPS, indirect=True)
def test_an_emptied_group_is_removed_by_a_later_run(run: Scope) -> None:
    assert run.group
    left = int(sh("setsid sleep 300 & echo $!", run).stdout)
    run.tidy()
    Scope.new("c2").tidy()
    assert run.group.exists()
    os.kill(left, signal.SIGKILL)
    assert soon(lambda: not run.lives())
    Scope.new("c2").tidy()
    assert not run.group.exists()


@pytest.mark.parametrize("run", GROUPS, indirect=True)
def test_an_agent_that_a_run_has_left_makes_its_groups_beside(run: Scope) -> None:
    with run.entered():
        other = Scope.new("c2")
        sh("setsid env -i sleep 300 &", other)
    assert run.group and other.group
    assert other.group.parent == run.group.parent
    assert other.lives()
    assert not run.lives()
    assert other.end(1)


def test_the_environment_of_the_caller_counts(run: Scope) -> None:
    said = process.run(["/usr/bin/env"], env={"A": "1"}, scope=run).stdout.decode().splitlines()
    assert {"A=1", f"HEAT_CONFIG_RUN={run.mark}"} <= set(said)
    assert not [line for line in said if line.startswith("HOME=")]


GROUP = "/sys/fs/cgroup/system.slice/c1-0123.heat-config"
GOOD = {"boot": "b", "mark": "c1-0123", "group": GROUP}


@pytest.mark.parametrize(
    "note",
    [
        None,
        "text",
        [],
        {},
        {**GOOD, "boot": 1},
        {**GOOD, "mark": ""},
        {**GOOD, "mark": None},
        {**GOOD, "group": 7},
        {"boot": "b", "mark": "m"},
    ],
)
def test_a_note_that_is_none_is_of_no_scope(note: object) -> None:
    assert Scope.from_note(note) is None


@pytest.mark.parametrize(
    ("group", "kept"),
    [
        (GROUP, True),
        (None, False),
        ("", False),
        ("/", False),
        ("/sys/fs/cgroup/system.slice", False),
        ("/sys/fs/cgroup/other.heat-config", False),
        ("/sys/fs/cgroup/../../../tmp/c1-0123.heat-config", False),
        ("/tmp/c1-0123.heat-config", False),
        ("c1-0123.heat-config\0", False),
    ],
)
def test_only_a_group_that_can_be_the_runs_is_taken_from_a_note(group: object, kept: bool) -> None:
    found = Scope.from_note({**GOOD, "group": group, "more": 1})
    assert found
    assert (found.group is not None) == kept
    assert not found.lives()
