# SPDX-License-Identifier: Apache-2.0
"""Whatever becomes of a deployment, its stack says so: each case as an operator reads it.

All stacks are created first, side by side; then one server is asked for what they all
ask for, so that what goes wrong with one is also seen not to stop the others.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.stack import Heat, Stack, wait_for
from tests.support.hooks import installed
from tests.support.server import HostServer
from tests.support.template import template

pytestmark = pytest.mark.timeout(900)

LINE = "línea " * 30 + "\n"
LINES = 5_000_000 // len(LINE.encode())
# Prints more than any signal can carry, with its beginning and its end marked.
PRINT_MUCH = f"""#!/bin/sh
echo the beginning
yes '{LINE[:-1]}' | head -n {LINES}
echo
echo the end
"""
# Prints, waits until the agent has logged that, and takes the agent and the hook along.
# The second time it ends well.
CUT = """#!/bin/sh
echo before the cut
[ -e $heat_outputs_path.again ] && exit 0
touch $heat_outputs_path.again
until grep -q 'before the cut' "$LOGS/$CONFIG_ID.log"; do sleep 0.01; done
read -r _ _ _ agent _ < /proc/$PPID/stat
kill -9 $agent $PPID
"""
# Leaves something in the background that outlives everything but the end of its group.
TOO_LONG = """#!/bin/sh
echo so far
sleep 600 &
echo $! > "$LOGS/$CONFIG_ID.pid"
wait
"""
# What HostServer's environment does not tell a script.
PRELUDE = "LOGS={logs} CONFIG_ID=${{heat_outputs_path##*/}}"

HOOKS = {
    "not-executable": "#!/bin/sh\n",
    "no-interpreter": "#!/nonexistent/interpreter\n",
    "killed": "#!/bin/sh\necho 'about to die' >&2\nkill -9 $$\n",
    "no-json": "#!/bin/sh\necho 'this is no JSON'\n",
    "no-object": "#!/bin/sh\necho '[1, 2]'\n",
    "empty-object": "#!/bin/sh\necho 'nothing to say' >&2\necho '{}'\n",
    "failing": "#!/bin/sh\necho 'it broke' >&2\nexit 9\n",
}

# Each in a stack of its own, which fails.
FAILING: dict[str, dict[str, Any]] = {
    "no_hook": {"group": "nonesuch", "config": "text"},
    "not_executable": {"group": "not-executable", "config": "text"},
    "no_interpreter": {"group": "no-interpreter", "config": "text"},
    "script_interpreter": {"config": "#!/nonexistent/perl\nprint 1;\n"},
    "killed": {"config": "#!/bin/sh\necho before\nkill -9 $$\n"},
    "killed_hook": {"group": "killed", "config": "text"},
    "failing_hook": {"group": "failing", "config": "text"},
    "cut": {"config": CUT},
    "no_reboot": {"config": CUT, "options": {"interrupted": "succeed"}},
    "too_long": {"config": TOO_LONG, "options": {"timeout": 5}},
    "too_long_by_default": {"config": TOO_LONG},
    "full_disk": {"config": "#!/bin/sh\necho done\n"},
    "component": {"config": "text"},
    "malformed": {"config": "text"},
    "no_group": {"group": "Heat::Ungrouped", "config": "#!/bin/sh\necho hello\n"},
    "large": {"config": f"{PRINT_MUCH}exit 3\n"},
}
# All in one stack, which becomes complete.
WELL: dict[str, dict[str, Any]] = {
    "no_json": {"group": "no-json", "config": "text"},
    "no_object": {"group": "no-object", "config": "text"},
    "empty_object": {"group": "empty-object", "config": "text"},
    "rerun": {"config": CUT, "options": {"interrupted": "rerun"}},
    "os_apply_config": {"group": "os-apply-config", "config": {"key": "value"}},
    "ungrouped": {"group": "Heat::Ungrouped", "config": {"other": "value"}},
    "large_zaqar": {"config": PRINT_MUCH, "signal_transport": "ZAQAR_SIGNAL"},
    "large_heat": {"config": PRINT_MUCH, "signal_transport": "HEAT_SIGNAL"},
    "large_cfn": {"config": PRINT_MUCH, "signal_transport": "CFN_SIGNAL"},
}


def stack_template(deployments: dict[str, dict[str, Any]], logs: Path) -> dict[str, Any]:
    made = template(
        server_transport="ZAQAR_MESSAGE", signal_transport="ZAQAR_SIGNAL", deployments=deployments
    )
    for name, wanted in deployments.items():
        resource = made["resources"][f"{name}_config"]
        config = resource["properties"]
        if isinstance(config["config"], dict):
            resource["type"] = "OS::Heat::StructuredConfig"
        if "options" in wanted:
            config["options"] = wanted["options"]
        if config["config"] in (CUT, TOO_LONG):
            first, rest = config["config"].split("\n", 1)
            config["config"] = f"{first}\n{PRELUDE.format(logs=logs)}\n{rest}"
        deployment = made["resources"][f"{name}_deployment"]["properties"]
        transport = wanted.get("signal_transport", deployment["signal_transport"])
        deployment["signal_transport"] = transport
    return made


def waiting_for_the_end(made: dict[str, Any]) -> dict[str, Any]:
    """The stack becomes complete when a wait condition of it is signalled, too."""
    handle = {"get_resource": "handle"}
    made["resources"] |= {
        "handle": {"type": "AWS::CloudFormation::WaitConditionHandle"},
        "condition": {
            "type": "AWS::CloudFormation::WaitCondition",
            "properties": {"Handle": handle, "Timeout": 600},
        },
    }
    made["outputs"] |= {
        "handle": {"value": handle},
        "condition": {"value": {"get_attr": ["condition", "Data"]}},
    }
    return made


def items_of(heat: Heat, stack: Stack, count: int) -> list[dict[str, Any]]:
    """What Heat asks the stack's server for, once all of it is there."""

    def found() -> list[dict[str, Any]] | None:
        assert stack.state != "CREATE_FAILED", stack.reason
        items = heat.api.resources.metadata(stack.id, "server").get("deployments", [])
        return items if len(items) == count else None

    return list(wait_for(f"the deployments of {stack.id}", found))


class Machine:
    """A server that is told directly what to do, and whose agent is run by hand."""

    def __init__(self, root: Path) -> None:
        self.host = HostServer(root)
        self.logs = root / "var/log/heat-config"
        self.state = root / "var/lib/heat-config"
        self.hooks = installed(root / "hooks", "script")
        for name, text in HOOKS.items():
            (self.hooks / name).write_text(text)
            (self.hooks / name).chmod(0o644 if name == "not-executable" else 0o755)

    def run(self, *before: str, command: str = "run") -> subprocess.CompletedProcess[str]:
        hooks = f"HEAT_CONFIG_HOOKS={self.hooks}"
        return self.host.run(*before, "env", hooks, "heat-config", command)


class Answers:
    """Every case's stack, and the servers that were asked for them."""

    def __init__(self, heat: Heat, folder: Path) -> None:
        self._heat = heat
        self._main = Machine(folder / "server")
        self.ids: dict[str, str] = {}
        """Each case's config, by which its log is found."""
        self.restarts = 0
        logs = self._main.logs
        # A queue's name, with 64 letters, holds both the stack's and the deployment's.
        name = f"answers-{uuid.uuid4().hex[:8]}"
        self.well = heat.create(name, waiting_for_the_end(stack_template(WELL, logs)))
        self.stacks = {
            case: heat.create(f"{name}-{number}", stack_template({case: wanted}, logs))
            for number, (case, wanted) in enumerate(FAILING.items())
        }

    def drive(self, small_disk: Callable[[Path], list[str]]) -> None:
        """Ask the servers for everything, as often as it takes."""
        items = {each["name"]: each for each in items_of(self._heat, self.well, len(WELL))}
        for case, stack in self.stacks.items():
            (items[case],) = items_of(self._heat, stack, 1)
        self.ids = {name: item["id"] for name, item in items.items()}
        self._run_on_a_full_disk(items.pop("full_disk"), small_disk)
        self._run_with_a_time_limit(items.pop("too_long_by_default"))
        items["component"].update(
            group="component",
            config={"configs": [{"tool": "script", "actions": ["DELETE"], "config": "x"}]},
        )
        del items["malformed"]["id"]
        self._main.host.asks_for([7, None, {"name": "nothing"}, *items.values()])
        while self._main.run().returncode == -9:
            self.restarts += 1
            assert self.restarts <= len(items), "the agent is killed again and again"
        handle = self.well.output("handle")
        # As os-apply-config renders it.
        completion = self._main.host.root / "var/run/heat-config/completion"
        completion.write_text(f"completion-handle {handle}\ninstance-id i-1\n")
        assert self._main.run(command="refreshed").returncode == 0

    def status(self, case: str) -> tuple[str, str, str]:
        """How a case's stack has ended: status, its reason, the deployment's stderr."""
        stack = self.stacks[case]
        status = stack.wait("CREATE")
        return status, stack.reason, str(stack.output(f"{case}.deploy_stderr"))

    def log(self, case: str) -> Path:
        return self._main.logs / f"{self.ids[case]}.log"

    def pid(self, case: str) -> int:
        """What the case's script has left in the background."""
        return int((self._main.logs / f"{self.ids[case]}.pid").read_text())

    @property
    def undelivered(self) -> list[Path]:
        return self._main.host.undelivered

    def delete(self) -> None:
        for stack in (self.well, *self.stacks.values()):
            self._heat.api.stacks.delete(stack.id)

    def _run_on_a_full_disk(
        self, item: dict[str, Any], small_disk: Callable[[Path], list[str]]
    ) -> None:
        machine = Machine(self._main.host.root.with_name("full-server"))
        machine.state.mkdir(parents=True)
        inside = small_disk(machine.state)
        # A first run, while there is room.
        machine.host.asks_for([{**item, "id": "before", "inputs": []}])
        machine.run(*inside)
        fill = f"cat /dev/zero > {machine.state}/fill 2> /dev/null || true"
        machine.host.run(*inside, "sh", "-c", fill, check=True)
        machine.host.asks_for([item])
        machine.run(*inside)

    def _run_with_a_time_limit(self, item: dict[str, Any]) -> None:
        settings = self._main.host.root / "etc/heat-config.conf"
        settings.write_text("# for a moment\nHEAT_CONFIG_TIMEOUT=5\n")
        self._main.host.asks_for([item])
        self._main.run()
        settings.unlink()


@pytest.fixture(scope="module")
def small_disk() -> Iterator[Callable[[Path], list[str]]]:
    """Put 2 MB of memory over a folder for those alone that are run with the words returned.

    It is in a name space that ends with the process that holds it, so nothing stays.
    """
    keepers: list[subprocess.Popen[str]] = []
    mount = 'mount -t tmpfs -o size=2m,mode=0700 tmpfs "$1"; echo mounted; exec sleep infinity'

    def put(folder: Path) -> list[str]:
        if os.geteuid() != 0:
            pytest.skip("mounting a file system needs root")
        keeper = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "unshare", "--mount", "sh", "-ec", mount, "sh", folder],
            stdout=subprocess.PIPE,
            text=True,
        )
        keepers.append(keeper)
        assert keeper.stdout and keeper.stdout.readline() == "mounted\n"
        return ["nsenter", f"--target={keeper.pid}", "--mount", f"--wd={folder.parent}"]

    yield put
    for keeper in keepers:
        keeper.kill()
        keeper.communicate()


@pytest.fixture(scope="module")
def answers(
    heat: Heat,
    tmp_path_factory: pytest.TempPathFactory,
    small_disk: Callable[[Path], list[str]],
) -> Iterator[Answers]:
    made = Answers(heat, tmp_path_factory.mktemp("answers"))
    try:
        made.drive(small_disk)
        yield made
    finally:
        made.delete()


def exited(code: int) -> str:
    return f"deploy_status_code : Deployment exited with non-zero status code: {code}"


def test_no_hook_for_the_group(answers: Answers) -> None:
    status, reason, stderr = answers.status("no_hook")
    assert status == "FAILED"
    assert exited(127) in reason
    assert "no hook for group 'nonesuch' on this server: there are hooks for " in stderr
    for group in (*HOOKS, "script"):
        assert group in stderr
    assert "heat-config-nonesuch" in stderr


def test_a_hook_that_is_not_executable(answers: Answers) -> None:
    status, reason, stderr = answers.status("not_executable")
    assert status == "FAILED"
    assert exited(126) in reason
    assert "hooks/not-executable is not executable: chmod 0755 " in stderr


def test_a_hook_whose_interpreter_is_not_there(answers: Answers) -> None:
    status, reason, stderr = answers.status("no_interpreter")
    assert status == "FAILED"
    assert exited(126) in reason
    assert "hooks/no-interpreter cannot be started: look at its first line, #!" in stderr


def test_a_script_whose_interpreter_is_not_there(answers: Answers) -> None:
    status, reason, stderr = answers.status("script_interpreter")
    assert status == "FAILED"
    assert exited(127) in reason
    assert stderr == "the script's interpreter, '#!/nonexistent/perl', is not on this server\n"


def test_a_script_that_is_killed(answers: Answers) -> None:
    status, reason, stderr = answers.status("killed")
    assert status == "FAILED"
    assert exited(137) in reason
    assert stderr == "the tool was killed by SIGKILL\n"
    assert answers.stacks["killed"].output("killed.deploy_stdout") == "before\n"


def test_a_hook_that_is_killed(answers: Answers) -> None:
    status, reason, stderr = answers.status("killed_hook")
    assert status == "FAILED"
    assert exited(137) in reason
    assert stderr == "about to die\nthe hook was killed by SIGKILL\n"


def test_a_hook_that_fails_without_an_answer(answers: Answers) -> None:
    status, reason, stderr = answers.status("failing_hook")
    assert status == "FAILED"
    assert exited(9) in reason
    assert stderr == "it broke\nthe hook ended with exit status 9\n"


@pytest.mark.parametrize("case", ["cut", "no_reboot"])
def test_a_run_that_was_cut(answers: Answers, case: str) -> None:
    status, reason, stderr = answers.status(case)
    assert answers.restarts == 3  # these two's, and that of one that is run again
    assert status == "FAILED"
    assert exited(1) in reason
    assert stderr.startswith("before the cut\nthe run was interrupted: the agent stopped")
    assert f"heat-config run --force {answers.ids[case]}" in stderr


@pytest.mark.parametrize("case", ["too_long", "too_long_by_default"])
def test_a_time_limit_that_is_exceeded(answers: Answers, case: str) -> None:
    status, reason, stderr = answers.status(case)
    assert status == "FAILED"
    assert exited(124) in reason
    assert "the hook was ended: it took longer than its time limit of 5 s\n" in stderr
    assert answers.stacks[case].output(f"{case}.deploy_stdout") == "so far\n"
    assert not Path(f"/proc/{answers.pid(case)}").exists()


def test_a_disk_that_is_full(answers: Answers) -> None:
    status, reason, stderr = answers.status("full_disk")
    assert status == "FAILED"
    assert exited(1) in reason
    assert stderr.startswith("not run, because the disk is full: ")


def test_a_component_without_the_action(answers: Answers) -> None:
    """Heat never asks for that; an operator's own metadata can."""
    status, reason, stderr = answers.status("component")
    assert status == "FAILED"
    assert exited(1) in reason
    assert stderr == "the component has no config for the action CREATE\n"


def test_a_malformed_deployment(answers: Answers) -> None:
    status, reason, stderr = answers.status("malformed")
    assert status == "FAILED"
    assert exited(1) in reason
    assert stderr == "the deployment has no id\n"


def test_a_script_whose_author_forgot_the_group(answers: Answers) -> None:
    status, reason, stderr = answers.status("no_group")
    assert status == "FAILED"
    assert exited(1) in reason
    assert "It names no group: which hook is to run it" in stderr


def test_a_script_that_fails_after_printing_more_than_fits(answers: Answers) -> None:
    status, reason, _ = answers.status("large")
    assert status == "FAILED"
    assert exited(3) in reason
    assert answers.stacks["large"].output("large.deploy_stdout").endswith("\nthe end\n")


@pytest.mark.parametrize(
    ("case", "stdout", "stderr"),
    [
        ("no_json", "this is no JSON\n", ""),
        ("no_object", "[1, 2]\n", ""),
        ("empty_object", "", ""),
        ("rerun", "before the cut\n", ""),
        (
            "os_apply_config",
            "group os-apply-config: applied by os-apply-config, and os-refresh-config has ended "
            "well\n",
            "",
        ),
        (
            "ungrouped",
            "group Heat::Ungrouped: applied by os-apply-config, and os-refresh-config has ended "
            "well\n",
            "",
        ),
    ],
)
def test_what_is_no_failure(answers: Answers, case: str, stdout: str, stderr: str) -> None:
    assert answers.well.wait("CREATE") == "COMPLETE", answers.well.reason
    assert answers.well.output(f"{case}.deploy_stdout") == stdout
    assert answers.well.output(f"{case}.deploy_stderr") == stderr
    assert answers.well.output(f"{case}.deploy_status_code") == 0


def test_a_wait_condition_is_signalled_at_the_end(answers: Answers) -> None:
    assert answers.well.wait("CREATE") == "COMPLETE", answers.well.reason
    assert json.loads(answers.well.output("condition")) == {"i-1": "Finished os-refresh-config."}


@pytest.mark.parametrize(
    ("case", "limit"), [("large_zaqar", 262_144), ("large_heat", 1 << 20), ("large_cfn", 1 << 20)]
)
def test_more_than_a_signal_can_carry(answers: Answers, case: str, limit: int) -> None:
    assert answers.well.wait("CREATE") == "COMPLETE", answers.well.reason
    stdout = answers.well.output(f"{case}.deploy_stdout")
    assert limit * 0.8 < len(json.dumps(stdout)) < limit
    note, _, rest = stdout.partition("\n")
    whole = f"the beginning\n{LINE * LINES}\nthe end\n"
    assert whole.endswith(rest)
    left_out = len(whole.encode()) - len(rest.encode())
    path = answers.log(case)
    assert note == f"[{left_out} bytes left out; all of it is on the server in {path}]"
    log = answers.log(case).read_text()
    assert log.startswith(f"the beginning\n{LINE}")
    assert log.count(LINE) == LINES


def test_nothing_is_pending_when_all_are_answered(answers: Answers) -> None:
    assert answers.undelivered == []
