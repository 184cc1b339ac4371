# SPDX-License-Identifier: Apache-2.0
"""make demo-nova where Heat or Nova says no: a message, and what the server wrote last."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from heatclient import exc

from demo import nova
from demo.console import Console
from lab import LabError


def refused(message: str) -> exc.HTTPException:
    return exc.HTTPBadRequest(json.dumps({"error": {"message": message}}))


@pytest.mark.parametrize(
    "trouble",
    [
        refused("the flavor could not be found"),
        exc.CommunicationError("the flavor could not be found"),
        LabError("the flavor could not be found"),
        TimeoutError("the flavor could not be found"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_what_goes_wrong_is_told_with_the_console_s_last_lines(
    trouble: Exception,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Refusing:
        def create(self, *_: Any, **__: Any) -> None:
            raise trouble

    def of_the_server(instances: Path) -> Console:
        found = Console(instances)
        found.belongs_to("one")
        return found

    monkeypatch.setattr(nova, "Heat", lambda _: Refusing())
    monkeypatch.setattr(nova, "Console", of_the_server)
    console = tmp_path / "data/nova/instances/one/console.log"
    console.parent.mkdir(parents=True)
    console.write_text("the server's last line\n")
    lab: Any = SimpleNamespace(directory=tmp_path, environment=dict)
    with pytest.raises(nova.FailedError, match=r"CREATE: .*the flavor could not be found"):
        nova.live_at_once([nova.Demo(lab, nova.HALVES[0])])
    assert "        the server's last line\n" in capsys.readouterr().out
