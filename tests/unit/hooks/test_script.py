# SPDX-License-Identifier: Apache-2.0
"""The script hook as the agent runs it: a process, JSON in, JSON out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hooks import programs
from tests.support.checkout import REPOSITORY
from tests.support.deployments import inputs, script


def run(item: Any) -> tuple[dict[str, Any], str]:
    completed = subprocess.run(
        [sys.executable, programs()["script"]],
        input=json.dumps(item).encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert completed.returncode == 0
    return json.loads(completed.stdout), completed.stderr.decode()


def test_stdout_stderr_and_status_are_the_result() -> None:
    said, log = run(script("#!/bin/sh\necho out; echo err >&2; exit 5"))
    assert said == {"deploy_stdout": "out\n", "deploy_stderr": "err\n", "deploy_status_code": 5}
    assert "out" in log
    assert "ended with exit status 5" in log


def test_inputs_are_variables_of_the_environment() -> None:
    given = inputs(
        text="a b", number=1.5, yes=True, none=None, map={"k": "é"}, list=[1, "x"], umlaut="äöü"
    )
    text = '#!/bin/sh\nfor v in "$text" "$number" "$yes" "$none" "$map" "$list" "$umlaut"\n'
    said, _ = run(script(text + 'do echo "$v"; done', inputs=given))
    assert said["deploy_stdout"].splitlines() == [
        "a b",
        "1.5",
        "True",
        "",
        '{"k": "\\u00e9"}',
        '[1, "x"]',
        "äöü",
    ]


def test_inputs_are_not_logged() -> None:
    _, log = run(script("#!/bin/sh\ntrue", inputs=inputs(deploy_password="hunter22", foo="bar1")))
    assert "hunter22" not in log
    assert "bar1" not in log


def test_a_secret_that_the_script_prints_is_masked_in_the_log() -> None:
    text = '#!/bin/sh\necho "$deploy_password"'
    _, log = run(script(text, inputs=inputs(deploy_password="hunter22")))
    assert "hunter22" not in log


def test_outputs_are_read_from_files() -> None:
    outputs = [{"name": "a"}, {"name": "b"}, {"name": "unwritten"}]
    text = "#!/bin/sh\nprintf 'é\\n' > $heat_outputs_path.a\nprintf '\\377' > $heat_outputs_path.b"
    said, _ = run(script(text, outputs=outputs))
    assert said["a"] == "é\n"
    assert said["b"] == "\ufffd"
    assert "unwritten" not in said


def test_an_earlier_runs_outputs_are_not_taken_for_this_ones() -> None:
    Path(os.environ["HEAT_SCRIPT_OUTPUTS"]).mkdir()
    Path(os.environ["HEAT_SCRIPT_OUTPUTS"], "c1.a").write_text("old")
    said, _ = run(script("#!/bin/sh\ntrue", outputs=[{"name": "a"}]))
    assert "a" not in said


def test_an_output_cannot_be_read_from_elsewhere() -> None:
    said, _ = run(script("#!/bin/sh\ntrue", outputs=[{"name": "/../../secret"}]))
    assert said["deploy_status_code"] == 1
    assert "cannot be a file's name" in said["deploy_stderr"]


def test_a_shorter_script_keeps_nothing_of_a_longer_one() -> None:
    run(script("#!/bin/sh\necho one\necho two"))
    said, _ = run(script("#!/bin/sh\necho one"))
    assert said["deploy_stdout"] == "one\n"
    path = Path(os.environ["HEAT_SCRIPT_WORKING"], "c1")
    assert path.stat().st_mode & 0o777 == 0o700


def test_a_script_without_a_first_line_is_a_shell_script() -> None:
    said, _ = run(script("echo hello"))
    assert said["deploy_stdout"] == "hello\n"


@pytest.mark.parametrize("interpreter", ["python3 -B", ["python3", "-B"]])
def test_an_interpreter_and_a_folder_of_the_authors_choice(
    interpreter: object, tmp_path: Path
) -> None:
    text = "import os, sys\nprint(os.getcwd(), sys.dont_write_bytecode)"
    said, _ = run(script(text, options={"interpreter": interpreter, "cwd": str(tmp_path)}))
    assert said["deploy_stdout"] == f"{tmp_path} True\n"


def test_without_an_option_it_runs_in_the_hooks_own_folder() -> None:
    said, _ = run(script("pwd"))
    assert said["deploy_stdout"] == f"{os.environ['HEAT_SCRIPT_WORKING']}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/bin/sh\r\necho x\r\n", "carriage return"),
        ("#!/nonexistent/python\n", "not on this server"),
        ("#!\n", "not on this server"),
        ({"a": 1}, "not a string"),
    ],
)
def test_a_script_that_cannot_run_says_why(text: object, said: str) -> None:
    result, _ = run({**script(""), "config": text})
    assert result["deploy_status_code"] != 0
    assert said in result["deploy_stderr"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("a=b", "x", "rename it"),
        ("", "x", "rename it"),
        ("a", "x\0y", "NUL"),
        ("large", "x" * 200_000, "131072"),
    ],
)
def test_an_input_that_cannot_be_a_variable_is_named(name: str, value: str, said: str) -> None:
    result, _ = run(script("#!/bin/sh\ntrue", inputs=[{"name": name, "value": value}]))
    assert result["deploy_status_code"] == 1
    assert said in result["deploy_stderr"]


def test_a_script_killed_by_a_signal_says_so() -> None:
    said, _ = run(script("#!/bin/sh\nkill -9 $$"))
    assert said["deploy_status_code"] == 137
    assert "was killed by SIGKILL" in said["deploy_stderr"]


def test_rubbish_on_stdin_is_answered() -> None:
    said, _ = run([1])
    assert said["deploy_status_code"] == 1
    assert "not a map" in said["deploy_stderr"]
