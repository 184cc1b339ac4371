# SPDX-License-Identifier: Apache-2.0
"""What a run that was cut comes to, by what its config says that it means."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heat_config import deployment
from heat_config.result import INTERRUPTED, Result
from heat_config.run import answering, runlog
from heat_config.run.scope import Scope
from heat_config.run.store import Begun, Store
from heat_config.settings import Settings
from tests.support.deployments import script

NOTHING = Begun()
RERUN = {"interrupted": "rerun"}
SUCCEED = {"interrupted": "succeed"}


@pytest.fixture
def of_earlier_boot() -> Begun:
    return Begun(False, {**Scope.new("c1").note, "boot": "an earlier one"})


@pytest.fixture
def of_this_boot() -> Begun:
    return Begun(False, Scope.new("c1").note)


@pytest.fixture
def cut(settings: Settings) -> Callable[..., Result]:
    """What is answered for a run that was cut, after it has logged something."""

    def report(begun: Begun, log: str = "so far\n", **more: Any) -> Result:
        each = deployment.read(script("x", **more))
        path = runlog.path_of(each.id, settings)
        path.parent.mkdir(exist_ok=True)
        path.write_text(log)
        return answering.after_cut(each, begun, settings)

    return report


@pytest.fixture
def deploy_cut(settings: Settings, deploy: Any) -> Callable[..., int]:
    """Run the agent for a config that was begun and cut before."""

    def run(item: dict[str, Any], begun: Begun) -> int:
        Store(settings).begin(deployment.read(item), begun)
        status: int = deploy(item)
        return status

    return run


def test_a_run_that_was_cut_is_a_failure_with_its_output_so_far(
    cut: Callable[..., Result], of_this_boot: Begun
) -> None:
    result = cut(of_this_boot)
    assert result.status_code == 1
    assert result.outputs == {INTERRUPTED: True}
    assert result.stderr.startswith("so far\nthe run was interrupted: the agent stopped")
    assert "heat-config run --force c1" in result.stderr


@pytest.mark.parametrize("meaning", ["fail", "perhaps", None, [], 7, "rerun "])
def test_only_what_is_asked_for_in_words_is_another_meaning(
    cut: Callable[..., Result], of_earlier_boot: Begun, meaning: object
) -> None:
    item = script("x", options={"interrupted": meaning})
    assert not answering.is_to_be_repeated(deployment.read(item))
    assert cut(of_earlier_boot, options=item["options"]).status_code == 1


def test_it_may_mean_success_after_a_reboot(
    cut: Callable[..., Result], of_earlier_boot: Begun
) -> None:
    result = cut(of_earlier_boot, options=SUCCEED)
    assert (result.status_code, result.stdout) == (0, "so far\n")
    assert "as the config expects" in result.stderr
    assert not result.outputs


def test_without_a_reboot_it_means_no_success(
    cut: Callable[..., Result], of_this_boot: Begun
) -> None:
    """The agent alone was stopped: the script has not come to its reboot, and may never do so."""
    assert cut(of_this_boot, options=SUCCEED).status_code == 1


def test_of_an_agent_that_noted_no_boot_its_word_counts(cut: Callable[..., Result]) -> None:
    assert cut(NOTHING, options=SUCCEED).status_code == 0
    assert cut(NOTHING).status_code == 1


def test_of_a_long_log_the_end_is_repeated(cut: Callable[..., Result], of_this_boot: Begun) -> None:
    result = cut(of_this_boot, log="x" * 2 * answering.SO_FAR + "the end\n")
    assert "xthe end\nthe run was interrupted" in result.stderr
    assert len(result.stderr) < answering.SO_FAR + 1000


def test_a_run_that_was_cut_before_it_wrote_anything_has_no_log(settings: Settings) -> None:
    result = answering.after_cut(deployment.read(script("x")), NOTHING, settings)
    assert result.stderr.startswith("the run was interrupted")


@pytest.mark.parametrize("options", ["text", None, [1], 7])
def test_what_is_malformed_is_named_although_it_was_cut(
    cut: Callable[..., Result], of_this_boot: Begun, options: object
) -> None:
    """It was never run: there was nothing to be cut but its answer."""
    result = cut(of_this_boot, options=options, inputs="text")
    assert result.status_code == 1
    assert result.stderr == "'inputs' is a string, not a list\n"
    item = script("x", options=options, inputs="text")
    assert not answering.is_to_be_repeated(deployment.read(item))


def test_one_that_is_malformed_and_was_cut_does_not_stop_the_others(
    settings: Settings, deploy: Any, answer: Any, hook: Callable[[str], None]
) -> None:
    hook("echo done")
    bad = script("x", config_id="bad", options="text")
    Store(settings).begin(deployment.read(bad), NOTHING)
    deploy(bad, script("x", group="sh"))
    assert answer("bad")["deploy_stderr"] == "'options' is a string, not a map\n"
    assert answer("c1")["deploy_stdout"] == "done\n"


def test_a_secret_that_was_logged_is_masked_in_what_is_repeated(
    settings: Settings, deploy_cut: Callable[..., int], answer: Any
) -> None:
    item = script("x", inputs=[{"name": "deploy_password", "value": "hunter22"}])
    written = runlog.RunLog(runlog.path_of("c1", settings), 1000)
    written.write("the password is hunter22")
    deploy_cut(item, NOTHING)
    assert "the password is ***\n" in answer("c1")["deploy_stderr"]


def test_it_may_mean_to_run_again(
    deploy_cut: Callable[..., int],
    hook: Callable[[str], None],
    runs: Callable[[], int],
    of_this_boot: Begun,
    answer: Any,
) -> None:
    hook("echo run >> $RUNS; echo again")
    assert deploy_cut(script("x", group="sh", options=RERUN), of_this_boot) == 0
    assert runs() == 1
    assert answer("c1")["deploy_stdout"] == "again\n"


def test_it_is_not_run_again_while_processes_of_the_first_run_cannot_be_ended(
    deploy_cut: Callable[..., int],
    settings: Settings,
    hook: Callable[[str], None],
    runs: Callable[[], int],
    of_this_boot: Begun,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hook("echo run >> $RUNS")
    item = script("x", group="sh", options=RERUN)
    with monkeypatch.context() as patch:
        patch.setattr(Scope, "lives", lambda _: True)
        patch.setattr(Scope, "end", lambda *_: False)
        assert deploy_cut(item, of_this_boot) == 2
    assert runs() == 0
    assert "processes of the run before cannot be ended" in capsys.readouterr().err
    assert not Store(settings).has_ended("c1")


# From here on the first run's processes are real ones, which outlive their agent.

# A first run stays, and says who it is; a later one says whether the first still lives.
STAY_OR_LOOK = """
echo run >> $RUNS
first=$RUNS.first
if [ -e $first ]; then
    read -r _ _ state _ < /proc/$(cat $first)/stat || state=ended
    echo "the first run: $state"
else
    echo $$ > $first.new
    mv $first.new $first
    exec sleep 600
fi
"""


@pytest.fixture
def left_behind(
    settings: Settings,
    tmp_path: Path,
    hook: Callable[[str], None],
    runs: Callable[[], int],  # noqa: ARG001 - the script's variable
) -> Iterator[Callable[[dict[str, Any]], int]]:
    """Run a config, and kill its agent and the hook with -9 while what it started goes on.

    Returns the number of the process that is left.
    """
    hook(STAY_OR_LOOK)
    first = tmp_path / "runs.first"
    left: list[int] = []

    def begin(item: dict[str, Any]) -> int:
        Path(settings.config_file).write_text(json.dumps([item]))
        code = "import sys; from heat_config.cli import main; sys.exit(main(['run']))"
        environment = {**os.environ, "HEAT_CONFIG_HOOKS": settings.hook_folders[0]}
        with subprocess.Popen([sys.executable, "-c", code], env=environment) as agent:
            wait_until(first.exists)
            agent.kill()
        left.append(int(first.read_text()))
        return left[0]

    yield begin
    for pid in left:
        if lives(pid):
            os.kill(pid, signal.SIGKILL)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether a process is there, and no zombie, which nobody may wait for in a container."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def test_before_it_is_run_again_the_first_run_is_ended(
    left_behind: Callable[..., int], deploy: Any, answer: Any, runs: Callable[[], int]
) -> None:
    item = script("x", group="sh", options=RERUN)
    pid = left_behind(item)
    assert lives(pid)
    assert deploy(item) == 0
    assert not lives(pid)
    assert runs() == 2
    assert answer("c1")["deploy_stdout"] in ("the first run: ended\n", "the first run: Z\n")


def test_before_an_operator_forces_it_the_first_run_is_ended(
    left_behind: Callable[..., int], settings: Settings, answer: Any
) -> None:
    from heat_config.run import loop

    pid = left_behind(script("x", group="sh"))
    assert loop.run(settings, force="c1") == 0
    assert not lives(pid)
    assert answer("c1")["deploy_stdout"] in ("the first run: ended\n", "the first run: Z\n")


def test_success_is_not_answered_while_the_script_goes_on(
    left_behind: Callable[..., int], deploy: Any, answer: Any, runs: Callable[[], int]
) -> None:
    """It may still fail."""
    item = script("x", group="sh", options=SUCCEED)
    pid = left_behind(item)
    assert deploy(item) == 0
    assert lives(pid)
    assert answer("c1")["deploy_status_code"] == 1
    assert "What it had started is still running" in answer("c1")["deploy_stderr"]
    assert runs() == 1
