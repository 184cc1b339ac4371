# SPDX-License-Identifier: Apache-2.0
"""One deployment that is out of bounds: it is answered with the reason, and the others are run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heat_config.run import loop
from heat_config.settings import Settings
from tests.support.deployments import inputs, script
from tests.support.far_end import FarEnd, queue_of

GOOD = script("", config_id="good", group="sh")


def strict(text: str) -> Any:
    """JSON as others read it."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.fixture
def run_with(
    settings: Settings, hook: Callable[[str], None], answer: Callable[[str], dict[str, Any]]
) -> Callable[[str], dict[str, Any]]:
    """Run a deployment that is given as JSON, and a good one; return the first one's answer."""

    def run(text: str) -> dict[str, Any]:
        hook("echo '{\"good\": 1}'")
        Path(settings.config_file).write_text(f"[{text}, {json.dumps(GOOD)}]")
        assert loop.run(settings) == 0
        assert answer("good") == {
            "deploy_status_code": 0,
            "deploy_stdout": "",
            "deploy_stderr": "",
            "good": 1,
        }
        for path in Path(settings.deployed).glob("*.json"):
            strict(path.read_text())
        return answer("odd")

    return run


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 988 + "]" * 988, "nested in more than 100 levels"),
        ("[" * 99_999 + "]" * 99_999, "nested in more than 100 levels"),
        ("9" * 5000, "a number of more than 300 digits"),
    ],
    ids=["988 levels", "99999 levels", "5000 digits"],
)
def test_what_no_program_could_read(
    run_with: Callable[[str], dict[str, Any]], text: str, said: str
) -> None:
    found = run_with(f'{{"id": "odd", "group": "sh", "config": {text}}}')
    assert found["deploy_status_code"] == 1
    assert found["deploy_stderr"] == f"the deployment's 'config' cannot be read: it is {said}\n"


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_what_is_no_number_of_json_is_a_text(
    run_with: Callable[[str], dict[str, Any]], number: str
) -> None:
    given = f'{{"id": "odd", "group": "sh", "config": {number}, "inputs": []}}'
    assert run_with(given)["deploy_status_code"] == 0


@pytest.mark.parametrize(
    ("limit", "named"),
    [
        ("1e18", "1e+18"),
        ("31536001", "31536001"),
        ("9" * 299, "9" * 80 + "…"),
        ("true", "True"),
        ("NaN", "'NaN'"),
        ('"inf"', "'inf'"),
        ("[1]", "[1]"),
    ],
)
def test_a_time_limit_out_of_bounds_is_named(
    run_with: Callable[[str], dict[str, Any]], limit: str, named: str
) -> None:
    found = run_with(f'{{"id": "odd", "group": "sh", "options": {{"timeout": {limit}}}}}')
    assert found["deploy_status_code"] == 1
    reason = f"the option timeout is {named}, and must be a number of seconds, more than 0"
    assert found["deploy_stderr"].startswith(reason)


@pytest.mark.parametrize("seconds", [2_147_484, 31_536_000])
def test_a_time_limit_of_weeks_is_one(
    run_with: Callable[[str], dict[str, Any]], seconds: int
) -> None:
    """The kernel waits for no more than 2 147 483 seconds at one go."""
    found = run_with(
        json.dumps(script("", config_id="odd", group="sh", options={"timeout": seconds}))
    )
    assert found["deploy_status_code"] == 0


@pytest.mark.parametrize("value", [["a"], {"a": [1]}, 7, True, [[]]], ids=str)
@pytest.mark.parametrize("name", ["deploy_queue_id", "deploy_auth_url", "deploy_stack_id"])
def test_an_address_of_another_kind(
    run_with: Callable[[str], dict[str, Any]], settings: Settings, name: str, value: object
) -> None:
    address = {**queue_of("odd", "http://127.0.0.1:1/"), name: value}
    odd = script("", config_id="odd", group="sh", inputs=inputs(**address))
    assert run_with(json.dumps(odd))["deploy_status_code"] == 0
    assert loop.deliver(settings) in (0, 1)


def test_a_hooks_nan_goes_out_as_json(
    hook: Callable[[str], None], far: FarEnd, deploy: Callable[..., int]
) -> None:
    hook("""echo '{"a": NaN, "b": [-Infinity, {"c": 1e999}], "d": 1.5}'""")
    item = script("", group="sh", inputs=inputs(**queue_of("c1")))
    assert deploy(item) == 0
    ((_, message),) = far.messages
    assert strict(json.dumps(message)) == {
        "a": "NaN",
        "b": ["-Infinity", {"c": "1e999"}],
        "d": 1.5,
        "deploy_status_code": 0,
        "deploy_stdout": "",
        "deploy_stderr": "",
    }


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "[" * 992 + "]" * 991, '"text"'])
def test_a_file_that_cannot_be_used_at_all_is_said_and_is_no_success(
    settings: Settings, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(settings.config_file).write_text(text)
    assert loop.run(settings) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if "[ERROR]" in line]
    assert len(said) == 1
    assert f"could not read the deployments: {settings.config_file}" in said[0]
