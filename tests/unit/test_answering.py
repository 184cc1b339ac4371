# SPDX-License-Identifier: Apache-2.0
"""A deployment gets its answer, and one alone, wherever its run was cut."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from heat_config import deployment, process, signals
from heat_config.delivery.outbox import Entry, Outbox
from heat_config.result import Result
from heat_config.run import answering, runlog
from heat_config.run import loop as agent
from heat_config.run.store import Store
from heat_config.settings import Settings
from heat_config.signals.sender import Accepted
from tests.support.deployments import script

# Notes each run by its config's id, writes to its log and to its outputs.
HOOK = """#!/bin/sh
{ cat; echo; } | sed -n 's/.*"id": "\\([^"]*\\)".*/\\1/p' >> "$RUNS"
echo in the log >&2
echo '{"deploy_stdout": "out", "deploy_status_code": 0, "x": 1}'
"""
ANSWER = {"deploy_stdout": "out", "deploy_stderr": "", "deploy_status_code": 0, "x": 1}


@pytest.fixture(autouse=True)
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hooks" / "script"
    path.parent.mkdir()
    path.write_text(HOOK)
    path.chmod(0o755)
    monkeypatch.setenv("HEAT_CONFIG_HOOKS", str(path.parent))
    monkeypatch.setenv("RUNS", str(tmp_path / "runs"))


@pytest.fixture
def runs(tmp_path: Path) -> Callable[[], int]:
    path = tmp_path / "runs"
    return lambda: len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture
def cut(settings: Settings) -> Callable[..., Result]:
    """What is answered for a run that was cut, after it has logged something."""

    def report(log: str = "so far\n", **more: Any) -> Result:
        each = deployment.read(script("x", **more))
        Store(settings).begin(each)
        path = answering.log_path(each.id, settings)
        path.parent.mkdir(exist_ok=True)
        path.write_text(log)
        return answering.after_cut(each, settings)

    return report


def test_a_run_that_was_cut_is_a_failure_with_its_output_so_far(
    cut: Callable[..., Result], runs: Callable[[], int]
) -> None:
    result = cut()
    assert result.status_code == 1
    assert result.stderr.startswith("so far\nthe run was interrupted")
    assert "heat-config run --force c1" in result.stderr
    assert runs() == 0


@pytest.mark.parametrize("meaning", ["fail", "perhaps", None, [], 7])
def test_only_what_is_asked_for_in_words_is_another_meaning(
    cut: Callable[..., Result], runs: Callable[[], int], meaning: object
) -> None:
    assert cut(options={"interrupted": meaning}).status_code == 1
    assert runs() == 0


def test_it_may_mean_success(cut: Callable[..., Result], runs: Callable[[], int]) -> None:
    result = cut(options={"interrupted": "succeed"})
    assert (result.status_code, result.stdout) == (0, "so far\n")
    assert "as the config expects" in result.stderr
    assert runs() == 0


def test_it_may_mean_to_run_again(cut: Callable[..., Result], runs: Callable[[], int]) -> None:
    assert cut(options={"interrupted": "rerun"}).as_dict() == ANSWER
    assert runs() == 1


def test_of_a_long_log_the_end_is_repeated(cut: Callable[..., Result]) -> None:
    result = cut(log="x" * 2 * answering.SO_FAR + "the end\n")
    assert "xthe end\nthe run was interrupted" in result.stderr
    assert len(result.stderr) < answering.SO_FAR + 1000


def test_a_run_that_was_cut_before_it_wrote_anything_has_no_log(
    cut: Callable[..., Result], settings: Settings
) -> None:
    result = cut(log="")
    answering.log_path("c1", settings).unlink()
    assert cut(log="").stderr == result.stderr
    assert result.stderr.startswith("the run was interrupted")


@pytest.mark.parametrize("options", ["text", None, [1], 7])
def test_what_is_malformed_is_named_although_it_was_cut(
    cut: Callable[..., Result], options: object
) -> None:
    """It was never run: there was nothing to be cut but its answer."""
    result = cut(options=options, inputs="text")
    assert result.status_code == 1
    assert result.stderr == "'inputs' is a string, not a list\n"


def test_one_that_is_malformed_and_was_cut_does_not_stop_the_others(
    settings: Settings, deploy: Any, answer: Any
) -> None:
    bad = script("x", config_id="bad", options="text")
    Store(settings).begin(deployment.read(bad))
    deploy(bad, script("x"))
    assert answer("bad")["deploy_stderr"] == "'options' is a string, not a map\n"
    assert answer("c1") == ANSWER


def test_a_secret_that_was_logged_is_masked_in_what_is_repeated(
    settings: Settings, deploy: Any, answer: Any
) -> None:
    item = script("x", inputs=[{"name": "deploy_password", "value": "hunter22"}])
    Store(settings).begin(deployment.read(item))
    path = answering.log_path("c1", settings)
    written = runlog.RunLog(path, 1000, lambda line: line)
    written.write("the password is hunter22")
    deploy(item)
    assert "the password is ***\n" in answer("c1")["deploy_stderr"]


# From here on runs are cut at every one of their steps, as by kill -9 or a power cut.

CUT = 86
ENDED = 0


class Life:
    """One server's life: runs of the agent for some deployments, most of them cut."""

    def __init__(
        self, folder: Path, settings: Settings, options: dict[str, Any], ids: list[str]
    ) -> None:
        folder.mkdir()
        self._folder = folder
        self.options = options
        moved: Any = {
            name: str(folder / name) for name in ("config_file", "deployed", "outbox", "logs")
        }
        self._settings = settings._replace(**moved)
        inputs = [{"name": "deploy_queue_id", "value": "q"}]
        self.ids = ids
        asked = [script("x", config_id=each, inputs=inputs, options=options) for each in self.ids]
        Path(self._settings.config_file).write_text(json.dumps(asked))
        (folder / "runs").touch()
        (folder / "queue").touch()

    def run(self, *, cut_at: int = 0, torn: bool = False) -> int:
        """Run the agent in a process that ends at that step, if it has so many.

        ``torn``: of what was not yet flushed then, nothing has reached the disk.
        """
        child = os.fork()
        if not child:
            try:
                os.environ["RUNS"] = str(self._folder / "runs")
                scissors = _Scissors(cut_at, torn=torn)
                scissors.take_hold()
                signals.sender_for = lambda entry, *_: _Queue(
                    self._folder / "queue", entry, scissors
                )
                os._exit(agent.run(self._settings))
            finally:
                os._exit(99)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def runs(self, config_id: str) -> int:
        return (self._folder / "runs").read_text().split().count(config_id)

    def messages(self) -> list[Any]:
        return [json.loads(line) for line in (self._folder / "queue").read_text().splitlines()]

    def check(self) -> None:
        """Every deployment was answered once, with what is true; nothing is left to do."""
        messages = dict(self.messages())
        assert sorted(each for each, _ in self.messages()) == self.ids
        for each, message in messages.items():
            assert self.runs(each) == 1 or self.options or message != ANSWER
            self._check_message(each, message)
            kept = Path(self._settings.deployed, f"{each}.notify.json").read_text()
            assert json.loads(kept) == message
        assert Outbox(self._settings).ids() == Outbox(self._settings).abandoned_ids() == []

    def _check_message(self, config_id: str, message: dict[str, Any]) -> None:
        if message == ANSWER:
            assert self.runs(config_id) >= 1
            return
        assert "the run was interrupted" in message["deploy_stderr"]
        meaning = self.options.get("interrupted", "fail")
        assert meaning != "rerun"
        assert message["deploy_status_code"] == (0 if meaning == "succeed" else 1)
        assert self.runs(config_id) <= 1


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


class _Queue:
    """In place of Zaqar: a queue that nobody reads, which is a file."""

    limit = 100_000
    heat_doubt = False

    def __init__(self, path: Path, entry: Entry, scissors: _Scissors) -> None:
        self._path = path
        self._scissors = scissors
        self._id, self.doubt = entry.id, entry.doubt

    def send(self, result: Result) -> Accepted:
        self._scissors.step()
        lines = [json.loads(line) for line in self._path.read_text().splitlines()]
        # As a post that may have arrived before is treated: looked for, not repeated.
        if not self.doubt or self._id not in dict(lines):
            with self._path.open("a") as file:
                file.write(json.dumps([self._id, result.as_dict()]) + "\n")
        self._scissors.step()
        return Accepted("the queue")

    def clean(self) -> None:
        raise AssertionError("nothing is superseded here")


OPTIONS = [{}, {"interrupted": "rerun"}, {"interrupted": "succeed"}]


@pytest.mark.parametrize(
    ("torn", "options"), [(False, {}), *((True, each) for each in OPTIONS)], ids=str
)
def test_wherever_a_run_is_cut_each_deployment_is_answered_once(
    settings: Settings, tmp_path: Path, torn: bool, options: dict[str, Any]
) -> None:
    for step in count(1):
        life = Life(tmp_path / f"life-{step}", settings, options, ["c1"])
        status = life.run(cut_at=step, torn=torn)
        assert life.run() == ENDED
        life.check()
        if status != CUT:
            break
    assert status == ENDED
    assert step > 15


@rules(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.tuples(st.integers(1, 25), st.booleans()), min_size=2, max_size=5),
    options=st.sampled_from(OPTIONS),
)
def test_however_often_runs_are_cut_each_deployment_is_answered_once(
    settings: Settings, tmp_path: Path, cuts: list[tuple[int, bool]], options: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        life = Life(Path(folder, "life"), settings, options, ["c1", "c2"])
        for step, torn in cuts:
            assert life.run(cut_at=step, torn=torn) in (CUT, ENDED)
        for _ in range(2):
            assert life.run() == ENDED
            life.check()
