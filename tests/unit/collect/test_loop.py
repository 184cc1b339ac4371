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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from heat_config import applying, process, readable, waiting
from heat_config.collect import collector, loop
from heat_config.collect.cache import Given, Sources
from heat_config.collect.loop import CANNOT_WRITE, NOT_ASKED
from heat_config.collect.newer import Newer
from heat_config.run import runlog
from heat_config.run.store import Store
from heat_config.settings import Settings
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script
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
        self.collectors = ["local", "zaqar"]
        self.address = "http://127.0.0.1:1/"
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
        lines += [f"collectors = {name}" for name in self.collectors]
        lines += ["[request]", f"metadata_url = {self.address}", "timeout = 5"]
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
        collector._section_outage.lasts = collector._certificates_outage.lasts = False
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


def test_a_server_that_has_never_had_a_source_runs_nothing(machine: Machine) -> None:
    assert machine.once() == 0
    assert machine.ran() == []


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
    machine.zaqar_options["signed_address"] = "zaqar+https://host/elsewhere"
    (machine.local / "own").write_text("{}")
    assert machine.once() == NOT_ASKED
    assert machine.ran()[-1] == ["own", "zaqar"]
    assert "Source [zaqar] Unavailable.; what it has given before holds" in machine.said
    del machine.zaqar_options["signed_address"]
    assert machine.once("--one-time", "--force") == NOT_ASKED
    assert "lacks auth_url, user_id, password, project_id" in machine.said
    assert machine.ran()[-1] == ["own", "zaqar"]


def test_certificates_that_cannot_be_read_do_not_keep_the_next_from_coming(
    machine: Machine,
) -> None:
    machine.zaqar_options["ca_file"] = "/nonexistent"
    machine.zaqar.put(body(1))
    assert machine.once() == 0
    assert machine.stored() == body(1)
    assert "no certificates can be read of /nonexistent" in machine.said


def test_what_was_another_queues_is_not_gone_on_with(machine: Machine) -> None:
    machine.zaqar.put(body(1))
    machine.once()
    machine.zaqar_options |= {"queue_id": "another", "signed_address": "zaqar+https://host/else"}
    machine.once("--one-time", "--force")
    assert machine.ran()[-1] == []


class Files(BaseHTTPRequestHandler):
    """What Heat has put behind a temporary URL."""

    content = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.content)

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_: object) -> None:
        pass


USELESS = {
    "away": None,
    "empty": b"",
    "cut off": b'{"deployments": [',
    "list": b"[]",
    "nothing": b"{}",
    "deployments": b'{"deployments": 7}',
    "deep": b"[" * 5000 + b"]" * 5000,
}


@pytest.mark.parametrize("answer", USELESS)
def test_what_another_collector_has_given_holds_over_a_restart(
    machine: Machine, answer: str
) -> None:
    machine.collectors = ["local", "request"]
    given = {"deployments": [{"name": "n", "id": "c", "config": {"key": 1}}]}
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Files)) as server:
        machine.address = f"http://127.0.0.1:{server.server_port}/metadata?signature=1"
        Files.content = json.dumps(given).encode()
        assert machine.once() == 0
        (machine.local / "own").write_text("{}")
        Files.content = USELESS[answer] or b""
        if USELESS[answer] is not None:
            assert machine.once() == NOT_ASKED
    if USELESS[answer] is None:
        machine.address = machine.address.replace("signature=1", "signature=2")
        assert machine.once() == NOT_ASKED
    assert machine.ran() == [["request", "n"], ["own", "request", "n"]]
    assert json.loads((machine.cache / "request.json").read_text()) == given


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


def test_without_room_for_a_copy_the_metadata_are_applied(machine: Machine) -> None:
    machine.zaqar.put(body(1))
    assert machine.once(backup_cachedir="/dev/null/backup") == 0
    assert "there is no copy of" in machine.said
    assert len(machine.ran()) == 1


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
            newer = {**body(2), "deployments": [{"id": "c2", "name": "next", "group": "script"}]}
            machine.zaqar.put(newer)
            until(lambda: waiting.read(settings))
            runs = applying.read(settings)
            assert runs and (runs.command, runs.pid) == ("echo", program.pid)
            noted = waiting.read(settings)
            assert noted and (noted.sources, noted.asked) == (
                ("zaqar",),
                {"c2": ("next", "script")},
            )
            newest = json.loads((machine.cache / "zaqar.d/newest.json").read_text())
            assert newest["content"] == newer
            assert machine.stored() == body(1)
            until(lambda: not machine.zaqar.there)
            fifo.write_text("")
            until(lambda: len(machine.ran()) == 2)
            assert machine.stored() == newer
            assert waiting.read(settings) is None
            fifo.write_text("")
            until(lambda: applying.read(settings) is None)
        finally:
            program.kill()


def test_the_data_in_an_operators_own_deployments_are_sources_too(machine: Machine) -> None:
    """os-collect-config leaves them in the list alone, where nothing applies them."""
    items = [
        {"id": "a", "name": "x/y", "config": {"k": 1}},
        {"id": "b", "name": "own", "config": {}},
    ]
    (machine.local / "own").write_text(json.dumps({"deployments": items}))
    machine.zaqar.put(body(1))
    machine.once()
    own, data, zaqar = machine.ran()[0]
    assert (own, zaqar) == ("own", "zaqar")
    assert json.loads((machine.cache / f"{data}.json").read_text()) == {"k": 1}
    machine.once()
    assert len(machine.ran()) == 1


# In os-apply-config's place, and then the agent.
APPLIES = """
import json, os, sys
from heat_config.cli import main
with open(os.environ["OS_CONFIG_FILES"]) as metadata:
    deployments = json.load(metadata)["deployments"]
with open(os.environ["HEAT_SHELL_CONFIG"], "w") as rendered:
    json.dump(deployments, rendered)
sys.exit(main(["run"]))
"""


def test_what_heat_has_removed_is_cancelled_and_what_is_newer_is_run(
    machine: Machine, settings: Settings
) -> None:
    program = machine.root / "applies"
    program.write_text(f"#!{sys.executable}{APPLIES}")
    program.chmod(0o755)
    machine.command = str(program)
    hangs = script("echo so far; sleep 300", options={"on_removed": "cancel"})
    store = Store(settings)
    machine.zaqar.put({"deployments": [hangs]})
    with machine.start(min_polling_interval=0.05, polling_interval=1) as service:
        try:
            until(lambda: runlog.path_of("c1", settings).exists())
            machine.zaqar.put({"deployments": [script("echo next", config_id="c2")]})
            until(lambda: store.has_ended("c2"))
        finally:
            service.kill()
    assert store.result("c1").status_code == process.CANCELLED
    assert store.result("c2").stdout == "next\n"


def test_only_heats_word_says_what_it_asks_for(settings: Settings) -> None:
    def given(**lists: list[str]) -> Sources:
        metadata = {
            name: {"deployments": [{"id": each} for each in ids]} for name, ids in lists.items()
        }
        return {name: Given("", [(name, content)]) for name, content in metadata.items()}

    newer = Newer(given(local=["a"], zaqar=["b"]))
    asked = []
    for now in (
        given(local=["c"], zaqar=["b"]),
        given(local=["c"], zaqar=["d"]),
        given(local=["c"], zaqar=[]),
        given(local=["c"]),
    ):
        newer.look(now)
        noted = waiting.read(settings)
        asked.append(noted and noted.asked)
    c, d = {"c": ("c", "")}, {"d": ("d", "")}
    assert asked == [None, {**c, **d}, c, None]
    newer.look(given(local=["a"], zaqar=["b"]))
    assert waiting.read(settings) is None


def test_what_comes_while_the_command_of_one_time_runs_is_on_disk(machine: Machine) -> None:
    machine.zaqar.put(body(1))
    machine.command += f"; until grep -q '\"n\": 2' {machine.cache}/zaqar.d/newest.json; do :; done"
    machine.zaqar.after_delete = lambda: machine.zaqar.put(body(2))
    assert machine.once(min_polling_interval=0.05) == 0
    assert machine.stored() == body(1)
    assert machine.once() == 0
    assert machine.stored() == body(2)
