# SPDX-License-Identifier: Apache-2.0
"""A run with nothing to do, which most are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from heat_config import deployment, quick
from heat_config.delivery.entry import Entry, Stage
from heat_config.delivery.outbox import Outbox
from heat_config.result import Result
from heat_config.run.store import Begun, Store
from heat_config.run.unfinished import Unfinished
from heat_config.settings import Settings
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script

TWO = [script("x"), script("x", config_id="c2")]


@pytest.fixture
def server(settings: Settings) -> Settings:
    """One that is done with its two deployments."""
    for item in TWO:
        Store(settings).begin(deployment.read(item), Begun())
        Store(settings).end(item["id"], Result(0))
    Outbox(settings)
    asked(settings, TWO)
    return settings


def asked(settings: Settings, content: object, mode: int = 0o600) -> None:
    path = Path(settings.config_file)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)


def test_what_is_done_is_counted(server: Settings) -> None:
    assert quick.all_done(server) == 2


def test_an_empty_note_means_done_long_ago(server: Settings) -> None:
    Store(server).result_path("c1").unlink()
    Store(server).config_path("c1").write_text("")
    assert quick.all_done(server) == 2


@pytest.mark.parametrize("content", [[], "", "\n"])
def test_nothing_that_is_asked_for_is_done(server: Settings, content: object) -> None:
    asked(server, content)
    assert quick.all_done(server) == (0 if content != "\n" else None)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "{}",
        "[" * 9999,
        [*TWO, 7],
        [*TWO, {"name": "no id"}],
        [*TWO, script("x", config_id="c3")],
        [*TWO, script("y")],
    ],
    ids=lambda content: str(content)[-20:],
)
def test_what_is_not_clearly_done_is_left_to_the_loop(server: Settings, content: object) -> None:
    asked(server, content)
    assert quick.all_done(server) is None


def test_a_run_that_was_begun_is_not_done(server: Settings) -> None:
    Store(server).result_path("c1").unlink()
    Store(server).config_path("c1").write_text("{}")
    assert quick.all_done(server) is None


def test_a_note_that_leads_nowhere_is_left_to_the_loop(server: Settings) -> None:
    """And the run goes on: it does not end with a traceback."""
    Store(server).result_path("c1").unlink()
    Store(server).config_path("c1").unlink()
    Store(server).config_path("c1").symlink_to("nowhere")
    assert quick.all_done(server) is None


def test_a_result_alone_is_of_a_run_whose_note_was_taken_away(server: Settings) -> None:
    Store(server).config_path("c1").unlink()
    assert quick.all_done(server) is None


def test_what_is_pending_is_to_be_looked_at(server: Settings) -> None:
    with Outbox(server).locked() as box:
        box.put(Entry("c0", {"deploy_queue_id": "q"}, {"x": 1}, Stage.NEW))
    assert quick.all_done(server) is None


def test_what_is_unfinished_is_to_be_taken_up_until_it_is_over(server: Settings) -> None:
    Unfinished(server).note(["c1"])
    assert quick.all_done(server) is None
    Unfinished(server).note([])
    assert quick.all_done(server) == 2


def test_a_file_that_others_can_read_is_to_be_made_private(server: Settings) -> None:
    asked(server, TWO, mode=0o640)
    assert quick.all_done(server) is None


@pytest.mark.parametrize("folder", ["config_file", "deployed", "outbox"])
def test_what_is_not_there_is_left_to_the_loop(server: Settings, folder: str) -> None:
    path = Path(getattr(server, folder))
    path.rename(path.with_name("elsewhere"))
    assert quick.all_done(server) is None


def test_nothing_to_do_writes_nothing_and_imports_nothing_heavy(
    server: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    before = _listing(Path(server.deployed).parent)
    program = (
        "import sys; from heat_config.cli import main; status = main(['run']); "
        "heavy = {'requests', 'keystoneauth1', 'subprocess', 'logging', 'pathlib', 'hashlib'}; "
        "heavy.add('typing'); "
        "print(sorted(heavy & set(sys.modules))); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
    assert "2 deployments, nothing to do" in done.stderr
    assert _listing(Path(server.deployed).parent) == before


def test_a_hook_does_not_wait_for_what_sends_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is imported beside the hook: see heat_config.signals.prepare."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    program = (
        "import sys; from heat_config.commands import line; "
        "print(sorted({'requests', 'keystoneauth1', 'zaqarclient', 'ssl'} & set(sys.modules)))"
    )
    found = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert found == "[]\n"


def _listing(folder: Path) -> list[tuple[str, int]]:
    paths = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return sorted((str(path), path.stat().st_mtime_ns) for path in paths)


def test_what_it_calls_done_is_done_for_the_loop(
    server: Settings, deploy: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both must be of one mind, or something would be done at every other run."""
    assert quick.all_done(server) == 2
    assert deploy(*TWO) == 0
    assert "running" not in capsys.readouterr().err
    assert quick.all_done(server) == 2
