# SPDX-License-Identifier: Apache-2.0
"""What comes to the journal, by its own sockets."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heat_config import deployment, journal, log
from heat_config.events import Event
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script
from tests.support.journald import Journald


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journald]:
    folder = tmp_path / "journal"
    folder.mkdir()
    with Journald(folder) as made:
        yield made


@pytest.fixture
def stderr(
    journald: Journald, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> pytest.CaptureFixture[str]:
    journald.stands_behind_stderr(monkeypatch)
    return capfd


@pytest.mark.usefixtures("stderr")
class TestEntry:
    @pytest.mark.parametrize(
        ("write", "priority"),
        [(log.error, "3"), (log.warning, "4"), (log.info, "6"), (log.debug, "7")],
    )
    def test_a_line_has_a_priority_and_no_time(
        self, journald: Journald, write: object, priority: str
    ) -> None:
        assert callable(write)
        write("text")
        (entry,) = journald.entries()
        assert (entry["MESSAGE"], entry["PRIORITY"]) == ("text", priority)
        assert entry["SYSLOG_IDENTIFIER"] == Path(sys.argv[0]).name

    def test_an_event_and_what_it_is_about_are_fields(self, journald: Journald) -> None:
        with log.about(deployment_id="c1", stack_id=None):
            log.info("one", Event.DONE, status_code=0)
            with log.about(config_group="script"):
                log.info("two")
        log.info("three")
        one, two, three = ({**each} for each in journald.entries())
        assert one["MESSAGE_ID"] == Event.DONE.value
        assert one["HEAT_STATUS_CODE"] == "0"
        assert [name for name in two if name.startswith("HEAT_")] == [
            "HEAT_DEPLOYMENT_ID",
            "HEAT_CONFIG_GROUP",
        ]
        assert [name for name in three if name.startswith("HEAT_")] == []

    def test_what_it_is_about_ends_with_a_fault(self, journald: Journald) -> None:
        with pytest.raises(ZeroDivisionError), log.about(deployment_id="c1"):
            raise ZeroDivisionError
        log.info("one")
        assert "HEAT_DEPLOYMENT_ID" not in journald.entries()[0]

    def test_no_field_holds_a_secret(self, journald: Journald) -> None:
        log.conceal(["hunter22"])
        log.info("a hunter22", deployment_name="of hunter22")
        (entry,) = journald.entries()
        assert (entry["MESSAGE"], entry["HEAT_DEPLOYMENT_NAME"]) == ("a ***", "of ***")

    def test_what_a_hook_has_written_at_once_is_one_entry(self, journald: Journald) -> None:
        with log.about(deployment_id="c1"):
            log.output("n1", "a\nPRIORITY=0\n\nb", Event.OUTPUT)
        (entry,) = journald.entries()
        assert entry["MESSAGE"] == "n1: a\nn1: PRIORITY=0\nn1: \nn1: b"
        assert (entry["MESSAGE_ID"], entry["PRIORITY"]) == (Event.OUTPUT.value, "7")
        assert entry["HEAT_DEPLOYMENT_ID"] == "c1"

    @pytest.mark.parametrize(
        "text", ["a\nPRIORITY=0\nb", "\n", "", "\x1b[31mred\0", "é ✓", "x" * 65_536]
    )
    def test_a_text_is_one_field_whatever_it_holds(self, journald: Journald, text: str) -> None:
        log.info(text, deployment_name=text)
        (entry,) = journald.entries()
        assert (entry["MESSAGE"], entry["HEAT_DEPLOYMENT_NAME"]) == (text, text)
        assert entry["PRIORITY"] == "6"

    def test_what_no_encoding_knows_is_escaped(self, journald: Journald) -> None:
        log.info("\udcff")
        assert journald.entries()[0]["MESSAGE"] == "\\udcff"


class TestFallback:
    def test_what_is_too_large_for_an_entry_is_lines_with_its_priority(
        self, journald: Journald, stderr: pytest.CaptureFixture[str]
    ) -> None:
        log.warning("x" * (1 << 23) + "\nsecond")
        assert journald.entries() == []
        first, second = stderr.readouterr().err.splitlines()
        assert first == "<4>" + "x" * (1 << 23)
        assert second == "<4>    second"

    def test_a_hooks_lines_that_are_too_large_for_an_entry_all_have_the_priority(
        self, journald: Journald, stderr: pytest.CaptureFixture[str]
    ) -> None:
        log.output("n1", "x" * (1 << 23) + "\nsecond", Event.OUTPUT)
        assert journald.entries() == []
        first, second = stderr.readouterr().err.splitlines()
        assert first == "<7>n1: " + "x" * (1 << 23)
        assert second == "<7>n1: second"

    def test_elsewhere_each_of_a_hooks_lines_begins_with_its_time(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log.output("n1", "first\nsecond", Event.OUTPUT)
        first, second = capsys.readouterr().err.splitlines()
        stamp, _, said = first.partition("] ")
        assert said == "(heat-config) [DEBUG] n1: first"
        assert second == f"{stamp}] (heat-config) [DEBUG] n1: second"

    def test_without_a_journal_that_answers_it_is_lines(
        self, journald: Journald, stderr: pytest.CaptureFixture[str]
    ) -> None:
        (journald.folder / "socket").unlink()
        log.info("text")
        assert stderr.readouterr().err == "<6>text\n"

    def test_a_stderr_that_is_another_gets_lines_with_a_time(
        self,
        journald: Journald,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """As with ``2> file``, or where a hook starts a program of ours."""
        monkeypatch.setattr(journal, "FOLDER", str(journald.folder))
        monkeypatch.setenv(journal.VARIABLE, "1:2")
        log.info("text")
        assert capsys.readouterr().err.endswith("] (heat-config) [INFO] text\n")
        assert journald.entries() == []


class TestLines:
    def test_a_programs_output_is_entries_of_one_priority(
        self, journald: Journald, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(journal, "FOLDER", str(journald.folder))
        monkeypatch.setattr(journal, "unit", lambda: "some.service")
        stream = journal.Lines("name", journal.DEBUG)
        subprocess.run(["echo", "text"], stdout=stream.descriptor, check=True)
        stream.close()
        assert journald.stream() == (["name", "some.service", "7", "1", "0", "0", "0"], "text\n")

    def test_a_program_of_ours_knows_that_it_leads_to_the_journal(
        self, journald: Journald, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(journal, "FOLDER", str(journald.folder))
        program = (
            f"from heat_config import journal, log; journal.FOLDER = {str(journald.folder)!r}; "
        )
        program += "log.info('text')"
        stream = journal.Lines("name", journal.DEBUG)
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **stream.environment}
        command = [sys.executable, "-c", program]
        subprocess.run(command, stderr=stream.descriptor, env=environment, check=True)
        stream.close()
        assert [entry["MESSAGE"] for entry in journald.entries()] == ["text"]
        assert journald.stream()[1] == ""

    def test_without_a_journal_there_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(journal, "FOLDER", str(tmp_path))
        with pytest.raises(FileNotFoundError):
            journal.Lines("name", journal.DEBUG)


@pytest.mark.parametrize(
    ("groups", "unit"),
    [
        ("0::/system.slice/os-collect-config.service\n", "os-collect-config.service"),
        ("0::/system.slice/a.service/c1-ab.heat-config\n", "a.service"),
        ("4:memory:/x\n1:name=systemd:/system.slice/a.service\n0::/\n", "a.service"),
        ("0::/user.slice/session-2.scope\n", ""),
        ("0::/\n", ""),
    ],
)
def test_the_service_of_a_process_is_in_its_groups(
    groups: str, unit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cgroup"
    path.write_text(groups)
    monkeypatch.setattr(journal, "GROUPS", str(path))
    assert journal.unit() == unit


def test_where_no_group_can_be_read_there_is_no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "GROUPS", "/proc/self/nothing")
    assert journal.unit() == ""


def test_each_event_has_an_id_of_128_bits_of_its_own() -> None:
    ids = [each.value for each in Event]
    assert len(set(ids)) == len(ids)
    assert {len(each) for each in ids} == {32}
    assert all(int(each, 16) for each in ids)


WRITERS = ("debug", "info", "warning", "error", "about")


def facts() -> set[str]:
    """The facts that any line of the program is given."""
    found = {*deployment.read(script("x")).facts}
    for path in (REPOSITORY / "heat_config").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in (*WRITERS, "write"):
                    found |= {each.arg for each in node.keywords if each.arg}
    return found


def test_the_documents_list_each_event_and_each_field_and_no_other() -> None:
    page = (REPOSITORY / "docs/watching.md").read_text()
    assert set(re.findall(r"(?m)^\| `([0-9a-f]{32})`", page)) == {each.value for each in Event}
    listed = re.findall(r"(?m)^\| `HEAT_([A-Z_]+)`", page)
    assert {each.lower() for each in listed} == facts()


def test_a_run_says_what_it_does_in_few_entries_and_why_it_failed(
    journald: Journald, deploy: Any, stderr: pytest.CaptureFixture[str]
) -> None:
    assert stderr
    failing = script("echo why >&2; exit 3", config_id="c2"), script("exit 4", config_id="c3")
    deploy(script("echo one >&2; echo two >&2"), *failing)
    entries = journald.entries()
    by_priority = {
        priority: [entry for entry in entries if entry["PRIORITY"] == priority]
        for priority in ("4", "6", "7")
    }
    assert sum(map(len, by_priority.values())) == len(entries)
    failed, silent = by_priority["4"]
    assert failed["MESSAGE"].endswith("ended with status code 3: why")
    assert silent["MESSAGE"].endswith("ended with status code 4")
    assert (failed["HEAT_DEPLOYMENT_ID"], failed["HEAT_STATUS_CODE"]) == ("c2", "3")
    events = [(entry["MESSAGE_ID"], entry["HEAT_DEPLOYMENT_ID"]) for entry in by_priority["6"]]
    assert events == [
        (Event.BEGUN.value, "c1"),
        (Event.DONE.value, "c1"),
        (Event.BEGUN.value, "c2"),
        (Event.BEGUN.value, "c3"),
    ]
    lines = {line for entry in by_priority["7"] for line in entry["MESSAGE"].split("\n")}
    assert {"name-of-c1: one", "name-of-c1: two"} <= lines
