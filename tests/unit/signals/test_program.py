# SPDX-License-Identifier: Apache-2.0
"""A program that sends results in the agent's place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heat_config.cloud.errors import CloudError, Outcome
from heat_config.result import Result
from heat_config.signals.program import Program

RESULT = Result(3, "größe", outputs={"a": "b"})


def program(folder: Path, text: str, mode: int = 0o755) -> str:
    path = folder / "notify"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_it_is_given_the_config_and_the_whole_result(tmp_path: Path) -> None:
    path = program(tmp_path, f'#!/bin/sh\ncat > {tmp_path}/sent; echo "$1" > {tmp_path}/config\n')
    assert Program(path, Path("/deployed/c1.json")).post(RESULT) == path
    assert json.loads((tmp_path / "sent").read_text()) == RESULT.as_dict()
    assert (tmp_path / "config").read_text() == "/deployed/c1.json\n"


@pytest.mark.parametrize("ending", ["exit 1", "kill -9 $$"])
def test_nobody_knows_what_one_that_fails_has_done(tmp_path: Path, ending: str) -> None:
    path = program(tmp_path, f"#!/bin/sh\n{ending}\n")
    with pytest.raises(CloudError, match=f"{path} (ended with|was killed by)") as raised:
        Program(path, Path("/c1.json")).post(RESULT)
    assert raised.value.outcome is Outcome.UNKNOWN


def test_one_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent holds the outbox meanwhile, and nothing else would ever be run or sent."""
    monkeypatch.setattr("heat_config.signals.program.TIME_LIMIT", 0.2)
    path = program(tmp_path, "#!/bin/sh\nsleep 60 & sleep 60\n")
    with pytest.raises(CloudError, match=r"longer than its time limit of 0\.2 s") as raised:
        Program(path, Path("/c1.json")).post(RESULT)
    assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("text", "mode"), [("", 0o644), ("#!/nonexistent/interpreter\n", 0o755), (None, 0)]
)
def test_one_that_cannot_be_run_must_be_mended_here(
    tmp_path: Path, text: str | None, mode: int
) -> None:
    path = str(tmp_path / "absent") if text is None else program(tmp_path, text, mode)
    with pytest.raises(CloudError, match="named by HEAT_CONFIG_NOTIFY") as raised:
        Program(path, Path("/c1.json")).post(RESULT)
    assert raised.value.outcome is Outcome.WRONG_HERE
