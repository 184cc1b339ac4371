# SPDX-License-Identifier: Apache-2.0
"""A deployment gets its answer, and one alone, wherever its run was cut.

Runs are cut at every one of their steps, as by kill -9 or a power cut. The policy and all that
is on disk are the real ones; the queue is a file, from which Heat takes one message.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from heat_config import process, signals
from heat_config.cloud.errors import Outcome
from heat_config.delivery.outbox import Outbox
from heat_config.result import Result
from heat_config.run import cgroup, loop, scope
from heat_config.run.refreshed import Refreshed
from heat_config.settings import Settings
from tests.support.clock import Clock
from tests.support.deployments import inputs, script
from tests.support.far_end import queue_of

# Notes each run by its config's id, writes to its log and to its outputs.
HOOK = """
{ cat; echo; } | sed -n 's/.*"id": "\\([^"]*\\)".*/\\1/p' >> "$RUNS"
echo in the log >&2
echo '{"deploy_stdout": "out", "deploy_status_code": 0, "x": 1}'
"""
ANSWER = {"deploy_stdout": "out", "deploy_stderr": "", "deploy_status_code": 0, "x": 1}

CUT = 86
ENDED = 0
# Runs after which nothing may be left, an hour after each other: a copy is looked for twice.
ENOUGH = 3


class Heat:
    """Heat and its queues, in a file: waits for one answer to each deployment, then for none."""

    def __init__(self, path: Path, *, is_quick: bool) -> None:
        self._path = path
        self._is_quick = is_quick
        self._write({"queue": [], "answers": []})

    def answers(self) -> list[tuple[str, dict[str, Any]]]:
        """What it has taken, by the configs' ids."""
        return [(each, message) for each, message in self._read()["answers"]]

    def left(self) -> list[Any]:
        """What waits on the queues for the next update."""
        queue: list[Any] = self._read()["queue"]
        return queue

    def post(self, config_id: str, message: dict[str, Any]) -> None:
        """Take a message on a deployment's queue."""
        now = self._read()
        now["queue"].append((config_id, message))
        self._write(now)
        if self._is_quick:
            self.look()

    def remove(self, config_id: str) -> None:
        """Remove a config's messages."""
        now = self._read()
        now["queue"] = [each for each in now["queue"] if each[0] != config_id]
        self._write(now)

    def signal(self, config_id: str, message: dict[str, Any]) -> None:
        """Take a notification, which is ignored unless Heat waits."""
        now = self._read()
        if config_id not in dict(now["answers"]):
            now["answers"].append((config_id, message))
        self._write(now)

    def look(self) -> None:
        """Pop one message for each deployment that waits."""
        now = self._read()
        for each in list(now["queue"]):
            if each[0] not in dict(now["answers"]):
                now["queue"].remove(each)
                now["answers"].append(each)
        self._write(now)

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._path.read_text())
        return found

    def _write(self, now: dict[str, Any]) -> None:
        self._path.write_text(json.dumps(now))


class Life:
    """One server's life: runs of the agent for some deployments, most of them cut."""

    group = "sh"
    config: Any = "x"

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        options: dict[str, Any],
        ids: list[str],
        *,
        heat_is_quick: bool = True,
    ) -> None:
        folder.mkdir()
        self.options = options
        self.ids = ids
        self.heat = Heat(folder / "heat", is_quick=heat_is_quick)
        self._runs = folder / "runs"
        self._runs.touch()
        self._clock = Clock()
        self._boots = 0
        places = ("config_file", "deployed", "outbox", "logs", "unfinished")
        moved: Any = {name: str(folder / name) for name in places}
        self.settings = settings._replace(**moved)
        asked = [
            script(
                "",
                config_id=each,
                group=self.group,
                config=self.config,
                inputs=inputs(**queue_of(each)),
                options=options,
            )
            for each in ids
        ]
        Path(self.settings.config_file).write_text(json.dumps(asked))

    def run(self, *, cut_at: int = 0, torn: bool = False, force: str | None = None) -> int:
        """Run the agent in a process that ends at that step, if it has so many.

        ``torn``: the power is cut. Of what was not yet flushed then nothing has reached the
        disk, and the server boots.
        """
        self._clock.now += 3600
        child = os.fork()
        if not child:
            try:
                scissors = _Scissors(cut_at, torn=torn)
                self._prepare(scissors)
                os._exit(self._agent(force))
            finally:
                os._exit(99)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self._boots += torn and status == CUT
        return status

    def _agent(self, force: str | None) -> int:
        return loop.run(self.settings, force=force)

    def run_to_the_end(self) -> None:
        """Run it uncut until nothing is left to do; then Heat looks, too."""
        for _ in range(ENOUGH):
            assert self.run() == ENDED
            if not Outbox(self.settings).ids():
                break
        self.heat.look()

    def runs(self, config_id: str) -> int:
        return self._runs.read_text().split().count(config_id)

    def check(self) -> None:
        """Every deployment was answered once, with what is true; nothing is left to do."""
        assert sorted(each for each, _ in self.heat.answers()) == self.ids
        for each, message in self.heat.answers():
            self._check_message(each, message)
            kept = Path(self.settings.deployed, f"{each}.notify.json").read_text()
            assert json.loads(kept) == message
        self.check_nothing_is_left()

    def check_nothing_is_left(self) -> None:
        assert self.heat.left() == []
        outbox = Outbox(self.settings)
        assert outbox.ids() == outbox.abandoned_ids() == []
        assert not Path(self.settings.unfinished).exists()

    def _check_message(self, config_id: str, message: dict[str, Any]) -> None:
        meaning = self.options.get("interrupted", "fail")
        if message == ANSWER:
            assert self.runs(config_id) == 1 or (self.runs(config_id) and meaning == "rerun")
            return
        assert "the run was interrupted" in message["deploy_stderr"]
        assert meaning != "rerun"
        assert message["deploy_status_code"] in self._codes_of_a_cut(meaning)
        assert self.runs(config_id) <= 1

    def _codes_of_a_cut(self, meaning: str) -> tuple[int, ...]:
        """A success is one only if the server was booted."""
        return (0, 1) if meaning == "succeed" and self._boots else (1,)

    def _prepare(self, scissors: _Scissors) -> None:
        """Put this process on that server; it is used for nothing else."""
        os.environ["RUNS"] = str(self._runs)
        patch = pytest.MonkeyPatch()
        self._clock.take_place(patch)
        patch.setattr(scope, "_boot_id", lambda: f"boot {self._boots}")
        patch.setattr(cgroup, "HIERARCHIES", ())

        def queue(_: object, config_id: str, *__: object) -> _Queue:
            return _Queue(self.heat, config_id, scissors)

        def resource(address: Mapping[str, Any], _: object) -> _Resource:
            return _Resource(self.heat, address["deploy_resource_name"], scissors)

        patch.setattr(signals, "prepare", lambda *_: None)
        patch.setattr(signals, "sender_of", queue)
        patch.setattr(signals, "queue_of", queue)
        patch.setattr(signals, "heat_of", resource)
        scissors.take_hold()


class Refreshing(Life):
    """One whose runs are os-refresh-config's, for what os-apply-config has applied."""

    group = "os-apply-config"
    config = {"k": 1}  # noqa: RUF012 - never changed

    def _agent(self, _: str | None) -> int:
        return loop.run(self.settings) or loop.refreshed(self.settings, Refreshed())

    def _check_message(self, _: str, message: dict[str, Any]) -> None:
        assert message["deploy_status_code"] == 0
        assert "os-refresh-config has ended well" in message["deploy_stdout"]


_replace, _unlink, _run = os.replace, os.unlink, process.run


class _Scissors:
    """Counts what a process changes, on the disk and at the far end, and ends it at one step."""

    def __init__(self, cut_at: int, *, torn: bool) -> None:
        self._left = cut_at
        self._torn = torn
        self._unflushed: list[Callable[[], object]] = []

    def take_hold(self) -> None:
        """Put a step before each change; in a process that is used for nothing else."""
        changed: Any = os
        changed.fsync, changed.replace, changed.unlink = self._fsync, self._rename, self._remove
        process.run = self._run_program

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            if self._torn:
                for undo in reversed(self._unflushed):
                    undo()
            os._exit(CUT)

    def _fsync(self, descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            self.step()
            self._unflushed.clear()
            return
        half = os.fstat(descriptor).st_size // 2
        self._unflushed.append(lambda: os.ftruncate(descriptor, half))
        self.step()  # and no fsync: the machine stays up
        self._unflushed.pop()

    def _rename(self, source: Path, target: Path) -> None:
        self.step()
        self._remember(target)
        _replace(source, target)

    def _remove(self, path: Path) -> None:
        self.step()
        self._remember(path)
        _unlink(path)

    def _run_program(self, *args: Any, **options: Any) -> process.Completed:
        self.step()
        completed = _run(*args, **options)
        self.step()
        return completed

    def _remember(self, path: Path) -> None:
        """How a name stands on the disk until its folder is flushed."""
        old = path.read_bytes() if path.is_file() else None

        def undo() -> None:
            if old is not None:
                path.write_bytes(old)
            elif path.exists():
                _unlink(path)

        self._unflushed.append(undo)


class _Resource:
    """The way to Heat's API; it may be cut before and after what it does."""

    limit = 100_000

    def __init__(self, heat: Heat, config_id: str, scissors: _Scissors) -> None:
        self._heat, self._id, self._scissors = heat, config_id, scissors

    def post(self, result: Result) -> str:
        self._does(lambda: self._heat.signal(self._id, result.as_dict()))
        return "Heat"

    def _does(self, change: Callable[[], None]) -> None:
        self._scissors.step()
        change()
        self._scissors.step()


class _Queue(_Resource):
    """The way to the deployment's queue."""

    def post(self, result: Result) -> str:
        self._does(lambda: self._heat.post(self._id, result.as_dict()))
        return "the queue"

    def find(self) -> Outcome:
        self._scissors.step()
        is_there = any(each[0] == self._id for each in self._heat.left())
        return Outcome.PRESENT if is_there else Outcome.ABSENT

    def remove(self) -> None:
        self._does(lambda: self._heat.remove(self._id))


OPTIONS = [{}, {"interrupted": "rerun"}, {"interrupted": "succeed"}]


@pytest.fixture(autouse=True)
def scripted(hook: Callable[[str], None]) -> None:
    hook(HOOK)


def steps_to_the_end(life_of: Callable[[str], Life], *, torn: bool) -> int:
    """Cut a life at each of its steps, and check how it goes on; return how many there are."""
    for step in count(1):
        life = life_of(f"life-{step}")
        status = life.run(cut_at=step, torn=torn)
        life.run_to_the_end()
        life.check()
        if status != CUT:
            assert status == ENDED
            return step
    raise AssertionError("it has no end")


@pytest.mark.parametrize("heat_is_quick", [True, False], ids=["popped", "left"])
@pytest.mark.parametrize("torn", [False, True], ids=["killed", "torn"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_wherever_a_run_is_cut_each_deployment_is_answered_once(
    settings: Settings, tmp_path: Path, heat_is_quick: bool, torn: bool, options: dict[str, Any]
) -> None:
    def life(name: str) -> Life:
        return Life(tmp_path / name, settings, options, ["c1"], heat_is_quick=heat_is_quick)

    assert steps_to_the_end(life, torn=torn) > 15


@pytest.mark.parametrize("torn", [False, True], ids=["killed", "torn"])
def test_wherever_the_answers_to_what_is_applied_are_cut_each_is_answered_once(
    settings: Settings, tmp_path: Path, torn: bool
) -> None:
    def life(name: str) -> Life:
        return Refreshing(tmp_path / name, settings, {}, ["c1", "c2"])

    assert steps_to_the_end(life, torn=torn) > 25


@pytest.mark.parametrize("torn", [False, True], ids=["killed", "torn"])
@pytest.mark.parametrize("options", OPTIONS[:2], ids=str)
def test_wherever_a_forced_run_is_cut_nothing_is_left_for_the_next_update(
    settings: Settings, tmp_path: Path, torn: bool, options: dict[str, Any]
) -> None:
    """The deployment is COMPLETE. What is posted on its queue would be the update's answer."""
    for step in count(1):
        life = Life(tmp_path / f"life-{step}", settings, options, ["c1"])
        assert life.run() == ENDED
        assert life.heat.answers() == [("c1", ANSWER)]
        status = life.run(cut_at=step, torn=torn, force="c1")
        life.run_to_the_end()
        assert life.heat.answers() == [("c1", ANSWER)]
        life.check_nothing_is_left()
        if status != CUT:
            break
    assert status == ENDED
    assert step > 15


@rules(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=2, max_size=5),
    options=st.sampled_from(OPTIONS),
    heat_is_quick=st.booleans(),
)
def test_however_often_runs_are_cut_each_deployment_is_answered_once(
    settings: Settings,
    tmp_path: Path,
    cuts: list[tuple[int, bool]],
    options: Mapping[str, Any],
    heat_is_quick: bool,
) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        path = Path(folder, "life")
        life = Life(path, settings, dict(options), ["c1", "c2"], heat_is_quick=heat_is_quick)
        for step, torn in cuts:
            assert life.run(cut_at=step, torn=torn) in (CUT, ENDED)
        for _ in range(2):
            life.run_to_the_end()
            life.check()
