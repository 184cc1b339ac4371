# SPDX-License-Identifier: Apache-2.0
"""What is collected is what the command runs with, whatever a source says in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from heat_config import readable, waiting
from heat_config.collect import collector, loop
from heat_config.collect.loop import CANNOT_WRITE, NOT_ASKED
from heat_config.settings import Settings
from tests.support.checkout import REPOSITORY
from tests.support.serving import serving
from tests.support.signed_zaqar import QUEUE, SignedZaqar

PROGRAM = "import sys; from heat_config.collect.loop import main; sys.exit(main())"


class Machine:
    """A server's collector with a signed queue, and what its command was run with."""

    def __init__(self, root: Path, zaqar: SignedZaqar) -> None:
        self.root = root
        self.cache = root / "cache"
        self.local = root / "local-data"
        self.local.mkdir()
        self.zaqar = zaqar
        self.zaqar_options: dict[str, object] = {
            "queue_id": QUEUE,
            "signed_address": zaqar.text,
        }
        self.command = f"echo $$OS_CONFIG_FILES >> {root}/ran"
        self.said = ""

    def configuration(self, **options: object) -> Path:
        given = {
            "command": self.command,
            "cachedir": self.cache,
            "backup_cachedir": self.root / "backup",
            **options,
        }
        lines = ["[DEFAULT]", *(f"{name} = {value}" for name, value in given.items())]
        lines += ["collectors = local", "collectors = zaqar"]
        lines += ["[local]", f"path = {self.local}", "[zaqar]"]
        lines += [f"{name} = {value}" for name, value in self.zaqar_options.items()]
        path = self.root / "collect.conf"
        path.write_text("\n".join(lines) + "\n")
        return path

    def start(self, **options: object) -> subprocess.Popen[str]:
        """The service, as a process."""
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "--config-file", self.configuration(**options)],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            text=True,
        )

    def once(self, *arguments: str, **options: object) -> int:
        """The program to its end, as one that has just been started."""
        loop.CONF.reset()
        collector._source.cache_clear()
        collector._section_outage.lasts = False
        given = ["--config-file", str(self.configuration(**options))]
        printed, said = StringIO(), StringIO()
        with redirect_stdout(printed), redirect_stderr(said):
            status = loop.main([*given, *(arguments or ("--one-time",))])
        self.printed, self.said = printed.getvalue(), said.getvalue()
        return status

    def ran(self) -> list[list[str]]:
        """The names of the files of each run."""
        path = self.root / "ran"
        lines = path.read_text().splitlines() if path.exists() else []
        return [[Path(each).stem for each in line.split(":") if each] for line in lines]

    def stored(self) -> Any:
        return json.loads((self.cache / "zaqar.json").read_text())


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    zaqar = SignedZaqar("DELETE", "GET")
    with serving(zaqar):
        yield Machine(tmp_path, zaqar)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    loop.CONF.reset()
    collector._source.cache_clear()


def body(number: int) -> dict[str, Any]:
    return {"deployments": [{"id": str(number)}], "n": number}


UNUSABLE_ANSWERS: dict[str, Any] = {
    "links": {"messages": [], "links": None},
    "link": {"messages": [], "links": [7]},
    "messages": {"messages": None, "links": []},
    "message": {"messages": [None], "links": []},
    "list": [],
    "null": None,
    "text": "text",
}


@pytest.mark.parametrize("answer", UNUSABLE_ANSWERS)
def test_an_answer_of_no_use_changes_nothing_while_another_source_changes(
    machine: Machine, answer: str
) -> None:
    machine.zaqar.put(body(1))
    assert machine.once() == 0
    machine.zaqar.listing = json.dumps(UNUSABLE_ANSWERS[answer]).encode()
    (machine.local / "own").write_text("{}")
    assert machine.once() == NOT_ASKED
    assert machine.ran() == [["zaqar"], ["own", "zaqar"]]
    assert machine.stored() == body(1)
    assert "could not ask zaqar; of what is on disk what was collected has been" in machine.said


def test_what_is_on_disk_holds_when_the_section_is_of_no_use_at_the_start(
    machine: Machine,
) -> None:
    machine.zaqar.put(body(1))
    machine.once()
    machine.zaqar_options["ca_file"] = "/nonexistent"
    (machine.local / "own").write_text("{}")
    assert machine.once() == NOT_ASKED
    assert machine.ran()[-1] == ["own", "zaqar"]
    assert "Source [zaqar] Unavailable.; what it has given before holds" in machine.said
    del machine.zaqar_options["signed_address"]
    assert machine.once("--one-time", "--force") == NOT_ASKED
    assert "lacks auth_url, user_id, password, project_id" in machine.said
    assert machine.ran()[-1] == ["own", "zaqar"]


def test_what_was_another_queues_is_not_gone_on_with(machine: Machine) -> None:
    machine.zaqar.put(body(1))
    machine.once()
    machine.zaqar_options |= {"queue_id": "another", "ca_file": "/nonexistent"}
    machine.once("--one-time", "--force")
    assert machine.ran()[-1] == []


def test_a_source_that_is_not_configured_any_more_is_gone(machine: Machine) -> None:
    machine.zaqar.put(body(1))
    (machine.local / "own").write_text("{}")
    machine.once()
    machine.zaqar_options.clear()
    assert machine.once() == 0
    assert machine.ran() == [["own", "zaqar"], ["own"]]


def test_a_source_that_goes_and_comes_back_with_the_same_is_applied_each_time(
    machine: Machine,
) -> None:
    machine.zaqar.put(body(1))
    own = machine.local / "own"
    own.write_text("{}")
    machine.once()
    own.unlink()
    machine.once()
    own.write_text("{}")
    machine.once()
    assert machine.ran() == [["own", "zaqar"], ["zaqar"], ["own", "zaqar"]]
    assert machine.once() == 0
    assert len(machine.ran()) == 3
    assert "nothing has changed" in machine.said


@pytest.mark.parametrize("arguments", [("--print",), ("--print", "--force"), ("--command", "")])
def test_what_is_only_printed_stays_on_the_queue(
    machine: Machine, arguments: tuple[str, ...]
) -> None:
    machine.zaqar.put(body(1))
    assert machine.once(*arguments) == 0
    assert json.loads(machine.printed)["zaqar"] == body(1)
    assert machine.zaqar.there == {"m1": body(1)}
    assert not machine.cache.exists()


NAMES = {
    "long": "字" * 90,
    "lone surrogate": "a\ud800",
    "path": "../../a/b",
    "list": "a:b",
    "hidden": ".x",
    "collector": "heat",
}


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_config_stops_the_collector(machine: Machine, name: str) -> None:
    config = {"name": NAMES[name], "id": "c1", "config": {"key": "value"}}
    machine.zaqar.put({"deployments": [config, {**config, "id": "c2"}]})
    assert machine.once() == 0
    assert machine.once("--one-time", "--force") == 0
    assert len(machine.ran()) == 2
    assert list(machine.cache.glob("*tmp*")) == []
    assert {path.parent for path in machine.root.rglob("*zaqar.json")} >= {machine.cache}
    machine.zaqar.put(body(2))
    assert machine.once() == 0
    assert machine.stored() == body(2)


@pytest.mark.parametrize(
    "config", ["[" * 988 + "]" * 988, '{"a":' * 5000 + "1" + "}" * 5000, "1" * 5000]
)
def test_what_nobody_could_read_does_not_hide_the_others(machine: Machine, config: str) -> None:
    deployments = f'[{{"id": "a", "config": {config}}}, {{"id": "b", "config": "x"}}]'
    message = f'{{"id": "m1", "body": {{"deployments": {deployments}}}}}'
    machine.zaqar.listing = f'{{"messages": [{message}], "links": []}}'.encode()
    assert machine.once() == 0
    first, second = machine.stored()["deployments"]
    assert readable.left_out(first)
    assert second == {"id": "b", "config": "x"}


def test_a_disk_that_cannot_be_written_leaves_no_temporary_files(machine: Machine) -> None:
    machine.zaqar.put(body(1))
    (machine.cache / "zaqar.json").mkdir(parents=True)
    for _ in range(2):
        assert machine.once() == CANNOT_WRITE
    assert "the metadata cannot be written" in machine.said
    assert not [path for path in machine.cache.iterdir() if "tmp" in path.name]


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_comes_while_the_command_runs_is_on_disk_and_shown(
    machine: Machine, settings: Settings
) -> None:
    machine.zaqar.put(body(1))
    # It hangs until it is told to go on.
    fifo = machine.root / "go-on"
    os.mkfifo(fifo)
    machine.command += f"; cat {fifo}"
    with machine.start(min_polling_interval=0.05, polling_interval=1) as program:
        try:
            until(lambda: len(machine.ran()) == 1)
            assert waiting.read(settings) is None
            machine.zaqar.put(body(2))
            until(lambda: waiting.read(settings))
            noted = waiting.read(settings)
            assert noted and noted.sources == ("zaqar",)
            newest = json.loads((machine.cache / "zaqar.d/newest.json").read_text())
            assert newest["content"] == body(2)
            assert machine.stored() == body(1)
            until(lambda: not machine.zaqar.there)
            fifo.write_text("")
            until(lambda: len(machine.ran()) == 2)
            assert machine.stored() == body(2)
            assert waiting.read(settings) is None
            fifo.write_text("")
        finally:
            program.kill()


def test_what_comes_while_the_command_of_one_time_runs_is_on_disk(machine: Machine) -> None:
    machine.zaqar.put(body(1))
    machine.command += f"; until grep -q '\"n\": 2' {machine.cache}/zaqar.d/newest.json; do :; done"
    machine.zaqar.after_delete = lambda: machine.zaqar.put(body(2))
    assert machine.once(min_polling_interval=0.05) == 0
    assert machine.stored() == body(1)
    assert machine.once() == 0
    assert machine.stored() == body(2)
